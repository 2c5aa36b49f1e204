"""The finished runs of one problem, as frames, plots and files."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, cast

import numpy as np
import numpy.typing as npt

from initcheck.arguments import path_of
from initcheck.catalog.problem_facts import ProblemFacts
from initcheck.catalog.problems import Problem
from initcheck.records import METRICS, Environment, Run, Runs
from initcheck.statistics.answers import Answer, answer, attribute
from initcheck.statistics.outcomes import outcomes
from initcheck.statistics.two_way import Components
from initcheck.texts import for_terminal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_Given = ParamSpec("_Given")


def _of_any_text(make: Callable[_Given, pd.DataFrame]) -> Callable[_Given, pd.DataFrame]:
    """Makes frames whose texts are Python's: Arrow's, which pandas takes where it is installed, refuse surrogates."""

    @functools.wraps(make)
    def made(*given: _Given.args, **named: _Given.kwargs) -> pd.DataFrame:
        import pandas as pd

        with pd.option_context("mode.string_storage", "python"):
            return make(*given, **named)

    return made


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """The results of a sweep.

    Attributes:
        problem: The trained problem; of a sweep that was loaded from a folder, its facts alone.
        groups: The finished runs, a group for each initializer.
        seed: The root seed.
        environment: The environment of the runs.
        command: The command line that repeats the sweep, or the call.
        engine: The engine that trained the runs, with the reason where it is not the ensemble.
        planned: The number of runs asked for; more than ``finished`` if the sweep was stopped.
        stopped: The reason for an early end, such as ``"interrupted"``; empty without one.
        trained: Model and optimizer in words, as ``(name, value)``.
        found: The number of runs that a store had already.
    """

    problem: Problem | ProblemFacts
    groups: tuple[Runs, ...]
    seed: int
    environment: Environment
    command: str
    engine: str
    planned: int
    stopped: str = ""
    trained: tuple[tuple[str, str], ...] = ()
    found: int = 0

    def __repr__(self) -> str:
        count = f"{len(self.groups)} initializer{'' if len(self.groups) == 1 else 's'}"
        name = for_terminal(self.problem.name)
        return f"<Sweep of {name}: {count}, {self.finished:,} of {self.planned:,} runs, seed {self.seed}>"

    def __str__(self) -> str:
        from initcheck.reporting.screen import printed
        from initcheck.reporting.terminal import print_answers

        return printed(lambda console: print_answers(self, console))

    @functools.cached_property
    def facts(self) -> ProblemFacts:
        """The problem without its functions, and what its data say of the targets."""
        return ProblemFacts.of(self.problem)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The finished runs one by one, initializer by initializer."""
        return tuple(itertools.chain.from_iterable(self.groups))

    @property
    def finished(self) -> int:
        """The number of finished runs."""
        return sum(map(len, self.groups))

    @functools.cached_property
    def answers(self) -> list[Answer]:
        """The lecture's questions answered, one row for each initializer."""
        return answer(self.groups, self.problem.target, self.facts.one_class)

    @functools.cached_property
    def components(self) -> dict[str, Components]:
        """The sources of each initializer's spread, where both weights and orders were varied."""
        components = {runs.initializer: attribute(runs) for runs in self.groups}
        return {name: one for name, one in components.items() if one is not None}

    def parts(self, size: int | None = None) -> Iterator[Sweep]:
        """The same sweep in pieces of at most so many runs of one initializer; by default so that frames stay small."""
        for runs in self.groups:
            for piece in runs.pieces(size):
                yield replace(self, problem=self.facts, groups=(piece,))

    @_of_any_text
    def to_frame(self) -> pd.DataFrame:
        """One row for each run: its name, its seed, its scores with the counts behind them, and its outcome.

        The scores are named after theirs: ``train_accuracy`` and ``test_accuracy``, ``train_mae`` and ``test_mae``.
        """
        import pandas as pd

        from initcheck.reporting.saved_tables import run_columns

        score, columns = self.facts.score, run_columns(self.facts.score)
        ends = [outcomes(runs, self.problem.target, self.facts.one_class) for runs in self.groups]
        frames = [
            pd.DataFrame(
                {
                    "problem": runs.problem,
                    "initializer": runs.initializer,
                    "reseed": runs.reseeds,
                    "order": runs.orders,
                    "seed": runs.seeds,
                    **(
                        {"train_correct": runs.train_correct, "test_correct": runs.test_correct}
                        if score.counted
                        else {}
                    ),
                    "train_total": runs.train_total,
                    "test_total": runs.test_total,
                    f"train_{score.name}": runs.train_score,
                    f"test_{score.name}": runs.test_score,
                    "loss": runs.column("loss", -1),
                    "stuck": pd.arrays.BooleanArray(end.stuck, end.unknown),  # NA where it cannot be determined
                    "epochs_to_target": _whole_numbers(end.epochs_to_target),
                },
                columns=list(columns),
            )
            for runs, end in zip(self.groups, ends, strict=True)
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(columns))

    @_of_any_text
    def epochs_frame(self) -> pd.DataFrame:
        """One row for each run and epoch, as Keras's ``History`` reports it; epochs count from 1."""
        import pandas as pd

        from initcheck.reporting.saved_tables import history_columns

        frames = []
        for runs in self.groups:
            epochs = runs.epochs
            names = {
                "problem": runs.problem,
                "initializer": runs.initializer,
                "reseed": np.repeat(runs.reseeds, epochs),
                "order": np.repeat(runs.orders, epochs),
                "epoch": np.tile(np.arange(1, epochs + 1), len(runs)),
            }
            frames.append(pd.DataFrame({**names, **{metric: runs.metric(metric).ravel() for metric in runs.metrics}}))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(history_columns(METRICS)))

    @_of_any_text
    def history(self, *, reseeds: bool = False) -> pd.DataFrame:
        """The lecture's frame: epochs × columns named ``initializer`` and ``metric``.

        Args:
            reseeds: Whether to give each reseed a column, in a third level; by default their mean is given; plots
                and pages show the median.
        """
        import pandas as pd

        if not reseeds:  # a column at a time: the histories may lie on the disk
            names = [(runs, metric) for runs in self.groups for metric in runs.metrics]
            with np.errstate(invalid="ignore"):  # infinity less infinity
                means = [[runs.column(name, epoch).mean() for runs, name in names] for epoch in range(self._epochs)]
            columns = pd.MultiIndex.from_tuples(
                [(runs.initializer, metric) for runs, metric in names], names=["initializer", "metric"]
            )
            return pd.DataFrame(means, index=pd.RangeIndex(1, self._epochs + 1, name="epoch"), columns=columns)
        rows = ["initializer", "reseed"]
        frame = self.epochs_frame().rename_axis(columns="metric")
        metrics = list(self.groups[0].metrics if self.groups else METRICS)
        wide = cast("pd.DataFrame", frame.groupby(["epoch", *rows], sort=False)[metrics].agg(_mean).unstack(rows))
        order = [runs.initializer for runs in self.groups]
        levels = ["initializer", "metric", "reseed"]
        return wide.reorder_levels(levels, axis=1).reindex(columns=order, level="initializer")

    @property
    def _epochs(self) -> int:
        return max((runs.epochs for runs in self.groups), default=0)

    def plot(self) -> Figure:
        """The lecture's two panels, training loss and score by epoch: medians, with bands over reseeds."""
        from initcheck.reporting.plots import plot_history

        return plot_history(self)

    def save(self, folder: str | Path) -> None:
        """Writes the files of ``initcheck run`` to a folder, from which ``initcheck.load`` gives the sweep back.

        Args:
            folder: For ``runs.csv``, ``history.csv``, ``sweep.json`` and ``report.html``; made if missing.

        Raises:
            InitcheckError: The folder or one of the files cannot be written.
        """
        from initcheck.reporting.saved_runs import save

        save(self, path_of("the folder", folder))

    def _repr_html_(self) -> str:
        from initcheck.reporting.page import render_summary

        return render_summary(self)


def _whole_numbers(values: npt.NDArray[np.float64]) -> pd.Series[int]:
    """The values, with NA in place of infinity."""
    import pandas as pd

    return pd.Series(np.where(np.isinf(values), np.nan, values)).astype("Int64")


def _mean(values: pd.Series[float]) -> float:
    """The mean, which a run that diverged makes no number, rather than drop out of it."""
    return float(values.mean(skipna=False))
