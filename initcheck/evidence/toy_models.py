"""Builds the model of a recipe, as a sequential, a functional or a subclassed one of the same layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.recipes import Layer, Recipe
from initcheck.frameworks.backend_calls import seen_by
from initcheck.frameworks.instances import make_initializer
from initcheck.seeding import derive_seed


def make_unseeded(keras: Any, row: Initializer) -> Any:
    """Keras's initializer of that row, left to the global seed."""
    keras_class = row.made_by
    if isinstance(keras_class, str):
        keras_class = getattr(keras.initializers, keras_class, None) or type(keras.initializers.get(keras_class))
    return keras_class(**row.config)


def make_layer(keras: Any, layer: Layer, seed: int | None) -> Any:
    """That layer, with int seeds derived from ``seed``, or unseeded where it is None."""
    settings = dict(layer.settings)
    for argument, name in layer.random:
        row = INITIALIZERS[name]
        settings[argument] = (
            make_unseeded(keras, row) if seed is None else make_initializer(row, derive_seed(seed, argument))
        )
    if layer.seed and seed is not None:
        settings["seed"] = derive_seed(seed, "own")
    return getattr(keras.layers, layer.kind)(**settings)


def make_layers(keras: Any, recipe: Recipe, seed: int) -> list[Any]:
    """The recipe's layers in order."""
    return [
        make_layer(keras, layer, derive_seed(seed, recipe.name, number) if recipe.seeded else None)
        for number, layer in enumerate(recipe.layers)
    ]


def make_model(keras: Any, layers: list[Any], input_shape: tuple[int, ...], style: str, dtype: str = "float32") -> Any:
    """An uncompiled model of those layers in that style, its weights drawn."""
    if style == "sequential":
        return keras.Sequential([keras.Input(input_shape, dtype=dtype), *layers])
    if style == "functional":
        inputs = outputs = keras.Input(input_shape, dtype=dtype)
        for layer in layers:
            outputs = layer(outputs)
        return keras.Model(inputs, outputs)
    model = _subclass(keras)(layers)
    model(np.zeros((1, *input_shape), dtype))
    return model


def _subclass(keras: Any) -> Any:
    class Stack(keras.Model):  # type: ignore[misc] # Keras is loaded at run time
        """The same layers called one after another."""

        def __init__(self, layers: list[Any]) -> None:
            super().__init__()
            for number, layer in enumerate(layers):  # not as a list, of which Keras 2 puts all trained weights first
                setattr(self, f"part_{number}", layer)

        def call(self, inputs: Any, training: Any = None) -> Any:
            for layer in self.layers:
                inputs = layer(inputs, training=training) if accepts_training(layer) else layer(inputs)
            return inputs

    return Stack


def accepts_training(layer: Any) -> bool:
    """Whether the layer's ``call`` takes ``training``."""
    import inspect

    return "training" in inspect.signature(layer.call).parameters


def make_recorder(keras: Any, seen: list[np.ndarray[Any, Any]]) -> Any:
    """A layer that passes its inputs on, and in training appends them to ``seen``."""

    class RowRecorder(keras.layers.Layer):  # type: ignore[misc] # the same
        """Records the rows that ``fit`` used."""

        def __init__(self) -> None:
            super().__init__()
            self.supports_jit = False  # calls Python

        def call(self, inputs: Any, training: Any = None) -> Any:
            if training:
                seen_by(seen.append, inputs)
            return inputs

    return RowRecorder()
