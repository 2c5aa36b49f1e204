"""Layers that make numbers of categories, texts, sounds and boxes, and images of images by their histograms."""

from __future__ import annotations

from initcheck.catalog.layers.kind import LayerKind, Trait, Without
from initcheck.catalog.layers.traits.computing import Outputs

_ENCODED = "encoded-categories"
_HASHED = ("hashed-categories", "hashes-one-hot")
_SOUND = (
    "sequence_stride",
    "sampling_rate",
    "num_mel_bins",
    "min_freq",
    "max_freq",
    "power_to_db",
    "top_db",
    "mag_exp",
)

_REASON = Without(
    "it turns categories, texts, sounds, boxes or histograms into numbers, without weights, noise or masks"
)


def _kind(name: str, trait: Trait) -> LayerKind:
    return LayerKind(name, trait, _REASON)


ROWS = (
    _kind("CategoryEncoding", Outputs(rows=(_ENCODED, "weighted-counts"), arguments=("num_tokens", "output_mode"))),
    _kind("Discretization", Outputs(rows=(_ENCODED,), arguments=("bin_boundaries", "output_mode"))),
    _kind("HashedCrossing", Outputs(rows=_HASHED[:1], arguments=("num_bins",))),
    _kind("Hashing", Outputs(rows=_HASHED, arguments=("num_bins", "output_mode"))),
    _kind("IntegerLookup", Outputs(rows=(_ENCODED,), arguments=("vocabulary", "output_mode", "num_oov_indices"))),
    _kind("StringLookup", Outputs(rows=(_ENCODED,), arguments=("vocabulary", "output_mode"))),
    _kind("TextVectorization", Outputs(rows=("counted-words",), arguments=("output_mode", "ngrams"))),
    _kind(
        "ContrastLimitedAdaptiveHistogramEqualization", Outputs(rows=("limited-contrasts",), arguments=("clip_limit",))
    ),
    _kind("Equalization", Outputs(rows=("equalized-pixels",), arguments=("data_format",))),
    _kind("MaxNumBoundingBoxes", Outputs(rows=("numbers-of-boxes",), arguments=("max_number",))),
    _kind("MelSpectrogram", Outputs(rows=("mel-spectrograms",), arguments=("fft_length", "sequence_length", *_SOUND))),
    _kind(
        "STFTSpectrogram",
        Outputs(rows=("spectrograms",), arguments=("mode", "frame_length", "frame_step", "fft_length", "window")),
    ),
)
