"""The environment that a target is judged in: one that is there, or one that uv builds and keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from initcheck.errors import InitcheckError
from initcheck.targets import TARGETS, backend_of, modules_of
from initcheck.upgrade.carried import require_able
from initcheck.upgrade.environments import build, extra_requirements, resolve
from initcheck.upgrade.recordings import Advance
from initcheck.upgrade.requirements import Interpreter, Requirements, parse_requirement, parse_source

Place = Requirements | Interpreter


def place_of(target: str, python: str | None, further: Sequence[str]) -> Place:
    """The environment that the user named for a target, or what a built one needs: its extra of initcheck.

    Args:
        target: Its name.
        python: An interpreter, or the folder of a virtual environment.
        further: Further requirements.

    Raises:
        InitcheckError: There is no such interpreter; no such requirement; there are requirements for an interpreter; or
            nothing says what a library of the user's own needs.
    """
    if python is not None:
        named = parse_source(python, further)
        if isinstance(named, Interpreter):
            return named
        raise InitcheckError(f"--python {python} is no interpreter, and no folder of a virtual environment")
    wanted = (*_needed(target), *map(parse_requirement, further))
    if not wanted:
        raise InitcheckError(f"nothing says what it needs; add --with '{target}=…' or --python {target}=…")
    return Requirements(wanted)


def interpreter_of(target: str, place: Place, *, refresh: bool, advance: Advance) -> Path:
    """The interpreter of a target's environment, which is built where it is not kept.

    Args:
        target: Its name.
        place: The environment.
        refresh: Whether to build it anew.
        advance: Called with the target and what is done.

    Raises:
        InitcheckError: It cannot be built, or lacks what the target needs.
    """
    if isinstance(place, Interpreter):
        python = place.python
    else:
        advance(target, f"resolving {place}", 0, 0)
        chosen = resolve(place, None)
        advance(target, f"installing {chosen.pins.count('==')} packages", 0, 0)
        python = build(chosen, refresh=refresh)
    require_able(python, modules_of(target))
    return python


def _needed(target: str) -> list[str]:
    if target not in TARGETS:
        return []
    backend = backend_of(target)
    return [*extra_requirements(backend or target), *(["keras>=3"] if backend else [])]
