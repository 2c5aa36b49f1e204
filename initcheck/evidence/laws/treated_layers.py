"""What a layer makes of the regularizers, the constraints and the ``trainable`` that it is given."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.layers import LayerRequest
from initcheck.catalog.layers.traits.weights import InitialMatrix
from initcheck.evidence.laws.layer_weights import built
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor

Array = np.ndarray[Any, Any]
SUFFIXES = ("initializer", "regularizer", "constraint")


@dataclass(frozen=True)
class Treated:
    """A layer whose every weight starts at a constant of its own argument.

    Attributes:
        arguments: The arguments of initializers without that suffix, in order; the n-th gives ``value(n)``.
        weights: Initial ones.
        losses: Of the regularizers, sorted.
        constrained: The weights after a step with gradients of zero.
        regularized: The numbers of the arguments that have a regularizer.
        bounded: The numbers of the arguments that have a constraint.
        shapes: Of the weights, sorted, where the layer is built with ``trainable=False``.
        trained: How many weights a layer that has it then trains, and how many it trains once ``trainable`` is True.
    """

    arguments: tuple[str, ...]
    weights: list[Array]
    losses: list[float]
    constrained: list[Array]
    regularized: frozenset[int]
    bounded: frozenset[int]
    shapes: list[tuple[int, ...]]
    trained: tuple[int, int]


def value(number: int) -> float:
    """The constant at which the weights of that argument start: exact in float32, different for each."""
    return 1.25 + number / 8


def share(number: int) -> float:
    """The factor of the squares in that argument's regularizer."""
    return 2.0 ** -(number + 2)


def times(number: int) -> float:
    """What that argument's constraint multiplies weights by: a power of two, without rounding."""
    return 2.0 ** (number + 1)


class WeightArguments:
    """Layers with a regularizer and a constraint for every weight.

    Args:
        session: Through which Keras is reached.
    """

    def __init__(self, session: Session) -> None:
        self._keras = session.keras

    def treat(self, request: LayerRequest) -> Treated:
        """Builds the layer, takes a step with gradients of zero, and builds it anew with ``trainable=False``."""
        keras = self._keras
        names = self._arguments(request.layer)
        given, regularized, bounded = {}, set(), set()
        known = inspect.signature(getattr(keras.layers, request.layer)).parameters
        for number, name in enumerate(names):
            given[f"{name}_initializer"] = keras.initializers.Constant(value(number))
            if f"{name}_regularizer" in known:
                regularized.add(number)
                given[f"{name}_regularizer"] = keras.regularizers.L2(share(number))
            if f"{name}_constraint" in known:
                bounded.add(number)
                given[f"{name}_constraint"] = self._multiplied(times(number))
        layer, frozen = built(keras, request, given), built(keras, request, {**given, "trainable": False})
        weights, losses = layer.get_weights(), sorted(float(as_array(one)) for one in layer.losses)
        self._step(layer.trainable_variables)
        untrained = len(self._within(frozen).trainable_weights)
        frozen.trainable = True
        return Treated(
            arguments=names,
            weights=weights,
            losses=losses,
            constrained=layer.get_weights(),
            regularized=frozenset(regularized),
            bounded=frozenset(bounded),
            shapes=sorted(one.shape for one in frozen.get_weights()),
            trained=(untrained, len(frozen.trainable_weights) - len(layer.trainable_weights)),
        )

    def _within(self, layer: Any) -> Any:
        """A layer that has that one, as models do, which train what their layers' variables say."""

        class Owner(self._keras.layers.Layer):  # type: ignore[misc, name-defined] # Keras is loaded at run time
            def __init__(self) -> None:
                super().__init__()
                self.inner = layer

        return Owner()

    def of_matrix(self, case: InitialMatrix, matrix: Array) -> list[Array]:
        """The initial weights of a layer that is given that matrix.

        Raises:
            ValueError: This version's layer takes none.
        """
        layer = getattr(self._keras.layers, case.layer)(**case.arguments, **{case.argument: [matrix]})
        layer(np.zeros((1, 1), np.int32))
        return [np.asarray(one) for one in layer.get_weights()]

    def _arguments(self, layer: str) -> tuple[str, ...]:
        known = inspect.signature(getattr(self._keras.layers, layer)).parameters
        return tuple(name.removesuffix("_initializer") for name in known if name.endswith("_initializer"))

    def _multiplied(self, factor: float) -> Any:
        class Multiplied(self._keras.constraints.Constraint):  # type: ignore[misc, name-defined]
            def __call__(self, w: Any) -> Any:
                return w * factor

        return Multiplied()

    def _step(self, variables: Sequence[Any]) -> None:
        pairs = [(as_tensor(np.zeros(one.shape, np.float32)), one) for one in variables]
        self._keras.optimizers.SGD(1.0).apply_gradients(pairs)
