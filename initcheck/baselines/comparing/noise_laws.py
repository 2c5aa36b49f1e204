"""Whether the noise of a layer has one law in both baselines: its mean and its scale, each with its error."""

from __future__ import annotations

import math
from dataclasses import dataclass

from initcheck.baselines.comparing.closeness import errors_seen, largest, scale_error, two_sided, ulp
from initcheck.baselines.records.array_records import ArrayRecord
from initcheck.baselines.records.layer_records import LayerRecord

# Of the largest value: outputs whose mean or scale no draw moves, as those of a flip, still differ by rounding.
_ROUNDINGS = 64


@dataclass(frozen=True)
class NoiseLaws:
    """Two noises beside each other.

    Attributes:
        mean: The difference of their means, over its standard error.
        scale: The difference of the logarithms of their standard deviations, over its standard error.
        scale_error: That error.
        freedom: Degrees of freedom of the errors; infinite where they are known.
        count: What the errors come from, in words.
    """

    mean: float
    scale: float
    scale_error: float
    freedom: float
    count: str

    @property
    def p_value(self) -> float:
        """The smaller of the two p-values."""
        return two_sided(max(abs(self.mean), abs(self.scale)), self.freedom)

    def detectable_at(self, alpha: float) -> float:
        """The relative error of a scale that is seen at that level with power 99.9 %."""
        return self.scale_error * errors_seen(alpha, self.freedom)


def compare_noise(old: LayerRecord, new: LayerRecord) -> NoiseLaws:
    """The noise of both records, which both must have: of independent elements, or with errors that were estimated.

    Each side's error is that of its independent parts, by Student's law with the degrees of freedom of one side alone,
    which is the wider.
    """
    mine, other = old.noise, new.noise
    assert mine is not None
    assert other is not None
    floor = _ROUNDINGS * ulp(largest(mine, other), mine.dtype)
    sides = [_errors(one, record) for one, record in ((mine, old), (other, new))]
    estimated = old.noise_errors is not None and new.noise_errors is not None
    count = min(old.independent, new.independent)
    mean_error = math.hypot(sides[0][0], sides[1][0], floor)
    least = max(min(mine.stddev, other.stddev), floor)
    error = math.hypot(sides[0][1], sides[1][1], floor / least)
    return NoiseLaws(
        mean=(other.mean - mine.mean) / mean_error,
        scale=(math.log(max(other.stddev, floor)) - math.log(max(mine.stddev, floor))) / error,
        scale_error=error,
        freedom=max(1, count - 1) if estimated else math.inf,
        count=f"{count:,} independent {'parts' if estimated else 'draws'}",
    )


def _errors(noise: ArrayRecord, record: LayerRecord) -> tuple[float, float]:
    """Standard errors of the mean and of the logarithm of the standard deviation."""
    if record.noise_errors is not None:
        return record.noise_errors
    count = max(1, record.independent)
    return noise.stddev / math.sqrt(count), scale_error(count, count, noise.kurtosis) / math.sqrt(2)
