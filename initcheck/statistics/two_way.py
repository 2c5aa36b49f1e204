"""Estimates from runs in a two-way grid, whose shared rows and columns break formulas for independent runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.statistics.estimates import (
    FEW_RESAMPLES,
    MIN_BOOTSTRAP,
    Estimate,
    Values,
    proportion,
    with_percentiles,
)

Statistic = Callable[[Values], float]  # of the weight of each run


@dataclass(frozen=True)
class Grid:
    """The row and the column of each run; the grid may have gaps.

    Attributes:
        rows: Shape ``(runs,)``: numbers from 0 on.
        columns: The same.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]

    @classmethod
    def of(cls, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Grid | None:
        """The grid of runs by their names; None where no two runs share a row, or no two a column."""
        axes = [np.unique(names, return_inverse=True) for names in (rows, columns)]
        if any(not 1 < len(names) < len(rows) for names, _ in axes):
            return None
        return cls(*(place for _, place in axes))

    @property
    def least(self) -> int:
        """The number of rows or of columns, whichever is less."""
        return int(min(self.rows.max(), self.columns.max())) + 1

    def mean(self, values: Values) -> Estimate:
        """The mean, with its interval."""
        return self._estimate(lambda weights: _mean(values, weights))

    def stddev(self, values: Values) -> Estimate:
        """The standard deviation (n − 1), with its interval."""
        return self._estimate(lambda weights: _stddev(values, weights))

    def median(self, values: Values) -> Estimate:
        """The lower median, with its interval; values may be infinite."""
        order = np.argsort(values, kind="stable")
        ordered = values[order]

        def median(weights: Values) -> float:
            seen = np.cumsum(weights[order])
            return float(ordered[np.searchsorted(seen, seen[-1] / 2)])

        return self._estimate(median)

    def proportion(self, flags: npt.NDArray[np.bool_]) -> Estimate:
        """The share of the runs, with its interval; for 0 and 1 the exact one for ``least`` runs."""
        share = float(flags.mean())
        if share in (0, 1):
            return proportion(int(share) * self.least, self.least)
        return self.mean(flags.astype(np.float64))

    def _estimate(self, statistic: Statistic) -> Estimate:
        value = statistic(np.ones(len(self.rows)))
        if self.least < MIN_BOOTSTRAP:
            return Estimate(value, math.nan, math.nan)
        resampled = np.array([[statistic(weights)] for weights in self._resamples()])
        with np.errstate(invalid="ignore"):  # infinity less infinity
            return with_percentiles(np.array([value]), resampled)[0]

    def _resamples(self) -> Iterator[Values]:
        """The weights of the runs if rows and columns are drawn with replacement (Owen 2007)."""
        stream = np.random.RandomState(0)
        for _ in range(FEW_RESAMPLES):
            times = [
                np.bincount(stream.randint(size, size=size), minlength=size)
                for size in (int(self.rows.max()) + 1, int(self.columns.max()) + 1)
            ]
            weights = (times[0][self.rows] * times[1][self.columns]).astype(np.float64)
            if weights.any():  # else all runs drawn are gaps
                yield weights


def _mean(values: Values, weights: Values) -> float:
    return float(weights @ values / weights.sum())


def _stddev(values: Values, weights: Values) -> float:
    return math.sqrt(float(weights @ (values - _mean(values, weights)) ** 2) / max(float(weights.sum()) - 1, 1))


@dataclass(frozen=True)
class Components:
    """Shares of a variance due to rows, columns and their interplay, each from 0 to 1."""

    total: float
    rows: Estimate
    columns: Estimate
    interplay: Estimate


def variance_components(table: Values) -> Components | None:
    """Attributes the variance of a two-way table to its rows and its columns; None where nothing varies.

    Method of moments for the two-way random-effects model, one value a cell; negative estimates count as zero. The
    intervals resample rows and columns together. Sources: Searle, Casella & McCulloch 1992, Variance Components, 4.7;
    Owen 2007, The pigeonhole bootstrap.

    Args:
        table: Shape ``(rows, columns)``, at least 2 of each.
    """
    if np.ptp(table) == 0:
        return None
    value = _component_shares(table)
    stream = np.random.RandomState(0)
    resampled = []
    for _ in range(FEW_RESAMPLES):
        rows, columns = (stream.randint(size, size=size) for size in table.shape)
        part = table[rows][:, columns]
        if np.ptp(part) > 0:
            resampled.append(_component_shares(part))
    return Components(float(np.std(table, ddof=1)), *with_percentiles(value, resampled))


def _component_shares(table: Values) -> Values:
    rows, columns = table.shape
    grand, by_row, by_column = table.mean(), table.mean(axis=1), table.mean(axis=0)
    residual = table - by_row[:, None] - by_column[None] + grand
    within = (residual**2).sum() / ((rows - 1) * (columns - 1))
    of_rows = max(0.0, columns * by_row.var(ddof=1) - within) / columns
    of_columns = max(0.0, rows * by_column.var(ddof=1) - within) / rows
    shares: Values = np.array([of_rows, of_columns, within]) / max(of_rows + of_columns + within, 1e-300)
    return shares
