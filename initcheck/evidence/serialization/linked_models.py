"""Functional models whose layers are linked in ways that a file must keep: nested, sliced, shared, in structures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_WIDTH = 3


def _inner(keras: Any, name: str = "inner") -> Any:
    """Two outputs, the second of two layers."""
    inputs = keras.Input((_WIDTH,))
    first = keras.layers.Dense(_WIDTH, name=f"{name}_first")(inputs)
    return keras.Model(inputs, [first, keras.layers.Dense(_WIDTH, name=f"{name}_second")(first)], name=name)


def nested_outputs(keras: Any) -> Any:
    """A model of two outputs is called elsewhere, then twice; an output of each of these calls is one of the whole."""
    inner, inputs = _inner(keras), keras.Input((_WIDTH,))
    inner(keras.Input((_WIDTH,)))
    first = inner(keras.layers.Dense(_WIDTH)(inputs))
    second = inner(first[0])
    return keras.Model(inputs, [second[1], first[0]])


def nested_last(keras: Any) -> Any:
    """The output is that of a model within a model within it."""
    inside = keras.Sequential([keras.Input((_WIDTH,)), keras.layers.Dense(_WIDTH)])
    for _ in range(2):
        inputs = keras.Input((_WIDTH,))
        inside = keras.Model(inputs, inside(keras.layers.Dense(_WIDTH)(inputs)))
    return inside


def stacked_stacks(keras: Any) -> Any:
    """Sequential models within one, of the same layers."""
    inside = [
        keras.Sequential([keras.layers.Dense(_WIDTH, name="same"), keras.layers.Dense(_WIDTH)], name=name)
        for name in ("z", "a")
    ]
    return keras.Sequential([keras.Input((_WIDTH,)), *inside, keras.layers.Dense(2, name="same")])


def sliced(keras: Any) -> Any:
    """Slices, steps and a new axis of what a layer returns."""
    inputs = keras.Input((_WIDTH,))
    hidden = keras.layers.Dense(5)(inputs)
    parts = [hidden[:, 1:], hidden[:, ::2], hidden[:, -1:], hidden[:, 3, None]]
    return keras.Model(inputs, keras.layers.Concatenate()(parts))


def calculated(keras: Any) -> Any:
    """Operators, with numbers on either side, and a function of ``keras.ops`` where there is one."""
    inputs = keras.Input((_WIDTH,))
    one, two = (keras.layers.Dense(_WIDTH)(inputs) for _ in range(2))
    total = 2.5 * one - two / 4.0 + (1.0 - one) * two
    if hasattr(keras, "ops"):
        total = keras.layers.Concatenate()([total, keras.ops.clip(one, x_min=-0.25, x_max=0.5)])
    return keras.Model(inputs, total)


def structured(keras: Any, sequence: type) -> Any:
    """Outputs in a list or tuple, of which one is in a dictionary and one in one of its own.

    Args:
        keras: Keras as installed.
        sequence: ``list`` or ``tuple``; files make lists of tuples.
    """
    inputs = keras.Input((_WIDTH,))
    one, two, three = (keras.layers.Dense(2)(inputs) for _ in range(3))
    return keras.Model(inputs, sequence([one, {"z": two, "a": sequence([three])}]))


def listed(keras: Any) -> Any:
    """A list of one output."""
    inputs = keras.Input((_WIDTH,))
    return keras.Model(inputs, [keras.layers.Dense(2)(inputs)])


def unsorted_inputs(keras: Any) -> Any:
    """Two inputs in a list, whose names sort the other way."""
    inputs = [keras.Input((_WIDTH,), name=name) for name in ("z", "a")]
    return keras.Model(inputs, [keras.layers.Dense(2)(inputs[1]), keras.layers.Dense(2)(inputs[0])])


def activated(keras: Any) -> Any:
    """Layers for activations, with options of their own."""
    layers, inputs = keras.layers, keras.Input((_WIDTH,))
    hidden = layers.Dense(_WIDTH, activation=layers.ReLU(threshold=0.125, negative_slope=0.375))(inputs)
    return keras.Model(inputs, layers.Dense(2, activation=layers.ELU(alpha=0.25))(hidden))


def regularized(keras: Any) -> Any:
    """A layer without options of its own regularizes its activity."""
    inputs = keras.Input((_WIDTH,))
    hidden = keras.layers.Flatten(activity_regularizer=keras.regularizers.L2(0.25))(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(hidden))


LINKED: Mapping[str, Callable[[Any], Any]] = {
    "nested-outputs": nested_outputs,
    "nested-last": nested_last,
    "sequential-models-in-one": stacked_stacks,
    "slices": sliced,
    "operators": calculated,
    "list-of-one-output": listed,
    "unsorted-inputs": unsorted_inputs,
    "layers-for-activations": activated,
    "regularized-activity": regularized,
}
