"""The documented meanings of the strings that ``keras.initializers.get`` accepts."""

from __future__ import annotations

from collections.abc import Mapping

from initcheck.catalog.initializers import Initializer

_AROUND_ZERO = {"mean": 0.0, "stddev": 0.05}
_BETWEEN = {"minval": -0.05, "maxval": 0.05}
_SCALED: dict[str, float | str] = {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"}

# String → the class, and its arguments by default: https://keras.io/api/layers/initializers/. Identity and Constant
# are left to SER09, since some versions of Keras do not know their names.
MEANINGS: Mapping[str, tuple[str, Mapping[str, float | str]]] = {
    "zeros": ("Zeros", {}),
    "ones": ("Ones", {}),
    "uniform": ("RandomUniform", _BETWEEN),
    "normal": ("RandomNormal", _AROUND_ZERO),
    "random_uniform": ("RandomUniform", _BETWEEN),
    "random_normal": ("RandomNormal", _AROUND_ZERO),
    "truncated_normal": ("TruncatedNormal", _AROUND_ZERO),
    "glorot_uniform": ("GlorotUniform", {}),
    "glorot_normal": ("GlorotNormal", {}),
    "he_uniform": ("HeUniform", {}),
    "he_normal": ("HeNormal", {}),
    "lecun_uniform": ("LecunUniform", {}),
    "lecun_normal": ("LecunNormal", {}),
    "variance_scaling": ("VarianceScaling", _SCALED),
    "orthogonal": ("Orthogonal", {"gain": 1.0}),
    "RandomUniform": ("RandomUniform", _BETWEEN),
    "RandomNormal": ("RandomNormal", _AROUND_ZERO),
    "TruncatedNormal": ("TruncatedNormal", _AROUND_ZERO),
    "VarianceScaling": ("VarianceScaling", _SCALED),
}


def class_name(row: Initializer) -> str:
    """The class of ``keras.initializers`` of a row of the catalogue, also where it is asked for by an alias."""
    name = str(row.made_by)
    return MEANINGS[name][0] if name in MEANINGS else name
