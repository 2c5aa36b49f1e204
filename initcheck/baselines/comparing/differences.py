"""The differences between two environments, or between two sweeps' settings, for people to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from initcheck.records import Environment


@dataclass(frozen=True)
class Difference:
    """A property that differs between two sides; a dash where a side lacks it."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what} {self.old} → {self.new}"


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Difference, ...]:
    """The entries that differ, in the old side's order."""
    return tuple(
        Difference(what, old.get(what, "–"), new.get(what, "–"))
        for what in {**old, **new}
        if old.get(what) != new.get(what)
    )


def environment_differences(
    old: Environment, new: Environment, only: Collection[str] | None = None
) -> tuple[Difference, ...]:
    """The differences between two environments: in all fields of ``Environment``, or only in those."""
    return differences(dict(old.rows(only)), dict(new.rows(only)))
