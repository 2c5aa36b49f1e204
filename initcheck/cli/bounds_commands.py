"""The commands ``initcheck bounds …``."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from initcheck.arguments import whole_number
from initcheck.bounds import Bound, Bounds, Calibration, load_bounds, summarize, write_bounds
from initcheck.catalog.initializers import LECTURE_INITIALIZERS, get_initializers
from initcheck.catalog.own_problems import OWN, OwnProblem
from initcheck.cli.model_options import ModelOptions, model_options, problem_of
from initcheck.cli.path_option import PATH
from initcheck.cli.seed_option import seed_option
from initcheck.cli.store_options import store_option
from initcheck.endings import leaving, say, uninterrupted
from initcheck.errors import InitcheckError, UnknownNameError
from initcheck.files import alone_in, require_writable, write_whole
from initcheck.frameworks.memory import require_memory_for_runs
from initcheck.frameworks.own import find_initializers, find_problem
from initcheck.statistics.counts import Counts
from initcheck.store.folder import Store

if TYPE_CHECKING:
    from initcheck.checks.registry import Cell
    from initcheck.records import Verdict

DEFAULT_CALIBRATION = 10_000
_FILE = "bounds.toml"
_SHARED = 0.005  # of the reseeds: as many may well end at one accuracy

_file = click.option("--bounds", "file", type=PATH, help="A bounds file.  [default: the package's]")
_problems = click.option("--problem", "problems", multiple=True, help="Only this problem; may be given again.")
_initializers = click.option("--initializers", help="Only these initializers: names with commas.")


@click.group()
def bounds() -> None:
    """The spread of accuracy over reseeds: the documented bounds, and whether the installed framework keeps them."""


@bounds.command()
@_problems
@model_options
@click.option("--data", metavar="package.module:data", help="What makes the data of --model.")
@click.option("--epochs", type=int, help="Passes over the data of --model.  [default: 10]")
@click.option("--batch-size", type=int, help="Rows of a step of --model.  [default: 32]")
@_initializers
@click.option("--reseeds", type=int, default=DEFAULT_CALIBRATION, show_default=True, help="Runs for each initializer.")
@seed_option
@store_option
@click.option("--out", type=PATH, default=_FILE, show_default=True, help="The file to write.")
def calibrate(
    problems: Sequence[str],
    own: ModelOptions,
    data: str | None,
    epochs: int | None,
    batch_size: int | None,
    initializers: str | None,
    reseeds: int,
    seed: int,
    store: Path | None,
    out: Path,
) -> None:
    """Measure the bounds, and write them to a file.

    Problems that are not measured keep their place in a file that is there. Without --problem those of the
    package's own bounds are measured; with --model a model of yours, as it is, under its own initializers or those
    named.
    """
    from initcheck.reporting.progress import progress_bar

    if reseeds < 2:
        raise InitcheckError(f"--reseeds is {reseeds}; at least 2 are needed for a spread")
    whole_number("--reseeds", reseeds)
    require_writable(out, "--out", after_work=True)
    _bounds_in(out)  # refuses a file that cannot be added to before the work
    kept = None if store is None else Store.open(store)
    if mine := own.choose(data, batch_size, epochs):
        if problems:
            raise InitcheckError("--problem and --model are both given; give one of them")
        settings = own.settings(data, batch_size, epochs)
        _calibrate_own(
            mine, settings, _names(initializers) or [OWN.name], reseeds=reseeds, seed=seed, store=kept, out=out
        )
        return
    names = list(problems or load_bounds().problems)
    chosen = [(name, find_problem(name)) for name in names]
    for _, problem in chosen:
        require_memory_for_runs(reseeds=reseeds, epochs=problem.epochs)
    rows = get_initializers(_names(initializers) if initializers else ["all"])

    from initcheck.engines.validation.problem import validated_data
    from initcheck.evidence import spread
    from initcheck.frameworks.environment import environment

    where = dict(environment().rows())
    measured: dict[str, Calibration] = {}
    with (
        leaving(lambda: f"{out} has {', '.join(measured)}; the others are as before" if measured else _nothing(store)),
        progress_bar("calibrating", len(chosen) * len(rows) * reseeds) as advance,
    ):
        for name, problem in chosen:
            suited = spread.buildable(problem, rows)
            advance(name, (len(rows) - len(suited)) * reseeds)
            share = spread.majority(problem)
            cells: dict[str, Bound] = {}
            for runs in spread.calibrate(problem, suited, reseeds=reseeds, seed=seed, store=kept):
                cells[runs.initializer] = summarize(runs, share)
                advance(f"{name}, {runs.initializer}", reseeds)
            measured[name] = Calibration(
                date=datetime.datetime.now(datetime.UTC).date().isoformat(),
                seed=seed,
                held_out_rows=len(validated_data(problem).x_test),
                environment=where,
                initializers=cells,
            )
            with uninterrupted(), alone_in(out):
                write_whole(out, [write_bounds(Bounds(problems={**_bounds_in(out), **measured}))])
    say(f"bounds of {', '.join(names)}: {out}")
    for line in _too_few(Bounds(problems=measured)):
        say(line)


def _nothing(store: Path | None) -> str:
    return "nothing was written" if store is None else f"the runs that were finished are kept in {store}"


def _calibrate_own(
    problem: OwnProblem,
    settings: Mapping[str, Any],
    names: Sequence[str],
    *,
    reseeds: int,
    seed: int,
    store: Store | None,
    out: Path,
) -> None:
    """Measures the bounds of a model as it is, under those initializers, and writes them."""
    from initcheck.evidence import spread
    from initcheck.frameworks.environment import environment
    from initcheck.reporting.progress import progress_bar

    require_memory_for_runs(reseeds=reseeds, epochs=problem.epochs)
    rows = find_initializers(names, "--initializers")
    where = dict(environment().rows())
    with (
        leaving(_nothing(store.root if store is not None else None)),
        progress_bar("calibrating", len(rows) * reseeds) as advance,
    ):
        engine, finished = spread.calibrate_own(problem, rows, reseeds=reseeds, seed=seed, store=store)
        cells: dict[str, Bound] = {}
        facts = engine.facts
        for runs in finished:
            cells[runs.initializer] = summarize(runs, facts.chance)
            advance(f"{problem.name}, {runs.initializer}", reseeds)
        measured = Calibration(
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            seed=seed,
            held_out_rows=facts.data.rows[1] if facts.data else 1,
            environment=where,
            initializers=cells,
            score=facts.score.name,
            model=dict(settings),
        )
        with uninterrupted(), alone_in(out):
            write_whole(out, [write_bounds(Bounds(problems={**_bounds_in(out), problem.name: measured}))])
    say(f"bounds of {problem.name}: {out}")
    for line in _too_few(Bounds(problems={problem.name: measured})):
        say(line)


@bounds.command()
@_problems
@_file
@click.option("--markdown", type=PATH, help="Write them as a page, and its picture (.svg) beside it.")
def show(problems: Sequence[str], file: Path | None, markdown: Path | None) -> None:
    """Show the documented bounds as tables."""
    chosen = _only(load_bounds(file), problems)
    if markdown is None:
        from initcheck.reporting.terminal import print_bounds

        print_bounds(chosen)
        return
    from initcheck.reporting.documented_bounds import picture_of, render_markdown

    picture = markdown.with_suffix(".svg")
    if markdown.suffix == ".svg" or (markdown.exists() and not markdown.is_file()):
        raise InitcheckError(f"--markdown {markdown} has a picture beside it; name a file such as bounds.md")
    for path in (markdown, picture):
        require_writable(path, "--markdown")
        if file is not None and file.exists() and path.exists() and path.samefile(file):
            raise InitcheckError(f"--markdown {markdown} would overwrite --bounds {file}; name another file")
    texts = {markdown: render_markdown(chosen, picture.name), picture: picture_of(chosen)}
    with uninterrupted(f"{markdown} and {picture} are there"):
        for path, text in texts.items():
            write_whole(path, [text])
    say(f"page: {markdown}   picture: {picture}")


@bounds.command()
@_problems
@_initializers
@_file
@seed_option
def check(problems: Sequence[str], initializers: str | None, file: Path | None, seed: int) -> None:
    """Train fresh reseeds on the installed framework, and compare them with the bounds.

    Exit code 0 where every cell passes, 1 where one fails or is inconclusive.
    """
    from initcheck.reporting.format import format_count
    from initcheck.reporting.progress import progress_bar
    from initcheck.reporting.terminal import print_verdict

    chosen = _only(load_bounds(file), problems, _names(initializers))
    models = _models_of(chosen)
    get_initializers(name for _, name, _ in chosen.cells() if name != OWN.name)  # another's file may name others

    from initcheck.checks.registry import run_check
    from initcheck.checks.spread import cells_of
    from initcheck.checks.spread_tests import STAGE
    from initcheck.evidence.lab import get_lab
    from initcheck.evidence.spread import row_of

    lab, cells = get_lab(seed), cells_of(chosen, models)
    verdicts: list[tuple[Cell, Verdict]] = []

    def conclude() -> list[bool]:
        good = [print_verdict(cell, verdict) for cell, verdict in verdicts]
        say(f"initcheck: {format_count(len(good), 'cell')}, {good.count(False)} not within their bounds; seed {seed}")
        return good

    def count() -> str:
        conclude()
        return f"{len(verdicts)} of {len(cells)} cells were judged"

    with leaving(count), progress_bar("judging", len(cells)) as advance:
        for problem, calibration in chosen.problems.items():
            advance(problem, 0)
            known = models.get(problem, problem)
            lab.spread.train_ahead(
                known, [name for name in calibration.initializers if row_of(name).law.random], range(STAGE)
            )
            for cell in cells:
                if cell.subject.value[0] == known:
                    verdicts.append((cell, run_check(cell, lab)))
                    advance(cell.name, 1)
    raise SystemExit(0 if all(conclude()) else 1)


@bounds.command()
@_problems
@click.option(
    "--initializers", help=f"Names with commas.  [default: those of {', '.join(LECTURE_INITIALIZERS)} with bounds]"
)
@_file
@seed_option
def place(problems: Sequence[str], initializers: str | None, file: Path | None, seed: int) -> None:
    """Train one run, the first of that seed, and say where it lies among the reseeds: was it lucky?

    The percentile counts the reseeds that end lower, and half of those that end at the same accuracy.
    """
    documented = load_bounds(file)
    known = {name for _, name, _ in documented.cells()}
    default = [name for name in (OWN.name, *LECTURE_INITIALIZERS) if name in known]
    chosen = _only(documented, problems, _names(initializers) if initializers is not None else default)
    models = _models_of(chosen)
    get_initializers(name for _, name, _ in chosen.cells() if name != OWN.name)

    from initcheck.evidence.spread import place_run, row_of

    for problem, calibration in chosen.problems.items():
        for name, bound in calibration.initializers.items():
            run = place_run(models.get(problem) or find_problem(problem), row_of(name), seed=seed)
            correct = run.test_correct if bound.unit is None else round(run.test_score / bound.unit)
            where = _placed(bound.counts, correct)
            where = where if row_of(name).law.random else "as that of any other: nothing is random in it"
            form = ".4f" if bound.unit is None else ".6g"
            say(f"{problem}, {name}: the {calibration.score} of seed {seed} is {run.test_score:{form}}, {where}")


def _placed(counts: Counts, correct: int) -> str:
    """The place of a run among the reseeds in words, and the share of them that end at the same accuracy."""
    from initcheck.reporting.format import format_ordinal

    equal = counts.share_of(correct)
    if equal == 1:
        return f"that of all {counts.n:,} reseeds"
    rank = format_ordinal(round(counts.percentile_of(correct)))
    shared = f"; {100 * equal:.0f} % of them end there" if equal >= _SHARED else ""
    return f"the {rank} percentile of {counts.n:,} reseeds{shared}"


def _models_of(bounds: Bounds) -> dict[str, OwnProblem]:
    """The user's own models in the bounds, imported by their names."""
    return {name: problem_of(one.model) for name, one in bounds.problems.items() if one.model is not None}


def _bounds_in(file: Path) -> dict[str, Calibration]:
    """The calibrations in the file, another process's included; empty where there is no such file."""
    return dict(load_bounds(file).problems) if file.is_file() else {}


def _too_few(measured: Bounds) -> list[str]:
    """A line for each problem whose calibration may be too small for a check to decide: how many reseeds are needed."""
    from initcheck.checks.registry import budget_share
    from initcheck.checks.spread import describe_calibration_size
    from initcheck.checks.spread_tests import needed_calibration
    from initcheck.evidence.spread import row_of

    lines = []
    for name, calibration in measured.problems.items():
        small = [
            (needed_calibration(bound.counts, budget_share()), initializer)
            for initializer, bound in calibration.initializers.items()
            if row_of(initializer).law.random and describe_calibration_size(bound, budget_share())
        ]
        if small:
            most, initializer = max(small)
            hint = f"about {most:,} are needed, for {initializer}: --reseeds {most}" if most else "no number is enough"
            lines.append(
                f"too few reseeds to be sure of a decision: of {name}, {len(small)} of {len(calibration.initializers)} "
                f"initializers may stay INCONCLUSIVE; {hint}"
            )
    return lines


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _only(documented: Bounds, problems: Sequence[str], initializers: Sequence[str] = ()) -> Bounds:
    """The bounds of those problems and initializers; of all where none are named.

    Raises:
        UnknownNameError: One that has no bounds.
    """
    for name in problems:
        if name not in documented.problems:
            raise UnknownNameError("problem with bounds", name, documented.problems)
    known = {initializer for _, initializer, _ in documented.cells()}
    for name in initializers:
        if name not in known:
            raise UnknownNameError("initializer with bounds", name, sorted(known))
    return Bounds(
        problems={
            problem: calibration.model_copy(
                update={
                    "initializers": {
                        name: bound
                        for name, bound in calibration.initializers.items()
                        if not initializers or name in initializers
                    }
                }
            )
            for problem, calibration in documented.problems.items()
            if not problems or problem in problems
        }
    )
