"""Layers that encode categories or change pixels by a table, and what layers of images and windows refuse."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.activations import ACTIVATIONS
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.computing import LayerOptions
from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    close,
    inputs,
    is_keras_3,
    normals,
    on_tensorflow,
    refusal,
    table,
    tensorflows,
    there,
    values,
)
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import dtype_name

_SHAPES: tuple[tuple[int, ...], ...] = ((3,), (2, 1), (2, 3))
_TOKENS = 5
_REFUSALS = ("ValueError", "TypeError", "NotImplementedError", "InvalidArgumentError")


def _codes(mode: str, indices: np.ndarray, depth: int) -> np.ndarray:
    """Indices as documented: each element by itself, or those of a row together."""
    hot = np.eye(depth)[indices]
    if mode == "int":
        return indices
    if mode == "one_hot":
        hot = hot[..., 0, :] if indices.ndim > 1 and indices.shape[-1] == 1 else hot
    else:
        hot = hot.sum(axis=-2) if mode == "count" else hot.max(axis=-2)
    return as_array(hot)


def _announced(keras: Any, layer: Any, x: np.ndarray) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    dtype = "string" if x.dtype.kind == "U" else x.dtype.name
    yield "a symbolic call", tuple(layer(keras.KerasTensor(x.shape, dtype=dtype)).shape)
    if refusal(layer.compute_output_shape, x.shape) == "NotImplementedError":
        return
    yield "compute_output_shape", tuple(layer.compute_output_shape(x.shape))
    yield "compute_output_shape of a list", tuple(layer.compute_output_shape(list(x.shape)))


@tensorflows("encoders of words and datasets, which are TensorFlow's")
def encoded_categories(keras: Any, _: Path) -> Iterator[Seen]:
    """By every mode, of inputs of one and two axes, with the shapes that are announced."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    for mode in ("one_hot", "multi_hot", "count", "int"):
        made: dict[str, tuple[Any, int]] = {
            "bins": (layers.Discretization([1.0, 2.0, 3.0, 4.0], output_mode=mode), _TOKENS),
            "integers": (
                layers.IntegerLookup(vocabulary=[1, 2, 3, 4], output_mode=mode, num_oov_indices=1),
                _TOKENS,
            ),
            "texts": (layers.StringLookup(vocabulary=["a", "b", "c", "d"], output_mode=mode), _TOKENS),
        }
        if mode != "int":
            made["categories"] = (layers.CategoryEncoding(_TOKENS, output_mode=mode), _TOKENS)
        for name, (layer, depth) in made.items():
            for shape in _SHAPES:
                x = np.random.RandomState(len(mode)).randint(0, depth, shape).astype("int64")
                texts = np.array(["other", "a", "b", "c", "d"])[x]
                fed = {"bins": x.astype("float32"), "texts": texts}.get(name, x)
                actual = as_array(layer(fed))
                words = f"{name}, {mode} of shape {shape}"
                yield words, _codes(mode, x, depth).tolist(), actual.tolist()
                for way, said in _announced(keras, layer, fed):
                    yield f"shape of {words} by {way}", actual.shape, said


def weighted_counts(keras: Any, _: Path) -> Iterator[Seen]:
    """Categories count as much as they weigh."""
    layer = keras.layers.CategoryEncoding(3, output_mode="count")
    if "count_weights" not in inspect.signature(layer.call).parameters:
        return
    weights = inputs([0.25, 0.5, 2.0])
    yield "counts", [[0.75, 0.0, 2.0]], values(layer(np.array([[0, 0, 2]]), count_weights=weights))


@tensorflows("encoders of words and datasets, which are TensorFlow's")
def hashed_categories(keras: Any, _: Path) -> Iterator[Seen]:
    """Equal categories have equal numbers, in the announced shape; several of one row are crossed."""
    if not is_keras_3(keras):
        return
    x = np.array([[7, 8, 7], [8, 8, 9]])
    numbers = as_array(keras.layers.Hashing(1000)(x))
    yield "whether equal ones are equal", True, bool(numbers[0, 0] == numbers[0, 2] and len({*numbers.ravel()}) == 3)
    for mode in ("int", "multi_hot", "count"):
        yield from _hashed(keras, mode)
    crossed = keras.layers.HashedCrossing(1000)
    pairs = as_array(crossed((np.array([[1], [1], [2]]), np.array([[3], [3], [3]]))))
    yield "whether equal pairs are equal", [True, False], [bool(pairs[0] == pairs[1]), bool(pairs[0] == pairs[2])]
    if not on_tensorflow():
        return
    import tensorflow as tf

    spec = tf.TensorSpec((3, 1), tf.int64)
    graph = tf.function(lambda a, b: crossed((a, b)), autograph=False).get_concrete_function(spec, spec)
    yield "known shape of pairs", (3, 1), tuple(graph.output_shapes.as_list())


def _hashed(keras: Any, mode: str) -> Iterator[Seen]:
    layer = keras.layers.Hashing(4, output_mode=mode)
    for shape in _SHAPES:
        x = np.arange(np.prod(shape)).reshape(shape)
        actual = as_array(layer(x)).shape
        for way, said in _announced(keras, layer, x):
            yield f"shape of {mode} of {shape} by {way}", actual, said


@tensorflows("encoders of words and datasets, which are TensorFlow's")
def hashes_one_hot(keras: Any, _: Path) -> Iterator[Seen]:
    """Each element by itself: the last axis is that of the hashes, instead of one of size one."""
    if is_keras_3(keras):
        yield from _hashed(keras, "one_hot")


@tensorflows("encoders of words and datasets, which are TensorFlow's")
def kept_vocabularies(keras: Any, folder: Path) -> Iterator[Seen]:
    """A vocabulary of a file, an array or a list comes back from a model's file, without the first file."""
    if not is_keras_3(keras):
        return
    path = folder / "words.txt"
    path.write_text("a\nb\nc\n")
    made = {
        "a file": keras.layers.StringLookup(vocabulary=str(path)),
        "a list": keras.layers.StringLookup(vocabulary=["a", "b", "c"]),
        "an array": keras.layers.StringLookup(vocabulary=np.array(["a", "b", "c"])),
    }
    adapted = keras.layers.StringLookup()
    adapted.adapt(np.array(["c", "b", "b", "a", "a", "a"]))
    made["adapted words"] = adapted
    numbers = keras.layers.IntegerLookup(vocabulary=np.array([7, 8, 9]))
    expected = ["[UNK]", "a", "b", "c"]
    models = {}
    for words, layer in {**made, "numbers": numbers}.items():
        dtype = "int64" if words == "numbers" else "string"
        model = keras.Sequential([keras.Input((1,), dtype=dtype), layer])
        models[words] = folder / f"{words.replace(' ', '-')}.keras"
        model.save(models[words])
    path.unlink()
    for words, file in models.items():
        layer = keras.saving.load_model(file).layers[-1]
        right: list[Any] = [-1, 7, 8, 9] if words == "numbers" else expected
        yield f"vocabulary of {words}", right, [*layer.get_vocabulary()]


@tensorflows("encoders of words and datasets, which are TensorFlow's")
def adapted_to_batches(keras: Any, _: Path) -> Iterator[Seen]:
    """Documented as "any iterable of batches (e.g. a list of arrays or a generator yielding batches)"."""
    numbers = np.arange(40.0, dtype=np.float32)
    batches = [numbers[:20], numbers[20:]]
    layers = keras.layers
    if "any iterable of batches" in (inspect.getdoc(layers.Discretization.adapt) or ""):
        bins: dict[str, Any] = {"a list": batches, "a generator": (one for one in batches)}
        for words, data in bins.items():
            layer = layers.Discretization(num_bins=4)
            layer.adapt(data)
            yield f"bins of {words}", 4, len(layer.bin_boundaries) + 1
            yield f"whether {words} is cut at its middle", True, 17 <= layer.bin_boundaries[1] <= 22
    if "iterable of batches" in (inspect.getdoc(layers.Normalization.adapt) or ""):

        class Batches(keras.utils.PyDataset):  # type: ignore[misc]
            def __len__(self) -> int:
                return 2

            def __getitem__(self, index: int) -> Any:
                return batches[index][:, None]

        columns = [one[:, None] for one in batches]
        ways: dict[str, Any] = {"a list": columns, "a generator": (one for one in columns), "a PyDataset": Batches()}
        for words, data in ways.items():
            norm = layers.Normalization()
            norm.adapt(data)
            yield f"mean of {words}", [19.5], np.round(np.ravel(norm.mean), 4).tolist()
            yield f"variance of {words}", [133.25], np.round(np.ravel(norm.variance), 3).tolist()


def pixels_without_aliases(keras: Any, _: Path) -> Iterator[Seen]:
    """Shrunk to a quarter, each pixel is a mean by a triangle's weights: <https://keras.io/api/ops/image/>."""
    if "antialias" not in inspect.signature(keras.layers.Resizing).parameters:
        return
    x = np.random.RandomState(1).uniform(size=8).astype(np.float32)
    weights = np.clip(1 - np.abs(np.arange(8) - np.array([[1.5], [5.5]])) / 4, 0, None)
    expected = weights @ x / weights.sum(axis=1)
    seen = as_array(keras.layers.Resizing(2, 1, antialias=True)(x.reshape(1, 8, 1, 1))).ravel()
    yield "whether pixels are such means", True, bool(np.allclose(seen, expected, atol=1e-5))


def _in_graphs(made: Mapping[str, Any]) -> Iterator[Seen]:
    """A graph that does not know heights and widths computes what a call does."""
    import tensorflow as tf

    x = np.random.RandomState(1).uniform(size=(2, 4, 5, 3)).astype(np.float32)
    for words, layer in made.items():
        graph = tf.function(layer, autograph=False).get_concrete_function(tf.TensorSpec((None, None, None, 3)))
        seen, right = as_array(graph(tf.constant(x))), as_array(layer(x))
        yield f"shape, {words}", right.shape, seen.shape
        yield f"whether pixels are those of a call, {words}", True, bool(np.allclose(seen, right, atol=1e-5))


@tensorflows("graphs of unknown sizes")
def enlarged_in_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """Pixels that are interpolated, of images of unknown sizes."""
    kind = keras.layers.UpSampling2D
    made = {
        "bilinear": kind((2, 3), interpolation="bilinear"),
        "bicubic": kind((2, 3), interpolation="bicubic"),
        "channels first": kind(2, data_format="channels_first", interpolation="bilinear"),
    }
    yield from _in_graphs(made)


@tensorflows("graphs of unknown sizes")
def resized_in_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """Sizes that are known, of images of unknown ones."""
    kind = keras.layers.Resizing
    flags = ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias")
    known = [one for one in flags if one in inspect.signature(kind).parameters]
    yield from _in_graphs({"plain": kind(3, 8), **{one: kind(3, 8, **{one: True}) for one in known}})


@tensorflows("graphs of unknown sizes")
def sizes_known_in_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """Where only the number of rows is unknown, a graph knows all else of what reshaping leaves."""
    import tensorflow as tf

    kinds = keras.layers
    made = {
        "one size left open": (kinds.Reshape((-1, 2)), (6, 2)),
        "one size": (kinds.Reshape((-1,)), (12,)),
        "no size left open": (kinds.Reshape((2, 6)), (2, 6)),
        "flattened": (kinds.Flatten(), (12,)),
        "other axes": (kinds.Permute((2, 1)), (3, 4)),
        "cropped": (kinds.Cropping1D(1), (2, 3)),
        "padded": (kinds.ZeroPadding1D(1), (6, 3)),
        "repeated": (kinds.UpSampling1D(2), (8, 3)),
    }
    for words, (layer, sizes) in made.items():
        graph = tf.function(layer, autograph=False).get_concrete_function(tf.TensorSpec((None, 4, 3)))
        yield f"shape in a graph, {words}", (None, *sizes), tuple(graph.output_shapes.as_list())


def equalized_pixels(keras: Any, _: Path) -> Iterator[Seen]:
    """Every value becomes its share among the values, from the least one's: <https://keras.io/api/layers/>."""
    if refusal(lambda: keras.layers.Equalization):
        return
    x = np.random.RandomState(1).choice([10, 20, 21, 90, 200], (1, 4, 6, 2))
    expected = np.zeros(x.shape)
    for channel in range(2):
        seen = x[..., channel]
        below = (seen[..., None, None] >= seen[:, None, None]).sum(axis=(-1, -2))
        least = below.min()
        expected[..., channel] = np.round((below - least) * 255 / (seen.size - least))
    equal = keras.layers.Equalization()
    yield "whether values are spread", True, bool(np.array_equal(as_array(equal(x.astype("float32"))), expected))
    first = keras.layers.Equalization(data_format="channels_first")
    moved = as_array(first(np.moveaxis(x, -1, 1).astype("float32")))
    yield "whether channels are first", True, bool(np.array_equal(moved, np.moveaxis(expected, -1, 1)))


def limited_contrasts(keras: Any, _: Path) -> Iterator[Seen]:
    """The limit is by how much more than its share of grays a gray counts, so that it bounds the contrast.

    What is cut off is shared out among all grays, which adds one at most.
    """
    if refusal(lambda: keras.layers.ContrastLimitedAdaptiveHistogramEqualization):
        return
    kind = keras.layers.ContrastLimitedAdaptiveHistogramEqualization
    x = np.where(np.arange(100) % 5 < 2, 101.0, 100.0).reshape(1, 10, 10, 1).astype(np.float32)
    for limit, least, most in ((4.0, 4.0, 5.0), (1000.0, 100.0, 103.0)):
        seen = as_array(kind(clip_limit=limit, tile_grid_size=(1, 1))(x))
        gained = float(seen[0, 0, 0, 0] - seen[0, 0, 4, 0])
        yield f"whether the contrast at limit {limit} is from {least} to {most}", True, least <= gained <= most


def spectrograms(keras: Any, _: Path) -> Iterator[Seen]:
    """Fourier transforms of frames under a window, of any length in a graph."""
    if refusal(lambda: keras.layers.STFTSpectrogram):
        return
    options = {"frame_length": 8, "frame_step": 4, "fft_length": 16, "scaling": None, "window": "hann"}
    x = np.random.RandomState(1).normal(size=(2, 24, 1)).astype(np.float32)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / 7)
    frames = np.stack([x[:, start : start + 8, 0] for start in range(0, 17, 4)], axis=1)
    right = np.fft.rfft(frames * window, 16)
    parts = {"real": right.real, "magnitude": np.abs(right), "log": np.log(np.maximum(np.abs(right), 1e-7))}
    for mode, expected in parts.items():
        layer = keras.layers.STFTSpectrogram(mode=mode, **options)
        seen = as_array(layer(x))
        big = np.abs(right) > 0.05  # far from the least power that is distinguished
        close = seen.shape == expected.shape and np.allclose(seen[big], expected[big], atol=2e-4)
        yield f"whether {mode} is that of the frames", True, bool(close)
        yield f"announced {mode}", (None, None, 9), tuple(layer(keras.Input((None, 1))).shape)
        yield f"announced {mode} of 24", (None, 5, 9), tuple(layer(keras.Input((24, 1))).shape)


def mel_spectrograms(keras: Any, _: Path) -> Iterator[Seen]:
    """Powers of frames around each step, by triangles on the mel scale, 2595 log10(1 + f / 700); in decibels."""
    if refusal(lambda: keras.layers.MelSpectrogram):
        return
    kind = keras.layers.MelSpectrogram
    size, length, stride, rate, bands = 32, 24, 8, 8000, 5
    x = normals(3, 2, 64)
    window = np.zeros(size)
    window[(size - length) // 2 : (size + length) // 2] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    around = np.pad(x.astype(float), [(0, 0), (size // 2, size // 2)], mode="reflect")
    starts = range(0, around.shape[1] - size + 1, stride)
    frames = np.stack([around[:, start : start + size] for start in starts], axis=1)
    amplitudes = np.abs(np.fft.rfft(frames * window))
    edges = np.linspace(_mel(100.0), _mel(3000.0), bands + 2)
    mels = _mel(np.linspace(0, rate / 2, size // 2 + 1))[:, None]
    rising, falling = ((mels - edges[:-2]) / np.diff(edges[:-1])), ((edges[2:] - mels) / np.diff(edges[1:]))
    triangles = np.maximum(0, np.minimum(rising, falling))
    options: dict[str, Any] = {"fft_length": size, "sequence_length": length, "sequence_stride": stride}
    options |= {"sampling_rate": rate, "num_mel_bins": bands, "min_freq": 100.0, "max_freq": 3000.0}
    for exponent in (1.0, 2.0):
        powers = np.moveaxis(amplitudes**exponent @ triangles, -1, -2)
        plain = as_array(kind(**options, mag_exp=exponent, power_to_db=False)(x))
        yield f"whether amplitudes to the {exponent} are right", True, close(plain, powers, 1e-3)
        decibels = 10 * np.log10(powers / 4.0)
        cut = np.maximum(decibels, decibels.max() - 6.0)
        seen = as_array(kind(**options, mag_exp=exponent, top_db=6.0, ref_power=4.0)(x))
        yield f"whether their decibels are right, {exponent}", True, close(seen, cut, 1e-3)


def _mel(frequencies: Any) -> Any:
    return 2595 * np.log10(1 + as_array(frequencies) / 700)


@tensorflows("encoders of words and datasets, which are TensorFlow's")
def counted_words(keras: Any, _: Path) -> Iterator[Seen]:
    """Texts without case and punctuation, their words and pairs of words in order of frequency."""
    if not is_keras_3(keras):
        return
    texts = np.array(["The cat, the dog", "the CAT", "a dog the"])
    kind = keras.layers.TextVectorization
    layer = kind(output_mode="int")
    layer.adapt(texts)
    words = layer.get_vocabulary()
    yield "words", ["", "[UNK]", "the"], words[:3]
    yield "other words", ["a", "cat", "dog"], sorted(words[3:])
    numbers = {word: number for number, word in enumerate(words)}
    expected = [[numbers[word] for word in text] for text in (["the", "cat", "", ""], ["dog", "[UNK]", "the", "a"])]
    yield "numbers", expected, values(layer(np.array(["the cat!", "Dog bird the a"])))
    counted = kind(output_mode="count", vocabulary=["the", "cat", "the cat"], ngrams=2)
    # What is unknown comes first: "bird" and two pairs.
    yield "counts of pairs", [[3.0, 2.0, 1.0, 1.0]], values(counted(np.array(["the cat the bird"])))


def types_of_activations(keras: Any, _: Path) -> Iterator[Seen]:
    """What comes in half or double precision comes out so."""
    if not is_keras_3(keras):
        return
    for name in ACTIVATIONS:
        function = getattr(keras.activations, name, None)
        if function is None or name == "threshold":  # it takes further arguments
            continue
        for dtype in there("float16", "bfloat16", "float64"):
            output = function(keras.ops.cast(inputs([-1.0, 0.5]), dtype))
            yield f"{name} of {dtype}", dtype, dtype_name(output)


def numbers_of_boxes(keras: Any, _: Path) -> Iterator[Seen]:
    """A fixed number of boxes: others are left out, or filled up."""
    if refusal(lambda: keras.layers.MaxNumBoundingBoxes):
        return
    boxes = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    for number in (1, 3):
        layer = keras.layers.MaxNumBoundingBoxes(number, bounding_box_format="xyxy")
        data = {
            "images": np.zeros((1, 9, 9, 3), np.float32),
            "bounding_boxes": {"boxes": boxes, "labels": np.array([[5, 6]])},
        }
        seen = layer(data)["bounding_boxes"]
        filled = [[-1.0] * 4] * (number - 2)
        yield f"boxes, {number}", [[*boxes[0, :number].tolist(), *filled]], values(seen["boxes"])
        yield f"labels, {number}", [[5, 6, -1][:number]], values(seen["labels"])


def configurations_as_they_were(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that is made from a configuration leaves it as it is."""
    layers = keras.layers
    known = [one for one in select(LayerOptions) if hasattr(layers, one.layer)]
    made = []
    for one in {case.layer: case for case in known}.values():
        takes = inspect.signature(getattr(layers, one.layer)).parameters
        if set(one.options) <= set(takes):
            made.append(getattr(layers, one.layer)(**one.options))
    if not refusal(lambda: layers.Pipeline):
        made.append(layers.Pipeline([layers.CenterCrop(2, 3)]))
    for layer in made:
        config = layer.get_config()
        before = repr(config)
        type(layer).from_config(config)
        yield f"configuration of {type(layer).__name__}", before, repr(config)


def _refusals(refused: Callable[[Any], Iterator[tuple[str, Callable[[], Any]]]]) -> Row:
    """A row of layers that cannot be, of those that make them."""

    @functools.wraps(refused)
    def row(keras: Any, _: Path) -> Iterator[Seen]:
        if not is_keras_3(keras):
            return
        for words, make in refused(keras):
            raised = refusal(make)
            if raised != "AttributeError":  # the installed Keras has no such layer
                yield words, True, raised in _REFUSALS

    return row


@_refusals
def refused_reshaping(keras: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Sizes, shapes and axes."""
    layers, x = keras.layers, np.zeros
    yield "nothing repeated", lambda: layers.RepeatVector(0)
    yield "repeated fewer than no times", lambda: layers.RepeatVector(-1)
    yield "nothing upsampled", lambda: layers.UpSampling1D(0)
    yield "nothing upsampled in two axes", lambda: layers.UpSampling2D((2, 0))
    yield "nothing upsampled in three axes", lambda: layers.UpSampling3D((1, 0, 1))
    yield "a shape with two unknown sizes", lambda: layers.Reshape((-1, -1))
    yield "a shape with a negative size", lambda: layers.Reshape((-2, 3))
    yield "a shape of another number", lambda: layers.Reshape((5,))(x((2, 6)))
    yield "axes that are no permutation", lambda: layers.Permute((1, 3))
    yield "less than nothing cropped", lambda: layers.Cropping1D(-1)
    yield "less than nothing cropped in two axes", lambda: layers.Cropping2D(((0, 0), (-1, 1)))
    yield "less than nothing cropped in three axes", lambda: layers.Cropping3D(-1)
    yield "all cropped", lambda: layers.Cropping1D(2)(keras.Input((3, 1)))
    yield "all cropped in two axes", lambda: layers.Cropping2D(2)(keras.Input((3, 3, 1)))
    yield "less than nothing padded", lambda: layers.ZeroPadding2D(((0, 0), (-1, 1)))


@_refusals
def refused_windows(keras: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Windows, groups, strides and paddings that cannot be, and inputs that they do not fit."""
    layers, x = keras.layers, np.zeros
    yield "a window of nothing", lambda: layers.MaxPooling1D(0)
    yield "a format of no name", lambda: layers.Conv2D(1, 1, data_format="other")
    yield "no groups", lambda: layers.Conv2D(2, 1, groups=0)
    yield "fewer than no groups", lambda: layers.Conv2D(2, 1, groups=-1)
    yield "no filters", lambda: layers.Conv2D(0, 1)
    yield "no filters, transposed", lambda: layers.Conv2DTranspose(0, 1)
    yield "no strides", lambda: layers.Conv2D(1, 1, strides=0)
    yield "no dilation", lambda: layers.Conv2D(1, 1, dilation_rate=0)
    yield "channels in no whole groups", lambda: layers.Conv1D(2, 1, groups=2)(x((1, 4, 3)))
    yield "no depth", lambda: layers.DepthwiseConv1D(1, depth_multiplier=0)
    yield "no depth, separable", lambda: layers.SeparableConv1D(1, 1, depth_multiplier=0)
    yield "a causal convolution of images", lambda: layers.Conv2D(1, 2, padding="causal")
    yield "more padding than strides", lambda: layers.Conv1DTranspose(1, 3, strides=2, output_padding=2)
    yield (
        "more padding than strides in two axes",
        lambda: layers.Conv2DTranspose(1, 3, strides=(3, 2), output_padding=(2, 2)),
    )
    yield "a convolution's window larger than inputs", lambda: layers.Conv1D(1, 5)(x((1, 4, 1)))
    yield "a depthwise window larger than inputs", lambda: layers.DepthwiseConv1D(5, strides=3)(x((1, 4, 1)))
    yield "a separable window larger than inputs", lambda: layers.SeparableConv2D(1, 5)(x((1, 4, 4, 1)))
    yield "a pooled window larger than inputs", lambda: layers.MaxPooling1D(5)(keras.Input((4, 1)))
    yield "a window larger than symbolic inputs", lambda: layers.Conv2D(1, 5)(keras.Input((4, 4, 1)))
    yield "inputs of other axes", lambda: layers.Conv2D(1, 1)(x((1, 4, 1)))
    yield "pooled inputs of other axes", lambda: layers.MaxPooling2D()(x((1, 4, 1)))


@_refusals
def refused_activations(keras: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Slopes, limits and names."""
    layers = keras.layers
    yield "a slope below zero", lambda: layers.LeakyReLU(-0.5)
    yield "no slope", lambda: layers.LeakyReLU(None)
    yield "a maximum below zero", lambda: layers.ReLU(max_value=-1.0)
    yield "a slope of ReLU below zero", lambda: layers.ReLU(negative_slope=-1.0)
    yield "a threshold below zero", lambda: layers.ReLU(threshold=-1.0)
    yield "an activation of no name", lambda: layers.Activation("other")


@_refusals
def refused_noise(keras: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Rates, deviations and shapes of noise."""
    layers = keras.layers
    yield "a rate below zero", lambda: layers.Dropout(-0.1)
    yield "a spatial rate above one", lambda: layers.SpatialDropout1D(1.5)
    yield "a rate of Gaussian dropout above one", lambda: layers.GaussianDropout(1.5)
    yield "a rate of alpha dropout above one", lambda: layers.AlphaDropout(1.5)
    yield "a deviation below zero", lambda: layers.GaussianNoise(-0.1)
    yield "noise of no shape", lambda: layers.Dropout(0.5, noise_shape=(0, 1))
    yield "noise of a shape in words", lambda: layers.Dropout(0.5, noise_shape="ab")
    yield "noise of a shape in fractions", lambda: layers.Dropout(0.5, noise_shape=(1.5, 1))


@_refusals
def refused_merges(keras: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Inputs whose number or sizes do not fit."""
    layers, x = keras.layers, np.zeros
    yield "three inputs subtracted", lambda: layers.Subtract()([x((1, 2))] * 3)
    yield "inputs of other sizes added", lambda: layers.Add()([x((1, 2)), x((1, 3))])
    yield "inputs of other sizes joined", lambda: layers.Concatenate()([x((1, 2, 3)), x((1, 4, 3))])
    yield "axes of other sizes multiplied", lambda: layers.Dot(1)([x((1, 2)), x((1, 3))])
    yield "one input multiplied", lambda: layers.Dot(1)([x((1, 2))])


@_refusals
def refused_images(keras: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Factors, channels and boxes."""
    layers, x = keras.layers, np.zeros
    yield "colors of four channels", lambda: layers.RandomColorDegeneration(0.5)(keras.Input((4, 4, 4)))
    yield "gray of four channels", lambda: layers.RandomGrayscale(1.0)(x((1, 4, 4, 4)), training=True)
    yield "a share of gray above one", lambda: layers.RandomGrayscale(1.5)
    yield "a hue beyond the circle", lambda: layers.RandomHue(2.0)
    yield "a saturation above one", lambda: layers.RandomSaturation(2.0)
    yield "a contrast of three factors", lambda: layers.RandomContrast((0.1, 0.2, 0.3))
    yield "filling of no name", lambda: layers.RandomTranslation(0.1, 0.1, fill_mode="other")
    yield "a translation beyond the image", lambda: layers.RandomTranslation(2.0, 0.1)
    yield "a zoom to nothing, in width", lambda: layers.RandomZoom(0.1, -1.0)
    yield "posterization to nine bits", lambda: layers.RandomPosterization(9)
    yield "shapes of several crops", lambda: layers.CenterCrop(2, 2).compute_output_shape([(1, 4, 4, 3), (1, 4, 4, 3)])
    yield (
        "boxes of no format",
        lambda: layers.RandomFlip()(
            {"images": x((1, 4, 4, 3)), "bounding_boxes": {"boxes": x((1, 1, 4)), "labels": x((1, 1))}}
        ),
    )


@_refusals
def refused_encoders(keras: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Modes, bins, moments and windows of sound."""
    layers, x = keras.layers, np.zeros
    yield "no tokens", lambda: layers.CategoryEncoding(0)
    yield "an encoding of no name", lambda: layers.CategoryEncoding(2, output_mode="other")
    yield (
        "weights of what is not counted",
        lambda: layers.CategoryEncoding(2, output_mode="multi_hot")(np.array([[0, 1]]), count_weights=x((1, 2))),
    )
    yield "bins and boundaries", lambda: layers.Discretization([1.0], num_bins=2)
    yield "neither bins nor boundaries", lambda: layers.Discretization()
    yield "a mean alone", lambda: layers.Normalization(mean=1.0)
    yield "a mean and variances of other shape", lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0])
    if on_tensorflow():  # elsewhere it asks for TensorFlow first
        yield "no hashes", lambda: layers.Hashing(0)
    yield (
        "windows of sound longer than their spectrum",
        lambda: layers.MelSpectrogram(fft_length=64, sequence_length=128),
    )
    yield "frames longer than their spectrum", lambda: layers.STFTSpectrogram(frame_length=128, fft_length=64)


@tensorflows("encoders of words and datasets, which are TensorFlow's")
def kept_weights_of_words(keras: Any, folder: Path) -> Iterator[Seen]:
    """A vocabulary comes back with the weights of its words."""
    if not is_keras_3(keras):
        return
    for kind, texts in (
        (keras.layers.TextVectorization, [["a b"], ["a"], ["a c"]]),
        (keras.layers.StringLookup, [["a"], ["b"], ["a"]]),
    ):
        words, layer = kind.__name__, kind(output_mode="tf_idf")
        layer.adapt(np.array(texts))
        model = keras.Sequential([keras.Input((1,), dtype="string"), layer])
        model.save(folder / f"{words}.keras")
        again = keras.models.load_model(folder / f"{words}.keras")
        asked = keras.ops.convert_to_tensor(np.array(texts))
        yield f"output of {words}", values(model(asked)), values(again(asked))


ENCODED: Mapping[str, Row] = table(
    encoded_categories,
    weighted_counts,
    hashed_categories,
    hashes_one_hot,
    kept_vocabularies,
    adapted_to_batches,
    pixels_without_aliases,
    enlarged_in_graphs,
    resized_in_graphs,
    sizes_known_in_graphs,
    equalized_pixels,
    limited_contrasts,
    spectrograms,
    mel_spectrograms,
    counted_words,
    types_of_activations,
    numbers_of_boxes,
    configurations_as_they_were,
    refused_reshaping,
    refused_windows,
    refused_activations,
    refused_noise,
    refused_merges,
    refused_images,
    refused_encoders,
    kept_weights_of_words,
)
