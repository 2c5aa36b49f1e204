"""Describes a problem's layers and its optimizer in words, as Keras has made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.problems import Problem
from initcheck.engines.problem_models import build_model
from initcheck.engines.validation.problem import validated_data
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import LayerInitializers
from initcheck.texts import for_terminal

_MOST_TEXT = 500  # characters of a model or optimizer
_SIZES = ("units", "filters", "output_dim", "rate", "stddev")  # of a layer, those that it has


def describe_protocol(keras: Any, problem: Problem) -> tuple[tuple[str, str], ...]:
    """Model and optimizer as ``(name, value)`` texts, which show a changed learning rate, for example.

    Raises:
        InitcheckError: A mistake in the problem.
    """
    row = INITIALIZERS["ones"]  # which suits every shape
    data = validated_data(problem)
    with globally_seeded(keras, 0):
        model = build_model(keras, problem, row, LayerInitializers(row, 1), data.input_shape)
        optimizer = problem.optimizer(keras)
    texts = {"model": describe_layers(model.layers), "optimizer": describe_optimizer(optimizer)}
    return tuple((name, text) for name, text in texts.items() if text)


def describe_layers(layers: Sequence[Any]) -> str:
    """Layers with their sizes and activations: ``Dense(16, relu), Dropout(0.5)``."""
    return for_terminal(", ".join(map(_layer, layers)))[:_MOST_TEXT]


def _layer(layer: Any) -> str:
    sizes = [value for name in _SIZES if isinstance(value := getattr(layer, name, None), int | float)]
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    details = [f"{size:g}" for size in sizes] + ([activation] if activation != "linear" else [])
    return f"{type(layer).__name__}({', '.join(details)})" if details else type(layer).__name__


def describe_optimizer(made: Any) -> str:
    """An optimizer with its settings, but for those that are off."""
    return for_terminal(_call(made))[:_MOST_TEXT]


def _call(made: Any) -> str:
    try:
        settings = dict(made.get_config())
    except Exception:  # noqa: BLE001 - one of the user's own need not have it
        return type(made).__name__
    if not settings.get("use_ema"):
        for name in ("ema_momentum", "ema_overwrite_frequency"):
            settings.pop(name, None)
    return _with_settings(type(made).__name__, settings)


def _with_settings(kind: str, settings: Mapping[str, Any]) -> str:
    on = {
        name: value for name, value in settings.items() if name != "name" and value is not None and value is not False
    }
    return f"{kind}({', '.join(f'{name}={_value(value)}' for name, value in on.items())})"


def _value(value: Any) -> str:
    if isinstance(value, dict) and "class_name" in value:  # a schedule, as Keras serializes it
        return _with_settings(value["class_name"], value.get("config") or {})
    if isinstance(value, bool | int | str):
        return str(value)
    try:
        return f"{float(value):.6g}"
    except (TypeError, ValueError):
        return type(value).__name__
