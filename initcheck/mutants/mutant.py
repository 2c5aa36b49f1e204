"""Mutants and their registry."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from initcheck import mutants
from initcheck.frameworks.backends import load_target_keras
from initcheck.targets import TENSORFLOW, backend_of, is_judged, target

Apply = Callable[[Any], None]


@dataclass(frozen=True)
class Mutant:
    """A change to the installed framework, made in memory for the life of one process.

    Attributes:
        name: Short and unique.
        title: The change, and by how much it is wrong.
        caught_by: Codes of the checks that must fail under it; none for a harmless change, which all must pass.
        apply: Makes the change, given Keras; or nothing, of a library.
        on: The targets that it changes, as of a check.
        shows: Whether the change can be seen in this environment.
    """

    name: str
    title: str
    caught_by: tuple[str, ...]
    apply: Apply
    on: str | tuple[str, ...] = TENSORFLOW
    shows: Callable[[], bool] = lambda: True

    @property
    def harmless(self) -> bool:
        """Whether every check must pass under it."""
        return not self.caught_by


_MUTANTS: dict[str, Mutant] = {}


def mutant(
    name: str,
    title: str,
    *,
    caught_by: tuple[str, ...] = (),
    on: str | tuple[str, ...] = TENSORFLOW,
    shows: Callable[[], bool] = lambda: True,
) -> Callable[[Apply], Apply]:
    """Registers the decorated function; where no check is named, the change is harmless."""

    def register(apply: Apply) -> Apply:
        if name in _MUTANTS:
            raise ValueError(f"mutant {name} is registered twice")
        _MUTANTS[name] = Mutant(name, title, caught_by, apply, on, shows)
        return apply

    return register


def all_mutants(on: str = "") -> dict[str, Mutant]:
    """Returns all mutants of a target, by default of this process's, by name."""
    for module in pkgutil.iter_modules(mutants.__path__):
        importlib.import_module(f"{mutants.__name__}.{module.name}")
    return {name: one for name, one in _MUTANTS.items() if is_judged(on or target(), one.on)}


def apply_mutant(name: str) -> None:
    """Applies that mutant in this process."""
    all_mutants()[name].apply(load_target_keras() if backend_of(target()) else None)
