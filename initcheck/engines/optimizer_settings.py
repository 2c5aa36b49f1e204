"""An optimizer's settings, and the code in it that is not Keras's own and so may keep state or draw."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np

from initcheck.texts import for_terminal, with_article

_NUMBERS = (type(None), bool, int, float, str, np.generic)
_RATE = "_learning_rate"  # of Keras 2 and 3: the number in a variable, a schedule, or a function


def find_own_code(keras: Any, optimizer: Any) -> str:
    """The first part of the optimizer that is not Keras's own, in words; empty where there is none.

    A setting is Keras's own if it is a number, a text, or, as the learning rate, one of Keras's own schedules over
    numbers, or Keras's own optimizer within the optimizer. The words are a clause's subject: ``its optimizer's
    learning_rate, a Warm,``.
    """
    if not is_of_framework(type(optimizer)):
        return f"its optimizer, {_kind(optimizer)},"
    for name, value in vars(optimizer).items():
        if _is_optimizer(keras, value):
            if inner := find_own_code(keras, value):
                return inner.replace("its optimizer", f"its optimizer's {for_terminal(name.lstrip('_'))}", 1)
            own = False
        elif name == _RATE:
            own = not (_is_variable(value) or _is_plain(value) or _is_keras_schedule(keras, value))
        elif inspect.isroutine(getattr(type(optimizer), name, None)):  # a method that is replaced on the instance
            own = True
        else:
            own = not (name.startswith("_") or _is_variable(value) or _is_plain(value))  # Keras 3.0's iterations
        if own:
            return f"its optimizer's {for_terminal(name.lstrip('_'))}, {_kind(value)},"
    return ""


def is_of_framework(kind: type) -> bool:
    """Whether a class is defined by Keras or by a backend, whose modules are bases of layers on torch."""
    return kind.__module__.split(".")[0] in ("keras", "tensorflow", "tf_keras", "jax", "torch")


def configuration(keras: Any, optimizer: Any) -> dict[str, Any]:
    """An optimizer's settings and the state of its learning rate, equal for two made in the same way.

    Names are left out at every depth, as Keras numbers them; so is ``get_config`` where a part of the user's own has
    none.
    """
    try:
        settings = dict(optimizer.get_config())
    except Exception:  # noqa: BLE001 - a schedule need not have a get_config, nor a function a source
        settings = {}
    settings = _unnamed(settings)
    within = {name.lstrip("_"): part for name, part in vars(optimizer).items() if _is_optimizer(keras, part)}
    parts = {name: configuration(keras, part) for name, part in within.items()}
    rate = [settings.get("learning_rate"), _state(getattr(optimizer, _RATE, None))]
    return {**settings, **parts, "learning_rate": rate}


def _unnamed(settings: Any) -> Any:
    """The settings without names, within containers, too."""
    if isinstance(settings, dict):
        return {name: _unnamed(value) for name, value in settings.items() if name != "name"}
    return [_unnamed(one) for one in settings] if type(settings) in (list, tuple) else settings


def first_difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The name of the first setting that differs; empty where all are equal."""
    return next((str(name) for name in {**one, **other} if not _same(one.get(name), other.get(name))), "")


def _kind(value: Any) -> str:
    return with_article(for_terminal(type(value).__name__))


def _is_optimizer(keras: Any, value: Any) -> bool:
    legacy = getattr(getattr(keras.optimizers, "legacy", None), "Optimizer", keras.optimizers.Optimizer)
    return isinstance(value, (keras.optimizers.Optimizer, legacy))


def _is_plain(value: Any) -> bool:
    """Whether it is made of numbers and texts throughout."""
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    return type(value) in _NUMBERS or isinstance(value, np.generic)


def _is_variable(value: Any) -> bool:
    """Whether it is the framework's own and holds a value: Keras 3.0 does not export its class of variables."""
    return is_of_framework(type(value)) and _has_value(value)


def _is_keras_schedule(keras: Any, value: Any) -> bool:
    schedules = keras.optimizers.schedules
    own = [one for one in vars(schedules).values() if isinstance(one, type)]
    return type(value) in own and all(map(_is_plain, vars(value).values()))


def _state(value: Any) -> Any:
    """Copies of a learning rate's state: on itself, on its class, in variables around its function."""
    if _has_value(value):
        return np.array(value.numpy())
    places = [getattr(value, "__dict__", {})]
    function = value
    if not inspect.isfunction(value):
        places += map(vars, type(value).__mro__)
        function = getattr(type(value), "__call__", None)  # noqa: B004 - of the class, for what is around it
    if inspect.isfunction(function):
        around = inspect.getclosurevars(function)
        places += [around.nonlocals, around.globals]
    return [{name: copied for name, one in part.items() if (copied := _copied(one)) is not None} for part in places]


def _has_value(value: Any) -> bool:
    """Whether it is a variable or tensor that holds a value now."""
    return callable(getattr(type(value), "numpy", None))


def _copied(value: Any) -> Any:
    """A copy of a number, a container of numbers or a variable; None of anything else."""
    if _has_value(value):
        return np.array(value.numpy())
    if type(value) in _NUMBERS or isinstance(value, np.generic | np.ndarray | list | tuple | dict | set):
        try:
            return copy.deepcopy(value)
        except Exception:  # noqa: BLE001 - it holds something that cannot be copied
            return None
    return None


def _same(one: Any, other: Any) -> bool:
    """Whether two copies are equal, NaN included; what cannot be compared counts as equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if not all(isinstance(each, (*_NUMBERS, np.ndarray, set)) for each in (one, other)):
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.shape(one) == np.shape(other) and np.asarray(one).tobytes() == np.asarray(other).tobytes()
    return bool(one == other or (one != one and other != other))
