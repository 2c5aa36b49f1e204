"""Layers that no check looks at, each with the reason."""

from __future__ import annotations

from initcheck.catalog.layers.kind import LayerKind, Without

# Reason → names, separated by blanks.
_REASONS = {
    "the base class of wrappers": "Wrapper",
    "it turns categories or texts into numbers, without weights, noise or masks": (
        "CategoryEncoding Discretization HashedCrossing Hashing IntegerLookup StringLookup TextVectorization"
    ),
    "not yet": (
        "ContrastLimitedAdaptiveHistogramEqualization Equalization MaxNumBoundingBoxes MelSpectrogram STFTSpectrogram"
    ),
}

ROWS = tuple(LayerKind(name, Without(reason)) for reason, names in _REASONS.items() for name in names.split())
