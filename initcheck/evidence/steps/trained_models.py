"""Small models whose training a row of promises watches, and their reports as plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

X = np.arange(12, dtype=np.float32).reshape(4, 3) / 8  # rows whose every sum is exact
FAST: Mapping[str, Any] = {"run_eagerly": True}
QUIET: Mapping[str, Any] = {"verbose": 0}


def linear(keras: Any, units: int = 1, shape: Sequence[int | None] = (3,), **options: Any) -> Any:
    """A model that sums its features; its compile has these options and takes no step by default."""
    layer = keras.layers.Dense(units, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input(tuple(shape)), layer])
    return compiled(keras, model, **options)


def compiled(keras: Any, model: Any, rate: float = 0.0, **options: Any) -> Any:
    """The model, compiled for gradient descent of that rate and the mean squared error by default."""
    model.compile(**{"optimizer": keras.optimizers.SGD(rate), "loss": "mse", **FAST, **options})
    return model


def two_heads(keras: Any, structure: Callable[[Any, Any], Any], **options: Any) -> Any:
    """A model whose head ``zeta`` sums its features, and ``alpha`` twice; their names are not in order."""
    x = keras.Input((3,))
    heads = [
        keras.layers.Dense(units, use_bias=False, kernel_initializer="ones", name=name)(x)
        for name, units in (("zeta", 1), ("alpha", 2))
    ]
    return compiled(keras, keras.Model(x, structure(*heads)), **options)


def reported(logs: Mapping[str, Any]) -> dict[str, Any]:
    """The losses and metrics of logs or of a history, as plain numbers; a learning rate beside them is neither."""
    return {name: np.asarray(one, float).tolist() for name, one in logs.items() if name not in ("lr", "learning_rate")}


def tested(model: Any, x: Any, y: Any, **options: Any) -> dict[str, Any]:
    """The report of ``test_on_batch`` by names, of this batch alone."""
    model.reset_metrics()
    return reported(model.test_on_batch(x, y, return_dict=True, **options))


def trained(model: Any, x: Any, y: Any, **options: Any) -> dict[str, Any]:
    """The report of ``train_on_batch`` by names, of this batch alone."""
    model.reset_metrics()
    return reported(model.train_on_batch(x, y, return_dict=True, **options))


def matched(expected: Any, actual: Any, within: float = 1e-5) -> Any:
    """The expected value where the actual one is equal within rounding error and so structured; else the latter."""
    return expected if _equal(expected, actual, within) else _plain(actual)


def _equal(expected: Any, actual: Any, within: float) -> bool:
    if isinstance(expected, Mapping):
        return (
            isinstance(actual, Mapping)
            and set(expected) == set(actual)
            and all(_equal(one, actual[name], within) for name, one in expected.items())
        )
    if isinstance(expected, list | tuple):
        return (
            not isinstance(actual, Mapping)
            and isinstance(actual, list | tuple | np.ndarray)
            and len(expected) == len(actual)
            and all(_equal(*pair, within) for pair in zip(expected, actual, strict=True))
        )
    if isinstance(expected, str) or isinstance(actual, str | Mapping | list | tuple) or expected is None:
        return bool(expected == actual)
    return np.shape(actual) == () and bool(np.isclose(float(actual), float(expected), rtol=within, atol=within))


def _plain(actual: Any) -> Any:
    if isinstance(actual, Mapping):
        return {name: _plain(one) for name, one in actual.items()}
    if isinstance(actual, list | tuple):
        return [_plain(one) for one in actual]
    if isinstance(actual, str | None):
        return actual
    return np.round(np.asarray(actual, float), 6).tolist()
