"""Layers at other shapes than they were built for, and the shapes that they announce."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.catalog.cases.lengths import longer, unknown_axes
from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.traits.computing import FormulaCase, alone
from initcheck.evidence.layers import Layers, as_called, joined
from initcheck.evidence.made_layers import flat
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.layer_calls import compiled_call, shaped_outputs
from initcheck.targets import backend_of, target

Array = np.ndarray[Any, Any]
Partial = tuple[int | None, ...]  # a shape, None where a number is not known
_SCORES = "return_attention_scores"


class LayerShapes:
    """Layers with a formula, each alone.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._keras = session.keras
        self._layers = Layers(session)

    def at_other_lengths(
        self, case: FormulaCase, weights: Sequence[Array], inputs: Sequence[Array]
    ) -> Mapping[str, tuple[list[Array], Array]]:
        """Input and output of one layer called several times, by a description of each call.

        Each call is made eagerly, within one graph and within one model; both know neither the number of rows nor the
        lengths. On JAX each shape is a program of its own, and an eager call one for each operation: the layer and the
        model are compiled.

        Args:
            case: The layer.
            weights: In the order of ``get_weights``.
            inputs: For which it is built.
        """
        layer = self._layers.built(case, weights, inputs)
        unknown = unknown_axes(case, weights, inputs)
        specs = [
            ([None if axis in axes else size for axis, size in enumerate(one.shape)], one.dtype.name)
            for one, axes in zip(inputs, unknown, strict=True)
        ]

        def call(*values: Any) -> Any:
            return layer(*as_called(case, values), **case.called)

        symbolic = [self._keras.Input(batch_shape=shape, dtype=dtype) for shape, dtype in specs]
        model = self._keras.Model(symbolic, flat(call(*symbolic)))

        def model_call(*values: Any) -> Any:
            return model(alone(values))

        fed = {"of one longer row": longer(inputs, unknown), "of the first shape again": list(inputs)}
        compiles = backend_of(target()) == "jax"
        ways: dict[str, Callable[..., Any]] = {
            **({} if compiles else {"a call": call}),
            "a call in a graph": compiled_call(layer, call, specs),
            "a call of a model": compiled_call(model, model_call, specs) if compiles else model_call,
        }
        return {
            f"{way} {what}": (values, joined(run(*map(as_tensor, values))))
            for way, run in ways.items()
            for what, values in fed.items()
        }

    def announced(self, case: FormulaCase) -> tuple[list[Shape], Mapping[str, list[Partial]]]:
        """The shape of each output, and what is said of them beforehand by each way to ask.

        The layer has been called with another number of outputs before, if it can be.

        Args:
            case: The layer.
        """
        weights, inputs = self._layers.given(case)
        layer = self._layers.built(case, weights, inputs)
        called = as_called(case, [as_array(one) for one in inputs])
        returned = shaped_outputs(layer, lambda: layer(*called, **case.called))
        actual = [tuple(one.shape) for one in flat(returned)]
        if _SCORES in inspect.signature(layer.call).parameters and _SCORES not in case.call:
            shaped_outputs(layer, lambda: layer(*called, **case.called, **{_SCORES: True}))
        symbolic = [self._keras.Input(one.shape[1:], dtype=one.dtype.name) for one in inputs]
        said = {"a symbolic call": [one.shape for one in flat(layer(*as_called(case, symbolic), **case.called))]}
        if len(inspect.signature(layer.compute_output_shape).parameters) == 1 and not case.called:
            shapes = [(None, *one.shape[1:]) for one in inputs]
            said["compute_output_shape"] = _shapes(layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0]))
        return actual, {way: [tuple(one) for one in shapes] for way, shapes in said.items()}


def _shapes(value: Any) -> list[Partial]:
    """The shapes in a shape, or in shapes however nested."""
    value = tuple(value)
    if all(one is None or isinstance(one, int) for one in value):
        return [value]
    return [shape for one in value for shape in _shapes(one)]
