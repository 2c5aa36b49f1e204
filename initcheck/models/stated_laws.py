"""The documented law of an initializer as a layer was given it, in the catalogue's terms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.laws import (
    Constant,
    ElementLaw,
    Elementwise,
    Identity,
    Law,
    Orthogonal,
    Shape,
    Unstated,
    VarianceScaled,
    fans,
)
from initcheck.catalog.layers import LAYERS
from initcheck.catalog.layers.traits.computing import EqualUnits
from initcheck.endings import is_mistake
from initcheck.errors import InitcheckError
from initcheck.texts import for_terminal

_FAMILIES = {
    "uniform": "uniform",
    "normal": "truncated_normal",
    "truncated_normal": "truncated_normal",
    "untruncated_normal": "normal",
}
_MOST_WORDS = 60


@dataclass(frozen=True)
class StatedLaw:
    """A law, and the kernel that it counts fans of.

    Attributes:
        law: The law; ``Unstated`` where the initializer is not one of Keras's, nor derived from one.
        shape: The shape whose fans count, ``(fan_in, fan_out)`` where the layer names the axes itself.
        derived: The class of Keras's that a user's own is derived from; empty for Keras's own.
    """

    law: Law
    shape: Shape
    derived: str = ""

    @property
    def fans(self) -> str:
        """Fan-in and fan-out in words, where the law depends on them."""
        if not isinstance(self.law, VarianceScaled):
            return ""
        return "{:,} → {:,}".format(*fans(self.shape))


def stated_law(initializer: Any, shape: Shape) -> StatedLaw:
    """The documented law of that initializer for a weight of that shape.

    A class of the user's that is derived from one of Keras's promises what that one does.

    Args:
        initializer: The object that a layer gave to ``add_weight``; None where there was none.
        shape: The weight's shape.
    """
    kinds = [kind for kind in type(initializer).__mro__ if kind.__module__.partition(".")[0] in ("keras", "tf_keras")]
    names = [kind.__name__.removesuffix("Initializer") for kind in kinds]  # OrthogonalInitializer of Keras 3.0
    laws: list[Law] = [law for law in (_law(name, initializer) for name in names) if law is not None]
    law = laws[0] if laws and laws[0].allows(shape) else Unstated()
    axes: Any = getattr(initializer, "input_axes", None), getattr(initializer, "output_axes", None)
    if isinstance(law, VarianceScaled) and None not in axes:
        shape = tuple(math.prod(shape[axis] for axis in part) for part in axes)
    own = not isinstance(law, Unstated) and type(initializer) not in kinds
    return StatedLaw(law, shape, names[0] if own else "")


def _law(name: str, initializer: Any) -> Law | None:
    """The law of Keras's class of that name; None if it states none."""
    by_name = {row.made_by: row.law for row in INITIALIZERS.values() if not row.config}

    def argument(key: str) -> float:
        value = getattr(initializer, key)
        return float(value)

    try:
        return _with_arguments(name, initializer, argument) or by_name.get(name)
    except (AttributeError, TypeError, ValueError, KeyError, InitcheckError):  # an array as value, for example
        return None


def _with_arguments(name: str, initializer: Any, argument: Any) -> Law | None:
    if name == "Constant":
        return Constant(argument("value"))
    if name in ("RandomNormal", "TruncatedNormal"):
        family = "normal" if name == "RandomNormal" else "truncated_normal"
        return Elementwise(ElementLaw(family, argument("mean"), argument("stddev")))  # type: ignore[arg-type]
    if name == "RandomUniform":
        low, high = argument("minval"), argument("maxval")
        return Elementwise(ElementLaw("uniform", (low + high) / 2, (high - low) / 2))
    if name == "VarianceScaling":
        return VarianceScaled(argument("scale"), initializer.mode, _FAMILIES[initializer.distribution])  # type: ignore[arg-type]
    if name == "Orthogonal":
        return Orthogonal(argument("gain"))
    if name == "Identity":
        return Identity(argument("gain"))
    return None


def words_of(initializer: Any) -> str:
    """The initializer as configured, ``HeNormal(seed=1)``, short enough for a table."""
    if initializer is None:
        return "none"
    name = getattr(initializer, "__name__", type(initializer).__name__)
    try:
        config = dict(initializer.get_config()) if hasattr(initializer, "get_config") else {}
    except BaseException as error:  # the user's own code
        if not is_mistake(error):
            raise
        config = {}
    shown = [f"{key}={value}" for key, value in config.items() if isinstance(value, int | float | str)]
    text = for_terminal(f"{name}({', '.join(shown)})")
    return text if len(text) <= _MOST_WORDS else f"{text[: _MOST_WORDS - 1]}…"


def explain_fans(layer: str, stated: StatedLaw, shape: Shape) -> str:
    """How the documented fans of that layer's kernel are counted, where that is not its inputs and its units."""
    if not isinstance(stated.law, VarianceScaled):
        return ""
    gates = _gates(layer)
    if gates > 1 and len(shape) >= 2:
        return f"{gates} gates in one kernel: fan-out counts all of them"
    if "Depthwise" in layer and len(shape) > 2:
        return "a depthwise kernel: fan-in counts every channel, though a unit sums up one"
    if "Transpose" in layer and len(shape) > 2:
        return "a transposed kernel (…, out, in): Keras counts its last axis as fan-out"
    if stated.shape != shape:
        return f"by its equation, {stated.shape[0]:,} inputs a unit and {stated.shape[1]:,} units"
    return ""


def _gates(layer: str) -> int:
    """How many weights of each kind a unit of that class has, a recurrent layer's or its cell's."""
    row = LAYERS.get(layer.removesuffix("Cell"))
    return max((trait.gates for trait in row.select(EqualUnits)), default=1) if row else 1
