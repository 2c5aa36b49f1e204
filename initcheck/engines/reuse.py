"""Decides which compiled models may be used for another run, and resets them to their first state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.optimizers import OPTIMIZERS, Optimizer
from initcheck.engines.optimizer_settings import find_own_code, is_of_framework
from initcheck.frameworks.arrays import as_array
from initcheck.texts import for_terminal, with_article

_STATES = select(State)
_ALWAYS_DRAWING = {state.layer for state in _STATES if state.draws}
_DRAWING_OPTIONS = {option for state in _STATES for option in state.drawing_options}
_OTHERS_CODE = {state.layer for state in _STATES if state.holds is Holds.OTHERS_CODE}
_METHODS = """
    compile fit evaluate train_step test_step compute_loss compute_metrics make_train_function make_test_function
    metrics call
"""
_FUNCTIONS = ("activation", "regularizer", "constraint")  # what a layer may have been given by its user

Values = list[npt.NDArray[Any]]


@dataclass
class KeptModel:
    """A compiled model that may be used again, as compiling and tracing cost more than what training does.

    Attributes:
        model: The model.
        variables: The variables that decide a training, but the optimizer's.
        first_state: The optimizer's variables before its first step.
        proven: Whether it gives the bits of a fresh model.
    """

    model: Any
    variables: list[Any]
    first_state: Values
    proven: bool = False

    @classmethod
    def of(cls, model: Any, variables: list[Any]) -> KeptModel:
        """That untrained model, whose optimizer is given its variables now."""
        model.optimizer.build(model.trainable_variables)
        return cls(model, variables, read_values(model.optimizer.variables))

    def put_back(self, values: Values) -> None:
        """Resets the model to its untrained state, with those values."""
        write_values(self.variables, values)
        write_values(self.model.optimizer.variables, self.first_state)


def is_stateless(keras: Any, model: Any) -> bool:
    """Whether weights are all the state that a training of this model leaves in its layers."""
    return not find_stateful(keras, model)


def find_stateful(keras: Any, model: Any) -> str:
    """The model or the first of its layers that may hold more than weights, in words; empty where there is none."""
    # Weights and optimizer variables are all there is to put back.
    layers = {getattr(keras.layers, state.layer, None) for state in _STATES if state.holds is Holds.WEIGHTS}
    if not _is_kerass_model(model):
        return named(model, model)
    return next((named(model, one) for one in model.layers if type(one) not in layers or own_methods(one)), "")


def is_kerass_own(keras: Any, model: Any) -> bool:
    """Whether the model is made of Keras's own layers only, whose state lies in variables.

    What holds for Keras 3's layers by design is not trusted: a training shows whether it is so (``ReferenceEngine``).
    """
    return not find_others_code(keras, model)


def find_others_code(keras: Any, model: Any) -> str:
    """The model or the first of its layers that is not Keras's own throughout, in words; empty where there is none."""
    if not _is_kerass_model(model):
        return named(model, model)
    is_keras_2 = keras.__version__.startswith("2.")
    layers = [layer for layer in _all_layers(model) if layer is not model]
    wrong = (layer for layer in layers if not _is_kerass_layer(layer) or (is_keras_2 and _is_random(layer)))
    return next((named(model, layer) for layer in wrong), "")


def named(model: Any, layer: Any) -> str:
    """``its layer 'dropout', a Dropout,``: a clause's subject."""
    kind = for_terminal(type(layer).__name__)
    what = "its model" if layer is model else f"its layer {for_terminal(str(layer.name))!r}"
    return f"{what}, {with_article(kind)},"


def own_methods(layer: Any) -> list[str]:
    """The methods that decide a training and are not Keras's: of the model's or layer's class, or set on it."""
    return [name for name in _METHODS.split() if name in vars(layer) or not _is_kerass_method(type(layer), name)]


def _is_kerass_method(kind: type, name: str) -> bool:
    """Whether that name is defined by a class of Keras's, or by none."""
    owner = next((base for base in kind.__mro__ if name in vars(base)), None)
    return owner is None or is_of_framework(owner)


def is_resettable(keras: Any, optimizer: Any) -> bool:
    """Whether its variables are all the state that this optimizer keeps."""
    row = _row_of(keras, optimizer)
    return bool(row and row.resettable) and not optimizer.use_ema and not find_own_code(keras, optimizer)


def is_elementwise(keras: Any, optimizer: Any) -> bool:
    """Whether each element of a weight moves by its own gradients alone, as far as its class is concerned."""
    row = _row_of(keras, optimizer)
    return bool(row and row.elementwise)


def _row_of(keras: Any, optimizer: Any) -> Optimizer | None:
    """The catalogue's row of exactly that class; an older Keras lacks some."""
    return next((row for row in OPTIMIZERS if type(optimizer) is getattr(keras.optimizers, row.name, None)), None)


def is_all_seeded(model: Any) -> bool:
    """Whether no layer has an initializer, or noise, that would take its seed from a global generator."""
    return not any(_has_unseeded(layer.get_config()) for layer in model.layers)


def read_values(variables: Sequence[Any]) -> Values:
    """Copies of the variables' values."""
    return [np.array(as_array(variable)) for variable in variables]


def write_values(variables: Sequence[Any], values: Values) -> None:
    """Puts those values into the variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def bitwise_equal(one: Values, other: Values) -> bool:
    """Whether all values have the same bits, NaN included."""
    return len(one) == len(other) and all(
        a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
        for a, b in zip(one, other, strict=True)
    )


def _is_kerass_model(model: Any) -> bool:
    return type(model).__name__ in {"Sequential", "Functional"} and _is_kerass(type(model)) and not own_methods(model)


def _is_kerass(what: Any) -> bool:
    return str(getattr(what, "__module__", "")).startswith("keras.")


def _all_layers(layer: Any) -> Iterator[Any]:
    """The layer, and all that it holds: cells, wrapped layers and nested models."""
    yield from layer._flatten_layers()  # the same in Keras 2 and 3, which have no public name for it


def _is_kerass_layer(layer: Any) -> bool:
    if not _is_kerass(type(layer)) or type(layer).__name__ in _OTHERS_CODE or own_methods(layer):
        return False
    if getattr(layer, "stateful", False):  # its state from batch to batch is in no list of variables
        return False
    given = [value for name, value in vars(layer).items() if name.endswith(_FUNCTIONS) and value]
    return all(_is_kerass(value) or _is_kerass(type(value)) for value in given)


def _is_random(layer: Any) -> bool:
    """Whether it draws in training: Keras 2 bakes seeds into the compiled step, Keras 3 holds them in variables."""
    config = layer.get_config()
    return type(layer).__name__ in _ALWAYS_DRAWING or any(config.get(name) for name in _DRAWING_OPTIONS)


def _has_unseeded(config: Any) -> bool:
    if isinstance(config, dict):
        return config.get("seed", 0) is None or any(_has_unseeded(value) for value in config.values())
    return isinstance(config, list | tuple) and any(_has_unseeded(value) for value in config)
