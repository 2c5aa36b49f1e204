"""The names of everything unseeded that ``keras.utils.set_random_seed`` is documented to decide.

Source: https://keras.io/api/utils/python_utils/#set_random_seed-function ("Sets all random seeds (Python, NumPy, and
backend framework)", "resets the global Keras SeedGenerator").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS

GENERATORS = ("python", "numpy", "tensorflow", "tensorflow shuffle", "tensorflow function")
KERNELS = (
    "Dense",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Conv2DTranspose",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    "Embedding",
    "SimpleRNN",
    "LSTM",
    "GRU",
    "ConvLSTM2D",
    "EinsumDense",
    "MultiHeadAttention",
)
MASKS = (
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "LSTM",
    "MultiHeadAttention",
)
IMAGES = (
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomContrast",
    "RandomBrightness",
    "RandomTranslation",
    "RandomCrop",
)
FUNCTIONS = (
    "normal",
    "uniform",
    "truncated_normal",
    "randint",
    "categorical",
    "shuffle",
    "dropout",
    "gamma",
    "beta",
    "binomial",
)

_RATE: Mapping[str, Any] = {"rate": 0.5}
# Layers whose noise is recorded at every step of ``fit``, with their arguments.
STEPWISE: Mapping[str, Mapping[str, Any]] = {
    "Dropout": _RATE,
    "GaussianNoise": {"stddev": 1.0},
    "SpatialDropout1D": _RATE,
    "GaussianDropout": _RATE,
    "AlphaDropout": _RATE,
    "LSTM": {"units": 4, "unroll": True, "recurrent_dropout": 0.5, "return_sequences": True},
}

SOURCES = (
    *GENERATORS,
    *(f"initializer {name}" for name, row in INITIALIZERS.items() if row.law.random),
    *(f"kernel {name}" for name in KERNELS),
    *(f"mask {name}" for name in MASKS),
    "traced mask Dropout",
    *(f"image {name}" for name in IMAGES),
    *(f"keras.random {name}" for name in FUNCTIONS),
)
