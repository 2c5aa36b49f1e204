"""``initcheck.compare_runs`` and what it returns, which a notebook shows as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from initcheck.comparing_runs.side_by_side import compare_runs as find_changes
from initcheck.comparing_runs.verdicts import FALSE_ALARM_RATE, RunsComparison, RunsRow, RunsVerdict
from initcheck.reporting.format import format_count

if TYPE_CHECKING:
    from initcheck.reporting.results import Sweep


@dataclass(frozen=True, repr=False)
class RunsReport:
    """The comparison of two sweeps, which prints and shows in a notebook as a table.

    Attributes:
        comparison: The comparison.
    """

    comparison: RunsComparison

    @property
    def rows(self) -> tuple[RunsRow, ...]:
        """Its rows."""
        return self.comparison.rows

    @property
    def verdict(self) -> RunsVerdict:
        """The verdict of its worst row."""
        return self.comparison.verdict

    def __repr__(self) -> str:
        return f"<RunsReport: {self.verdict.value.upper()}, {format_count(len(self.rows), 'row')}>"

    def __str__(self) -> str:
        from initcheck.reporting.runs_comparison import print_runs_comparison
        from initcheck.reporting.screen import printed

        return printed(lambda console: print_runs_comparison(self.comparison, console))

    def _repr_html_(self) -> str:
        from initcheck.reporting.runs_comparison import render_runs_html

        return render_runs_html(self.comparison)


def compare_runs(
    a: Sweep, b: Sweep, *, delta: float | None = None, false_alarm_rate: float = FALSE_ALARM_RATE
) -> RunsReport:
    """Compares B's runs with A's: the effect of a change on the score, stuck runs and speed.

    Args:
        a: The runs before the change, of ``sweep`` or ``load``.
        b: The runs after it.
        delta: Mean scores are equivalent where the 95 % interval of their difference lies inside ±``delta``, in the
            score's unit; by default 0.01 of a share, and 5 % of A's mean of any other score.
        false_alarm_rate: Chance that a change without effect is called one anywhere in the comparison.

    Returns:
        The rows with their numbers. A row that could not be compared says why; none is left out.

    Raises:
        InitcheckError: An argument that cannot be used.
    """
    return RunsReport(find_changes(a, b, delta=delta, false_alarm_rate=false_alarm_rate))
