"""A name for what a user's function does: its code and values, and all of the user's own that it calls."""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
import sysconfig
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.digests import digest

_INSTALLED = tuple(
    {
        str(Path(path).resolve())
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if (path := sysconfig.get_path(name))
    }
)
_PLAIN = (str, bytes, int, float, complex, bool, type(None))


def code_digest(*objects: Any) -> str:
    """A name for the code of functions and classes, their constants, defaults and closures.

    Comments and layout count for nothing. Whatever else of the user's own they name is included: other functions,
    classes, modules. Of what is installed, the name counts alone: its version is part of the environment.
    """
    walk = _Walk()
    for one in objects:
        walk.add(one)
    return walk.key.hexdigest()


class _Walk:
    def __init__(self) -> None:
        self.key = hashlib.blake2b(digest_size=12)
        self._seen: dict[int, tuple[int, Any]] = {}  # kept, so that no other object takes its number

    def add(self, one: Any) -> None:
        """Adds an object to the digest, once."""
        if isinstance(one, _PLAIN):
            self._say(type(one).__name__, repr(one))
            return
        if id(one) in self._seen:
            self._say("again", str(self._seen[id(one)][0]))
            return
        self._seen[id(one)] = len(self._seen), one
        self._add_new(one)

    def _add_new(self, one: Any) -> None:  # noqa: C901 - one kind after another
        if isinstance(one, types.FunctionType):
            self._add_function(one)
        elif isinstance(one, types.CodeType):
            self._add_code(one)
        elif isinstance(one, functools.partial):
            self._say("partial")
            self._add_all((one.func, one.args, one.keywords))
        elif isinstance(one, types.MethodType):
            self._say("method")
            self._add_all((one.__func__, one.__self__))
        elif isinstance(one, type):
            self._add_class(one)
        elif isinstance(one, types.ModuleType):
            self._add_module(one)
        elif isinstance(one, Mapping):
            self._say("mapping", str(len(one)))
            for name in sorted(one, key=repr):
                self._add_all((name, one[name]))
        elif isinstance(one, list | tuple):
            self._say("sequence", str(len(one)))
            self._add_all(one)
        elif isinstance(one, set | frozenset):
            self._say("set", *sorted(map(code_digest, one)))
        elif isinstance(one, np.ndarray):
            self._say("array", digest([one]) if one.dtype.kind != "O" else repr(one.tolist()))
        elif inspect.isfunction(wrapped := getattr(one, "__wrapped__", None)):  # functools.cache
            self._say("wrapped")
            self.add(wrapped)
        elif isinstance(one, property | staticmethod | classmethod):
            self._add_all([getattr(one, name, None) for name in ("fget", "fset", "__func__")])
        else:
            self._say("object")
            self.add(type(one))
            if _is_own(type(one).__module__):
                self.add({name: value for name, value in getattr(one, "__dict__", {}).items() if name[:2] != "__"})

    def _add_function(self, function: types.FunctionType) -> None:
        cells = [_content(cell) for cell in function.__closure__ or ()]
        if not _is_own(function.__globals__.get("__name__")):  # __module__ may be that of a function that it wraps
            self._say("installed", f"{function.__globals__.get('__name__')}:{function.__code__.co_qualname}")
            self._add_all(one for one in (*cells, getattr(function, "__wrapped__", None)) if _is_told(one))
            return
        self._say("function")
        self._add_all((function.__code__, function.__defaults__, function.__kwdefaults__, cells))
        for name in sorted(_names(function.__code__) & {*function.__globals__}):
            self._say("global", name)
            self.add(function.__globals__[name])

    def _add_code(self, code: types.CodeType) -> None:
        self._say("code", code.co_code.hex(), *code.co_names, *code.co_varnames, *code.co_freevars)
        self._add_all([one for place, one in enumerate(code.co_consts) if place or not isinstance(one, str)])

    def _add_class(self, kind: type) -> None:
        self._say("class", f"{kind.__module__}:{kind.__qualname__}")
        if _is_own(kind.__module__):
            self._add_all(kind.__bases__)
            for name, value in sorted(vars(kind).items()):
                if not name.startswith("__") or inspect.isfunction(value):
                    self._say("attribute", name)
                    self.add(value)

    def _add_module(self, module: types.ModuleType) -> None:
        self._say("module", module.__name__)
        if _is_own(module.__name__) and (file := getattr(module, "__file__", None)):
            path = Path(file)
            self._say(hashlib.blake2b(path.read_bytes()).hexdigest() if path.is_file() else "")

    def _add_all(self, several: Any) -> None:
        for one in several:
            self.add(one)

    def _say(self, *texts: str) -> None:
        for text in texts:
            encoded = text.encode("utf-8", "backslashreplace")
            self.key.update(b"%d:" % len(encoded) + encoded)


def _names(code: types.CodeType) -> set[str]:
    """The names that the code and the functions within it look up."""
    inner = [_names(one) for one in code.co_consts if isinstance(one, types.CodeType)]
    return {*code.co_names}.union(*inner)


def _is_told(one: Any) -> bool:
    """Whether something that an installed function was given is of the user's own, or a plain value."""
    if isinstance(one, types.FunctionType):
        return _is_own(one.__globals__.get("__name__"))
    return isinstance(one, (*_PLAIN, np.ndarray)) or (isinstance(one, type) and _is_own(one.__module__))


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


@functools.cache
def _is_own(module: str | None) -> bool:
    """Whether a module is of the user's own: neither installed, nor Python's, nor initcheck's."""
    if not module or module.partition(".")[0] in {"initcheck", "builtins", *sys.stdlib_module_names}:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or module == "__main__":  # a notebook's, or a script's that sent it to this process
        return True
    path = Path(file).resolve()
    if {"site-packages", "dist-packages"} & {*path.parts}:  # of another environment that this one sees
        return False
    return not any(path.is_relative_to(root) for root in _INSTALLED)
