"""The small trainings that Hypothesis draws for the checks of determinism."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from initcheck.catalog.cases.drawn import draw_cases
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.recipes import Layer, Recipe

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Rows of any law, and of a scale with which training neither dies nor explodes within six steps.
_ROWS = tuple(name for name, row in INITIALIZERS.items() if row.law.random and name != "standard_normal")
# None with a dead zone: a narrow relu layer may be dead by chance, and then its kernel does not move.
_ACTIVATIONS = ("tanh", "sigmoid", "elu", "selu", "softplus", "gelu")
_OPTIMIZERS = ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adamax", "Nadam", "Adadelta")
_OUTPUTS = {
    0: ("mse", 1, "linear"),
    2: ("binary_crossentropy", 1, "sigmoid"),
    3: ("sparse_categorical_crossentropy", 3, "softmax"),
}
_NOISE = tuple(Layer(kind, (("rate", 0.4),), seed=True) for kind in ("Dropout", "GaussianDropout"))
_NOISE += (Layer("GaussianNoise", (("stddev", 0.3),), seed=True), Layer("BatchNormalization"))


@functools.cache
def recipes() -> tuple[Recipe, ...]:
    """The trainings that are traced, seeded and unseeded, of every common kind of layer."""
    plan: tuple[tuple[str, Any, dict[str, Any]], ...] = (
        ("unseeded", _dense, {}),
        ("seeded", _dense, {"seeded": True}),
        ("unseeded-graph", _dense, {"graph": True}),
        ("seeded-graph", _dense, {"seeded": True, "graph": True}),
        ("convolution", _convolution, {}),
        ("recurrent", _recurrent, {}),
        ("embedding", _embedding, {}),
    )
    # Hypothesis draws the simplest case of all first; the third is one with something in it.
    return tuple(replace(draw_cases(strategy(), 3, kind)[-1], name=kind, **traits) for kind, strategy, traits in plan)


def _dense() -> SearchStrategy[Recipe]:
    from hypothesis import strategies as st

    hidden = st.builds(
        lambda units, activation, row: Layer(
            "Dense", (("units", units), ("activation", activation)), (("kernel_initializer", row),)
        ),
        st.integers(2, 9),
        st.sampled_from(_ACTIVATIONS),
        st.sampled_from(_ROWS),
    )
    # One layer of noise at least: it is what is easiest to leave unseeded.
    body = st.tuples(hidden, st.sampled_from(_NOISE[:3]), hidden, st.sampled_from(_NOISE)).map(list)
    return _recipe((6,), st.one_of(body, st.tuples(hidden, st.sampled_from(_NOISE)).map(list)))


def _convolution() -> SearchStrategy[Recipe]:
    from hypothesis import strategies as st

    first = st.builds(
        lambda kind, row: _convolution_layer(kind, row), st.sampled_from(tuple(_KERNELS)), st.sampled_from(_ROWS)
    )
    tail = (Layer("Dropout", (("rate", 0.4),), seed=True), Layer("GlobalAveragePooling2D"))
    return _recipe((5, 5, 2), st.builds(lambda one, two: [one, two, *tail], first, first))


_KERNELS: dict[str, tuple[str, ...]] = {
    "Conv2D": ("kernel_initializer",),
    "Conv2DTranspose": ("kernel_initializer",),
    "SeparableConv2D": ("depthwise_initializer", "pointwise_initializer"),
    "DepthwiseConv2D": ("depthwise_initializer",),
}


def _convolution_layer(kind: str, row: str) -> Layer:
    size = (("kernel_size", 3), ("padding", "same"), ("activation", "tanh"))
    filters = () if kind == "DepthwiseConv2D" else (("filters", 4),)
    return Layer(kind, (*filters, *size), tuple((argument, row) for argument in _KERNELS[kind]))


def _recurrent() -> SearchStrategy[Recipe]:
    from hypothesis import strategies as st

    layer = st.builds(_recurrent_layer, st.sampled_from(("LSTM", "GRU", "SimpleRNN")), st.sampled_from(_ROWS))
    return _recipe((2, 4), layer.map(lambda one: [one]))


def _recurrent_layer(kind: str, row: str) -> Layer:
    settings = (("units", 4), ("dropout", 0.3), ("recurrent_dropout", 0.3))
    random = (("kernel_initializer", row), ("recurrent_initializer", "orthogonal"))
    return Layer(kind, settings, random, seed=True)


def _embedding() -> SearchStrategy[Recipe]:
    from hypothesis import strategies as st

    table = Layer("Embedding", (("input_dim", 30), ("output_dim", 5)), (("embeddings_initializer", "uniform"),))
    after = st.sampled_from((Layer("SpatialDropout1D", (("rate", 0.4),), seed=True), _NOISE[0]))
    return _recipe((4,), after.map(lambda one: [table, one, Layer("GlobalAveragePooling1D")]), vocabulary=30)


def _recipe(input_shape: tuple[int, ...], body: SearchStrategy[list[Layer]], **traits: Any) -> SearchStrategy[Recipe]:
    from hypothesis import strategies as st

    def finish(layers: list[Layer], classes: int, optimizer: str, row: str) -> Recipe:
        loss, units, activation = _OUTPUTS[classes]
        output = Layer("Dense", (("units", units), ("activation", activation)), (("kernel_initializer", row),))
        return Recipe("", input_shape, (*layers, output), optimizer, loss, classes, **traits)

    return st.builds(
        finish, body, st.sampled_from(tuple(_OUTPUTS)), st.sampled_from(_OPTIMIZERS), st.sampled_from(_ROWS)
    )
