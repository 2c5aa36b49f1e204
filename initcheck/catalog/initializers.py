"""The catalogue of initializers: one row each. A new initializer is one more row."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from initcheck.arguments import described
from initcheck.catalog.laws import (
    Constant,
    ElementLaw,
    Elementwise,
    Identity,
    Law,
    Orthogonal,
    Unstated,
    VarianceScaled,
)
from initcheck.endings import is_mistake
from initcheck.errors import InitcheckError, UnknownNameError
from initcheck.texts import for_terminal, reason_of

_KERAS = "https://keras.io/api/layers/initializers/"
_GLOROT = "Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html"
_HE = "He et al. 2015, https://arxiv.org/abs/1502.01852"
_LECUN = "LeCun et al. 1998, Efficient BackProp, section 4.6"
_SAXE = "Saxe et al. 2014, https://arxiv.org/abs/1312.6120"
_LECTURE = f"the lecture, in words; {_KERAS}"


@dataclass(frozen=True)
class Initializer:
    """One row: an initializer of Keras or another library, and the law that its draws follow.

    Attributes:
        name: The row's name, as users type it.
        made_by: A class of ``keras.initializers``, or an alias that ``keras.initializers.get`` accepts; the name of a
            library's function; for a user's own initializer the class itself.
        law: The documented distribution.
        source: Paper or documentation of the law.
        config: Arguments to the initializer beyond its seed.
        serialized: Whether ``config`` comes from ``get_config``, so that ``from_config`` reads it.
        dtypes: Those that a library draws it in, where it documents fewer than for its other rows.
    """

    name: str
    made_by: str | type[Any]
    law: Law
    source: str
    config: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    serialized: bool = False
    dtypes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.law, Law):
            given = f"the class {self.law.__name__}" if isinstance(self.law, type) else described(self.law)
            raise InitcheckError(
                f"initcheck.Initializer: law is {for_terminal(given)}; give one of initcheck.catalog.laws, such as "
                'VarianceScaled(2.0, "fan_in", "truncated_normal"), or Unstated() where there is none'
            )

    @functools.cached_property
    def takes_a_seed(self) -> bool:
        """Whether it is a user's own class with an argument named seed, whether or not its draws depend on it."""
        return isinstance(self.made_by, type) and isinstance(self.law, Unstated) and _takes_a_seed(self.made_by)


def with_arguments(
    made_by: str, law: Law, source: str, config: Mapping[str, Any], dtypes: tuple[str, ...] = ()
) -> Initializer:
    """The row of an initializer with those arguments, which are part of its name."""
    shown = ",".join(f"{value:g}" if isinstance(value, float) else str(value) for value in config.values())
    return Initializer(f"{made_by}({shown})", made_by, law, source, config, dtypes=dtypes)


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
    """The rows of those names, in the order given; ``all`` means the full catalogue.

    Raises:
        UnknownNameError: A name that no row has; the message gives the nearest ones.
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


def as_row(own: Any, what: str = "it") -> Initializer:
    """A user's own initializer as a row.

    Args:
        own: A row; a class of Keras initializers, whose law is unstated; or an instance of one, whose arguments every
            run gets with a seed of its own.
        what: The user's name for it, for the message.

    Raises:
        InitcheckError: ``own`` is none of these.
    """
    if isinstance(own, Initializer):
        return own
    kind = own if isinstance(own, type) else type(own)
    if not _takes_a_shape(kind):
        raise InitcheckError(
            f"{what}: {_named(own)}, not an initializer; give a class or an instance with __call__(shape, dtype) and "
            "get_config, or an initcheck.Initializer row"
        )
    row = Initializer(kind.__name__, kind, Unstated(random=_takes_a_seed(kind)), "the class itself")
    if own is kind:
        return row
    try:
        config = {name: value for name, value in own.get_config().items() if name != "seed"}
    except BaseException as error:  # the user's own code
        if not is_mistake(error):
            raise
        raise InitcheckError(
            f"{what}: {kind.__name__}.get_config() failed ({reason_of(error)}); let it return the arguments"
        ) from None
    return replace(row, config=MappingProxyType(config), serialized=hasattr(kind, "from_config"))


def _named(own: Any) -> str:
    """A description of a value given in place of an initializer: ``f is a function``."""
    if isinstance(own, type):
        return f"{for_terminal(own.__name__)} is a class"
    if inspect.isroutine(own):
        return f"{for_terminal(own.__name__)} is a function"
    return f"it is {for_terminal(described(own))}"


def _takes_a_shape(kind: type) -> bool:
    """Whether instances are called with a shape, as Keras's initializers are, and not with inputs, as layers are."""
    call = getattr(kind, "__call__", None)  # noqa: B004 - of the class: instances are not made here
    try:
        names = list(inspect.signature(call).parameters)[1:2] if inspect.isfunction(call) else []
    except (TypeError, ValueError):
        names = []
    return names == ["shape"] and callable(getattr(kind, "get_config", None))


def _takes_a_seed(kind: type) -> bool:
    parameters = inspect.signature(kind).parameters.values()
    return any(one.name == "seed" or one.kind is one.VAR_KEYWORD for one in parameters)
