"""The outcome of each run: it reached the target, is stuck, is unfinished, or is unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from initcheck.catalog.problem_facts import OneClass
from initcheck.records import Runs
from initcheck.statistics import estimates

MIN_EPOCHS = 8  # two in each quarter; fewer cannot distinguish a plateau from a slow start
PROGRESS = 0.02  # a fall from the third quarter of the epochs to the last by this share of the loss is no plateau
FLAT = 0.0001  # a fall by a smaller share than this is a flat line, and may be rounding
SLOWER = 0.5  # a fall is slower than before where it is less than this share of that of the quarter before
CLEAR = 3.0  # standard errors that a fall must exceed to be more than noise
NEAR = 0.01  # within this share of the least loss of one answer to all rows: arrived there
BELOW = 0.001  # below it by this share: the model learns from the rows
_COUNT_ERROR = 0.01  # rows: the rounding error of a count computed from a float32 accuracy

Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outcomes:
    """The outcome of each run, in order; every array has the shape ``(runs,)``.

    Attributes:
        epochs_to_target: First epoch whose reported training score reaches the target; infinite where none does.
        stuck: Whether it never reached the target and stopped improving.
        unfinished: Whether it never reached the target while its loss still falls, so that more epochs would help. With
            fewer than 8 epochs, which show no noise, the loss has to fall in each, the last time by much or about as
            fast as the time before.
        noisy: Whether its loss seems to lie on a plateau, but its noise could hide that it learns; epochs whose loss is
            not finite count as noise where too few others are left.
        unknown: Whether it may or may not be stuck: there is no target, or it is too noisy, or named one class for all
            rows while its loss falls and is above the least of one answer to all of them, or has fewer than 8 epochs.
    """

    epochs_to_target: estimates.Values
    stuck: Flags
    unfinished: Flags
    noisy: Flags
    unknown: Flags

    @property
    def reached(self) -> Flags:
        """Whether it reached the target in some epoch."""
        return np.isfinite(self.epochs_to_target)


def outcomes(runs: Runs, target: float | None, one_class: OneClass | None = None) -> Outcomes:
    """The outcome of each run, computed from nothing but ``history.csv`` and the classes' counts, a piece at a time.

    A run that did not reach the target is stuck if its last training loss is NaN or infinite, or if the loss lies on a
    plateau. A run whose loss still falls is unfinished, not stuck: more epochs would help it, a restart need not. But
    where a run named one class for all rows in every epoch, perhaps only the output's bias learned: it is stuck if the
    loss is near the least of one answer to all rows, unfinished if below that, and unknown above it.

    Args:
        runs: The runs.
        target: The training score from which on a run has learned; without one, of runs whose loss is finite nothing is
            known.
        one_class: The result of naming one class for all rows; None where it is unknown, and then it is ignored.
    """
    pieces = [_outcomes(piece, target, one_class) for piece in runs.pieces()]
    if len(pieces) == 1:
        return pieces[0]
    names = [field.name for field in fields(Outcomes)]
    return Outcomes(**{name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in names})


def _outcomes(runs: Runs, target: float | None, one_class: OneClass | None) -> Outcomes:
    loss, epochs = runs.metric("loss"), _epochs_to_target(runs, target)
    never = np.isinf(epochs)
    ended = never & np.isfinite(loss[:, -1])
    nothing = np.zeros(len(runs), dtype=bool)
    if target is None:
        return Outcomes(epochs, never & ~ended, nothing, noisy=nothing, unknown=ended)
    if runs.epochs < MIN_EPOCHS:
        return Outcomes(epochs, never & ~ended, ended & _falls_in_each(loss), noisy=nothing, unknown=ended)
    late = _Late.of(loss)
    falls = ended & late.still_falls()
    noisy = ended & ~falls & late.may_hide_a_fall()
    if one_class is None:
        return Outcomes(epochs, never & ~falls & ~noisy, falls, noisy=noisy, unknown=noisy)
    idle = falls & names_one_class(runs, one_class)
    arrived, learns = late.near(one_class.least_loss)
    return Outcomes(
        epochs,
        stuck=never & ~noisy & (~falls | (idle & arrived)),
        unfinished=falls & (~idle | learns),
        noisy=noisy,
        unknown=noisy | (idle & ~arrived & ~learns),
    )


def _epochs_to_target(runs: Runs, target: float | None) -> estimates.Values:
    if target is None:
        return np.full(len(runs), np.inf)
    values = runs.metric(runs.score.name)
    if runs.score.counted:
        values = _row_counts(values, runs.train_total) / runs.train_total
    reached = runs.score.sign * values >= runs.score.sign * target
    return np.where(reached.any(axis=1), 1.0 + reached.argmax(axis=1), np.inf)


def _row_counts(shares: estimates.Values, total: int) -> estimates.Values:
    """The number of rows in those shares, rounded where it differs from an integer only by float32's rounding."""
    counts = shares * total
    with np.errstate(invalid="ignore"):
        integers = np.rint(counts)
        rounded: estimates.Values = np.where(np.abs(counts - integers) < _COUNT_ERROR, integers, counts)
    return rounded


def _falls_in_each(loss: estimates.Values) -> Flags:
    """Whether each loss of few epochs falls in every one, at last by much or about as fast as before."""
    epochs = loss.shape[1]
    if epochs == 1:
        return np.zeros(len(loss), dtype=bool)
    with np.errstate(invalid="ignore", over="ignore"):
        falls = -np.diff(loss, axis=1)
        size = np.maximum(np.abs(loss[:, -2]), np.abs(loss[:, -1]))
        pace = falls[:, -1] >= np.minimum(PROGRESS * size, SLOWER * falls[:, -min(2, epochs - 1)])
        in_each: Flags = (falls > 0).all(axis=1) & (falls[:, -1] >= FLAT * size) & pace
    return in_each


@dataclass(frozen=True)
class _Late:
    """Losses after the first quarter of the epochs, in which a loss may jump; every array has the shape ``(runs,)``.

    Means of quarters are compared, as single epochs are noisy. Shares are of the loss's size, whatever its sign.

    Attributes:
        second: Mean loss of the second quarter.
        third: Of the third.
        last: Of the last.
        noise: The least difference of two of these that is more than noise.
    """

    second: estimates.Values
    third: estimates.Values
    last: estimates.Values
    noise: estimates.Values

    @classmethod
    def of(cls, loss: estimates.Values) -> _Late:
        """From losses of shape ``(runs, epochs)``."""
        quarter = loss.shape[1] // 4
        late = np.ma.masked_invalid(loss[:, -3 * quarter :])  # after a NaN or infinite loss training may go on
        with np.errstate(invalid="ignore", over="ignore"):  # under the mask
            # Second differences cancel any line, and the squares of their weights sum to 1 + 4 + 1.
            noise = np.ma.sqrt(np.mean(np.ma.masked_invalid(np.diff(late, n=2, axis=1)) ** 2, axis=1) / 6)
            quarters = late.reshape(len(loss), 3, quarter)
            second, third, last = quarters.mean(axis=2).filled(np.nan).T
            known = 2 * quarters.count(axis=2).min(axis=1) >= quarter  # else too few
            error = np.where(known, noise.filled(np.inf), np.inf) * math.sqrt(2 / quarter)
        return cls(second, third, last, CLEAR * error)

    @property
    def size(self) -> estimates.Values:
        return np.maximum(np.abs(self.third), np.abs(self.last))

    def still_falls(self) -> Flags:
        """Whether each falls by more than noise, and by much or about as fast as before."""
        with np.errstate(invalid="ignore", over="ignore"):
            fall, before = self.third - self.last, self.second - self.third
            clear = np.maximum(self.second, self.third) - self.last > self.noise
            much = fall >= PROGRESS * self.size
            keeps_pace = (fall >= SLOWER * before) & (fall >= FLAT * self.size)
        still: Flags = (fall > 0) & clear & (much | keeps_pace)
        return still

    def may_hide_a_fall(self) -> Flags:
        """Whether a fall by ``PROGRESS`` could be lost in the noise of each.

        docs/statistics.md measures how often a fall is detected up to that noise.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            hidden: Flags = ~(self.noise <= PROGRESS * self.size)
        return hidden

    def near(self, least: float) -> tuple[Flags, Flags]:
        """Whether each has arrived near the least loss of one answer to all rows, and whether it is below that.

        A loss whose pace leads below it within half as many epochs again is passing and has not arrived. For an unknown
        least loss, NaN, both are False.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            learns = self.last < least - np.maximum(BELOW * least, self.noise)
            passing = self.last - 2 * (self.third - self.last) < least
            arrived = (self.last <= (1 + NEAR) * least) & ~learns & ~passing
        return arrived, learns


def names_one_class(runs: Runs, one_class: OneClass) -> Flags:
    """Whether each run's predictions were one class for all rows, after every epoch but those of the first quarter.

    Judged by counts: after each of these epochs the correct held-out rows were as many as one class has, and at the end
    the correct rows of both parts were. The class may change: where all are equally frequent, little decides it.
    """
    correct = _row_counts(runs.metric("val_accuracy")[:, -3 * (runs.epochs // 4) :], runs.test_total)
    counts = np.array(one_class.test_correct)
    if counts.sum() != runs.test_total or sum(one_class.train_correct) != runs.train_total:
        return np.zeros(len(runs), dtype=bool)  # of other data than these runs
    pair = runs.test_total + 1  # so that both counts of a class are one number
    last = np.isin(runs.train_correct * pair + runs.test_correct, np.array(one_class.train_correct) * pair + counts)
    one: Flags = np.isin(correct, counts).all(axis=1) & last
    return one
