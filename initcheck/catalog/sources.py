"""The names of all unseeded sources of randomness that ``keras.utils.set_random_seed`` is documented to seed.

Source: https://keras.io/api/utils/python_utils/#set_random_seed-function ("Sets all random seeds (Python, NumPy, and
backend framework)", "resets the global Keras SeedGenerator").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource, StepwiseNoise
from initcheck.catalog.layers.traits.weights import UnseededKernel
from initcheck.targets import backend_of, target

_OF_TENSORFLOW = ("tensorflow", "tensorflow shuffle", "tensorflow function")
_OF_TORCH = ("torch", "torch shuffle")
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

# Layers whose noise is recorded at every step of ``fit``, with their arguments.
STEPWISE: Mapping[str, Mapping[str, Any]] = {noise.layer: noise.arguments for noise in select(StepwiseNoise)}
KERNELS: Mapping[str, UnseededKernel] = {kernel.layer: kernel for kernel in select(UnseededKernel)}
_NOISES = {noise.layer: noise for noise in select(NoiseSource) if not noise.slow}
IMAGES: Mapping[str, NoiseSource] = {name: noise for name, noise in _NOISES.items() if noise.fed is Fed.IMAGES}
MASKS: Mapping[str, NoiseSource] = {name: noise for name, noise in _NOISES.items() if name not in IMAGES}

_OF_KERAS = (
    *(f"initializer {name}" for name, row in INITIALIZERS.items() if row.law.random),
    *(f"kernel {name}" for name in KERNELS),
    *(f"mask {name}" for name in MASKS),
    *(f"traced mask {name}" for name, noise in MASKS.items() if noise.traced),
    *(f"image {name}" for name in IMAGES),
    *(f"keras.random {name}" for name in FUNCTIONS),
)


def global_generators() -> tuple[str, ...]:
    """The global generators that are seeded where the target is installed: JAX has none.

    That of TensorFlow is documented to be seeded beside any backend, "if TF is installed".
    """
    return ("python", "numpy", "tensorflow", *(_OF_TORCH[:1] if backend_of(target()) == "torch" else ()))


def sources() -> tuple[str, ...]:
    """All sources of the target."""
    own = _OF_TORCH if backend_of(target()) == "torch" else ()
    return ("python", "numpy", *_OF_TENSORFLOW, *own, *_OF_KERAS)
