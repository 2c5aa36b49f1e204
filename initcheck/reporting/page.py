"""The report: one HTML page that needs no network and no JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from initcheck.answers import COMPONENTS_METHOD, METHODS, MIN_EPOCHS, Answer
from initcheck.reporting.bounds import PLACES, documented_cells
from initcheck.reporting.format import (
    NOTATION,
    answer_cells,
    component_cells,
    format_count,
    format_percent,
    format_share,
    has_interval,
)
from initcheck.reporting.results import Sweep
from initcheck.reporting.templating import templates
from initcheck.statistics import Components, Estimate

MIN_RUNS = 6  # with fewer not even a median has a 95 % interval, so nothing is concluded
_MOST_NAMES = 5


def render_report(sweep: Sweep) -> str:
    """A self-contained page: finding, panels, answers with their intervals, methods, problem, environment, command."""
    template = templates().get_template("report.html.j2")
    return template.render(
        sweep=sweep,
        figures=_figures(sweep),
        finding=find(sweep),
        methods=METHODS,
        notation=NOTATION,
        components={name: component_cells(components) for name, components in sweep.components.items()},
        components_method=COMPONENTS_METHOD,
        documented=documented_cells(sweep),
        places=PLACES,
        problem=_problem_rows(sweep),
        environment=[("seed", str(sweep.seed)), *sweep.environment.rows()],
        **_table(sweep),
    )


def render_summary(sweep: Sweep) -> str:
    """The table of answers alone, as a fragment for notebooks."""
    return templates().get_template("answers.html.j2").render(**_table(sweep))


def find(sweep: Sweep) -> list[str]:
    """The finding in plain words, the most important sentence first: no more than the intervals bear out."""
    answers = sweep.answers
    if not answers:
        return ["No run has finished."]
    fewest = min(answer.runs for answer in answers)
    if fewest < MIN_RUNS:
        return [
            f"Too few runs to tell an initializer from its seed: {format_count(fewest, 'run')} of one or more of them, "
            f"where at least {MIN_RUNS} of each are needed. What follows is what happened to happen."
        ]
    if sweep.components:  # runs that share weights or orders say less of each other than their number suggests
        return [_find_origin(sweep.components), "Runs share initial weights and orders: no initializer is called best."]
    return [_find_best(answers), _find_spread(answers), _find_stuck(answers, _epochs(sweep))]


def _find_origin(components: Mapping[str, Components]) -> str:
    """Where the spread of the initializer that spreads most comes from."""
    name, widest = max(components.items(), key=lambda item: item[1].total)
    return (
        f"Of the variance of {name}'s held-out accuracy, which spreads most, {format_percent(widest.rows)} is the "
        f"initial weights, {format_percent(widest.columns)} the order of the rows, and "
        f"{format_percent(widest.interplay)} what neither decides alone."
    )


def _find_best(answers: Sequence[Answer]) -> str:
    if len(answers) == 1:
        mean = format_share(answers[0].test_mean)
        return f"{answers[0].initializer} reaches a mean held-out accuracy of {mean} over {answers[0].runs:,} runs."
    if len({answer.test_mean.value for answer in answers}) == 1 and not any(a.test_stddev.value for a in answers):
        return f"Every run ends with the same held-out accuracy, {format_share(answers[0].test_mean)}."
    leaders = _leaders(answers, lambda answer: answer.best)
    shares = [f"{answer.initializer} ({format_percent(answer.best)})" for answer in leaders]
    if len(leaders) == 1:
        return f"If each initializer is run once, {shares[0]} comes out best most often."
    return (
        f"No initializer clearly comes out best: if each is run once, {_listing(shares)} do so most often, "
        "and the first one's interval overlaps with the others'."
    )


def _find_spread(answers: Sequence[Answer]) -> str:
    first, *rivals = _leaders(answers, lambda answer: answer.test_stddev)
    if first.test_stddev.value == 0:
        return "Reseeding changed no run's held-out accuracy."
    means = sorted(answers, key=lambda answer: answer.test_mean.value)
    ends = [f"{answer.test_mean.value:.2f} ({answer.initializer})" for answer in (means[0], means[-1])]
    between = f"Mean held-out accuracy runs from {ends[0]} to {ends[1]}; reseeding" if len(answers) > 1 else "Reseeding"
    apart = f", not clearly more than for {_listing([rival.initializer for rival in rivals])}" if rivals else ""
    most = " most" if len(answers) > 1 else ""
    spread = format_share(first.test_stddev)
    return f"{between} alone moves it{most} for {first.initializer}, by a standard deviation of {spread}{apart}."


def _find_stuck(answers: Sequence[Answer], epochs: int) -> str:
    known = [answer for answer in answers if answer.judged]
    counts = {answer.initializer: (round(answer.stuck.value * answer.judged), answer.judged) for answer in known}
    total, of = (sum(each) for each in zip(*counts.values(), strict=True)) if counts else (0, 0)
    unknown, budget = sum(answer.runs for answer in answers) - of, format_count(epochs, "epoch")
    if not of:
        return f"Whether runs are stuck cannot be told from {budget}: train for {MIN_EPOCHS} or more."
    rest = f"; of {unknown:,} more it cannot be told from {budget}" if unknown else ""
    if not total:
        unseen = max(answer.stuck.high for answer in known)
        return f"No run is stuck{rest}; so many runs rule out a share above {100 * unseen:.2g} %, and no smaller one."
    ordered = sorted(counts.items(), key=lambda item: -item[1][0] / item[1][1])
    stuck = _listing([f"{name} {count:,} of {runs:,}" for name, (count, runs) in ordered if count])
    return f"Stuck are {total:,} of {format_count(of, 'run')}: {stuck}{rest}."


def _leaders(answers: Sequence[Answer], key: Callable[[Answer], Estimate]) -> list[Answer]:
    """The answer with the highest value, and after it those whose intervals reach into its interval."""

    def end(estimate: Estimate, name: str) -> float:
        return float(getattr(estimate, name)) if has_interval(estimate) else estimate.value

    first, *others = sorted(answers, key=lambda answer: -key(answer).value)
    return [first, *(other for other in others if end(key(other), "high") >= end(key(first), "low"))]


def _listing(names: Sequence[str], most: int = _MOST_NAMES) -> str:
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} others"]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _figures(sweep: Sweep) -> list[Markup]:
    from initcheck.reporting import plots, svg  # matplotlib is heavy, and a notebook's table does not need it

    if not sweep.finished:
        return []
    names = ", ".join(answer.initializer for answer in sweep.answers)
    drawn = (
        ("loss", plots.figure_loss, f"Training loss by epoch for {names}: medians, with bands over reseeds"),
        ("accuracy", plots.figure_accuracy, f"Training accuracy by epoch for {names}: medians, with bands"),
        ("strip", plots.figure_strip, f"Held-out accuracy of every run of {names}, with means and intervals"),
    )
    # The drawing's own writer has escaped every text and attribute.
    return [Markup(svg.to_svg(draw(sweep), name=name, alt=alt)) for name, draw, alt in drawn]


def _table(sweep: Sweep) -> dict[str, Any]:
    """What the table's template needs: titles, and rows of name, runs, and cells as (value, interval)."""
    epochs = _epochs(sweep)
    rows = [
        (answer.initializer, f"{answer.runs:,}", [_split(cell) for cell in answer_cells(answer, epochs).values()])
        for answer in sweep.answers
    ]
    return {"titles": list(METHODS), "rows": rows, "target": f"{sweep.problem.target:g}", "epochs": epochs}


def _split(cell: str) -> tuple[str, str]:
    value, bracket, rest = cell.partition(" [")
    return value, (bracket + rest).strip()


def _epochs(sweep: Sweep) -> int:
    return max((runs.epochs for runs in sweep.groups), default=sweep.problem.epochs)


def _problem_rows(sweep: Sweep) -> list[tuple[str, str]]:
    problem, run = sweep.problem, next(iter(sweep.groups), None)
    return [
        ("name", problem.name),
        ("title", problem.title),
        ("source", problem.source),
        ("rows", f"{run.train_total:,} for training, {run.test_total:,} held out" if run else "not known yet"),
        ("budget", f"{format_count(_epochs(sweep), 'epoch')} in batches of {problem.batch_size:,}"),
        ("loss", problem.loss),
        ("trained by", f"the {sweep.engine}"),
        ("target", f"{problem.target:g} training accuracy: from there on a run counts as having learned"),
        ("chance", f"{problem.chance:.4g}: accuracy of always naming the commonest class"),
    ]
