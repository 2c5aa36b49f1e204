"""The documented laws of initial weights, written from the papers and the documentation, independent of Keras.

A ``Law`` defines the distribution of the elements for every shape; ``law.at(shape)`` gives it as numbers.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from initcheck.arguments import choice, number
from initcheck.errors import InitcheckError

if TYPE_CHECKING:
    from scipy.stats.distributions import rv_frozen

Shape = tuple[int, ...]
Mode = Literal["fan_in", "fan_out", "fan_avg"]
Family = Literal["uniform", "normal", "truncated_normal"]


def fans(shape: Shape) -> tuple[int, int]:
    """The fan-in and fan-out of a kernel.

    A dense kernel is ``(inputs, outputs)``; a convolution's is ``(*window, channels_in, channels_out)``, whose fans
    count the window's positions too. A vector's fans are both its length, a scalar's are 1.

    Source: https://keras.io/api/layers/initializers/ ("number of input units in the weight tensor"), He et al. 2015,
    https://arxiv.org/abs/1502.01852, section 2.2, for the window's share.
    """
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


@dataclass(frozen=True)
class ElementLaw:
    """The distribution of one element of a draw.

    Attributes:
        family: ``uniform``, ``normal`` or ``truncated_normal`` (cut off at two standard deviations of the parent).
        mean: Expectation.
        spread: Half-width of a uniform law; standard deviation of a normal law; that of the parent, before the cut,
            of a truncated normal law.
    """

    family: Family
    mean: float
    spread: float

    def __post_init__(self) -> None:
        choice("ElementLaw: family", self.family, get_args(Family))
        for name, value in (("mean", self.mean), ("spread", self.spread)):
            number(f"ElementLaw: {name}", value)

    @property
    def distribution(self) -> rv_frozen:
        """The law as a frozen ``scipy.stats`` distribution, with its ``cdf``, ``std`` and so on."""
        return _frozen(self)

    @property
    def stddev(self) -> float:
        """Standard deviation of an element, after truncation."""
        return self.spread * _UNIT_STDDEV[self.family]

    @property
    def kurtosis(self) -> float:
        """Fourth central moment over the squared variance (3 for the normal law)."""
        return _KURTOSIS[self.family]

    @property
    def support(self) -> tuple[float, float]:
        """The closed interval that contains every element."""
        reach = {"uniform": 1.0, "normal": math.inf, "truncated_normal": 2.0}[self.family] * self.spread
        return self.mean - reach, self.mean + reach


@functools.cache  # SciPy takes 40 ms to make one
def _frozen(law: ElementLaw) -> rv_frozen:
    from scipy import stats  # takes half a second, which listing the catalogue does not need

    if law.family == "uniform":
        return stats.uniform(law.mean - law.spread, 2 * law.spread)
    if law.family == "normal":
        return stats.norm(law.mean, law.spread)
    return stats.truncnorm(-2, 2, law.mean, law.spread)


# Of the standard normal law cut at ±2: variance 1 − 2·2φ(2)/(2Φ(2)−1), and so on for the fourth moment.
# Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, 13.10.1.
_PHI = math.exp(-2.0) / math.sqrt(2 * math.pi)
_MASS = math.erf(math.sqrt(2.0))
_CUT_VARIANCE = 1 - 4 * _PHI / _MASS
_CUT_FOURTH = 3 * _CUT_VARIANCE - 16 * _PHI / _MASS
_UNIT_STDDEV = {"uniform": 1 / math.sqrt(3), "normal": 1.0, "truncated_normal": math.sqrt(_CUT_VARIANCE)}
_KURTOSIS = {"uniform": 1.8, "normal": 3.0, "truncated_normal": _CUT_FOURTH / _CUT_VARIANCE**2}


@dataclass(frozen=True)
class Constant:
    """A law by which every element equals ``value``."""

    value: float
    random = False

    def expected(self, shape: Shape) -> np.ndarray:
        """The expected tensor of that shape."""
        return np.full(shape, self.value)

    def allows(self, shape: Shape) -> bool:
        """Whether the documentation allows that shape: any."""
        return True

    def __str__(self) -> str:
        return f"{self.value:g} everywhere"


@dataclass(frozen=True)
class Identity:
    """Ones on the diagonal of a matrix times ``gain``, zeros elsewhere."""

    gain: float = 1.0
    random = False

    def expected(self, shape: Shape) -> np.ndarray:
        """The expected matrix of that shape."""
        rows, columns = shape
        return self.gain * np.eye(rows, columns)

    def allows(self, shape: Shape) -> bool:
        """Whether the documentation allows that shape: matrices."""
        return len(shape) == 2

    def __str__(self) -> str:
        return f"{self.gain:g} on the diagonal, 0 elsewhere; matrices only"


@dataclass(frozen=True)
class Elementwise:
    """Independent elements whose distribution is the same for every shape."""

    law: ElementLaw
    random = True

    def at(self, shape: Shape) -> ElementLaw:
        """The distribution of each element of a draw of that shape."""
        return self.law

    def allows(self, shape: Shape) -> bool:
        """Whether the documentation allows that shape: any."""
        return True

    def __str__(self) -> str:
        low, high = self.law.support
        if self.law.family == "uniform":
            return f"U({low:g}, {high:g})"
        cut = f" cut at {low:g} and {high:g}" if self.law.family == "truncated_normal" else ""
        return f"N({self.law.mean:g}, {self.law.spread:g}²){cut}"


def around(family: Family, mean: float, spread: float) -> Elementwise:
    """Independent elements of that family, whatever the shape; mean and spread as of ``ElementLaw``."""
    return Elementwise(ElementLaw(family, mean, spread))


@dataclass(frozen=True)
class VarianceScaled:
    """Independent elements with mean 0 and variance ``scale / n``, where n is a fan of the shape.

    Attributes:
        scale: Of the variance.
        mode: Which fan n is.
        family: The distribution.
        least_axes: How many axes a shape has at least: libraries refuse fans of vectors.

    Source: Glorot & Bengio 2010 (fan_avg, scale 1), He et al. 2015 (fan_in, scale 2), LeCun et al. 1998 (fan_in,
    scale 1); https://keras.io/api/layers/initializers/#variancescaling-class for the family.
    """

    scale: float
    mode: Mode
    family: Family
    least_axes: int = 0
    random = True

    def __post_init__(self) -> None:
        if not 0 < number("VarianceScaled: scale", self.scale) < math.inf:
            raise InitcheckError(f"VarianceScaled: scale is {self.scale:g}; give a number above 0")
        choice("VarianceScaled: mode", self.mode, get_args(Mode))
        choice("VarianceScaled: family", self.family, get_args(Family))

    def at(self, shape: Shape) -> ElementLaw:
        """The distribution of each element of a draw of that shape."""
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, fan))
        return ElementLaw(self.family, 0.0, stddev / _UNIT_STDDEV[self.family])

    def allows(self, shape: Shape) -> bool:
        """Whether the documentation allows that shape: any with as many axes."""
        return len(shape) >= self.least_axes

    def __str__(self) -> str:
        fan = {"fan_in": "fan_in", "fan_out": "fan_out", "fan_avg": "mean(fan_in, fan_out)"}[self.mode]
        name = {"uniform": "uniform", "normal": "normal", "truncated_normal": "normal cut at ±2σ"}[self.family]
        return f"{name}, variance {self.scale:g} / {fan}"


@dataclass(frozen=True)
class Orthogonal:
    """A matrix with orthonormal rows or columns (whichever are fewer) times ``gain``, uniform among all such (Haar).

    A kernel of higher rank is that matrix of shape ``(prod(shape[:-1]), shape[-1])``, reshaped.

    Source: Saxe et al. 2014, https://arxiv.org/abs/1312.6120; Mezzadri 2007, https://arxiv.org/abs/math-ph/0609050.
    """

    gain: float = 1.0
    random = True

    def allows(self, shape: Shape) -> bool:
        """Whether the documentation allows that shape: two axes or more."""
        return len(shape) >= 2

    def __str__(self) -> str:
        times = "" if self.gain == 1 else f" times {self.gain:g}"
        return f"orthonormal rows or columns{times}, Haar-distributed; two axes or more"


@dataclass(frozen=True)
class Unstated:
    """Draws without a stated distribution: checks require that they repeat, not that they follow a law."""

    random: bool = True

    def allows(self, shape: Shape) -> bool:
        """Whether the documentation allows that shape: any, since none is excluded."""
        return True

    def __str__(self) -> str:
        return "not stated"


Law = Unstated | Constant | Identity | Elementwise | VarianceScaled | Orthogonal
