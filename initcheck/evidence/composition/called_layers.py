"""Layers as they are called: inputs of more axes, of other types and without a batch; and what they refuse."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS
from initcheck.engines.feeding import batches_of
from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    close,
    inputs,
    is_keras_3,
    layers_named,
    normals,
    on_tensorflow,
    refusal,
    table,
    tensorflows,
    there,
    values,
)
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.operations import operations

_STREAM = 5


def attention_of_several_axes(keras: Any, _: Path) -> Iterator[Seen]:
    """Every axis before the last two is one of the batch."""
    if not is_keras_3(keras):
        return
    query, value = normals(_STREAM, 2, 3, 4, 5), normals(_STREAM, 2, 3, 6, 5)
    for kind in (keras.layers.Attention, keras.layers.AdditiveAttention):
        layer = kind()
        flat = layer([query.reshape(6, 4, 5), value.reshape(6, 6, 5)])
        whole = layer([query, value])
        yield f"whether {kind.__name__} is that of each row", True, close(whole, as_array(flat).reshape(2, 3, 4, 5))
    symbolic = [keras.Input((3, 4, 5)), keras.Input((3, 6, 5))]
    scores = keras.layers.Attention()(symbolic, return_attention_scores=True)[1]
    yield "announced shape of its scores", (None, 3, 4, 6), tuple(scores.shape)


def masks_without_a_batch(keras: Any, _: Path) -> Iterator[Seen]:
    """An attention mask is broadcast: "missing batch dimensions and the head dimension"."""
    x = normals(_STREAM, 2, 3, 4, 5)
    layer = keras.layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))
    mask = np.random.RandomState(_STREAM).uniform(size=(3, 4, 3, 4)) < 0.7
    whole = layer(x, x, attention_mask=np.stack([mask, mask]))
    yield "whether one for all rows is that of each", True, close(layer(x, x, attention_mask=mask), whole)
    yield "whether it is read", False, close(layer(x, x), whole)


def masks_for_every_row(keras: Any, _: Path) -> Iterator[Seen]:
    """And so is one of queries and keys alone, as many as there are rows or not, whether scores are returned or not."""
    layers = keras.layers
    kinds = [(f"heads of {one.__name__}", one(4, 4, 2)) for one in layers_named(keras, "QueryAttention")]
    for words, layer in [("heads", layers.MultiHeadAttention(2, 3)), *kinds]:
        for rows, queries, keys in ((3, 3, 3), (2, 4, 4), (3, 4, 3), (3, 3, 5)):
            query, value = normals(_STREAM, rows, queries, 4), normals(_STREAM, rows, keys, 4)
            mask = np.random.RandomState(_STREAM).uniform(size=(queries, keys)) < 0.6
            mask[:, 0] = True
            each = np.stack([mask] * rows)
            equal = [close(*(layer(query, value, attention_mask=given) for given in (mask, each)))]
            scored = (layer(query, value, attention_mask=given, return_attention_scores=True) for given in (mask, each))
            equal += map(close, *scored)
            yield f"whether one for {rows} rows is that of each, {queries} {words}, {keys} keys", [True] * 3, equal


def keys_of_another_length(keras: Any, _: Path) -> Iterator[Seen]:
    """Keys and values belong together."""
    layer = keras.layers.MultiHeadAttention(2, 3)
    yield (
        "raised",
        True,
        bool(refusal(layer, normals(_STREAM, 2, 3, 4), normals(_STREAM, 2, 5, 4), normals(_STREAM, 2, 6, 4))),
    )


def many_axes_joined(keras: Any, _: Path) -> Iterator[Seen]:
    """Five axes, four of them of size one."""
    joined = keras.layers.Concatenate()([normals(_STREAM, 1, 1, 1, 1, 5), normals(_STREAM, 1, 1, 1, 1, 4)])
    yield "shape", (1, 1, 1, 1, 9), tuple(joined.shape)


def axes_in_any_order(keras: Any, _: Path) -> Iterator[Seen]:
    """Scales and offsets lie along the axes as the inputs have them."""
    x = normals(_STREAM, 2, 3, 4)
    sorted_axes, unsorted = (keras.layers.LayerNormalization(axis=axis) for axis in ([1, 2], [2, 1]))
    yield "whether the order of axes is nothing", True, close(sorted_axes(x), unsorted(x))
    yield "shape of its scales", (3, 4), tuple(unsorted.gamma.shape)


def scalar_moments(keras: Any, _: Path) -> Iterator[Seen]:
    """One mean and one variance for all elements."""
    layer = keras.layers.Normalization(axis=None, mean=1.0, variance=4.0)
    yield "three", [[1.0, 1.0]], values(layer(inputs([3, 3])))
    plain = keras.layers.Normalization(mean=1.0, variance=4.0)
    yield "three, for the last axis", [[1.0, 1.0]], values(plain(inputs([3, 3])))


def adapted_moments(keras: Any, _: Path) -> Iterator[Seen]:
    """Counted from arrays and, on TensorFlow, from datasets of batches."""
    x = inputs([0, 2], [4, 2], [0, 6], [4, 6])
    for words, data in (("an array", x), *([("batches", batches_of(x, 3))] if on_tensorflow() else [])):
        layer = keras.layers.Normalization()
        layer.adapt(data)
        yield f"whether right of {words}", True, close(layer(inputs([0, 2], [4, 6])), [[-1.0, -1.0], [1.0, 1.0]])


@tensorflows("Discretization.adapt, which is TensorFlow's")
def bins_of_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """Boundaries belong to the bin above; of adapted ones each has as many numbers."""
    layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0])
    yield "bins", [[0, 1, 1, 2]], values(layer(inputs([-1, 0, 0.5, 1])))
    adapted = keras.layers.Discretization(num_bins=4)
    adapted.adapt(np.arange(40.0, dtype=np.float32))
    counts = np.bincount(as_array(adapted(np.arange(40.0, dtype=np.float32))).ravel().astype(int), minlength=4)
    yield (
        "whether bins have nearly as many",
        True,
        bool(counts.shape == (4,) and counts.min() >= 9 and counts.max() <= 11),
    )
    if not is_keras_3(keras):
        return
    yield "type", "int", as_array(layer(inputs([0]))).dtype.name[:3]
    hot = keras.layers.Discretization(bin_boundaries=[0.0, 1.0], output_mode="one_hot")
    yield "of one column, one-hot", [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], values(hot(inputs([-1], [2])))


def rounded_pixels(keras: Any, _: Path) -> Iterator[Seen]:
    """Whole numbers are rounded, as 8/3 is to 3."""
    if not is_keras_3(keras):
        return
    x = np.random.RandomState(_STREAM).randint(0, 256, (1, 4, 4, 1)).astype("uint8")
    exact = as_array(keras.layers.Resizing(3, 3)(x.astype(np.float32)))
    resized = as_array(keras.layers.Resizing(3, 3, dtype="uint8")(x))
    yield "whether pixels are those rounded", True, bool(np.abs(resized.astype(float) - exact).max() <= 0.5 + 1e-4)


@tensorflows("graphs of unknown sizes")
def known_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """In a graph, the number of steps is known afterwards where it was before."""
    import tensorflow as tf

    for kind in (keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM):
        layer = kind(2, return_sequences=True)
        layer.build((None, 4, 3))
        graph = tf.function(layer, autograph=False).get_concrete_function(tf.TensorSpec((None, 4, 3)))
        yield kind.__name__, (None, 4, 2), tuple(graph.output_shapes.as_list())


def types_of_normalized(keras: Any, _: Path) -> Iterator[Seen]:
    """Inputs in single precision come out in the type in which the layer computes."""
    names = dict.fromkeys(case.layer for case in FORMULAS if case.loud)
    for kind in filter(None, (getattr(keras.layers, name, None) for name in names)):
        known = inspect.signature(kind).parameters
        options = {"groups": 2} if "groups" in known else {}
        for policy in there("mixed_float16", "mixed_bfloat16", "float64"):
            dtype = policy.removeprefix("mixed_")
            output = kind(dtype=policy, **options)(normals(_STREAM, 2, 4))
            yield f"{kind.__name__} under {policy}", dtype, as_array(output).dtype.name


def _geometric(keras: Any) -> Iterator[Any]:
    """Layers that move pixels, each far."""
    yield keras.layers.RandomRotation(0.3, seed=1)
    yield keras.layers.RandomZoom((0.2, 0.5), seed=1)
    yield keras.layers.RandomTranslation((0.2, 0.5), (0.2, 0.5), seed=1)
    for kind in layers_named(keras, "Shear"):
        yield kind((0.2, 0.5), (0.2, 0.5), seed=1)


def masks_of_segments(keras: Any, _: Path) -> Iterator[Seen]:
    """A class of a pixel is one of the classes afterwards, too."""
    if not hasattr(keras.layers.RandomRotation, "transform_segmentation_masks"):
        return
    masks = np.random.RandomState(_STREAM).randint(0, 3, (2, 8, 8, 1)).astype(np.float32)
    for layer in _geometric(keras):
        seen = layer({"images": normals(_STREAM, 2, 8, 8, 3), "segmentation_masks": masks}, training=True)
        yield type(layer).__name__, [], sorted(set(np.unique(seen["segmentation_masks"])) - {0.0, 1.0, 2.0})


def images_without_a_batch(keras: Any, _: Path) -> Iterator[Seen]:
    """Documented as "3D (unbatched) or 4D (batched)" tensors; and a pipeline of ``tf.data`` knows their sizes."""
    if not is_keras_3(keras):
        return
    colours = [keras.layers.RandomBrightness(0.2, value_range=(0, 1)), keras.layers.RandomContrast(0.2)]
    colours += [kind(1.0) for kind in layers_named(keras, "Grayscale")]
    for layer in (*_geometric(keras), keras.layers.RandomFlip(), *colours):
        image = np.abs(normals(_STREAM, 6, 5, 3))
        yield f"shape of {type(layer).__name__}", (6, 5, 3), tuple(layer(image, training=True).shape)
        if not on_tensorflow():
            continue
        import tensorflow as tf

        batches = tf.data.Dataset.from_tensor_slices(image[None]).batch(1)
        shape = batches.map(lambda x, layer=layer: layer(x, training=True)).element_spec.shape
        yield f"known to a pipeline, {type(layer).__name__}", (None, 6, 5, 3), tuple(shape)


def functions_as_regularizers(keras: Any, _: Path) -> Iterator[Seen]:
    """Documented as any callable that takes a weight."""
    layer = keras.layers.Dense(2, kernel_regularizer=lambda kernel: 3.0 * kernel[0, 0], kernel_initializer="ones")
    layer.build((None, 1))
    yield "losses", [3.0], values(list(layer.losses))


def lists_of_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """Each of a list that is added counts once, in a stateless call, too."""
    math = operations(keras)

    class Penalized(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            total = math.sum(x)
            self.add_loss([total, 2 * total])
            return x

    layer = Penalized()
    layer(inputs([1, 3]))
    yield "of a call", [4.0, 8.0], values(list(layer.losses))
    if is_keras_3(keras):
        losses = layer.stateless_call([], [], inputs([1, 3]), return_losses=True)[2]
        yield "of a stateless call", [4.0, 8.0], values(list(losses))


def keyword_only_arguments(keras: Any, _: Path) -> Iterator[Seen]:
    """A configuration that is made up holds them."""
    if not is_keras_3(keras):
        return

    class Scaled(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, *, factor: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x: Any) -> Any:
            return x * self.factor

    again = Scaled.from_config(Scaled(factor=3.0).get_config())
    yield "a doubled one of its copy", [[3.0]], values(again(inputs([1])))


def models_before_their_weights(keras: Any, folder: Path) -> Iterator[Seen]:
    """Weights that are not there are neither saved nor loaded in silence."""
    if not is_keras_3(keras):
        return

    class Late(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.inner(x)

    built = Late()
    built(inputs([1]))
    path = str(folder / "a.weights.h5")
    built.save_weights(path)
    yield "loading raises", "ValueError", refusal(Late().load_weights, path)
    yield "saving raises", "ValueError", refusal(Late().save_weights, str(folder / "b.weights.h5"))


def refused_arguments(keras: Any, _: Path) -> Iterator[Seen]:
    """What is documented as impossible."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    asked = {
        "a rate above one": lambda: layers.Dropout(1.5),
        "no units": lambda: layers.Dense(0),
        "a kernel of no size": lambda: layers.Conv1D(1, 0),
        "filters in no whole groups": lambda: layers.Conv1D(3, 1, groups=2),
        "strides and dilation": lambda: layers.Conv1D(1, 2, strides=2, dilation_rate=2),
        "strides and dilation of a ConvLSTM": lambda: layers.ConvLSTM1D(1, 3, strides=2, dilation_rate=2),
        "negative heads": lambda: layers.MultiHeadAttention(-2, 3),
        "keys of no size": lambda: layers.MultiHeadAttention(2, 0),
        "a range of one value": lambda: layers.RandomBrightness(0.1, value_range=[1]),
        "a zoom to nothing": lambda: layers.RandomZoom(-1.0),
        "a mask of more axes": lambda: layers.Softmax()(normals(_STREAM, 2, 3), mask=np.ones((2, 2, 3), bool)),
        "a mask of other steps": lambda: layers.TimeDistributed(layers.Dense(2))(
            normals(_STREAM, 2, 3, 4), mask=np.ones((2, 5), bool)
        ),
        "inputs of another width": lambda: keras.Sequential([keras.Input((3,)), layers.Dense(1)])(
            normals(_STREAM, 2, 4)
        ),
        "weights of another number": lambda: layers.Dense(2).set_weights([np.ones((1, 2))]),
    }
    for words, call in asked.items():
        yield words, True, refusal(call) in ("ValueError", "TypeError")


CALLED: Mapping[str, Row] = table(
    attention_of_several_axes,
    masks_without_a_batch,
    masks_for_every_row,
    keys_of_another_length,
    many_axes_joined,
    axes_in_any_order,
    scalar_moments,
    adapted_moments,
    bins_of_numbers,
    rounded_pixels,
    known_steps,
    types_of_normalized,
    masks_of_segments,
    images_without_a_batch,
    functions_as_regularizers,
    lists_of_losses,
    keyword_only_arguments,
    models_before_their_weights,
    refused_arguments,
)
