"""The catalogue of initializers: one row each. A new initializer is one more row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from initcheck.catalog.laws import Constant, ElementLaw, Elementwise, Identity, Law, Orthogonal, VarianceScaled
from initcheck.errors import UnknownNameError

_KERAS = "https://keras.io/api/layers/initializers/"
_GLOROT = "Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html"
_HE = "He et al. 2015, https://arxiv.org/abs/1502.01852"
_LECUN = "LeCun et al. 1998, Efficient BackProp, section 4.6"
_SAXE = "Saxe et al. 2014, https://arxiv.org/abs/1312.6120"
_LECTURE = f"the lecture, in words; {_KERAS}"


@dataclass(frozen=True)
class Initializer:
    """One row: how Keras is asked for an initializer, and the law that its draws follow.

    Attributes:
        name: The row's name, as users type it.
        keras_name: A class of ``keras.initializers``, or an alias that ``keras.initializers.get`` knows; of a
            user's own initializer the class itself.
        law: The documented distribution.
        source: Paper or documentation of the law.
        config: Arguments to the initializer beyond its seed.
    """

    name: str
    keras_name: str | type
    law: Law
    source: str
    config: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


_ROWS = (
    Initializer("zeros", "Zeros", Constant(0.0), _KERAS),
    Initializer("ones", "Ones", Constant(1.0), _KERAS),
    Initializer("constant", "Constant", Constant(0.5), _KERAS, {"value": 0.5}),
    Initializer("uniform", "uniform", Elementwise(ElementLaw("uniform", 0.0, 0.05)), _KERAS),
    Initializer("normal", "normal", Elementwise(ElementLaw("normal", 0.0, 0.05)), _KERAS),
    Initializer("random_uniform", "RandomUniform", Elementwise(ElementLaw("uniform", 0.0, 0.05)), _KERAS),
    Initializer("random_normal", "RandomNormal", Elementwise(ElementLaw("normal", 0.0, 0.05)), _KERAS),
    Initializer("truncated_normal", "TruncatedNormal", Elementwise(ElementLaw("truncated_normal", 0.0, 0.05)), _KERAS),
    Initializer(
        "unit_uniform",
        "RandomUniform",
        Elementwise(ElementLaw("uniform", 0.5, 0.5)),
        _LECTURE,
        {"minval": 0.0, "maxval": 1.0},
    ),
    Initializer(
        "standard_normal",
        "RandomNormal",
        Elementwise(ElementLaw("normal", 0.0, 1.0)),
        _LECTURE,
        {"mean": 0.0, "stddev": 1.0},
    ),
    Initializer("glorot_uniform", "GlorotUniform", VarianceScaled(1.0, "fan_avg", "uniform"), _GLOROT),
    Initializer("glorot_normal", "GlorotNormal", VarianceScaled(1.0, "fan_avg", "truncated_normal"), _GLOROT),
    Initializer("he_uniform", "HeUniform", VarianceScaled(2.0, "fan_in", "uniform"), _HE),
    Initializer("he_normal", "HeNormal", VarianceScaled(2.0, "fan_in", "truncated_normal"), _HE),
    Initializer("lecun_uniform", "LecunUniform", VarianceScaled(1.0, "fan_in", "uniform"), _LECUN),
    Initializer("lecun_normal", "LecunNormal", VarianceScaled(1.0, "fan_in", "truncated_normal"), _LECUN),
    Initializer("variance_scaling", "VarianceScaling", VarianceScaled(1.0, "fan_in", "truncated_normal"), _KERAS),
    Initializer("orthogonal", "Orthogonal", Orthogonal(), _SAXE),
    Initializer("identity", "Identity", Identity(), _KERAS),
)

INITIALIZERS: Mapping[str, Initializer] = MappingProxyType({row.name: row for row in _ROWS})

LECTURE_INITIALIZERS = ("zeros", "uniform", "normal", "he_normal", "lecun_uniform")


def get_initializers(names: Iterable[str]) -> list[Initializer]:
    """The rows of those names, in the order given; ``all`` stands for the whole catalogue.

    Raises:
        UnknownNameError: A name that no row bears; the message gives the nearest ones.
    """
    rows: dict[str, Initializer] = {}
    for name in names:
        if name == "all":
            rows.update(INITIALIZERS)
        elif name in INITIALIZERS:
            rows[name] = INITIALIZERS[name]
        else:
            raise UnknownNameError("initializer", name, [*INITIALIZERS, "all"])
    return list(rows.values())
