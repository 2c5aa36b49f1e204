"""Arguments of layers that change neither weights nor formula, but what the layers take and announce."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    close,
    inputs,
    is_keras_3,
    layers_named,
    normals,
    on_tensorflow,
    table,
    values,
)
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor

_STREAM = 6


def _announced(keras: Any, layer: Any, *arrays: np.ndarray, listed: bool = False) -> tuple[Any, Any]:
    """The shape of an output but for its batch, as it is announced and as it is."""
    symbols = [keras.Input(array.shape[1:]) for array in arrays]
    symbolic, actual = (layer(list(one)) if listed else layer(*one) for one in (symbols, arrays))
    return tuple(symbolic.shape[1:]), tuple(actual.shape[1:])


def widths_of_attention(keras: Any, _: Path) -> Iterator[Seen]:
    """Queries, keys and values of other widths: "the last dimension" is that of values, or of the query."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    query, value, key = normals(_STREAM, 2, 4, 5), normals(_STREAM, 2, 3, 7), normals(_STREAM, 2, 3, 6)
    seen = _announced(keras, layers.MultiHeadAttention(2, 3), query, value, key)
    yield "of several heads", ((4, 5), (4, 5)), seen
    seen = _announced(keras, layers.MultiHeadAttention(2, 3), query, value)
    yield "of several heads, keys are values", ((4, 5), (4, 5)), seen
    for kind in (layers.Attention, layers.AdditiveAttention):
        seen = _announced(keras, kind(), query, value, normals(_STREAM, 2, 3, 5), listed=True)
        yield kind.__name__, ((4, 7), (4, 7)), seen


def outputs_of_attention(keras: Any, _: Path) -> Iterator[Seen]:
    """An "output_shape" is a number, a list or a tuple; and a summary shows the layer's."""
    if not is_keras_3(keras):
        return
    x = normals(_STREAM, 2, 4, 5)
    for given, shape in ((3, (4, 3)), ([3, 2], (4, 3, 2)), ((3, 2), (4, 3, 2)), (None, (4, 5))):
        layer = keras.layers.MultiHeadAttention(2, 3, output_shape=given)
        yield f"shapes for {given}", (shape, shape), _announced(keras, layer, x, x)
        symbol = keras.Input((4, 5))
        model = keras.Model(symbol, layer(symbol, symbol))
        with redirect_stdout(io.StringIO()):
            model.summary()
        again = keras.layers.MultiHeadAttention.from_config(layer.get_config())
        yield f"shape after rebuilding, for {given}", shape, _announced(keras, again, x, x)[1]


def numbers_for_masks(keras: Any, _: Path) -> Iterator[Seen]:
    """Ones and zeros are as good as truths, where a mask is given by hand."""
    if not is_keras_3(keras):
        return
    x, seen = normals(_STREAM, 2, 4, 5), np.random.RandomState(_STREAM).uniform(size=(2, 4, 4)) < 0.6
    seen[:, :, 0] = True
    layers = keras.layers
    for layer in (layers.MultiHeadAttention(2, 3), layers.MultiHeadAttention(2, 3, dropout=0.5)):
        outputs = [layer(x, x, attention_mask=seen.astype(dtype)) for dtype in ("bool", "int32", "float32")]
        words = f"of heads, dropping {layer.dropout}"
        yield (
            words,
            [True, True, False],
            [*(close(outputs[0], one) for one in outputs[1:]), close(outputs[0], layer(x, x))],
        )
    for kind in (layers.LSTM, layers.GRU, layers.SimpleRNN):
        recurrent = kind(3)
        outputs = [recurrent(x, mask=seen[:, 1].astype(dtype)) for dtype in ("bool", "int32")]
        yield kind.__name__, True, close(*outputs)


def embeddings_of_any_kind(keras: Any, _: Path) -> Iterator[Seen]:
    """Given weights, older arguments, own shapes, and inputs that are arrays or, on TensorFlow, ragged."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    given = np.arange(6, dtype=np.float32).reshape(3, 2)
    for words, weights in (("an array", given), ("a list", [given])):
        layer = layers.Embedding(3, 2, weights=weights)
        yield f"rows of {words}", [[4.0, 5.0], [0.0, 1.0]], values(layer(np.array([2, 0])))
    yield "with an older argument", (2, 4, 2), tuple(layers.Embedding(3, 2, input_length=4)(np.ones((2, 4))).shape)
    yield "weights before it is called", [], list(layers.Embedding(3, 2).weights)
    shape = layers.Embedding(3, 2).compute_output_spec(as_tensor(np.array([[1, 2]], np.int32))).shape
    yield "announced for a tensor", (1, 2, 2), tuple(shape)

    class Flat(layers.Embedding):  # type: ignore[misc,name-defined]
        def call(self, x: Any) -> Any:
            return keras.ops.reshape(super().call(x), (-1, 8))

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 8)

    yield "announced by a derived class", (None, 8), tuple(Flat(3, 2)(keras.Input((4,))).shape)
    if on_tensorflow() and "ragged" in inspect.signature(keras.Input).parameters:
        symbol = keras.Input((None,), ragged=True, dtype="int32")
        model = keras.Model(symbol, layers.Embedding(3, 2, weights=given)(symbol))
        yield "of a ragged input", True, bool(model.outputs[0].ragged)
        import tensorflow as tf

        rows = model(tf.ragged.constant([[2], [0, 1]]))
        yield "of ragged rows", [[[4.0, 5.0]], [[0.0, 1.0], [2.0, 3.0]]], rows.to_list()


def _reversible(keras: Any) -> list[Any]:
    """The embeddings that can be reversed, as far as the installed Keras has them."""
    return [kind for name, kind in vars(keras.layers).items() if name.startswith("Reversible")]


def reversed_in_another_type(keras: Any, _: Path) -> Iterator[Seen]:
    """The "dtype for the reverse projection computation"."""
    for kind in _reversible(keras):
        weights, x = normals(_STREAM, 6, 3).astype(np.float16), normals(_STREAM, 2, 3).astype(np.float16)
        layer = kind(6, 3, dtype="mixed_float16", reverse_dtype="float32")
        layer(np.array([0]))
        layer.set_weights([weights])
        outputs = layer(x, reverse=True)
        yield "dtype", "float32", as_array(outputs).dtype.name
        yield "whether exact", True, close(outputs, x.astype(np.float32) @ weights.astype(np.float32).T)


def reversed_type_announced(keras: Any, _: Path) -> Iterator[Seen]:
    """A model announces the dtype in which the outputs come."""
    for kind in _reversible(keras):
        layer = kind(6, 3, dtype="mixed_float16", reverse_dtype="float32")
        layer(np.array([0]))
        yield (
            "dtype",
            "float32",
            keras.backend.standardize_dtype(layer(keras.Input((3,), dtype="float16"), reverse=True).dtype),
        )


def reversible_from_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """Arguments are those of an Embedding, besides: also its "initial embeddings values"."""
    for kind in _reversible(keras):
        layer = kind(3, 2, weights=np.arange(6, dtype=np.float32).reshape(3, 2))
        yield "a row", [[4.0, 5.0]], values(layer(np.array([2])))


def other_lengths_wrapped(keras: Any, _: Path) -> Iterator[Seen]:
    """Wrappers take other lengths than they were built for, where their layers do."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    wrapped = {
        "a spectral normalization of a dense layer": (layers.SpectralNormalization(layers.Dense(2)), 2),
        "of a convolution": (layers.SpectralNormalization(layers.Conv1D(2, 1)), 2),
        "steps of a dense layer": (layers.TimeDistributed(layers.Dense(2)), 2),
        "both directions": (layers.Bidirectional(layers.GRU(2, return_sequences=True)), 4),
    }
    for words, (layer, width) in wrapped.items():
        shapes = [tuple(layer(normals(_STREAM, rows, steps, 4)).shape) for rows, steps in ((2, 3), (1, 5), (3, 2))]
        yield words, [(2, 3, width), (1, 5, width), (3, 2, width)], shapes


def arrays_for_initializers(keras: Any, _: Path) -> Iterator[Seen]:
    """Arrays and tensors "define the initializer values directly"."""
    if "tensor" not in (keras.initializers.get.__doc__ or "").lower():
        return
    given = normals(_STREAM, 3, 2)
    for words, kernel in (("an array", given), ("a tensor", as_tensor(given))):
        layer = keras.layers.Dense(2, kernel_initializer=kernel)
        layer.build((None, 3))
        yield words, given.tolist(), values(layer.kernel)
    yield (
        "a function",
        [[1.0, 1.0]],
        values(_built(keras, lambda shape, dtype=None: keras.ops.ones(shape, dtype)).kernel),
    )


def _built(keras: Any, initializer: Any) -> Any:
    layer = keras.layers.Dense(2, kernel_initializer=initializer)
    layer.build((None, 1))
    return layer


def sizes_from_numpy(keras: Any, _: Path) -> Iterator[Seen]:
    """Sizes in shapes are integers of Python or of NumPy, in tuples and lists."""
    if not is_keras_3(keras):
        return
    yield "of an input", (None, 3), tuple(keras.Input((np.int64(3),)).shape)
    yield "of a whole shape", (2, 3), tuple(keras.Input(batch_shape=[np.int32(2), 3]).shape)
    layer = keras.layers.Dense(2)
    layer.build((None, np.int64(3)))
    yield "of a build", (3, 2), tuple(layer.kernel.shape)
    model = keras.Sequential([keras.Input(batch_shape=[None, np.int64(3)]), keras.layers.Dense(2)])
    yield "of a Sequential", ((None, 3), (None, 2)), (tuple(model.input_shape), tuple(model.output_shape))
    yield "of a reshaped one", (2, 2, 3), tuple(keras.layers.Reshape((np.int64(2), 3))(normals(_STREAM, 2, 6)).shape)


def shapes_before_a_build(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer announces its shape for inputs, without any weights."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    asked: dict[str, tuple[Any, Any, Any]] = {
        "of an equation": (layers.EinsumDense("abc,cd->abd", output_shape=(3, 5)), (None, 3, 4), (None, 3, 5)),
        "of a dense layer": (layers.Dense(5), (None, 3, 4), (None, 3, 5)),
        "of an embedding": (layers.Embedding(6, 5), (None, 3), (None, 3, 5)),
        "of steps": (layers.GRU(5, return_sequences=True), (None, 3, 4), (None, 3, 5)),
        "of both directions": (layers.Bidirectional(layers.LSTM(5)), (None, 3, 4), (None, 10)),
        "of each step": (layers.TimeDistributed(layers.Dense(5)), (None, 3, 4), (None, 3, 5)),
        "of a wrapped layer": (layers.SpectralNormalization(layers.Dense(5)), (None, 4), (None, 5)),
        "of a normalization of batches": (layers.BatchNormalization(), (None, 3, 4), (None, 3, 4)),
        "of groups": (layers.GroupNormalization(2), (None, 3, 4), (None, 3, 4)),
    }
    for words, (layer, given, announced) in asked.items():
        yield words, (announced, 0), (tuple(layer.compute_output_shape(given)), len(layer.weights))


def beyond_half_precision(keras: Any, _: Path) -> Iterator[Seen]:
    """Two layers compute in single precision whatever their policy, also with what float16 cannot hold."""
    if not is_keras_3(keras):
        return
    x = inputs([-1e6, 1e6], [3e5, 1e5])  # which float16 cannot hold, and which are normalized to ones
    layers = keras.layers
    for layer in (
        layers.LayerNormalization(dtype="mixed_float16"),
        layers.GroupNormalization(1, dtype="mixed_float16"),
    ):
        name = type(layer).__name__
        yield (
            f"large inputs of {name}",
            [[-1.0, 1.0], [1.0, -1.0]],
            np.round(as_array(layer(x)).astype(float), 2).tolist(),
        )
        # 4097 is none of the numbers of float16.
        layer.set_weights([np.full(2, 4097.0), np.array([4096.0, -4096.0])])
        yield f"large weights of {name}", [[-1.0, 1.0]], np.round(as_array(layer(x[:1])).astype(float), 2).tolist()


def layers_that_wrap(keras: Any, _: Path) -> Iterator[Seen]:
    """What is wrapped gets the mode, is reset, and may be an embedding or begin at zero."""
    if not is_keras_3(keras):
        return
    layers, x = keras.layers, np.ones((2, 3, 4), np.float32)
    noisy = layers.TimeDistributed(layers.Dropout(0.5, seed=1))
    values_seen = [sorted(set(np.unique(noisy(x, training=mode)).tolist())) for mode in (True, False)]
    yield "values of dropped steps, in training and without", [[0.0, 2.0], [1.0]], values_seen
    dense = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    yield "of a kernel of zeros", [[0.0, 0.0]], values(dense(np.ones((1, 4), np.float32), training=True))
    embedded = layers.SpectralNormalization(layers.Embedding(3, 1, embeddings_initializer="ones"))
    embedded.build((None, 2))
    embedded(inputs([0, 2]), training=True)
    yield "norm of an embedding", 1.0, round(float(np.linalg.norm(embedded.layer.get_weights()[0])), 4)
    for kind in (layers.SimpleRNN, layers.GRU, layers.LSTM):
        small = {"stateful": True, "kernel_initializer": keras.initializers.Constant(0.1)}  # far from saturation
        for words, layer in (("alone", kind(2, **small)), ("both", layers.Bidirectional(kind(2, **small)))):
            first, second = (as_array(layer(x)) for _ in range(2))
            layer.reset_states()
            same = [close(first, second), close(first, layer(x))]
            yield f"whether equal in turn and reset, {kind.__name__} {words}", [False, True], same


def layers_of_a_user_wrapped(keras: Any, _: Path) -> Iterator[Seen]:
    """Rebuilt with the classes that are handed over."""
    if not is_keras_3(keras):
        return
    layers = keras.layers

    class Own(layers.Dense):  # type: ignore[misc,name-defined]
        pass

    class OwnCell(layers.GRUCell):  # type: ignore[misc,name-defined]
        pass

    own = {one.__name__: one for one in (Own, OwnCell)}
    for layer in (layers.TimeDistributed(Own(2)), layers.SpectralNormalization(Own(2)), layers.RNN(OwnCell(2))):
        again = type(layer).from_config(layer.get_config(), custom_objects=own)
        kinds = [type(getattr(one, "cell" if hasattr(one, "cell") else "layer")).__name__ for one in (layer, again)]
        yield f"what {type(layer).__name__} has", kinds[0], kinds[1]


def axes_of_attention(keras: Any, _: Path) -> Iterator[Seen]:
    """One axis may be a number, and axes may be a list."""
    if not is_keras_3(keras):
        return
    x = normals(_STREAM, 2, 3, 4, 5)
    for words, axes, expected in (("a number", 1, (1,)), ("a list", [1, 2], (1, 2))):
        outputs = []
        for given in (axes, expected):
            layer = keras.layers.MultiHeadAttention(2, 3, attention_axes=given)
            layer.build(x.shape, x.shape)
            layer.set_weights([normals(_STREAM, *weight.shape) for weight in layer.get_weights()])
            outputs.append(layer(x, x))
        yield words, True, close(*outputs)


def returned_scores(keras: Any, _: Path) -> Iterator[Seen]:
    """Scores that an attention returns in training are those before its dropout: each query's sum to one."""
    layers = keras.layers
    kinds = [layers.MultiHeadAttention(2, 3, dropout=0.5)]
    kinds += [kind(4, 4, 2, dropout=0.5) for kind in layers_named(keras, "QueryAttention")]
    x = normals(_STREAM, 2, 6, 4)
    for layer in kinds:
        scores = as_array(layer(x, x, return_attention_scores=True, training=True)[1])
        sums = np.round(scores.sum(axis=-1), 4)
        yield f"sums of {type(layer).__name__}", np.ones_like(sums).tolist(), sums.tolist()


def zeroed_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """With ``zero_output_for_mask`` the last output is zero where the last step is masked, unrolled or not."""
    if not is_keras_3(keras):
        return
    x = np.ones((1, 3, 2), np.float32)
    for options in ({}, {"unroll": True}):
        cell = keras.layers.SimpleRNNCell(2, bias_initializer="ones")
        layer = keras.layers.RNN(cell, zero_output_for_mask=True, return_sequences=True, **options)
        last = keras.layers.RNN(cell, zero_output_for_mask=True, **options)
        for seen in ((True, True, False), (False, True, True), (True, False, True)):
            outputs = (as_array(one(x, mask=np.array([seen]))) for one in (layer, last))
            there = [np.any(output[0] != 0, axis=-1).tolist() for output in outputs]
            yield f"outputs that are not zero under {seen}, {options}", [[*seen], seen[-1]], there


ARGUMENTS: Mapping[str, Row] = table(
    widths_of_attention,
    outputs_of_attention,
    numbers_for_masks,
    embeddings_of_any_kind,
    reversed_in_another_type,
    reversed_type_announced,
    reversible_from_weights,
    other_lengths_wrapped,
    arrays_for_initializers,
    sizes_from_numpy,
    shapes_before_a_build,
    beyond_half_precision,
    layers_that_wrap,
    layers_of_a_user_wrapped,
    axes_of_attention,
    returned_scores,
    zeroed_steps,
)
