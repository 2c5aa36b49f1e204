"""What a process keeps from one training to the next in the user's own modules and the environment; put back."""

from __future__ import annotations

import contextlib
import copy
import itertools
import operator
import os
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from initcheck.engines.replacing import note_use
from initcheck.engines.script_pins import is_own_file

MODULE_STATE = "module state"
_HERE = str(Path(__file__).parents[1])
_MOST_PARTS = 10_000  # of a list or a dict
_MOST_WITHIN = 1_000  # parts of it that are looked into
_DEEPEST = 4  # lists in dicts of objects
_MOST_BYTES = 1 << 24  # of an array
_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_ITERATORS: tuple[type, ...] = (itertools.count, type(iter([])), type(iter(())), type(iter(range(0))))


def own_modules() -> list[ModuleType]:
    """The modules of the user's own code: neither Python's, nor installed, nor ours; a notebook's is among them."""
    found = []
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType):
            continue
        file = object.__getattribute__(module, "__dict__").get("__file__")  # a lazy one is not to be loaded
        if name == "__main__" if file is None else is_own_file(file) and not file.startswith(_HERE):
            found.append(module)
    return found


@dataclass(frozen=True)
class _Kept:
    """Something that may change: its name in words, whose attribute it is (None for a part of a list), its value."""

    name: str
    home: Any
    attribute: str
    value: Any


# The state of what is kept as it was when it was first looked at: its name → what it was, and how to put it back.
_first_state: dict[str, tuple[_Kept, Callable[[], bool]]] = {}


def forget_module_state() -> None:
    """Lets the state that modules have now be their first: the user may have changed it since."""
    _first_state.clear()


@contextlib.contextmanager
def module_state_pinned(_keras: Any, _seed: int) -> Iterator[None]:
    """Puts back to where it was at first what the environment, modules, their classes, functions and objects keep.

    That is generators, counters, iterators of lists and ranges, lists, dicts and arrays, also within each other.
    """
    for kept in _everything_kept():
        _put_back(kept)
    try:
        yield
    finally:
        for kept in _everything_kept():
            if _put_back(kept):
                note_use(MODULE_STATE, kept.name)


def _everything_kept() -> list[_Kept]:
    modules = own_modules()
    walk = _Walk({module.__name__ for module in modules})
    found = [_Kept("os.environ", None, "", os.environ)]
    for module in modules:
        found += walk.attributes(module, module.__name__, 0)
    return found


class _Walk:
    """A walk through the user's modules; each object is looked at once, and named by where it is met first."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._seen: set[int] = set()

    def attributes(self, home: Any, name: str, depth: int) -> Iterator[_Kept]:
        try:
            held = list(vars(home).items())
        except TypeError:  # an object of an extension, which says that it has attributes and has none
            return
        for attribute, value in held:
            if not attribute.startswith("__"):
                yield from self.look(_Kept(f"{name}.{attribute}", home, attribute, value), depth)

    def look(self, kept: _Kept, depth: int) -> Iterator[_Kept]:
        """What may change of a value, and of what it holds."""
        value = kept.value
        if _is_unchangeable(value):
            if kept.home is not None and value is not None:
                yield kept
            return
        if id(value) in self._seen or depth > _DEEPEST:
            return
        self._seen.add(id(value))
        if isinstance(value, type | FunctionType):
            if value.__module__ in self._names:
                yield from self._of_code(value, kept.name, depth)
        elif isinstance(value, MethodType):
            yield from self.look(_Kept(f"{kept.name}.__self__", None, "", value.__self__), depth)
        elif self._is_own(type(value)):
            yield from self.attributes(value, kept.name, depth + 1)
        else:
            yield kept
            yield from self._parts(value, kept.name, depth + 1)

    def _parts(self, value: Any, name: str, depth: int) -> Iterator[_Kept]:
        """Of a list or a dict, or another such."""
        if isinstance(value, list | dict | set | deque):
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            for key, part in itertools.islice(list(parts), _MOST_WITHIN):
                if not isinstance(part, _PLAIN):
                    yield from self.look(_Kept(f"{name}[{key!r}]", None, "", part), depth)

    def _of_code(self, value: type | FunctionType, name: str, depth: int) -> Iterator[_Kept]:
        if isinstance(value, FunctionType):
            yield from self._of_function(value, name, depth)
        else:
            yield from self.attributes(value, f"{value.__module__}.{value.__qualname__}", depth)

    def _of_function(self, function: FunctionType, name: str, depth: int) -> Iterator[_Kept]:
        """Its defaults, its closure, and the attributes that it was given."""
        defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        for number, value in enumerate(defaults):
            yield from self.look(_Kept(f"{name}: default {number}", None, "", value), depth + 1)
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # an empty one
                part = _Kept(f"{name}: {variable} of its closure", cell, "cell_contents", cell.cell_contents)
                yield from self.look(part, depth + 1)
        yield from self.attributes(function, name, depth + 1)

    def _is_own(self, kind: type) -> bool:
        """Whether an object's class derives from the user's own alone: what Keras keeps is Keras's to put back."""
        return all(one.__module__ in self._names for one in kind.__mro__[:-1])


def _is_unchangeable(value: Any) -> bool:
    return isinstance(value, _PLAIN) or (isinstance(value, tuple) and _is_plain(value))


def _is_plain(value: Any) -> bool:
    return len(value) <= _MOST_PARTS and all(isinstance(part, _PLAIN) for part in value)


def _put_back(kept: _Kept) -> bool:
    """Puts something kept back to its first state, or notes it as that; whether it differed."""
    first = _first_state.get(kept.name)
    if first is None or first[0].home is not kept.home or (kept.home is None and first[0].value is not kept.value):
        with contextlib.suppress(Exception):  # what cannot be copied has no state that we know of
            if (restore := _restorer(kept)) is not None:
                _first_state[kept.name] = kept, restore
        return False
    return first[1]()


def _restorer(kept: _Kept) -> Callable[[], bool] | None:
    """What puts it back, bound to other objects meanwhile or changed in place, and returns whether it differed."""
    home, attribute, value = kept.home, kept.attribute, kept.value
    if _is_unchangeable(value) or isinstance(value, _ITERATORS):
        return _rebinder(home, attribute, value) if home is not None else None
    if (access := _access(value)) is None:
        return None
    get, put = access
    first = get(value)

    def put_back() -> bool:
        now = value if home is None else getattr(home, attribute, None)
        if type(now) is type(value) and is_equal(get(now), first):
            return False
        put(value, first)
        if now is not value:
            setattr(home, attribute, value)
        return True

    return put_back


def _access(value: Any) -> tuple[Callable[[Any], Any], Callable[[Any, Any], Any]] | None:
    """How to copy the state of an object, and to put it back in place."""
    if isinstance(value, np.random.Generator):
        return lambda one: copy.deepcopy(one.bit_generator.state), _put_generator
    if isinstance(value, np.random.RandomState):
        return lambda one: one.get_state(), lambda one, state: one.set_state(state)
    if isinstance(value, random.Random):
        return lambda one: one.getstate(), lambda one, state: one.setstate(state)
    if isinstance(value, np.ndarray):
        if value.nbytes > _MOST_BYTES or value.dtype.hasobject or not value.flags["W"]:
            return None
        return lambda one: one.copy(), np.copyto
    if value is os.environ:
        return dict, _put_environment
    if isinstance(value, list | dict | set | deque):
        return (copy.copy, _refill) if len(value) <= _MOST_PARTS else None
    state = getattr(value, "state", None)  # a generator of Keras or TensorFlow
    if type(value).__name__ in ("SeedGenerator", "Generator") and hasattr(state, "assign"):
        return lambda one: np.array(one.state), lambda one, state: one.state.assign(state)
    return None


def _rebinder(home: Any, attribute: str, value: Any) -> Callable[[], bool]:
    first = copy.copy(value)

    def put_back() -> bool:
        now = getattr(home, attribute, None)
        differs = type(now) is not type(first) or not (now is first or _place(now) == _place(first))
        if differs:
            setattr(home, attribute, copy.copy(first))
        return differs

    return put_back


def _place(value: Any) -> Any:
    """A value, or where an iterator stands: ``count(3)``, or how many are left."""
    if isinstance(value, itertools.count):
        return repr(value)
    return operator.length_hint(value) if isinstance(value, _ITERATORS) else value


def _put_generator(generator: Any, state: Any) -> None:
    generator.bit_generator.state = copy.deepcopy(state)


def _put_environment(environment: Any, state: dict[str, str]) -> None:
    for name in set(environment) - set(state):
        del environment[name]
    environment.update({name: value for name, value in state.items() if environment.get(name) != value})


def _refill(kept: Any, state: Any) -> None:
    kept.clear()
    (kept.update if isinstance(kept, dict | set) else kept.extend)(state)


def is_equal(one: Any, two: Any) -> bool:
    """Whether two states are the same, by their values, or as the same objects where these have none."""
    if one is two:
        return True
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        return bool(one.shape == two.shape and one.dtype == two.dtype and one.tobytes() == two.tobytes())
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(is_equal(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple | deque):
        return len(one) == len(two) and all(map(is_equal, one, two))
    return isinstance(one, (*_PLAIN, set)) and bool(one == two)
