"""Holds the stateless ensemble's members to ``fit``, within what rounding may do to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from initcheck.engines.member_blocks import SideBySide
from initcheck.engines.perturbed import TRIALS, perturbed, tolerance, worst
from initcheck.engines.stateless_steps import Array

_COUNT_TOLERANCE = 1e-2  # rows: a share in float32 times the rows is that close to a count


@dataclass(frozen=True)
class MembersAgreement:
    """The largest differences between trainings by the engine and by ``fit``, by the names of the History.

    Attributes:
        differences: Of each reported number the difference that is largest beside its tolerance, of all members and
            epochs.
        tolerances: That tolerance.
    """

    differences: Mapping[str, float]
    tolerances: Mapping[str, float]

    @property
    def agrees(self) -> bool:
        """Whether the same numbers are reported, and all differ within their tolerances; NaN agrees with nothing."""
        return self.differences.keys() == self.tolerances.keys() and all(
            difference <= self.tolerances[name] for name, difference in self.differences.items()
        )


def judge_members(
    engine: SideBySide, members: Sequence[Sequence[Array]], histories: Sequence[Mapping[str, Sequence[float]]]
) -> MembersAgreement:
    """Trains members, and compares them with what ``fit`` reported of each.

    The tolerance is learned, as in ``agreement``. Each step rounds each weight once in either, so after ``steps`` steps
    they differ by what that many ulps have grown to. The members are therefore trained again from initial weights
    perturbed by ``steps`` ulps, up or down by chance, eight times; what a number scatters by, up to an epoch, gives its
    tolerance there, with one rounding of it for each step beside it. A metric that counts rows also gets one row, for
    roundings of the last steps.

    Args:
        engine: The engine.
        members: For each member the initial values of ``model.variables``.
        histories: The ``history`` of ``fit`` from each of them.
    """
    count, steps = len(members), engine.steps
    shifted = [[_shifted(value, steps, trial) for value in member] for trial in range(TRIALS) for member in members]
    history = engine.train([*members, *shifted]).history  # at once: each training costs a trace otherwise
    allowed = {}
    for name, values in history.items():
        own, trials = values[:count].astype(np.float64), values[count:].reshape(TRIALS, *values[:count].shape)
        rounding = steps * float(np.finfo(np.float32).eps) * max(1.0, float(np.abs(own).max()))
        one_row = _row_share(values, engine.table_sizes(held_out=name.startswith("val_")))
        allowed[name] = np.maximum.accumulate(tolerance(trials - own), axis=-1) + rounding + one_row
    differences = dict.fromkeys(histories[0], np.inf)
    tolerances = {name: float(values.max()) for name, values in allowed.items()}
    for name in differences.keys() & allowed.keys():
        reported = np.array([one[name] for one in histories], dtype=np.float64)
        differences[name], tolerances[name] = worst(reported - history[name][:count], allowed[name])
    return MembersAgreement(differences, tolerances)


def _shifted(value: Array, ulps: int, trial: int) -> Array:
    """A floating value perturbed; others, such as the states of seed generators, as they are."""
    return perturbed(value, ulps, trial) if value.dtype.kind == "f" else value


def _row_share(values: Array, sizes: Collection[int]) -> float:
    """The share of one row, or of one output of a row, in a metric that counts them; 0 for other metrics."""
    for size in sizes:
        counts = values.astype(np.float64) * size
        if np.all(np.abs(counts - counts.round()) < _COUNT_TOLERANCE):
            return 1 / size
    return 0.0
