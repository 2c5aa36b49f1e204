"""Image layers whose inputs are dicts: of images, and of labels, masks of segments and boxes that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HEIGHT, WIDTH = 24, 32  # of images; any angle, share or factor below moves edges by several pixels


@dataclass(frozen=True)
class Companioned:
    """A layer that takes such dicts.

    Attributes:
        layer: A class of ``keras.layers``.
        arguments: Its arguments; of a random layer, they make it change every image visibly.
        name: That of its cells.
        seeded: Whether it draws.
        sized: Whether its images have another size, in inference, too.
        all_formats: Whether it is asked for boxes in all formats.
        any_format: Whether channels may come first.
    """

    layer: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    seeded: bool = True
    sized: bool = False
    all_formats: bool = False
    any_format: bool = True

    def __str__(self) -> str:
        return self.name or self.layer


_EMPTY = {"fill_mode": "constant", "fill_value": 0.0}
_FACTORS = {"height_factor": (0.2, 0.3), "width_factor": (-0.3, -0.2)}
_SMALL = {"height": 18, "width": 20}

# What is seen moves: boxes and masks move with it.
MOVING = (
    Companioned("RandomFlip", {"mode": "horizontal"}, "RandomFlip-horizontal"),
    Companioned("RandomFlip", {"mode": "vertical"}, "RandomFlip-vertical"),
    Companioned("RandomRotation", {"factor": (0.08, 0.15), **_EMPTY}),
    Companioned("RandomZoom", {**_FACTORS, **_EMPTY}),
    Companioned("RandomTranslation", {**_FACTORS, **_EMPTY}, all_formats=True),
    Companioned("RandomShear", {"x_factor": (0.2, 0.3), **_EMPTY}, "RandomShear-x"),
    Companioned("RandomShear", {"y_factor": (0.2, 0.3), **_EMPTY}, "RandomShear-y"),
    Companioned("RandomPerspective", {"scale": 0.4}),
    Companioned("RandomCrop", _SMALL, sized=True),
    Companioned("CenterCrop", _SMALL, seeded=False, sized=True),
    Companioned("CenterCrop", {"height": 30, "width": 36}, "CenterCrop-larger", seeded=False, sized=True),
    Companioned("Resizing", {"height": 36, "width": 24}, seeded=False, sized=True),
    Companioned(
        "Resizing",
        {"height": 30, "width": 24, "crop_to_aspect_ratio": True},
        "Resizing-cropped",
        seeded=False,
        sized=True,
    ),
    Companioned(
        "Resizing",
        {"height": 40, "width": 32, "pad_to_aspect_ratio": True},
        "Resizing-padded",
        seeded=False,
        sized=True,
    ),
)

# Only colors change: boxes and masks stay.
COLORING = (
    Companioned("RandomBrightness", {"factor": (0.2, 0.3)}),
    Companioned("RandomContrast", {"factor": (0.2, 0.3)}),
    Companioned("RandomHue", {"factor": (0.2, 0.3)}),
    Companioned("RandomSaturation", {"factor": (0.8, 0.9)}),
    Companioned("RandomSharpness", {"factor": (0.8, 0.9)}),
    Companioned("RandomGrayscale", {"factor": 1.0}),
    Companioned("RandomInvert", {"factor": (1.0, 1.0)}),
    Companioned("RandomPosterization", {"factor": 2}),
    Companioned("RandomColorJitter", {"brightness_factor": (0.2, 0.3)}),
    Companioned("RandomColorDegeneration", {"factor": (0.8, 0.9)}),
    Companioned("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (1.0, 1.0)}),
    Companioned("RandomErasing", {"factor": (1.0, 1.0), "scale": (0.5, 0.5), "fill_value": 0.0}),
    Companioned("AutoContrast", seeded=False, any_format=False),
    Companioned("Equalization", seeded=False),
    Companioned("Solarization", {"threshold_factor": (0.2, 0.2)}),
)

# Images are mixed with each other: masks as they are.
MIXING = (Companioned("MixUp", {"alpha": 0.8}), Companioned("CutMix", {"factor": 1.0}))
