"""A user's own problems and initializers, by name: the catalogue's, or what ``package.module:attribute`` names."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS, Initializer, as_row, get_initializers
from initcheck.catalog.own_problems import OWN, OwnProblem
from initcheck.catalog.problems import Problem, get_problem
from initcheck.endings import outputs_kept_open
from initcheck.errors import InitcheckError
from initcheck.frameworks.backends import load_target_keras
from initcheck.targets import backend_of, target
from initcheck.texts import reason_of

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def find_problem(name: str, option: str = "--problem") -> Problem:
    """The problem of that name in the catalogue, or the user's own from ``package.module:attribute``.

    Raises:
        UnknownNameError: The catalogue has no such row; the message gives the nearest ones.
        InitcheckError: The module does not import, or the attribute is no ``Problem``.
    """
    problem = find_any_problem(name, option)
    if isinstance(problem, OwnProblem):
        raise InitcheckError(
            f"{option} {name} is a model as it is, which runs and the doctor take; name a Problem here"
        )
    return problem


def find_any_problem(name: str, option: str = "--problem") -> Problem | OwnProblem:
    """The same, of a model as it is, too, as ``Problem.of`` gives it; the errors are the same."""
    if ":" not in name:
        return get_problem(name)
    problem = import_own(name, option)
    if not isinstance(problem, Problem | OwnProblem):
        raise InitcheckError(f"{option} {name} is {_described(problem)}; name an initcheck.Problem there")
    return problem


def find_initializers(asked: Iterable[Any], option: str = "initializers") -> list[Initializer]:
    """The rows of those initializers, in the order given.

    Args:
        asked: Names of the catalogue, ``all``, ``package.module:attribute``; or rows, classes of Keras initializers and
            instances of them themselves.
        option: The user's name for them, for the message.

    Raises:
        UnknownNameError: The catalogue has no such row.
        InitcheckError: Something that is none of them, or two of one name.
    """
    rows: dict[str, Initializer] = {}
    for one in asked:
        if one is OWN or one == OWN.name:
            chosen = [OWN]
        elif isinstance(one, str) and ":" not in one:
            chosen = get_initializers([one])
        elif isinstance(one, str):
            chosen = [as_row(import_own(one, option), f"{option} {one}")]
        else:
            chosen = [as_row(one, option)]
        for row in chosen:
            if rows.setdefault(row.name, row) != row or INITIALIZERS.get(row.name, row) != row:
                raise InitcheckError(
                    f"{option}: two initializers are named {row.name!r}; give yours a name of its own with "
                    "initcheck.Initializer(name, class, law, source)"
                )
    return list(rows.values())


def import_own(name: str, option: str) -> Any:
    """The object that ``package.module:attribute`` names; the current folder is searched first.

    The framework is loaded before the user's module imports it: its threads are pinned then, and its start-up notes are
    kept off the terminal.

    Raises:
        InitcheckError: It is not written so, the module does not import, or has no such attribute.
    """
    module_name, _, attribute = name.partition(":")
    if not (_NAME.fullmatch(module_name) and _NAME.fullmatch(attribute)) or module_name.endswith(".py"):
        raise InitcheckError(
            f"{option} {name} is not package.module:attribute; write it with dots, without .py or folders"
        )
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)  # as `python -m` does; a console script does not
    importlib.invalidate_caches()
    with outputs_kept_open() as closed:
        own = _imported(module_name, attribute, name, option)
    if closed:
        raise InitcheckError(f"{option} {name}: importing {module_name!r} closes standard {closed[0]}; leave it open")
    return own


def _imported(module_name: str, attribute: str, name: str, option: str) -> Any:
    if module_name not in sys.modules:
        _require_module(module_name, name, option)
        if backend_of(target()):
            load_target_keras()
    try:
        own = importlib.import_module(module_name)
        for part in attribute.split("."):
            if not hasattr(own, part):
                raise InitcheckError(  # noqa: TRY301 - asking for a part may run code of the user's, which may fail too
                    f"{option} {name}: {module_name} has nothing named {attribute!r}; correct the name"
                )
            own = getattr(own, part)
    except (InitcheckError, KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - the user has to correct all of it, SystemExit too
        raise _failed(name, option, module_name, error) from None
    return own


def origin_of(own: Any) -> str:
    """The name ``package.module:attribute`` by which another process finds that object; empty where there is none."""
    if isinstance(own, type):
        places = [(own.__module__, own.__qualname__)]
    else:
        modules = [(name, vars(module)) for name, module in list(sys.modules.items()) if hasattr(module, "__dict__")]
        places = [(name, key) for name, values in modules for key, one in list(values.items()) if one is own]
    return next((f"{module}:{key}" for module, key in places if _is_importable(module, key, own)), "")


def _is_importable(module: str, key: str, own: Any) -> bool:
    if module == "__main__" or not _NAME.fullmatch(module) or not _NAME.fullmatch(key):
        return False
    named: Any = sys.modules.get(module)
    for part in key.split("."):
        named = getattr(named, part, None)
    if named is not own:
        return False
    file = getattr(sys.modules[module], "__file__", None)
    roots = {Path.cwd(), *(Path(one) for one in sys.path)}
    relative = module.replace(".", "/")
    return file is not None and any(
        (root / f"{relative}{ending}").resolve() == Path(file).resolve()
        for root in roots
        for ending in (".py", "/__init__.py")
    )


def _require_module(module_name: str, name: str, option: str) -> None:
    """Refuses a mistyped name before the framework is loaded for it."""
    try:
        spec = importlib.util.find_spec(module_name)
    except BaseException as error:  # the packages around it are imported to find it
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _failed(name, option, module_name, error) from None
    if spec is None:
        raise InitcheckError(
            f"{option} {name}: importing {module_name!r} failed: there is no such module here; correct it"
        )


def _failed(name: str, option: str, module_name: str, error: BaseException) -> InitcheckError:
    return InitcheckError(f"{option} {name}: importing {module_name!r} failed: {reason_of(error)}; correct it")


def _described(own: Any) -> str:
    return f"a class, {own.__name__}" if isinstance(own, type) else f"of type {type(own).__name__}"
