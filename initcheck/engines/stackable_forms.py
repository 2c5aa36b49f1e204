"""Forms of a model's computations that TensorFlow can stack: the same sums, without loops over steps or members."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from initcheck.engines.replacing import replaced


@contextlib.contextmanager
def stackable(keras: Any, model: Any) -> Iterator[None]:
    """Lets layers compute in forms that can be stacked: recurrent steps one after another, convolutions as products."""
    import tensorflow as tf

    with _unrolled(keras, model), replaced(tf.nn, convolution=_by_products(tf.nn.convolution)):
        yield


@contextlib.contextmanager
def _unrolled(keras: Any, model: Any) -> Iterator[None]:
    """Lets recurrent layers run their steps one after another, as a loop's gradient cannot be stacked."""
    layers = [one for one in model._flatten_layers() if isinstance(one, keras.layers.RNN) and not one.unroll]
    for layer in layers:
        layer.unroll = True
    try:
        yield
    finally:
        for layer in layers:
            layer.unroll = False


def _by_products(convolution: Callable[..., Any]) -> Callable[..., Any]:
    """``tf.nn.convolution`` as a product of patches and filters, which TensorFlow loops over members for otherwise."""

    def convolve(
        input: Any,
        filters: Any,
        strides: Any = None,
        padding: Any = "VALID",
        data_format: Any = None,
        dilations: Any = None,
        name: Any = None,
    ) -> Any:
        import tensorflow as tf

        filters = tf.convert_to_tensor(filters)
        axes = filters.shape.rank - 2
        shapes = [*input.shape[1:], *filters.shape]
        channels_last = data_format is None or data_format.endswith("C")
        if axes > 2 or None in shapes or not channels_last or input.shape[-1] != filters.shape[-2]:
            return convolution(input, filters, strides, padding, data_format, dilations, name)
        kernel = list(filters.shape[:axes])
        steps, spread = (
            [given] * axes if isinstance(given, int) else [*(given or [1] * axes)] for given in (strides, dilations)
        )
        reach = [(size - 1) * wide + 1 for size, wide in zip(kernel, spread, strict=True)]
        if padding == "SAME":
            sizes = list(zip(input.shape[1:-1], steps, reach, strict=True))
            missing = [max((-(-size // step) - 1) * step + far - size, 0) for size, step, far in sizes]
            input = tf.pad(input, [(0, 0), *((one // 2, one - one // 2) for one in missing), (0, 0)])
        counts = [(size - far) // step + 1 for size, far, step in zip(input.shape[1:-1], reach, steps, strict=True)]
        return _sum_of_patches(input, filters, kernel, counts, steps, spread)

    return convolve


def _sum_of_patches(
    images: Any, filters: Any, kernel: Sequence[int], counts: Sequence[int], steps: Sequence[int], spread: Sequence[int]
) -> Any:
    import tensorflow as tf

    patches = []
    for offsets in itertools.product(*map(range, kernel)):
        places = zip(offsets, spread, counts, steps, strict=True)
        slices = [slice(at * wide, at * wide + (count - 1) * step + 1, step) for at, wide, count, step in places]
        patches.append(images[(slice(None), *slices)])
    rows = tf.shape(images)[0] if images.shape[0] is None else images.shape[0]
    inputs = tf.reshape(tf.concat(patches, axis=-1), (-1, len(patches) * filters.shape[-2]))
    outputs = tf.matmul(inputs, tf.reshape(filters, (-1, filters.shape[-1])))
    return tf.reshape(outputs, (rows, *counts, filters.shape[-1]))
