"""Known failures of released frameworks: rows of ``known_issues.toml``, each with a reason and a version range."""

from __future__ import annotations

import fnmatch
import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from initcheck.installed import is_within
from initcheck.processor import kernels_are_chosen_by
from initcheck.targets import TENSORFLOW, target


@dataclass(frozen=True)
class KnownIssue:
    """One row.

    Attributes:
        check: Code of the check that fails.
        subject: Name of the subject on which it fails, or a pattern, ``*`` for all subjects.
        reason: The framework's behaviour, in one sentence.
        link: Where it is reported or documented.
        versions: Package → versions in which it fails, as pip writes them; all of them must match.
        target: The target on which it fails, or a pattern: ``keras:*`` for what is Keras's own code.
        sometimes: Whether it fails by chance, so that it may pass as well.
        processor: The instruction set, as Linux names it, by which oneDNN chooses the kernel that fails; empty where it
            fails on all processors.
    """

    check: str
    subject: str
    reason: str
    link: str
    versions: dict[str, str]
    target: str = TENSORFLOW
    sometimes: bool = False
    processor: str = ""

    def applies(self) -> bool:
        """Whether target, installed packages and processor are such that it fails."""
        if not fnmatch.fnmatchcase(target(), self.target):
            return False
        if self.processor and not kernels_are_chosen_by(self.processor):
            return False
        return all(is_within(package, allowed) for package, allowed in self.versions.items())


@functools.cache
def known_issues() -> tuple[KnownIssue, ...]:
    """All rows of ``known_issues.toml``."""
    text = resources.files("initcheck.catalog").joinpath("known_issues.toml").read_text(encoding="utf-8")
    return tuple(
        KnownIssue(**{**row, "subject": subject, "target": name})
        for row in tomllib.loads(text).get("issue", [])
        for subject in _listed(row["subject"])
        for name in _listed(row.get("target", TENSORFLOW))
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@functools.cache
def rows_by_check() -> Mapping[str, Sequence[KnownIssue]]:
    """The rows of each check's code."""
    rows: dict[str, list[KnownIssue]] = {}
    for row in known_issues():
        rows.setdefault(row.check, []).append(row)
    return rows


def find_known_issue(code: str, subject: str) -> KnownIssue | None:
    """The row that expects that check to fail on that subject with the installed packages, if there is one."""
    rows = (row for row in rows_by_check().get(code, ()) if fnmatch.fnmatchcase(subject, row.subject))
    return next((row for row in rows if row.applies()), None)


def find_general_issue(code: str) -> KnownIssue | None:
    """The row that expects that check to fail on every subject, including a user's own, if there is one."""
    return next((row for row in rows_by_check().get(code, ()) if row.subject == "*" and row.applies()), None)
