"""Models of several kinds to save: each builder takes Keras and gives its layers seeded initializers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from initcheck.frameworks.backends import has_doubles
from initcheck.targets import target

Seeded = Callable[[str], Any]


def dense(keras: Any, seeded: Seeded) -> Any:
    """Dense layers, normalizations with moving statistics, dropout."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(6, activation="tanh", kernel_initializer=seeded("a"), bias_initializer=seeded("b")),
            layers.BatchNormalization(momentum=0.8, epsilon=0.01, gamma_initializer=seeded("c")),
            layers.Dropout(0.3, seed=5),
            layers.LayerNormalization(),
            layers.Dense(3, activation="softmax", kernel_initializer=seeded("d"), use_bias=False),
        ]
    )


def convolution(keras: Any, seeded: Seeded) -> Any:
    """Convolutions of several kinds."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", kernel_initializer=seeded("a")),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3, padding="same", depthwise_initializer=seeded("b")),
            layers.SeparableConv2D(
                3, 2, depthwise_initializer=seeded("c"), pointwise_initializer=seeded("d"), bias_initializer=seeded("e")
            ),
            layers.Conv2DTranspose(2, 2, kernel_initializer=seeded("f")),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid", kernel_initializer=seeded("g")),
        ]
    )


def recurrent(keras: Any, seeded: Seeded) -> Any:
    """Embedding and recurrent layers."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            layers.Embedding(7, 3, embeddings_initializer=seeded("a")),
            layers.LSTM(2, return_sequences=True, kernel_initializer=seeded("b"), recurrent_initializer=seeded("c")),
            layers.GRU(3, kernel_initializer=seeded("d"), recurrent_initializer=seeded("e")),
            layers.Dense(2, kernel_initializer=seeded("f")),
        ]
    )


def bidirectional(keras: Any, seeded: Seeded) -> Any:
    """A recurrent layer in a wrapper."""
    layers = keras.layers
    inner = layers.SimpleRNN(2, kernel_initializer=seeded("a"), recurrent_initializer=seeded("b"))
    return keras.Sequential(
        [keras.Input((3, 2)), layers.Bidirectional(inner), layers.Dense(1, kernel_initializer=seeded("c"))]
    )


def branches(keras: Any, seeded: Seeded) -> Any:
    """A functional model: a layer used twice, a branch that skips, a frozen layer."""
    layers = keras.layers
    into = keras.Input((4,))
    shared = layers.Dense(4, activation="relu", kernel_initializer=seeded("a"), name="shared")
    frozen = layers.Dense(4, kernel_initializer=seeded("b"), trainable=False, name="frozen")
    hidden = shared(shared(into))
    joined = layers.Concatenate()([layers.Add()([hidden, into]), frozen(into)])
    return keras.Model(into, layers.Dense(2, kernel_initializer=seeded("c"))(joined))


def nested(keras: Any, seeded: Seeded) -> Any:
    """A model within a model, as in transfer learning."""
    layers = keras.layers
    own = {"activation": "tanh", "kernel_initializer": seeded("a"), "bias_initializer": seeded("b")}
    base = keras.Sequential([keras.Input((4,)), layers.Dense(4, **own), layers.BatchNormalization()], name="base")
    into = keras.Input((4,))
    return keras.Model(into, layers.Dense(2, kernel_initializer=seeded("c"))(base(into)))


def double(keras: Any, seeded: Seeded) -> Any:
    """Weights in double precision, which single precision cannot hold."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3,), dtype="float64"),
            layers.Dense(4, activation="tanh", dtype="float64", kernel_initializer=seeded("a")),
            layers.Dense(1, dtype="float64", kernel_initializer=seeded("b")),
        ]
    )


def tower(keras: Any, seeded: Seeded) -> Any:
    """Twelve layers of one shape, whose numbers have two digits; some frozen, some in other precisions.

    Of these, double precision where the target has it.
    """
    layers = keras.layers
    policies = {3: "mixed_float16", 6: "mixed_bfloat16", 9: "float64" if has_doubles(target()) else "float32"}
    stack = [
        layers.Dense(
            3,
            activation="tanh",
            kernel_initializer=seeded(f"{number}"),
            trainable=number % 4 != 1,
            dtype=policies.get(number, "float32"),
        )
        for number in range(12)
    ]
    return keras.Sequential([keras.Input((3,)), *stack])


BUILDERS: Mapping[str, Callable[[Any, Seeded], Any]] = {
    builder.__name__: builder
    for builder in (dense, convolution, recurrent, bidirectional, branches, nested, double, tower)
}


DOUBLES = frozenset({double.__name__})  # those that need double precision


def inputs_for(model: Any, seed: int) -> np.ndarray:
    """Random inputs that the model takes: class numbers below 7 for an integer input, else normal numbers."""
    stream = np.random.RandomState(seed % 2**32)
    shape = (6, *model.input_shape[1:])
    if "int" in str(model.inputs[0].dtype):
        return stream.randint(0, 7, size=shape).astype(np.int32)
    return stream.normal(size=shape).astype(np.float32)
