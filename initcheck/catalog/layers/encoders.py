"""Layers that make numbers of categories, texts, sounds and boxes, and images of images by their histograms."""

from __future__ import annotations

from initcheck.catalog.layers.kind import LayerKind
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

ROWS = (
    LayerKind("CategoryEncoding", Outputs(rows=(_ENCODED, "weighted-counts"), arguments=("num_tokens", "output_mode"))),
    LayerKind("Discretization", Outputs(rows=(_ENCODED,), arguments=("bin_boundaries", "output_mode"))),
    LayerKind("HashedCrossing", Outputs(rows=_HASHED[:1], arguments=("num_bins",))),
    LayerKind("Hashing", Outputs(rows=_HASHED, arguments=("num_bins", "output_mode"))),
    LayerKind("IntegerLookup", Outputs(rows=(_ENCODED,), arguments=("vocabulary", "output_mode", "num_oov_indices"))),
    LayerKind("StringLookup", Outputs(rows=(_ENCODED,), arguments=("vocabulary", "output_mode"))),
    LayerKind("TextVectorization", Outputs(rows=("counted-words",), arguments=("output_mode", "ngrams"))),
    LayerKind(
        "ContrastLimitedAdaptiveHistogramEqualization", Outputs(rows=("limited-contrasts",), arguments=("clip_limit",))
    ),
    LayerKind("Equalization", Outputs(rows=("equalized-pixels",), arguments=("data_format",))),
    LayerKind("MaxNumBoundingBoxes", Outputs(rows=("numbers-of-boxes",), arguments=("max_number",))),
    LayerKind(
        "MelSpectrogram", Outputs(rows=("mel-spectrograms",), arguments=("fft_length", "sequence_length", *_SOUND))
    ),
    LayerKind(
        "STFTSpectrogram",
        Outputs(rows=("spectrograms",), arguments=("mode", "frame_length", "frame_step", "fft_length", "window")),
    ),
)
