"""Layers that change images at random."""

from __future__ import annotations

from typing import Any

from initcheck.catalog.layers.configurations import IMAGES, NO_WEIGHTS
from initcheck.catalog.layers.kind import LayerKind, Without
from initcheck.catalog.layers.traits.computing import LayerOptions
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource

_STATE = State(holds=Holds.MORE, draws=True)
_OTHERS = Without("its random images have no documented law, and it comes before the first layer")


def _augmentation(
    name: str, arguments: dict[str, Any], options: dict[str, Any], channels: int = 4, **drawn: Any
) -> LayerKind:
    # Image layers have no kernels in every dtype: single precision.
    return LayerKind(
        name,
        NoiseSource(order=3, arguments=arguments, fed=Fed.IMAGES, **drawn),
        LayerOptions(order=14, options=options, input_shape=(*IMAGES[:-1], channels), drawing=True),
        _STATE,
        NO_WEIGHTS,
        _OTHERS,
    )


ROWS = (
    _augmentation("RandomFlip", {}, {"mode": "vertical"}),
    _augmentation(
        "RandomRotation", {"factor": 0.4}, {"factor": [-0.1, 0.3], "fill_mode": "constant", "fill_value": 0.3}
    ),
    _augmentation(
        "RandomZoom",
        {"height_factor": 0.4},
        {"height_factor": 0.3, "width_factor": 0.1, "interpolation": "nearest"},
    ),
    _augmentation("RandomContrast", {"factor": 0.4}, {"factor": [0.1, 0.3]}, 3),
    _augmentation("RandomBrightness", {"factor": 0.4}, {"factor": [-0.1, 0.3]}, 3),
    _augmentation(
        "RandomTranslation",
        {"height_factor": 0.4, "width_factor": 0.4},
        {"height_factor": 0.3, "width_factor": 0.1, "fill_mode": "wrap"},
    ),
    # One place for all images of a batch, out of thirty: six crops distinguish two draws.
    _augmentation("RandomCrop", {"height": 4, "width": 4}, {"height": 3, "width": 2}, calls=6, crops=True),
    *(LayerKind(name, _STATE, Without("only Keras 2 has it")) for name in ("RandomHeight", "RandomWidth")),
)
