"""Checks: their registry, their cells, and how one cell is run."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from initcheck.catalog.initializers import Initializer, as_row
from initcheck.catalog.known_issues import KnownIssue, find_general_issue, find_known_issue
from initcheck.catalog.laws import Unstated
from initcheck.catalog.problems import Problem
from initcheck.checks.blame import from_outside, is_the_frameworks, missing_package
from initcheck.endings import is_mistake
from initcheck.errors import FrameworkError, InitcheckError, UnknownNameError
from initcheck.frameworks.backends import forget_sources, has_doubles
from initcheck.frameworks.libraries.chosen import offered_rows
from initcheck.frameworks.quiet import quiet
from initcheck.records import Status, Verdict
from initcheck.statistics.budget import FALSE_ALARM_RATE
from initcheck.targets import KERAS, LIBRARY, TENSORFLOW, is_judged, target
from initcheck.texts import reason_of

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

FAMILIES = ("determinism", "seeds", "laws", "symmetry", "serialization", "order", "arithmetic", "spread")

# The evidence of the families that ask one fresh process all their questions at once.
_EVIDENCE = dict.fromkeys(("determinism", "order"), "fresh process")
# Approximate time of the slowest evidence, on 2 cores.
SECONDS = {"fresh process": 60, "spread of digits": 30, "spread of xor": 20}

DOCS = "https://github.com/initcheck/initcheck/blob/main/docs"
DOCS_VARIABLE = "INITCHECK_DOCS"  # a copy of these pages that a failure names instead


@dataclass(frozen=True)
class Subject:
    """One row or case that a check is applied to, or the framework as a whole.

    Attributes:
        name: Readable part of the test's id.
        value: Passed to the check; None if it judges the framework as a whole.
        own: Whether it is a user's own object instead of a row of the catalogue.
        evidence: The evidence that it shares with other subjects, if not that of its check.
    """

    name: str
    value: Any = field(default=None, compare=False)
    own: bool = False
    evidence: str = ""


FRAMEWORK = (Subject("framework"),)


@dataclass(frozen=True)
class Check:
    """A promise of the documentation, and the function that judges it.

    Attributes:
        code: Short and unique, for example ``LAW03``; the heading of its section in ``docs/checks.md``.
        title: The promise, in one sentence.
        family: One of ``FAMILIES``.
        subjects: The rows and cases of the catalogue that it is applied to.
        judge: ``judge(lab, subject_value, alpha)`` for a statistical check, else ``judge(lab, subject_value)``.
        takes: The kind of a user's own object that it can judge: ``initializer``, ``problem`` or empty.
        detects: For a statistical check: the effect that it detects with power 99.9 %.
        samples: For a statistical check: how many samples one verdict rests on, from the effort's factor.
        min_samples: For a statistical check: how many it needs for that power at a false-alarm rate.
        p_values: How many p-values one verdict compares with its share of the error budget.
        evidence: Names the evidence that its cells share with those of other checks; empty for its family's.
        on: The targets that it judges: ``ANY``, ``KERAS`` on any backend, Keras on ``TENSORFLOW``, a ``LIBRARY``, or
            several of them.
    """

    code: str
    title: str
    family: str
    subjects: Sequence[Subject]
    judge: Callable[..., Verdict]
    takes: str = ""
    detects: str = ""
    samples: Callable[[float], int] | None = None
    min_samples: Callable[[float], int] | None = None
    p_values: int = 1
    evidence: str = ""
    on: str | tuple[str, ...] = TENSORFLOW

    @property
    def applied(self) -> Sequence[Subject]:
        """Its subjects, or the framework as a whole, which lacks a reason to be judged, where it judges others."""
        return self.subjects if is_judged(target(), self.on) else FRAMEWORK

    @property
    def statistical(self) -> bool:
        """Whether its verdict has a false-alarm rate above zero."""
        return self.samples is not None

    @property
    def url(self) -> str:
        """Where its section is: in the repository's docs, or below the address in ``INITCHECK_DOCS``."""
        docs = os.environ.get(DOCS_VARIABLE, "").strip() or DOCS
        return f"{docs.rstrip('/')}/checks.md#{self.code.lower()}"


_CHECKS: dict[str, Check] = {}


def check(code: str, title: str, **traits: Any) -> Callable[[Callable[..., Verdict]], Callable[..., Verdict]]:
    """Registers the decorated function as the judge of that check; its place in this package is the family."""

    def register(judge: Callable[..., Verdict]) -> Callable[..., Verdict]:
        family = judge.__module__.split(".")[2]
        if code in _CHECKS or family not in FAMILIES:
            raise ValueError(f"check {code} is registered twice, or {family} is no family")
        traits.setdefault("subjects", FRAMEWORK)
        traits.setdefault("evidence", _EVIDENCE.get(family, ""))
        _CHECKS[code] = Check(code=code, title=title, family=family, judge=judge, **traits)
        return judge

    return register


def all_checks() -> list[Check]:
    """Returns all checks, family by family."""
    for family in FAMILIES:
        importlib.import_module(f"initcheck.checks.{family}")
    return sorted(_CHECKS.values(), key=lambda each: (FAMILIES.index(each.family), each.code))


def share_judged() -> str:
    """How many checks of each family judge the target: ``laws 13 of 27, order 0 of 18, …``."""
    by_family = {name: [one for one in all_checks() if one.family == name] for name in FAMILIES}
    judged = {name: sum(is_judged(target(), one.on) for one in some) for name, some in by_family.items()}
    return "checks of " + ", ".join(f"{name} {judged[name]} of {len(some)}" for name, some in by_family.items())


@dataclass(frozen=True)
class Cell:
    """One check on one subject, which is one test.

    Attributes:
        check: The check.
        subject: The row or case.
        alpha: This verdict's share of the error budget; 0 where it is not statistical.
    """

    check: Check
    subject: Subject
    alpha: float

    @property
    def name(self) -> str:
        """The readable id of the cell, with the target where it is not Keras on TensorFlow."""
        name = f"{self.check.code}-{self.subject.name}"
        return name if target() == TENSORFLOW else f"{name}@{target()}"

    @property
    def evidence(self) -> str:
        """Names the evidence that it shares with other cells."""
        return self.subject.evidence or self.check.evidence or self.check.family

    @property
    def known_issue(self) -> KnownIssue | None:
        """The known issue of the installed framework under which this check fails on this subject.

        None for a user's own object, which may or may not use the code that is broken.
        """
        code = self.check.code
        return find_general_issue(code) if self.subject.own else find_known_issue(code, self.subject.name)


def budget_share() -> float:
    """The false-alarm rate of one p-value: the suite's, divided by all p-values of the catalogue (Bonferroni).

    It counts what exists, not what is selected, so that it is the same for every selection and worker.
    """
    judged = [each for each in all_checks() if each.statistical and is_judged(target(), each.on)]
    count = sum(each.p_values * len(each.subjects) for each in judged)
    return FALSE_ALARM_RATE / max(1, count)


def cells(families: Iterable[str] = (), *, codes: Iterable[str] = (), own: Sequence[Subject] = ()) -> Iterator[Cell]:
    """The cells of those families and codes; of all where none are named.

    Args:
        families: Names of families.
        codes: Codes of checks.
        own: A user's own initializers or problems, in place of the catalogue's: the checks that can judge them.
    """
    families, codes = tuple(families), tuple(codes)
    known = sorted(each.code for each in all_checks())
    for name in families:
        if name not in FAMILIES:
            raise UnknownNameError("check family", name, FAMILIES)
    for code in codes:
        if code not in known:
            raise UnknownNameError("check", code, known)
    share = budget_share()
    for each in all_checks():
        if (families and each.family not in families) or (codes and each.code not in codes):
            continue
        for subject in [one for one in own if kind_of(one.value) == each.takes] if own else each.applied:
            yield Cell(each, subject, share if each.statistical and is_judged(target(), each.on) else 0.0)


def as_subject(own: Any) -> Subject:
    """A user's own object as a subject.

    Args:
        own: A ``Problem``, an ``Initializer`` row, or a class of Keras initializers or an instance of one.

    Raises:
        InitcheckError: It is none of these.
    """
    value = own if isinstance(own, Problem) else as_row(own, "the object to check")
    return Subject(value.name, value, own=True)


def kind_of(value: Any) -> str:
    """Returns the kind of a user's own object, as in ``Check.takes``."""
    return "initializer" if isinstance(value, Initializer) else "problem"


def over_initializers(*, random: bool | None = None) -> list[Subject]:
    """The target's rows as subjects; only those with or without randomness where asked."""
    return [Subject(row.name, row) for row in offered_rows() if random is None or row.law.random is random]


class NotApplicable(Exception):
    """Raised by a check that has nothing to judge on this subject, with the reason."""


def require_dtype(name: str) -> None:
    """Refuses a dtype that the target lacks.

    Raises:
        NotApplicable: It has 64 bits, and JAX has none of these unless asked.
    """
    if name.endswith("64") and not has_doubles(target()):
        raise NotApplicable("JAX has no 64-bit types unless JAX_ENABLE_X64 asks for them")


def require(lacking: str) -> None:
    """Ends a check as not applicable if the installed Keras lacks what it names; empty where it lacks nothing."""
    if lacking:
        raise NotApplicable(f"the installed Keras has no {lacking}")


def require_law(row: Initializer) -> None:
    """Requires that the initializer states a law.

    Raises:
        NotApplicable: The row's law is ``Unstated``, as that of a class or an instance is.
    """
    if isinstance(row.law, Unstated):
        raise NotApplicable(f"{row.name} states no law; give an initcheck.Initializer row (docs/own_models.md)")


class Judged(Exception):
    """Raised by a check whose evidence already decides the verdict; carries that verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(str(verdict))
        self.verdict = verdict


def run_check(cell: Cell, lab: Lab) -> Verdict:
    """Judges one cell; a statistical failure is confirmed once on fresh streams before it counts.

    An exception raised by the framework is a failure too: nothing documented raises, but for what takes an optional
    package that is not installed. One raised by initcheck's own code is a bug in initcheck instead of evidence, and
    propagates.
    """
    verdict = _judge(cell, lab)
    if verdict.status is Status.FAIL and cell.check.statistical:
        again = _judge(cell, lab.salted())
        verdict = verdict.confirmed_by(again)
    forget_sources()
    return verdict


def _judge(cell: Cell, lab: Lab) -> Verdict:
    arguments = (cell.alpha,) if cell.check.statistical else ()
    if not is_judged(target(), cell.check.on):
        return Verdict(Status.NOT_APPLICABLE, _of_others(cell.check.on))
    try:
        with quiet():  # a warning is no verdict, even where a project turns warnings into errors
            return cell.check.judge(lab, cell.subject.value, *arguments)
    except NotApplicable as reason:
        return Verdict(Status.NOT_APPLICABLE, str(reason))
    except Judged as judged:
        return judged.verdict
    except FrameworkError:  # there is nothing to judge
        raise
    except BaseException as error:  # an own object's SystemExit too
        if not _is_evidence(error, cell.subject):
            raise
        if package := missing_package(error):
            return Verdict(Status.NOT_APPLICABLE, f"the framework does this by {package}, which is not installed")
        return Verdict(Status.FAIL, f"raised {reason_of(error, 300)}", "no exception", cause=from_outside(error))


def _of_others(on: str | tuple[str, ...]) -> str:
    """Why the target is not judged."""
    if on == LIBRARY:
        return f"this is asked of libraries; layers of {target()} have checks of their own (LAW15, SEED07, SEED08)"
    if is_judged(target(), KERAS):
        judged = on if isinstance(on, str) else " and ".join(on)
        return f"initcheck judges this on {judged} only so far, not on {target()}"
    return f"{target()} has nothing of the kind: it is asked of {'Keras' if on == KERAS else on}"


def _is_evidence(error: BaseException, subject: Subject) -> bool:
    """Whether the framework or the user's own code is to blame, or initcheck raised it to say what the user can fix."""
    if not isinstance(error, Exception) and not is_mistake(error):
        return False
    # What a user's own object lacks, or does not accept, is raised in the frame that asks for it.
    return subject.own or isinstance(error, InitcheckError) or is_the_frameworks(error)
