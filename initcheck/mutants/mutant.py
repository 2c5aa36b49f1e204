"""Mutants and their registry."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from initcheck import mutants
from initcheck.frameworks.keras import load_keras

Apply = Callable[[Any], None]


@dataclass(frozen=True)
class Mutant:
    """A change to the installed framework, made in memory for the life of one process.

    Attributes:
        name: Short and unique.
        title: The change, and by how much it is wrong.
        caught_by: Codes of the checks that must fail under it; none for a harmless change, which all must pass.
        apply: Makes the change, given Keras.
    """

    name: str
    title: str
    caught_by: tuple[str, ...]
    apply: Apply

    @property
    def harmless(self) -> bool:
        """Whether every check must pass under it."""
        return not self.caught_by


_MUTANTS: dict[str, Mutant] = {}


def mutant(name: str, title: str, *, caught_by: tuple[str, ...] = ()) -> Callable[[Apply], Apply]:
    """Registers the decorated function; where no check is named, the change is harmless."""

    def register(apply: Apply) -> Apply:
        if name in _MUTANTS:
            raise ValueError(f"mutant {name} is registered twice")
        _MUTANTS[name] = Mutant(name, title, caught_by, apply)
        return apply

    return register


def all_mutants() -> dict[str, Mutant]:
    """Returns all mutants by name."""
    for module in pkgutil.iter_modules(mutants.__path__):
        importlib.import_module(f"{mutants.__name__}.{module.name}")
    return dict(_MUTANTS)


def apply_mutant(name: str) -> None:
    """Applies that mutant in this process."""
    all_mutants()[name].apply(load_keras())
