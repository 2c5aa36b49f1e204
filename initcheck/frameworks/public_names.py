"""The public names of the installed framework, with their arguments, read from the framework itself."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from initcheck.frameworks.backends import load_target_keras

# Kind → the module of ``keras`` that holds it, and the base class of its members; functions have none.
KINDS = {
    "initializers": ("initializers", "Initializer"),
    "layers": ("layers", "Layer"),
    "activations": ("activations", None),
    "losses": ("losses", "Loss"),
    "metrics": ("metrics", "Metric"),
    "optimizers": ("optimizers", "Optimizer"),
    "schedules": ("optimizers.schedules", "LearningRateSchedule"),
    "regularizers": ("regularizers", "Regularizer"),
    "constraints": ("constraints", "Constraint"),
    "callbacks": ("callbacks", "Callback"),
    "random functions": ("random", None),
}
_HELPERS = ("deserialize", "get", "serialize")


@dataclass(frozen=True)
class PublicName:
    """A class or function that users reach through ``keras``.

    Attributes:
        kind: One of ``KINDS``.
        name: The class's own name, or the function's.
        arguments: The names of its arguments, without ``**kwargs``.
    """

    kind: str
    name: str
    arguments: tuple[str, ...]


@functools.cache
def public_names() -> tuple[PublicName, ...]:
    """All public names of the kinds, each once, whatever its aliases; by kind and name."""
    keras = load_target_keras()
    return tuple(
        PublicName(kind, name, _arguments(member))
        for kind, (path, base) in KINDS.items()
        for name, member in sorted(_members(keras, path, base).items())
    )


def _members(keras: ModuleType, path: str, base: str | None) -> dict[str, Any]:
    module: Any = keras
    for part in path.split("."):
        module = getattr(module, part, None)
    found = {name: value for name, value in vars(module).items() if not name.startswith("_")} if module else {}
    members = [
        (name, value)
        for name, value in found.items()
        if (_is_function(name, value) if base is None else _is_member(value, found.get(base)))
    ]
    by_identity: dict[int, list[tuple[str, Any]]] = {}
    for name, value in members:
        by_identity.setdefault(id(value), []).append((name, value))
    return dict(map(_own_name, by_identity.values()))


def _is_member(value: object, base: object) -> bool:
    return isinstance(value, type) and isinstance(base, type) and issubclass(value, base) and value is not base


def _is_function(name: str, value: object) -> bool:
    return callable(value) and name not in _HELPERS


def _own_name(aliases: list[tuple[str, Any]]) -> tuple[str, Any]:
    """The alias that is the member's own name; the first one where none is."""
    own = getattr(aliases[0][1], "__name__", None)
    return next((one for one in aliases if one[0] == own), aliases[0])


def _arguments(member: Any) -> tuple[str, ...]:
    parameters = inspect.signature(member).parameters.values()
    return tuple(one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD))


def names_of(kind: str) -> Iterator[str]:
    """The public names of one kind."""
    return (one.name for one in public_names() if one.kind == kind)
