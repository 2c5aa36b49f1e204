"""Layers that change images: at random in training, or always in the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from initcheck.catalog.layers.configurations import NO_NOISE, NO_UNITS, NO_WEIGHTS, NOT_STACKED, NOT_TRAINED
from initcheck.catalog.layers.image_laws import LAWS
from initcheck.catalog.layers.kind import LayerKind, LayerRequest, Trait, Without
from initcheck.catalog.layers.traits.computing import FormulaCase, LayerOptions
from initcheck.catalog.layers.traits.engines import Holds, State
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource
from initcheck.oracle import arranging
from initcheck.oracle.image_formulas import largest_crop, resized, solarized, stretched
from initcheck.oracle.layer_outputs import identity

_STATE = State(holds=Holds.MORE, draws=True)
_OTHERS = Without("its random images have laws of their own, and it comes before the first layer")
_CHANNELS_FIRST = {"data_format": "channels_first"}
_FRACTIONS = {"value_range": [0.0, 1.0]}
_FILLED = {"interpolation": "nearest", "fill_mode": "constant", "fill_value": 0.3}


def _augmentation(
    name: str,
    arguments: dict[str, Any],
    options: dict[str, Any],
    *,
    channels: int = 3,
    order: int = 15,
    idle: FormulaCase | None = None,
    **source: Any,
) -> LayerKind:
    """Draws for the global seed, options for the configuration, and what it does at inference: nothing by default."""
    shape = (2, channels, 6, 6) if "data_format" in options else (2, 6, 6, channels)
    # Image layers have no kernels in every dtype: single precision.
    return LayerKind(
        name,
        NoiseSource(order=3, arguments=arguments, fed=Fed.IMAGES, **source),
        LayerOptions(order=order, options=options, input_shape=shape, drawing=True),
        idle or _case(f"{name.lower()}-at-inference", identity, training=False, **arguments),
        *LAWS.get(name, ()),
        _STATE,
        NO_WEIGHTS,
        _OTHERS,
    )


def _case(name: str, formula: Any, *, training: bool | None = None, graded: bool = False, **config: Any) -> FormulaCase:
    return FormulaCase(
        name=name,
        shapes=(),
        input_shape=(2, 6, 9, 3),
        formula=formula,
        config=config,
        training=training,
        dtypes=("float32",),
        graded=graded,
    )


def _fixed(name: str, *traits: Trait) -> LayerKind:
    """Without randomness, or with a range of one value."""
    others = (NO_WEIGHTS, NO_NOISE, NO_UNITS, NOT_STACKED, NOT_TRAINED)
    options = () if any(isinstance(one, LayerOptions) for one in traits) else (_NO_OPTIONS,)
    return LayerKind(name, *traits, State(holds=Holds.MORE), *options, *others)


_NO_OPTIONS = Without("its options are those of its formula", (LayerOptions,))
# "At inference time … the input will be resized and cropped so as to return the largest possible window."
_CROP_AT_INFERENCE = replace(
    _case("randomcrop-at-inference", largest_crop, training=False, height=4, width=4), any_length=False
)

RESIZING = _fixed(
    "Resizing",
    _case("resizing", resized, height=4, width=6, graded=True),
    _case("resizing-larger", resized, height=12, width=18, graded=True),
    _case("resizing-nearest", resized, height=4, width=6, interpolation="nearest"),
    _case("resizing-nearest-larger", resized, height=8, width=12, interpolation="nearest"),
    _case("resizing-cropped", resized, height=8, width=8, crop_to_aspect_ratio=True),
    _case("resizing-padded", resized, height=16, width=18, pad_to_aspect_ratio=True, fill_value=0.5),
    _case("resizing-padded-unevenly", resized, height=6, width=6, pad_to_aspect_ratio=True, fill_value=0.5),
    LayerOptions(
        order=15,
        options={
            **{"height": 3, "width": 5, "interpolation": "nearest", "pad_to_aspect_ratio": True, "fill_value": 0.5},
            **{"antialias": True, **_CHANNELS_FIRST},
        },
        input_shape=(2, 3, 6, 6),
    ),
    LayerOptions(
        order=15,
        options={"crop_to_aspect_ratio": True, "height": 3, "width": 5},
        input_shape=(2, 6, 6, 3),
        policy="mixed_float16",
    ),
)

ROWS = (
    _augmentation("RandomFlip", {}, {"mode": "vertical", **_CHANNELS_FIRST}, channels=4, order=14),
    _augmentation(
        "RandomRotation",
        {"factor": 0.4},
        {"factor": [-0.1, 0.3], "fill_mode": "constant", "fill_value": 0.3, "interpolation": "nearest"},
        channels=4,
        order=14,
    ),
    _augmentation(
        "RandomZoom",
        {"height_factor": 0.4},
        {"height_factor": 0.3, "width_factor": 0.1, **_FILLED},
        channels=4,
        order=14,
    ),
    _augmentation("RandomContrast", {"factor": 0.4}, {"factor": [0.1, 0.3], **_FRACTIONS}, order=14),
    _augmentation("RandomBrightness", {"factor": 0.4}, {"factor": [-0.1, 0.3], **_FRACTIONS}, order=14),
    _augmentation(
        "RandomTranslation",
        {"height_factor": 0.4, "width_factor": 0.4},
        {"height_factor": 0.3, "width_factor": 0.1, **_FILLED, **_CHANNELS_FIRST},
        channels=4,
        order=14,
    ),
    # One place for all images of a batch, out of fifteen: six crops distinguish two draws.
    _augmentation(
        "RandomCrop",
        {"height": 4, "width": 4},
        {"height": 3, "width": 2, **_CHANNELS_FIRST},
        channels=4,
        order=14,
        idle=_CROP_AT_INFERENCE,
        calls=6,
        crops=True,
        shared=True,
    ),
    *(LayerKind(name, _STATE, Without("only Keras 2 has it")) for name in ("RandomHeight", "RandomWidth")),
    _augmentation(
        "RandomErasing",
        {},
        {"factor": [0.5, 1.0], "scale": [0.1, 0.5], "fill_value": 0.3, **_FRACTIONS, **_CHANNELS_FIRST},
    ),
    _augmentation("RandomHue", {"factor": 0.5}, {"factor": [0.1, 0.5], **_FRACTIONS, **_CHANNELS_FIRST}),
    _augmentation("RandomSaturation", {"factor": 0.9}, {"factor": [0.1, 0.5], **_FRACTIONS, **_CHANNELS_FIRST}),
    _augmentation("RandomSharpness", {"factor": 0.9}, {"factor": [0.1, 0.5], **_FRACTIONS, **_CHANNELS_FIRST}),
    _augmentation(
        "RandomShear",
        {"x_factor": 0.4, "y_factor": 0.4},
        {"x_factor": [0.1, 0.3], "y_factor": [0.1, 0.2], **_FILLED, **_CHANNELS_FIRST},
    ),
    _augmentation("RandomGrayscale", {}, {"factor": 0.25, **_CHANNELS_FIRST}),
    _augmentation("RandomInvert", {"factor": 0.9}, {"factor": [0.25, 0.75], **_FRACTIONS, **_CHANNELS_FIRST}),
    _augmentation("RandomPosterization", {"factor": 4}, {"factor": 3, **_FRACTIONS, **_CHANNELS_FIRST}),
    _augmentation(
        "RandomColorJitter",
        {"brightness_factor": 0.4, "contrast_factor": 0.4},
        {
            **{"brightness_factor": [0.1, 0.2], "contrast_factor": [0.2, 0.3], "saturation_factor": [0.3, 0.4]},
            **{"hue_factor": [0.4, 0.5], **_FRACTIONS, **_CHANNELS_FIRST},
        },
    ),
    _augmentation("RandomColorDegeneration", {"factor": 0.9}, {"factor": [0.1, 0.5], **_FRACTIONS, **_CHANNELS_FIRST}),
    _augmentation(
        "RandomGaussianBlur",
        {"sigma": [0.5, 1.0]},
        {"factor": [0.5, 1.0], "kernel_size": 5, "sigma": [0.5, 0.75], **_FRACTIONS, **_CHANNELS_FIRST},
    ),
    _augmentation(
        "RandomPerspective",
        {},
        {"factor": [0.5, 1.0], "scale": 0.5, "interpolation": "nearest", "fill_value": 0.3, **_CHANNELS_FIRST},
    ),
    _augmentation(
        "RandomElasticTransform",
        {},
        {"factor": [0.5, 1.0], "scale": 0.5, **_FILLED, **_FRACTIONS, **_CHANNELS_FIRST},
        slow=True,
    ),
    _augmentation("MixUp", {"alpha": 0.4}, {"alpha": 0.3, **_CHANNELS_FIRST}),
    _augmentation("CutMix", {}, {"factor": [0.25, 0.75], **_CHANNELS_FIRST}),
    _augmentation(
        "AugMix",
        {"chain_depth": 1},
        {
            **{"num_chains": 2, "chain_depth": 1, "factor": [0.2, 0.7], "alpha": 0.5, "all_ops": False},
            **{"interpolation": "nearest", **_FRACTIONS, **_CHANNELS_FIRST},
        },
        slow=True,
        shared=None,
    ),
    _augmentation(
        "RandAugment",
        {"num_ops": 3},
        {"num_ops": 1, "factor": [0.2, 0.7], "interpolation": "nearest", **_FRACTIONS, **_CHANNELS_FIRST},
        slow=True,
        shared=None,
    ),
    RESIZING,
    _fixed(
        "AutoContrast",
        _case("auto-contrast", stretched),
        _case("auto-contrast-of-fractions", stretched, value_range=[0.0, 1.0]),
        LayerOptions(order=15, options=_FRACTIONS, input_shape=(2, 6, 6, 3)),
    ),
    _fixed(
        "Solarization",
        _case("solarization", solarized, training=True, value_range=[-4.0, 4.0]),
        replace(
            _case(
                "solarization-above-a-threshold",
                solarized,
                training=True,
                threshold_factor=[0.5, 0.5],
                value_range=[-2.0, 2.0],
            ),
            input_shape=(8, 6, 9, 3),  # two images pass once in 10,000 where their thresholds are drawn
        ),
        LayerOptions(
            order=15,
            options={"addition_factor": [0.1, 0.2], "threshold_factor": [0.3, 0.5], **_FRACTIONS},
            input_shape=(2, 6, 6, 3),
            drawing=True,
        ),
    ),
    _fixed(
        "Pipeline",
        _case(
            "pipeline",
            arranging.rescaled_and_cropped,
            layers=[
                LayerRequest("Rescaling", {"scale": 0.5, "offset": 1.0}),
                LayerRequest("CenterCrop", {"height": 3, "width": 4}),
            ],
        ),
    ),
)
