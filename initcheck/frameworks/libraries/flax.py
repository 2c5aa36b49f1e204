"""Flax: the initializers of ``flax.nnx`` under the keys that its ``Rngs`` give."""

from __future__ import annotations

from typing import Any

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Shape
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries import jax as on_jax
from initcheck.frameworks.libraries.flax_streams import STREAMS
from initcheck.frameworks.libraries.library import Library
from initcheck.frameworks.libraries.linen_layers import LINEN
from initcheck.frameworks.libraries.nnx_layers import NNX

_DOCS = "https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/nn/initializers.html"


def draw(row: Initializer, shape: Shape, seed: int | None, dtype: str) -> Any:
    """The draw of an initializer with the first key of the stream ``params`` of ``nnx.Rngs(seed)``."""
    load_library("flax")
    from flax import nnx

    with on_jax.double_precision(load_library("jax"), dtype):
        return on_jax.initializer(nnx.initializers, row)(nnx.Rngs(seed or 0).params(), shape, dtype)


LIBRARY = Library(
    name="flax",
    packages=("flax", "jax", "jaxlib", "numpy"),
    rows=on_jax.ROWS,
    draw=draw,
    dtypes=on_jax.LIBRARY.dtypes,
    complex_dtype=on_jax.LIBRARY.complex_dtype,
    seeds=on_jax.LIBRARY.seeds,
    like=on_jax.LIBRARY.like,
    layers=LINEN + NNX,
    streams=STREAMS,
)
