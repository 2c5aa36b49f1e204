"""The evidence of a baseline that is not a training: draws, kernels of layers, and the orders of ``fit``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import ElementLaw, Elementwise, Orthogonal, Shape, Unstated, VarianceScaled
from initcheck.catalog.layers import LayerRequest
from initcheck.catalog.recipes import Feed
from initcheck.evidence.laws.layer_weights import BuiltLayers
from initcheck.evidence.order import take
from initcheck.evidence.session import Session
from initcheck.evidence.trace import Array
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import attempt_draw

DTYPES = ("float32", "float64", "float16", "bfloat16")
SEEDS = (0, 1, 20260101, 2**31 - 3)  # Keras 3.0 ignored 0
SHAPES: tuple[Shape, ...] = ((16,), (16, 8), (3, 3, 4, 8))
_POOLED: tuple[Shape, int] = (
    (256, 128),
    2,
)  # 65,536 elements: an error of 1 % of a normal law's scale is 2.5 of its own
_POOLED_MATRICES: tuple[Shape, int] = ((6, 6), 200)  # of which each has one independent element
_UNIT = Initializer("unit", "RandomUniform", Elementwise(ElementLaw("uniform", 0, 1)), "", {"minval": -1, "maxval": 1})
_AGREE = 1e-4  # of a kernel's elements on one scale: float32 has 6e-8, and fans are far apart


def draws_of(row: Initializer, dtype: str) -> dict[str, Array | str]:
    """Returns, by shape and seed in words, the draw or the name of the exception that rejects it.

    The global generators are seeded before each draw, for versions that ignore a seed.
    """
    draws = {}
    for shape in SHAPES if dtype == "float32" else SHAPES[1:2]:
        for seed in SEEDS if row.law.random else SEEDS[:1]:
            with globally_seeded(load_target_keras(), 7):
                draws[f"{shape}, seed {seed}" if row.law.random else f"{shape}"] = attempt_draw(
                    row, shape, seed, dtype=dtype
                )
    return draws


def pooled_draws(row: Initializer, dtype: str, seeds: Sequence[int]) -> list[Array]:
    """Returns many draws of one shape; none for a row without randomness or a stated law, or where Keras raises.

    Args:
        row: The initializer.
        dtype: The dtype asked for.
        seeds: Enough of them: ``POOLED_SEEDS``.
    """
    if not row.law.random or isinstance(row.law, Unstated):
        return []
    shape, count = _POOLED_MATRICES if isinstance(row.law, Orthogonal) else _POOLED
    draws = [attempt_draw(row, shape, seed, dtype=dtype) for seed in seeds[:count]]
    return [draw for draw in draws if not isinstance(draw, str)]


POOLED_SEEDS = _POOLED_MATRICES[1]


def default_weights(requests: Mapping[str, LayerRequest], seed: int) -> dict[str, list[Array]]:
    """Returns the initial weights of each layer with its default initializers; layers that Keras lacks are left out."""
    layers = BuiltLayers(Session(seed))
    return {name: layers.defaults(request, seed) for name, request in requests.items() if layers.offers(request.layer)}


def kernel_fans(
    request: LayerRequest, argument: str, weight: int, seed: int
) -> tuple[float | None, float | None] | None:
    """The fan-in and fan-out that scaled a layer's kernel; None for a scale that is no fan's, or no such layer.

    The kernel under a variance-scaled uniform law is that under U(−1, 1) with the same seed, times √(3/fan).

    Args:
        request: The layer.
        argument: The initializer argument that decides the kernel.
        weight: The kernel's place among the layer's weights.
        seed: Of the initializers.
    """
    layers = BuiltLayers(Session(seed))
    if not layers.offers(request.layer):
        return None

    def kernel(row: Initializer) -> Array:
        return np.asarray(layers.weights(request, {argument: (row, seed)})[weight], dtype=np.float64)

    unit = kernel(_UNIT)
    return _fan(kernel(_scaled("fan_in")), unit), _fan(kernel(_scaled("fan_out")), unit)


def fit_order(feed: Feed, seed: int) -> list[Array]:
    """Each epoch's row numbers, as ``fit`` took them under that global seed."""
    keras = load_target_keras()
    with globally_seeded(keras, seed):
        return take(keras, feed, seed).rows()


def _scaled(mode: Any) -> Initializer:
    config: Any = {"scale": 1.0, "mode": mode, "distribution": "uniform"}
    return Initializer(mode, "VarianceScaling", VarianceScaled(1.0, mode, "uniform"), "", config)


def _fan(kernel: Array, unit: Array) -> float | None:
    usable = np.abs(unit) > 0.01
    scales = kernel[usable] / unit[usable]
    scale = float(np.median(scales)) if scales.size else 0.0
    if scale <= 0 or np.abs(scales / scale - 1).max() > _AGREE:
        return None
    return float(f"{3 / scale**2:.5g}")
