"""Parts of several faults: steps of optimizers, draws of initializers, weights and configurations that are changed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.operations import operations
from initcheck.targets import TENSORFLOW

TRACED = (TENSORFLOW, "keras:jax")  # where fit and predict trace what they run
Config = dict[str, Any]


def step_with(keras_class: Any, attribute: str, change: Callable[[Any], Any]) -> None:
    """Makes the optimizers of that class step with another value of one attribute."""
    stepping, method = _step_of(keras_class)
    original = getattr(stepping, method)

    def step(self: Any, *args: Any, **options: Any) -> Any:
        given = getattr(self, attribute)
        setattr(self, attribute, change(given))
        try:
            return original(self, *args, **options)
        finally:
            setattr(self, attribute, given)

    setattr(stepping, method, step)


def step_scaled(keras_class: Any, factor: Callable[[Any], Any]) -> None:
    """Makes every step of that class longer by a factor."""
    stepping, method = _step_of(keras_class)
    original, ops = getattr(stepping, method), operations(load_target_keras())

    def step(self: Any, gradients: Any, variables: Any, *args: Any) -> Any:
        every = variables if isinstance(variables, list) else [variables]
        before = [ops.copy(ops.convert_to_tensor(one)) for one in every]
        original(self, gradients, variables, *args)
        for one, old in zip(every, before, strict=True):
            one.assign(old + (ops.convert_to_tensor(one) - old) * ops.cast(factor(self), old.dtype))

    setattr(stepping, method, step)


def _step_of(keras_class: Any) -> tuple[Any, str]:
    """The class of its instances, and the method that takes a step: some of Keras on torch take all weights at once."""
    stepping = type(keras_class())
    together = "_parallel_update_step"
    return stepping, together if hasattr(stepping, together) else "update_step"


def wrap_call(keras_class: Any, change: Any) -> None:
    """Replaces ``__call__`` of a class by ``change(original, self, shape, dtype)``."""
    original = keras_class.__call__

    def call(self: Any, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return change(lambda *a, **k: original(self, *a, **k), self, tuple(shape), dtype)

    keras_class.__call__ = call


def wrap_build(keras_class: Any, change: Callable[[Any], None]) -> None:
    """Calls ``change(layer)`` after a layer of that class is built."""
    original = keras_class.build

    def build(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        change(self)
        return result

    keras_class.build = build


def scaled(values: Any, factor: float) -> Any:
    """The values times a factor, in their own type."""
    return values * operations(load_target_keras()).cast(factor, values.dtype)


def edit_config(keras_class: Any, edit: Callable[[Config], Any]) -> None:
    """Makes ``edit`` change the result of that class's ``get_config``, in place."""
    original = keras_class.get_config

    @functools.wraps(original)
    def get_config(self: Any) -> Config:
        config = dict(original(self))
        edit(config)
        return config

    keras_class.get_config = get_config


def add_config_key(keras_class: Any) -> None:
    """Adds a key to that class's configuration that its ``from_config`` understands."""
    edit_config(keras_class, lambda config: config.update(note="added later"))
    original = keras_class.from_config.__func__

    def from_config(cls: Any, config: Config, *args: Any, **options: Any) -> Any:
        return original(cls, {key: value for key, value in config.items() if key != "note"}, *args, **options)

    keras_class.from_config = classmethod(from_config)
