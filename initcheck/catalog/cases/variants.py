"""Initializers with arguments other than the defaults: rows like the catalogue's, for the checks of laws only."""

from __future__ import annotations

from typing import Any

from initcheck.catalog.initializers import Initializer, with_arguments
from initcheck.catalog.laws import (
    Constant,
    Family,
    Identity,
    Law,
    Mode,
    Orthogonal,
    VarianceScaled,
    around,
)

_KERAS = "https://keras.io/api/layers/initializers/"

# Scales that no other row has, so that a lost or mistaken scale shows.
_SCALES: dict[Mode, float] = {"fan_in": 0.3, "fan_out": 1.0, "fan_avg": 2.6}
_DISTRIBUTIONS: dict[str, Family] = {
    "uniform": "uniform",
    "untruncated_normal": "normal",
    "truncated_normal": "truncated_normal",
}


def _row(made_by: str, law: Law, **config: Any) -> Initializer:
    return with_arguments(made_by, law, _KERAS, config)


RANDOM_VARIANTS = (
    *(
        _row("VarianceScaling", VarianceScaled(scale, mode, family), scale=scale, mode=mode, distribution=distribution)
        for mode, scale in _SCALES.items()
        for distribution, family in _DISTRIBUTIONS.items()
    ),
    _row("RandomNormal", around("normal", 1.5, 0.2), mean=1.5, stddev=0.2),
    _row("RandomNormal", around("normal", -0.4, 1.7), mean=-0.4, stddev=1.7),
    _row("TruncatedNormal", around("truncated_normal", -2.0, 0.5), mean=-2.0, stddev=0.5),
    _row("TruncatedNormal", around("truncated_normal", 0.7, 3.0), mean=0.7, stddev=3.0),
    _row("RandomUniform", around("uniform", 0.4, 0.7), minval=-0.3, maxval=1.1),
    _row("RandomUniform", around("uniform", -2.5, 0.5), minval=-3.0, maxval=-2.0),
)
ORTHOGONAL_VARIANTS = (
    _row("Orthogonal", Orthogonal(2.5), gain=2.5),
    _row("Orthogonal", Orthogonal(0.1), gain=0.1),
)
FIXED_VARIANTS = (
    _row("Constant", Constant(-1.25), value=-1.25),
    _row("Constant", Constant(3.0), value=3.0),
    _row("Constant", Constant(0.0)),
    _row("Identity", Identity(2.5), gain=2.5),
    _row("Identity", Identity(-0.5), gain=-0.5),
)
