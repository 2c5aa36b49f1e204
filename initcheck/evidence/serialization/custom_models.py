"""Models of registered classes of one's own: what the framework documents that they may override."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_WIDTH = 3
_PACKAGE = "initcheck"


def deep_losses(keras: Any) -> Any:
    """A layer within a layer adds a loss, and one within that one has a regularizer of its activity."""

    @_registered(keras)
    class LossyInner(keras.layers.Layer):  # type: ignore[misc] # Keras is loaded at run time
        def __init__(self, **config: Any) -> None:
            super().__init__(**config)
            self.dense = keras.layers.Dense(
                _WIDTH, activity_regularizer=keras.regularizers.L2(0.25), kernel_regularizer=keras.regularizers.L1(0.5)
            )

        def build(self, input_shape: Any) -> None:
            self.dense.build(input_shape)
            self.built = True

        def call(self, inputs: Any) -> Any:
            outputs = self.dense(inputs)
            self.add_loss(0.125 * (outputs[0, 0] ** 2))
            return outputs

    @_registered(keras)
    class LossyOuter(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, **config: Any) -> None:
            super().__init__(**config)
            self.blocks = [LossyInner(), LossyInner()]

        def build(self, input_shape: Any) -> None:
            for block in self.blocks:
                block.build(input_shape)
            self.built = True

        def call(self, inputs: Any) -> Any:
            return self.blocks[1](self.blocks[0](inputs))

    inputs = keras.Input((_WIDTH,))
    return keras.Model(inputs, keras.layers.Dense(2)(LossyOuter()(inputs)))


def registered_parts(keras: Any) -> Any:
    """A layer's activation, initializer and regularizer are registered: a function, and classes with options."""

    @_registered(keras)
    def bent(x: Any) -> Any:
        return x * x + 0.5 * x

    @_registered(keras)
    class Staircase(keras.initializers.Initializer):  # type: ignore[misc]
        def __init__(self, step: float) -> None:
            self.step = step

        def __call__(self, shape: Any, **_: Any) -> Any:
            return np.float32(self.step) * np.ones(shape, "float32").cumsum(axis=0)

        def get_config(self) -> dict[str, Any]:
            return {"step": self.step}

    @_registered(keras)
    class Cubed(keras.regularizers.Regularizer):  # type: ignore[misc]
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def __call__(self, x: Any) -> Any:
            return self.factor * (x * x * x)[0, 0]

        def get_config(self) -> dict[str, Any]:
            return {"factor": self.factor}

    layer = keras.layers.Dense(
        _WIDTH, activation=bent, kernel_initializer=Staircase(0.375), kernel_regularizer=Cubed(0.1)
    )
    return keras.Sequential([keras.Input((_WIDTH,)), layer])


def built_from_config(keras: Any) -> Any:
    """A layer whose weights depend on what it was built with, which its configuration lacks."""

    @_registered(keras)
    class BuiltWide(keras.layers.Layer):  # type: ignore[misc]
        def build_wide(self, width: int) -> None:
            self.wide = self.add_weight(shape=(_WIDTH, width), name="wide")
            self.width, self.built = width, True

        def build(self, _: Any) -> None:
            if not self.built:
                raise AssertionError("it is built by build_wide")

        def call(self, inputs: Any) -> Any:
            return inputs @ self.wide

        def get_build_config(self) -> dict[str, Any]:
            return {"width": self.width}

        def build_from_config(self, config: Mapping[str, Any]) -> None:
            self.build_wide(config["width"])

    layer = BuiltWide()
    layer.build_wide(5)
    return keras.Sequential([keras.Input((_WIDTH,)), layer])


def own_variables(keras: Any) -> Any:
    """A layer that stores a number besides its weights, and the weights under names of its own."""

    @_registered(keras)
    class WithScale(keras.layers.Layer):  # type: ignore[misc]
        scale = 1.0

        def build(self, _: Any) -> None:
            self.kernel = self.add_weight(shape=(_WIDTH, _WIDTH), name="kernel")
            self.bias = self.add_weight(shape=(_WIDTH,), name="bias")
            self.built = True

        def call(self, inputs: Any) -> Any:
            return (inputs @ self.kernel + self.bias) * self.scale

        def save_own_variables(self, store: Any) -> None:
            store["b"], store["a"] = np.asarray(self.kernel), np.asarray(self.bias)
            store["scale"] = np.float64(self.scale)

        def load_own_variables(self, store: Any) -> None:
            self.kernel.assign(np.asarray(store["b"]))
            self.bias.assign(np.asarray(store["a"]))
            self.scale = float(np.asarray(store["scale"]))

    layer = WithScale()
    model = keras.Sequential([keras.Input((_WIDTH,)), layer])
    layer.scale = 0.375
    return model


def _registered(keras: Any) -> Callable[[Any], Any]:
    register: Callable[[Any], Any] = keras.saving.register_keras_serializable(package=_PACKAGE)
    return register


CUSTOM: Mapping[str, Callable[[Any], Any]] = {
    "losses-of-inner-layers": deep_losses,
    "registered-parts": registered_parts,
}
# Those that only the format of Keras 3 knows.
OVERRIDING: Mapping[str, Callable[[Any], Any]] = {
    "build-from-config": built_from_config,
    "own-variables": own_variables,
}
