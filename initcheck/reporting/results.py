"""The finished runs of one problem, as frames, plots and files."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from initcheck.answers import Answer, answer, epochs_to_target, is_stuck
from initcheck.catalog.problems import Problem
from initcheck.records import EPOCH_FIELDS, Environment, Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_EPOCH_METRICS = list(EPOCH_FIELDS[1:])


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Attributes:
        problem: What was trained.
        runs: The finished runs, initializer by initializer.
        seed: The root seed.
        environment: What the runs ran on.
        command: The command line that repeats the sweep, or the call.
        planned: How many runs were asked for; more than ``len(runs)`` if the sweep was interrupted.
    """

    problem: Problem
    runs: tuple[Run, ...]
    seed: int
    environment: Environment
    command: str
    planned: int = field(compare=False)

    @functools.cached_property
    def answers(self) -> list[Answer]:
        """The lecture's questions answered, one row for each initializer."""
        return answer(self.runs, self.problem.target)

    def to_frame(self) -> pd.DataFrame:
        """One row for each run: its name, its seed, counts and shares of rightly classified rows, and its outcome."""
        import pandas as pd

        target = self.problem.target
        rows = [
            {
                "problem": run.problem,
                "initializer": run.initializer,
                "reseed": run.reseed,
                "seed": run.seed,
                "train_correct": run.train_correct,
                "train_total": run.train_total,
                "test_correct": run.test_correct,
                "test_total": run.test_total,
                "train_accuracy": run.train_accuracy,
                "test_accuracy": run.test_accuracy,
                "loss": run.loss,
                "stuck": is_stuck(run, target),
                "epochs_to_target": epochs_to_target(run, target),
            }
            for run in self.runs
        ]
        return pd.DataFrame(rows).astype({"epochs_to_target": "Int64"})

    def epochs_frame(self) -> pd.DataFrame:
        """One row for each run and epoch, as Keras's ``History`` reports it; epochs count from 1."""
        import pandas as pd

        rows = [
            (run.problem, run.initializer, run.reseed, *(getattr(epoch, name) for name in EPOCH_FIELDS))
            for run in self.runs
            for epoch in run.history
        ]
        return pd.DataFrame(rows, columns=["problem", "initializer", "reseed", *EPOCH_FIELDS])

    def history(self, *, reseeds: bool = False) -> pd.DataFrame:
        """The lecture's frame: epochs × columns named ``initializer`` and ``metric``.

        Args:
            reseeds: Whether to give each reseed a column, in a third level; otherwise their mean is given.
        """
        rows = ["initializer", "reseed"] if reseeds else ["initializer"]
        frame = self.epochs_frame().rename_axis(columns="metric")
        means = frame.groupby(["epoch", *rows], sort=False)[_EPOCH_METRICS].agg(_mean)
        wide = cast("pd.DataFrame", means.unstack(rows))
        levels = ["initializer", "metric", *rows[1:]]
        order = list(dict.fromkeys(run.initializer for run in self.runs))
        return wide.reorder_levels(levels, axis=1).reindex(columns=order, level="initializer")

    def plot(self) -> Figure:
        """The lecture's two panels, training loss and accuracy by epoch: medians, with bands over reseeds."""
        from initcheck.reporting.plots import plot_history

        return plot_history(self)

    def _repr_html_(self) -> str:
        from initcheck.reporting.page import render_summary

        return render_summary(self)


def _mean(values: pd.Series[float]) -> float:
    """The mean, which a run that diverged makes no number, rather than drop out of it."""
    return float(values.mean(skipna=False))
