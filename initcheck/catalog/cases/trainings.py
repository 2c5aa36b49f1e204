"""The drawn small trainings for the checks of determinism."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from initcheck.catalog.activations import ACTIVATIONS
from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.layers import select
from initcheck.catalog.layers.dense import DENSE, EMBEDDING
from initcheck.catalog.layers.noise import DROPOUT
from initcheck.catalog.layers.shapes import GLOBAL_AVERAGE_POOLING_1D, GLOBAL_AVERAGE_POOLING_2D
from initcheck.catalog.layers.traits.computing import Role, TrainingRole
from initcheck.catalog.optimizers import OPTIMIZERS
from initcheck.catalog.recipes import Layer, Recipe

# Rows of any law, and of a scale with which training neither dies nor explodes within six steps.
_ROWS = tuple(name for name, row in INITIALIZERS.items() if row.law.random and name != "standard_normal")
_ACTIVATIONS = tuple(row.name for row in ACTIVATIONS.values() if row.live is True)
_OPTIMIZERS = tuple(row.name for row in OPTIMIZERS if row.drawn)
_OUTPUTS = {
    0: ("mse", 1, "linear"),
    2: ("binary_crossentropy", 1, "sigmoid"),
    3: ("sparse_categorical_crossentropy", 3, "softmax"),
}
_IN_ROLE = {role: [one for one in select(TrainingRole) if one.role is role] for role in Role}
_NOISE = [one for one in _IN_ROLE[Role.AFTER_DENSE] if one.seed]


@functools.cache
def recipes() -> tuple[Recipe, ...]:
    """The trainings to trace, seeded and unseeded, with every common kind of layer."""
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
    """A short training without tracing: dense layers with or without noise, or one of the other kinds."""
    recipe = stream.one_of((_stack, _convolution, _recurrent, _embedding))(stream)
    return replace(recipe, name="drawn", seeded=stream.one_of((False, True)), rows=11, batch_size=8, epochs=1)


def _stack(stream: CaseStream) -> Recipe:
    body: list[Layer] = []
    for _ in range(stream.integer(1, 3)):
        body += [_hidden(stream), *stream.one_of(((), *((_layer(one),) for one in _IN_ROLE[Role.AFTER_DENSE])))]
    return _finish(stream, (6,), body)


def _dense(stream: CaseStream) -> Recipe:
    # At least one noise layer: the easiest to leave unseeded.
    first, second = _hidden(stream), _layer(stream.one_of(_NOISE))
    third, fourth = _hidden(stream), _layer(stream.one_of(_IN_ROLE[Role.AFTER_DENSE]))
    return _finish(stream, (6,), [first, second, third, fourth])


def _hidden(stream: CaseStream) -> Layer:
    settings = (("units", stream.integer(2, 9)), ("activation", stream.one_of(_ACTIVATIONS)))
    return Layer(DENSE.name, settings, (("kernel_initializer", stream.one_of(_ROWS)),))


def _layer(trait: TrainingRole, row: str = "", **random: str) -> Layer:
    """The layer in that role, with kernels of that row of the catalogue and the other initializers given."""
    kernels = tuple((argument, row) for argument in trait.kernels)
    return Layer(trait.layer, trait.settings, (*kernels, *random.items()), seed=trait.seed)


def _convolution(stream: CaseStream) -> Recipe:
    tail = [_layer(DROPOUT.select(TrainingRole)[0]), Layer(GLOBAL_AVERAGE_POOLING_2D.name)]
    return _finish(stream, (5, 5, 2), [_convolution_layer(stream), _convolution_layer(stream), *tail])


def _convolution_layer(stream: CaseStream) -> Layer:
    return _layer(stream.one_of(_IN_ROLE[Role.CONVOLUTION]), stream.one_of(_ROWS))


def _recurrent(stream: CaseStream) -> Recipe:
    trait, row = stream.one_of(_IN_ROLE[Role.RECURRENT]), stream.one_of(_ROWS)
    return _finish(stream, (2, 4), [_layer(trait, row, recurrent_initializer="orthogonal")])


def _embedding(stream: CaseStream) -> Recipe:
    settings = (("input_dim", 30), ("output_dim", 5))
    table = Layer(EMBEDDING.name, settings, (("embeddings_initializer", "uniform"),))
    after = _layer(stream.one_of(_IN_ROLE[Role.AFTER_LOOKUP]))
    return _finish(stream, (4,), [table, after, Layer(GLOBAL_AVERAGE_POOLING_1D.name)], vocabulary=30)


def _finish(stream: CaseStream, input_shape: tuple[int, ...], layers: list[Layer], **traits: Any) -> Recipe:
    classes, optimizer, row = stream.one_of(tuple(_OUTPUTS)), stream.one_of(_OPTIMIZERS), stream.one_of(_ROWS)
    loss, units, activation = _OUTPUTS[classes]
    output = Layer(DENSE.name, (("units", units), ("activation", activation)), (("kernel_initializer", row),))
    return Recipe("", input_shape, (*layers, output), optimizer, loss, classes, **traits)
