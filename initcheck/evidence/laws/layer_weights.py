"""Weights as layers create them, and the noise that layers draw."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.layers import LayerRequest
from initcheck.catalog.layers.traits.noises import ImageLaw
from initcheck.evidence.made_layers import arguments_made, made, seeded
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.layer_calls import build_by_call
from initcheck.targets import TENSORFLOW, target

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Dropped:
    """The outputs of a layer with dropout.

    Attributes:
        calls: In training: eagerly, then within a ``tf.function``.
        at_inference: Outside training.
        again: Of another layer's first call with the same seed; None where it takes no seed.
        other: Of one with another seed.
        zeros: Of two with seed 0, made under two global seeds, for the first rows; none where Keras has no generators.
    """

    calls: list[Array]
    at_inference: Array
    again: Array | None
    other: Array | None
    zeros: tuple[Array, ...] = ()

    def seed_problem(self) -> str:
        """Describes what is wrong with how calls and seeds repeat; empty if nothing is."""
        if np.array_equal(self.calls[0], self.calls[1]):
            return "the second call repeats the first"
        if self.again is not None and not np.array_equal(self.calls[0], self.again):
            return "another layer with the same seed drops others"
        if self.other is not None and np.array_equal(self.calls[0], self.other):
            return "another seed drops the same"
        if self.zeros and not np.array_equal(self.zeros[0], self.zeros[1]):
            return "seed 0 drops others under another global seed"
        return ""


class BuiltLayers:
    """BuiltLayers built on inputs of zeros, under one laboratory's streams.

    Args:
        session: Through which Keras is reached.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def offers(self, layer: str) -> bool:
        """Whether the installed Keras has that layer."""
        return hasattr(self._session.keras.layers, layer)

    def weights(self, request: LayerRequest, rows: Mapping[str, tuple[Initializer, int]]) -> list[Array]:
        """Returns the initial weights of a layer with those initializers, by argument, each with its seed."""
        return _values(built(self._session.keras, request, self._initializers(rows)))

    def defaults(self, request: LayerRequest, seed: int) -> list[Array]:
        """Returns the initial weights of a layer with its default initializers, after seeding the global generators."""
        with globally_seeded(self._session.keras, seed):
            return _values(built(self._session.keras, request, {}))

    def stack(self, requests: Sequence[LayerRequest], seed: int) -> list[list[Array]]:
        """Returns the initial weights of several layers in sequence, after seeding the global generators once."""
        with globally_seeded(self._session.keras, seed):
            return [_values(built(self._session.keras, request, {})) for request in requests]

    def unseeded(self, request: LayerRequest, argument: str, row: Initializer, count: int, seed: int) -> list[Array]:
        """Returns the first weight of ``count`` equal layers with unseeded initializers, under one global seed."""
        with globally_seeded(self._session.keras, seed):
            return [
                _values(built(self._session.keras, request, self._initializers({argument: (row, None)})))[0]
                for _ in range(count)
            ]

    def noise(
        self,
        layer: str,
        arguments: Mapping[str, Any],
        inputs: Array,
        *,
        seed: int,
        layers: int = 1,
        calls: int = 1,
        traced: int = 0,
        training: bool = True,
    ) -> list[list[Array]]:
        """Returns the outputs of several layers of one kind that draw noise, at each of several calls.

        The last ``traced`` of them are made within a ``tf.function``, as in ``fit``.

        The global generators are seeded first: TensorFlow's stateful operations take a layer's seed and the global one
        together (https://www.tensorflow.org/api_docs/python/tf/random/set_seed), and Keras 2 draws its noise by them.
        """
        with globally_seeded(self._session.keras, seed), _own_deprecations():
            made = [getattr(self._session.keras.layers, layer)(**arguments) for _ in range(layers)]
            ways = [[one] * (calls - traced) + _traced(one, traced) for one in made]
            return [[as_array(call(inputs, training=training)) for call in one] for one in ways]

    def images(self, case: ImageLaw, count: int, *, seed: int) -> tuple[Array, Array] | None:
        """The outputs in training for so many images, and their labels; None if Keras lacks the layer or an argument.

        There are no labels where the case has none.
        """
        kind = getattr(self._session.keras.layers, case.layer, None)
        if kind is None or not {*case.arguments} <= {*inspect.signature(kind).parameters}:
            return None
        given = _taking_turns(case.image if case.image.ndim == 4 else case.image[None], count)
        with globally_seeded(self._session.keras, seed):
            layer = kind(**case.arguments, seed=seed)
            if case.labels is None:
                return as_array(layer(given, training=True)), np.empty(0)
            outputs = layer({"images": given, "labels": _taking_turns(case.labels, count)}, training=True)
        return as_array(outputs["images"]), as_array(outputs["labels"])

    def dropped(
        self,
        request: LayerRequest,
        weights: Sequence[Array],
        inputs: Array | Sequence[Array],
        *,
        seed: int,
        apart: bool = False,
    ) -> Dropped:
        """Returns what a layer with dropout returns at those weights, with that seed if it takes one.

        Args:
            request: The layer, without seeds.
            weights: In the order of ``get_weights``.
            inputs: Its input, or several, by calls with which it is built.
            seed: Also of the global generators, on which Keras 2 draws.
            apart: Whether the layer with the same seed is made under another global seed.
        """
        keras = self._session.keras
        given: Sequence[Any] = [inputs] if isinstance(inputs, np.ndarray) or request.listed_inputs else inputs
        with globally_seeded(keras, seed), _own_deprecations():

            def make(own: int) -> Any:
                layer = made(keras, seeded(keras, request, own))
                if isinstance(inputs, np.ndarray):
                    layer.build(inputs.shape)
                else:
                    layer(*given, training=False)
                layer.set_weights(weights)
                return layer

            layer = make(seed)
            calls = [as_array(call(*given, training=True)) for call in (layer, *_traced(layer, 1))]
            at_inference = as_array(layer(*given, training=False))
            if seeded(keras, request, seed) == request:
                return Dropped(calls, at_inference, None, None)
            other = as_array(make(seed + 1)(*given, training=True))
            with globally_seeded(keras, seed + 1) if apart else contextlib.nullcontext():
                again = as_array(make(seed)(*given, training=True))
            few = [one[:2] for one in inputs] if request.listed_inputs else [one[:2] for one in given]
            zeros = []
            for everywhere in (seed, seed + 1) if hasattr(getattr(keras, "random", None), "SeedGenerator") else ():
                with globally_seeded(keras, everywhere):
                    call = make(0)
                zeros.append(as_array(call(few, training=True) if request.listed_inputs else call(*few, training=True)))
            return Dropped(calls, at_inference, again, other, tuple(zeros))

    def _initializers(self, rows: Mapping[str, tuple[Initializer, int | None]]) -> dict[str, Any]:
        from initcheck.frameworks.instances import make_initializer

        return {argument: make_initializer(row, seed) for argument, (row, seed) in rows.items()}


def built(keras: Any, request: LayerRequest, further: Mapping[str, Any]) -> Any:
    """The layer with its weights; one with several inputs is called once, which is how Keras 2 builds those.

    Args:
        keras: Keras as installed.
        request: The layer.
        further: Arguments besides those of the request.
    """
    with _own_deprecations():
        layer = getattr(keras.layers, request.layer)(**arguments_made(keras, request.arguments), **further)
        inputs = [np.zeros(shape, "float32") for shape in request.inputs]
        if len(inputs) == 1:
            layer.build(request.inputs[0])
        else:
            build_by_call((lambda *each: layer(list(each))) if request.listed_inputs else layer, inputs)
    return layer


@contextlib.contextmanager
def _own_deprecations() -> Iterator[None]:
    """Ignores a deprecation warning: Keras 2 calls ``randint(1, 1e9)``."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "non-integer arguments to randrange", DeprecationWarning)
        yield


def _traced(layer: Any, count: int) -> list[Any]:
    """The layer as a ``tf.function``, so many times; on other backends, which trace whole steps alone, as it is."""
    if target() != TENSORFLOW:
        return [layer] * count
    import tensorflow as tf

    return [tf.function(lambda *inputs, training: layer(*inputs, training=training))] * count


def _taking_turns(values: Array, count: int) -> Array:
    return np.resize(values, (count, *values.shape[1:]))


def _values(layer: Any) -> list[Array]:
    return [as_array(value) for value in layer.get_weights()]
