"""The command ``initcheck compare-runs``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from initcheck.comparing_runs.verdicts import DELTA, FALSE_ALARM_RATE, VERDICTS, accepted
from initcheck.endings import say
from initcheck.errors import InitcheckError
from initcheck.files import require_writable, write_whole

_path = click.Path(path_type=Path)
_MOST_COLUMNS = 120


@click.command("compare-runs")
@click.argument("a", type=_path)
@click.argument("b", type=_path)
@click.option(
    "--delta",
    type=float,
    default=DELTA,
    show_default=True,
    help="What mean accuracies may differ by and be equivalent.",
)
@click.option(
    "--false-alarm-rate",
    type=float,
    default=FALSE_ALARM_RATE,
    show_default=True,
    help="Chance that a change without effect is called one, in the whole comparison.",
)
@click.option("--markdown", type=_path, help="Write the verdict to this file, as a comment on a pull request.")
@click.option("--json", "json_file", type=_path, help="Write everything that was found to this file.")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(list(VERDICTS)),
    help="What a row may be; may be given again.  [default: identical, equivalent]",
)
def compare_runs(
    a: Path,
    b: Path,
    delta: float,
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
    from initcheck.reporting.runs_comparison import (
        WIDTH,
        print_runs_comparison,
        render_runs_markdown,
        runs_comparison_json,
    )
    from initcheck.reporting.saved_runs import load

    asked = {option: file for option, file in (("--markdown", markdown), ("--json", json_file)) if file is not None}
    _require_apart(asked, (a, b))
    found = find_changes(load(a), load(b), delta=delta, false_alarm_rate=false_alarm_rate)
    render = {"--markdown": render_runs_markdown, "--json": runs_comparison_json}
    for option, file in asked.items():
        write_whole(file, [render[option](found)])
    columns = min(_MOST_COLUMNS, shutil.get_terminal_size((WIDTH, 24)).columns)
    for line in print_runs_comparison(found, max(40, columns)):
        say(line)
    if not found.compared:
        why = found.rows[0].note if found.rows else "no run has finished"
        raise InitcheckError(
            f"{a} and {b} have no runs that could be compared ({why}); name runs of one problem, with an initializer "
            "in common"
        )
    good = accepted([VERDICTS[one] for one in allow])
    raise SystemExit(0 if all(row.verdict in good for row in found.rows) else 1)


def _require_apart(files: dict[str, Path], folders: tuple[Path, Path]) -> None:
    """Makes sure that each file can be written, and is neither another option's nor one of a sweep's."""
    from initcheck.reporting.saved_runs import SWEEP_FILES

    taken: dict[str, str] = {}
    for option, file in files.items():
        require_writable(file, option)
        place = os.path.realpath(file)
        other = taken.setdefault(place, option)
        if other != option:
            raise InitcheckError(f"{option} {file} is the file of {other}; name another one")
        if place in {os.path.realpath(folder / name) for folder in folders for name in SWEEP_FILES}:
            raise InitcheckError(f"{option} {file} is a file of a sweep; name another one")
