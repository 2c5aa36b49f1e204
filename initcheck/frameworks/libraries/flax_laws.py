"""What Flax documents of default weights, and the sizes of the layers that are judged.

Flax documents which initializer is the default, by name or in the signature, and ``jax.nn.initializers`` what its law
is: a variance of one over "the number of inputs". So a fan here is the number of inputs of a unit, by the layer's
formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from initcheck.catalog.laws import Constant, Orthogonal
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.documented_laws import scaled_by
from initcheck.frameworks.libraries.library import DefaultWeight

DOCS = "https://flax.readthedocs.io/en/latest/api_reference"
_LECUN = (
    "kernel_init, by default lecun_normal(): a standard deviation (after truncation, if applicable) of √(scale / n), "
    "where n is, for fan_in, the number of inputs"
)
_HIDDEN = "initializer function for the kernels that transform the hidden state (default: initializers.orthogonal())"
_EMBEDDING = 'embedding_init=variance_scaling(1.0, "fan_in", "normal", out_axis=0) (in the source), of features values'
_ZERO = "bias_init: initializer for bias, by default, zero"
_ONE = "scale_init: initializer for scale, by default, one"
Arrays = Mapping[str, Any]
Weights = dict[str, DefaultWeight]

# Each random kernel has tens of thousands of elements or some thousand: each shape costs a second to compile. Sizes of
# inputs, windows, heads and batches differ, so that one taken for another shows.
INPUTS, BATCH, HEADS = 54, 16, 8
WINDOW = (2, 3)
LSTM_GATES, GRU_GATES = "ifgo", "rzn"
CELL = (96, 80)  # inputs, hidden features


def flat(*collections: Mapping[str, Any]) -> Arrays:
    """The arrays of nested collections by their paths, with dots."""
    flax = load_library("flax")
    values: dict[str, Any] = {}
    for collection in collections:
        values |= flax.traverse_util.flatten_dict(collection, sep=".")
    return {path: as_array(value) for path, value in values.items()}


def lecun(inputs: int, *paths: str) -> Weights:
    """Kernels of the default law, for units of that many inputs."""
    return dict.fromkeys(paths, DefaultWeight(scaled_by(1.0, inputs, "truncated_normal"), _LECUN))


def hidden(*paths: str) -> Weights:
    """Recurrent kernels."""
    return dict.fromkeys(paths, DefaultWeight(Orthogonal(), _HIDDEN))


def fixed(value: float, sentence: str, *paths: str) -> Weights:
    """Weights that all start at a value."""
    return dict.fromkeys(paths, DefaultWeight(Constant(value), sentence))


def biases(*paths: str) -> Weights:
    """Biases, which start at zero."""
    return fixed(0.0, "bias_init=zeros_init()", *paths)


def with_bias(inputs: int) -> Weights:
    """A kernel for units of that many inputs, and a bias."""
    return lecun(inputs, "kernel") | biases("bias")


def attention(inner: int) -> Weights:
    """The four kernels and biases of attention with so many features in all heads."""
    paths = ("query", "key", "value")
    return {
        **lecun(CELL[0], *(f"{path}.kernel" for path in paths)),
        **lecun(inner, "out.kernel"),
        **biases(*(f"{path}.bias" for path in (*paths, "out"))),
    }


def lstm(of_input: str, of_hidden: str) -> Weights:
    """The eight kernels and four biases of an LSTM whose paths are made of those templates and a gate's letter."""
    inner = [of_hidden.format(gate) for gate in LSTM_GATES]
    return {
        **lecun(CELL[0], *(f"{of_input.format(gate)}.kernel" for gate in LSTM_GATES)),
        **hidden(*(f"{path}.kernel" for path in inner)),
        **biases(*(f"{path}.bias" for path in inner)),
    }


STATISTICS = fixed(0.0, "zeros (in the source)", "mean") | fixed(1.0, "ones (in the source)", "var")
EMBEDDED: Weights = {"embedding": DefaultWeight(scaled_by(1.0, 100, "normal"), _EMBEDDING)}
SCALE = fixed(1.0, _ONE, "scale")
NORM = SCALE | fixed(0.0, _ZERO, "bias")
# Single precision's number next to 0.01.
SLOPE = fixed(float(np.float32(0.01)), "the value to initialize the negative slope (default 0.01)", "negative_slope")
