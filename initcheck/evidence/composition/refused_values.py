"""Layers refuse arguments, inputs and masks that they are documented not to take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS
from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.refusals import RANGES, SIZES, WORDS, Refusal
from initcheck.catalog.layers.traits.weights import LayerDefaults
from initcheck.evidence.composition.promises import Row, Seen, is_keras_3, refusal, table
from initcheck.evidence.made_layers import made
from initcheck.frameworks.arrays import as_array

_LAYERS: Mapping[str, LayerRequest] = {
    **{case.layer: LayerRequest(case.layer, case.config) for case in reversed(FORMULAS)},
    **{case.layer: case.request for case in reversed(select(LayerDefaults))},
}


def _refused_of(keras: Any, refusals: Sequence[Refusal]) -> Iterator[Seen]:
    """Whether every layer of the catalog refuses each of the values, all its other arguments being as they may."""
    if not is_keras_3(keras):
        return
    for layer, request in _LAYERS.items():
        if (kind := getattr(keras.layers, layer, None)) is None or refusal(made, keras, request):
            continue
        for argument in (*inspect.signature(kind).parameters, "dtype"):
            for value in (one for row in refusals if row.concerns(layer, argument) for one in row.values):
                asked = LayerRequest(layer, {**request.arguments, argument: value})
                yield f"whether {layer} refuses {argument}={value!r}", True, bool(refusal(made, keras, asked))


def refused_sizes(keras: Any, _: Path) -> Iterator[Seen]:
    """What counts something is a whole number, and above 0."""
    yield from _refused_of(keras, SIZES)


def refused_ranges(keras: Any, _: Path) -> Iterator[Seen]:
    """Rates lie between 0 and 1, and strengths above 0."""
    yield from _refused_of(keras, RANGES)


def refused_words(keras: Any, _: Path) -> Iterator[Seen]:
    """Words are among those that are listed."""
    yield from _refused_of(keras, WORDS)


def _asked(calls: Mapping[str, Callable[[], Any]]) -> Iterator[Seen]:
    for words, call in calls.items():
        yield words, True, bool(refusal(call))


def refused_axes(keras: Any, _: Path) -> Iterator[Seen]:
    """An axis that inputs do not have, in a model and by itself."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    kinds = [layers.BatchNormalization, layers.LayerNormalization, layers.UnitNormalization]
    kinds += [kind for name, kind in vars(layers).items() if name.startswith("RMS")]
    for layer in (*(kind(axis=3) for kind in kinds), layers.GroupNormalization(groups=2, axis=3)):
        words = type(layer).__name__
        yield f"shape, {words}", True, bool(refusal(layer.compute_output_shape, (None, 4, 4)))
        yield f"call, {words}", True, bool(refusal(layer, np.ones((2, 4, 4), np.float32)))


def refused_inputs(keras: Any, _: Path) -> Iterator[Seen]:
    """Shapes of inputs, states and masks that do not go together."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    stateful = layers.LSTM(2, stateful=True)
    stateful(np.ones((2, 3, 4), np.float32))
    tensor = keras.Input((3,), dtype="float32")
    yield from _asked(
        {
            "more rows than its states have": lambda: stateful(np.ones((3, 3, 4), np.float32)),
            "one row for states of two": lambda: stateful(np.ones((1, 3, 4), np.float32)),
            "states of no batch size": lambda: layers.GRU(2, stateful=True)(keras.Input((3, 4))),
            "a mask of as many axes": lambda: layers.BatchNormalization()(
                np.ones((2, 3, 4), np.float32), mask=np.ones((2, 3, 4), bool), training=True
            ),
            "a mask of rows alone": lambda: layers.BatchNormalization()(
                np.ones((2, 2, 4), np.float32), mask=np.ones((2,), bool), training=True
            ),
            "keys of another length than values": lambda: layers.MultiHeadAttention(2, 3)(
                keras.Input((3, 4)), keras.Input((5, 4)), keras.Input((6, 4))
            ),
            "heads in no whole groups": lambda: layers.GroupQueryAttention(4, 3, 2),
            "channels in no whole groups": lambda: layers.GroupNormalization(3)(np.ones((2, 4), np.float32)),
            "more groups than channels": lambda: layers.GroupNormalization(8)(np.ones((2, 4), np.float32)),
            "one input of an attention": lambda: layers.Attention()([np.ones((2, 3, 4), np.float32)]),
            "no steps to distribute over": lambda: layers.TimeDistributed(layers.Dense(1))(np.ones((2, 3))),
            "both directions forward": lambda: layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2)),
            "directions that differ": lambda: layers.Bidirectional(
                layers.GRU(2), backward_layer=layers.GRU(2, go_backwards=True, return_sequences=True)
            ),
            "a wrapper of no layer": lambda: layers.TimeDistributed(1.0),
            "two shapes": lambda: keras.Input((3,), batch_shape=(2, 3)),
            "two batch sizes": lambda: keras.Input(batch_size=2, batch_shape=(2, 3)),
            "another type than its tensor's": lambda: layers.InputLayer(input_tensor=tensor, dtype="int32"),
            "another shape than its tensor's": lambda: layers.InputLayer(input_tensor=tensor, batch_shape=(2, 4)),
            "an equation without an arrow": lambda: layers.EinsumDense("ab,bc", output_shape=2)(np.ones((2, 2))),
        }
    )


def refused_clipping(keras: Any, _: Path) -> Iterator[Seen]:
    """Bounds of a batch renormalization have names and an order."""
    kind = keras.layers.BatchNormalization
    if "renorm" not in inspect.signature(kind).parameters or not is_keras_3(keras):
        return
    for clipping in ({"rmed": 1.0}, {"rmin": 2.0, "rmax": 1.0}, {"dmax": -1.0}):
        yield f"{clipping}", True, bool(refusal(lambda c=clipping: kind(renorm=True, renorm_clipping=c)))


def refused_functions(keras: Any, folder: Path) -> Iterator[Seen]:
    """A function that is in a file or configuration as its code runs only where it is asked for."""
    if not is_keras_3(keras):
        return
    layer = keras.layers.Lambda(lambda x: 2 * x, output_shape=(1,))
    config = layer.get_config()
    yield "of a configuration", True, bool(refusal(keras.layers.Lambda.from_config, config))
    model = keras.Sequential([keras.Input((1,)), layer])
    for ending in (".keras", ".h5"):
        path = str(folder / f"model{ending}")
        model.save(path)
        yield f"of {ending}", True, bool(refusal(keras.models.load_model, path))
        again = keras.models.load_model(path, safe_mode=False)
        yield f"of {ending}, where it is asked for", 6.0, float(as_array(again(np.full((1, 1), 3.0)))[0, 0])


REFUSED: Mapping[str, Row] = table(
    refused_sizes,
    refused_ranges,
    refused_words,
    refused_axes,
    refused_inputs,
    refused_clipping,
    refused_functions,
)
