"""The small trainings that are drawn for the checks of determinism."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.optimizers import OPTIMIZERS
from initcheck.catalog.recipes import Layer, Recipe

# Rows of any law, and of a scale with which training neither dies nor explodes within six steps.
_ROWS = tuple(name for name, row in INITIALIZERS.items() if row.law.random and name != "standard_normal")
# None with a dead zone: a narrow relu layer may be dead by chance, and then its kernel does not move.
_ACTIVATIONS = ("tanh", "sigmoid", "elu", "selu", "softplus", "gelu")
_OPTIMIZERS = tuple(row.name for row in OPTIMIZERS if row.drawn)
_OUTPUTS = {
    0: ("mse", 1, "linear"),
    2: ("binary_crossentropy", 1, "sigmoid"),
    3: ("sparse_categorical_crossentropy", 3, "softmax"),
}
_NOISE = tuple(Layer(kind, (("rate", 0.4),), seed=True) for kind in ("Dropout", "GaussianDropout"))
_NOISE += (Layer("GaussianNoise", (("stddev", 0.3),), seed=True), Layer("BatchNormalization"))


_KERNELS: dict[str, tuple[str, ...]] = {
    "Conv2D": ("kernel_initializer",),
    "Conv2DTranspose": ("kernel_initializer",),
    "SeparableConv2D": ("depthwise_initializer", "pointwise_initializer"),
    "DepthwiseConv2D": ("depthwise_initializer",),
}


@functools.cache
def recipes() -> tuple[Recipe, ...]:
    """The trainings that are traced, seeded and unseeded, of every common kind of layer."""
    plan: tuple[tuple[str, Callable[[CaseStream], Recipe], dict[str, Any]], ...] = (
        ("unseeded", _dense, {}),
        ("seeded", _dense, {"seeded": True}),
        ("unseeded-graph", _dense, {"graph": True}),
        ("seeded-graph", _dense, {"seeded": True, "graph": True}),
        ("convolution", _convolution, {}),
        ("recurrent", _recurrent, {}),
        ("embedding", _embedding, {}),
    )
    return tuple(replace(draw_cases(make, 1, kind)[0], name=kind, **traits) for kind, make, traits in plan)


def make_training(stream: CaseStream) -> Recipe:
    """Any short training without tracing: of dense layers with or without noise, or of one of the other kinds."""
    recipe = stream.one_of((_stack, _convolution, _recurrent, _embedding))(stream)
    return replace(recipe, name="drawn", seeded=stream.one_of((False, True)), rows=11, batch_size=8, epochs=1)


def _stack(stream: CaseStream) -> Recipe:
    body: list[Layer] = []
    for _ in range(stream.integer(1, 3)):
        body += [_hidden(stream), *stream.one_of(((), *((noise,) for noise in _NOISE)))]
    return _finish(stream, (6,), body)


def _dense(stream: CaseStream) -> Recipe:
    # One layer of noise at least: it is what is easiest to leave unseeded.
    body = [_hidden(stream), stream.one_of(_NOISE[:3]), _hidden(stream), stream.one_of(_NOISE)]
    return _finish(stream, (6,), body)


def _hidden(stream: CaseStream) -> Layer:
    settings = (("units", stream.integer(2, 9)), ("activation", stream.one_of(_ACTIVATIONS)))
    return Layer("Dense", settings, (("kernel_initializer", stream.one_of(_ROWS)),))


def _convolution(stream: CaseStream) -> Recipe:
    tail = [Layer("Dropout", (("rate", 0.4),), seed=True), Layer("GlobalAveragePooling2D")]
    return _finish(stream, (5, 5, 2), [_convolution_layer(stream), _convolution_layer(stream), *tail])


def _convolution_layer(stream: CaseStream) -> Layer:
    kind, row = stream.one_of(tuple(_KERNELS)), stream.one_of(_ROWS)
    size = (("kernel_size", 3), ("padding", "same"), ("activation", "tanh"))
    filters = () if kind == "DepthwiseConv2D" else (("filters", 4),)
    return Layer(kind, (*filters, *size), tuple((argument, row) for argument in _KERNELS[kind]))


def _recurrent(stream: CaseStream) -> Recipe:
    kind, row = stream.one_of(("LSTM", "GRU", "SimpleRNN")), stream.one_of(_ROWS)
    settings = (("units", 4), ("dropout", 0.3), ("recurrent_dropout", 0.3))
    random = (("kernel_initializer", row), ("recurrent_initializer", "orthogonal"))
    return _finish(stream, (2, 4), [Layer(kind, settings, random, seed=True)])


def _embedding(stream: CaseStream) -> Recipe:
    table = Layer("Embedding", (("input_dim", 30), ("output_dim", 5)), (("embeddings_initializer", "uniform"),))
    after = stream.one_of((Layer("SpatialDropout1D", (("rate", 0.4),), seed=True), _NOISE[0]))
    return _finish(stream, (4,), [table, after, Layer("GlobalAveragePooling1D")], vocabulary=30)


def _finish(stream: CaseStream, input_shape: tuple[int, ...], layers: list[Layer], **traits: Any) -> Recipe:
    classes, optimizer, row = stream.one_of(tuple(_OUTPUTS)), stream.one_of(_OPTIMIZERS), stream.one_of(_ROWS)
    loss, units, activation = _OUTPUTS[classes]
    output = Layer("Dense", (("units", units), ("activation", activation)), (("kernel_initializer", row),))
    return Recipe("", input_shape, (*layers, output), optimizer, loss, classes, **traits)
