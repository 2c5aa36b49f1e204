"""The command ``initcheck compare-runs``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from initcheck.cli.comparison_options import (
    allow_option,
    asked_files,
    json_option,
    markdown_option,
    what_is_there,
    write_files,
)
from initcheck.cli.path_option import PATH
from initcheck.comparing_runs.verdicts import FALSE_ALARM_RATE, VERDICTS, accepted
from initcheck.endings import uninterrupted
from initcheck.errors import InitcheckError


@click.command("compare-runs")
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@click.option(
    "--delta",
    type=float,
    help="What mean scores may differ by and be equivalent.  [default: 0.01; 5 % of A's mean of what is no share]",
)
@click.option(
    "--false-alarm-rate",
    type=float,
    default=FALSE_ALARM_RATE,
    show_default=True,
    help="Chance that a change without effect is called one, in the whole comparison.",
)
@markdown_option
@json_option
@allow_option(VERDICTS, "What a row may be; may be given again.  [default: identical, equivalent]")
def compare_runs(
    a: Path,
    b: Path,
    delta: float | None,
    false_alarm_rate: float,
    markdown: Path | None,
    json_file: Path | None,
    allow: Sequence[str],
) -> None:
    """Say what a change of yours did: the runs in folder B beside those in A.

    A and B are folders of initcheck run, or of Sweep.save. Exit code 0 where every row is allowed, 1 where one is not
    (changed, inconclusive, in one of the two only), 2 where nothing could be compared.
    """
    from initcheck.comparing_runs.side_by_side import compare_runs as find_changes
    from initcheck.reporting.runs_comparison import print_runs_comparison, render_runs_markdown, runs_comparison_json
    from initcheck.reporting.saved_runs import SWEEP_FILES, load

    sweeps = {folder / name: f"the sweep {folder}" for folder in (a, b) for name in SWEEP_FILES}
    files = asked_files({"--markdown": markdown, "--json": json_file}, sweeps)
    comparison = find_changes(load(a), load(b), delta=delta, false_alarm_rate=false_alarm_rate)
    with uninterrupted(what_is_there(files)):
        write_files(
            files,
            {
                "--markdown": lambda: render_runs_markdown(comparison),
                "--json": lambda: runs_comparison_json(comparison),
            },
        )
        print_runs_comparison(comparison)
    if not comparison.compared:
        why = comparison.rows[0].note if comparison.rows else "no run has finished"
        raise InitcheckError(
            f"{a} and {b} have no runs that could be compared ({why}); name runs of one problem, with an initializer "
            "in common"
        )
    good = accepted([VERDICTS[one] for one in allow])
    raise SystemExit(0 if all(row.verdict in good for row in comparison.rows) else 1)
