"""A library that initcheck does not know, described: ``pytest --initcheck-target examples.equinox_library:LIBRARY``.

Equinox documents its layers' arguments; which law their weights follow stands in its source, and is named so here. It
has no initializers of its own, so it has no rows; the checks judge its layers and what is drawn with split keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import numpy as np

from initcheck import DefaultWeight, Library, LibraryLayer, LibraryStreams
from initcheck.catalog.laws import Constant, ElementLaw, Elementwise
from initcheck.frameworks.libraries.documented_laws import uniform_within

_DOCS = "https://docs.kidger.site/equinox/api/nn"


def _arrays(module: eqx.Module) -> Mapping[str, Any]:
    """The arrays of a module by their paths, without the leading dot."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(eqx.filter(module, eqx.is_array))
    return {jax.tree_util.keystr(path).lstrip("."): np.asarray(value) for path, value in leaves}


def _layer(
    name: str, page: str, make: Callable[[Any], eqx.Module], weights: Mapping[str, DefaultWeight]
) -> LibraryLayer:
    return LibraryLayer(name, lambda seed: _arrays(make(jax.random.key(seed))), weights, f"{_DOCS}/{page}/")


def _within(k: float, sentence: str, *paths: str) -> dict[str, DefaultWeight]:
    return dict.fromkeys(paths, DefaultWeight(uniform_within(k), f"{sentence} (in the source)"))


_LINEAR = "lim = 1 / math.sqrt(in_features_)"
_CONV = "lim = 1 / math.sqrt(grouped_in_channels * math.prod(kernel_size))"
_CELL = "lim = math.sqrt(1 / hidden_size)"
_PARTS = ("weight_ih", "weight_hh", "bias")

LAYERS = (
    _layer(
        "Linear",
        "linear",
        lambda key: eqx.nn.Linear(6, 10_000, key=key),
        _within(1 / 6, _LINEAR, "weight", "bias"),
    ),
    _layer(
        "MLP",
        "mlp",
        lambda key: eqx.nn.MLP(20, 5, 2500, 1, use_bias=False, use_final_bias=False, key=key),
        _within(1 / 20, _LINEAR, "layers[0].weight") | _within(1 / 2500, _LINEAR, "layers[1].weight"),
    ),
    _layer(
        "Conv2d",
        "conv",
        lambda key: eqx.nn.Conv2d(4, 10_000, (2, 3), groups=2, key=key),
        _within(1 / (2 * 2 * 3), _CONV, "weight", "bias"),
    ),
    _layer(
        "LSTMCell",
        "rnn",
        lambda key: eqx.nn.LSTMCell(20, 500, key=key),
        _within(1 / 500, _CELL, *_PARTS),
    ),
    _layer(
        "GRUCell",
        "rnn",
        lambda key: eqx.nn.GRUCell(20, 500, key=key),
        _within(1 / 500, _CELL, *_PARTS, "bias_n"),
    ),
    _layer(
        "Embedding",
        "embedding",
        lambda key: eqx.nn.Embedding(500, 100, key=key),
        {"weight": DefaultWeight(Elementwise(ElementLaw("normal", 0.0, 1.0)), "jrandom.normal (in the source)")},
    ),
    _layer(
        "LayerNorm",
        "normalisation",
        lambda key: eqx.nn.LayerNorm(100),
        {
            "weight": DefaultWeight(Constant(1.0), "jnp.ones (in the source)"),
            "bias": DefaultWeight(Constant(0.0), "jnp.zeros (in the source)"),
        },
    ),
)


def _split(seed: int) -> Mapping[str, Any]:
    """Kernels of layers, each with a key of its own."""
    keys = jax.random.split(jax.random.key(seed), 10)
    return {f"layer {number}": np.asarray(eqx.nn.Linear(64, 64, key=key).weight) for number, key in enumerate(keys)}


LIBRARY = Library(
    name="equinox",
    packages=("equinox", "jax", "jaxlib", "numpy"),
    rows=(),
    draw=lambda row, shape, seed, dtype: None,
    layers=LAYERS,
    streams=(
        LibraryStreams(
            "layers",
            _split,
            "key: a jax.random.PRNGKey used to provide randomness for parameter initialisation",
            f"{_DOCS}/linear/",
        ),
    ),
)
