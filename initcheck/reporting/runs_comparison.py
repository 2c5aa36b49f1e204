"""Two sweeps side by side, for the terminal, for a notebook, as Markdown and as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence

from rich.console import Console

from initcheck.comparing_runs.verdicts import POWER, RunsComparison, RunsQuestion, RunsRow, RunsVerdict
from initcheck.reporting.comparisons.json_text import as_jsonable
from initcheck.reporting.format import has_interval
from initcheck.reporting.screen import Column, Screen
from initcheck.reporting.templating import templates
from initcheck.texts import for_markdown

DIFFERENCES = "What else is not the same, each a possible cause"
_MOST_NAMED = 4
_COLUMNS = ("initializer", "question", "A → B", "B − A", "verdict", "n, p, α, and what so many runs show")


def questions(comparison: RunsComparison) -> dict[str, str]:
    """What each question means, for the foot of every table."""
    name = comparison.score.name
    return {
        name: f"mean held-out {name}; CHANGED also where only its spread over seeds differs",
        RunsQuestion.STUCK.value: "share of stuck runs",
        RunsQuestion.SPEED.value: "median epochs to the target; B − A: share of runs slower in B less share of runs "
        "faster",
    }


VERDICT_WORDS = {
    RunsVerdict.IDENTICAL: "every run is bitwise equal",
    RunsVerdict.EQUIVALENT: "the 95 % interval lies inside ±Δ",
    RunsVerdict.INCONCLUSIVE: "neither a change nor equivalence is shown",
    RunsVerdict.NOT_COMPARABLE: "of other trainings, or in one of the two only",
    RunsVerdict.CHANGED: "p is below its share α of the false-alarm rate, and the interval not inside ±Δ",
}
SPREAD_WORDS = "the spread's p is below its share α of the false-alarm rate; no change of the mean beyond Δ is shown"


def describe_runs(comparison: RunsComparison) -> list[str]:
    """The verdict in sentences, the most important one first."""
    rows = comparison.rows
    sentences = []
    kinds = [(verdict, False, words) for verdict, words in VERDICT_WORDS.items()]
    kinds.append((RunsVerdict.CHANGED, True, SPREAD_WORDS))
    for verdict, spread_only, words in sorted(kinds, key=lambda one: -one[0].rank):
        which = [row for row in rows if (row.verdict, row.spread_only) == (verdict, spread_only)]
        if which:
            named = [f"{row.asked} of {row.initializer}{_direction(row)}" for row in which[:_MOST_NAMED]]
            more = f" and {len(which) - _MOST_NAMED} more" if len(which) > _MOST_NAMED else ""
            sentences.append(f"{verdict.value.upper()}: {', '.join(named)}{more} ({words}).")
    if not comparison.compared:
        return ["NOT COMPARABLE: the two have no initializer that could be compared.", *sentences]
    return [
        *sentences,
        f"False-alarm rate {comparison.false_alarm_rate:g} for the whole, split over {comparison.tests} p-values.",
    ]


_DIRECTIONS = {
    RunsQuestion.SCORE: ("lower", "higher"),
    RunsQuestion.STUCK: ("fewer", "more"),
    RunsQuestion.SPEED: ("faster", "slower"),
}


def _direction(row: RunsRow) -> str:
    """The direction of a change, in brackets; empty where the spread alone changed, or nothing did."""
    value = row.difference.value if row.difference else 0.0
    if row.verdict is not RunsVerdict.CHANGED or row.spread_only or not value or row.question not in _DIRECTIONS:
        return ""
    return f" ({_DIRECTIONS[row.question][value > 0]} in B)"


def print_runs_comparison(comparison: RunsComparison, console: Console | None = None) -> None:
    """Prints the other differences, every row, the columns' meanings, and the verdict in words."""
    screen = Screen(console)
    if comparison.differences:
        values = (Column("A", prose=True), Column("B", prose=True))
        rows = [(one.what, one.old, one.new) for one in comparison.differences]
        screen.table(DIFFERENCES, ("what", *values), rows)
    if comparison.rows:
        cells = [run_cells(row, comparison) for row in comparison.rows]
        prose = {"what", "note"}
        columns = [Column(title, prose=title in prose) for title in cells[0]]
        screen.table("B's runs beside A's", columns, [tuple(row.values()) for row in cells], lines=True)
        for title, meaning in explain_runs(comparison).items():
            screen.line((title, "bold"), f": {meaning}")
        screen.gap()
    for number, sentence in enumerate(describe_runs(comparison)):
        screen.line((sentence, "" if number else "bold"))


def run_cells(row: RunsRow, comparison: RunsComparison) -> dict[str, str]:
    """The cells of one row: column title → text, empty where there is nothing to say."""
    seen = row.detectable
    return {
        "what": f"{row.asked} of {row.initializer}",
        "A → B": _values(row, comparison),
        "B − A": _difference(row, comparison),
        "verdict": row.verdict.value.upper(),
        "p": "" if row.p_value is None else f"{row.p_value:.2g}",
        "would be seen": "" if seen is None else "none" if math.isinf(seen) else f"{seen:.2g}",
        "would show Δ": f"{row.more_needed:,}" if row.more_needed else "",
        "note": "; ".join([_runs(row), *filter(None, [row.note])]),
    }


def explain_runs(comparison: RunsComparison) -> dict[str, str]:
    """The meanings of the questions and the columns, by title."""
    deltas = {row.asked: row.delta for row in comparison.rows if row.delta is not None}
    alphas = sorted({f"{row.alpha:.2g}" for row in comparison.rows if row.alpha is not None})
    margins = ", ".join(f"{delta:g} of {question}" for question, delta in deltas.items())
    return {
        **{title: meaning for title, meaning in questions(comparison).items() if title in deltas},
        **({"B − A": f"with its 95 % interval; Δ is {margins}"} if margins else {}),
        **(
            {"p": f"chance of such a difference if nothing changed; CHANGED below {', '.join(alphas)}"}
            if alphas
            else {}
        ),
        **({"would be seen": f"the least difference that these runs show with power {POWER:g}"} if alphas else {}),
        **({"would show Δ": "how many pairs, or runs of each side, show Δ with that power"} if alphas else {}),
    }


def runs_comparison_json(comparison: RunsComparison) -> str:
    """The whole comparison as JSON; infinity and NaN are words."""
    body = {
        "format": "initcheck comparison of runs",
        "verdict": comparison.verdict.value,
        "sentences": describe_runs(comparison),
        "power": POWER,
        **dataclasses.asdict(comparison),
        "rows": [{**dataclasses.asdict(row), "question": row.asked} for row in comparison.rows],
    }
    return json.dumps(as_jsonable(body), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def render_runs_html(comparison: RunsComparison) -> str:
    """The same as a fragment for notebooks."""
    return (
        templates()
        .get_template("runs_comparison.html.j2")
        .render(
            sentences=describe_runs(comparison),
            rows=[run_cells(row, comparison) for row in comparison.rows],
            differences=comparison.differences,
            differences_title=DIFFERENCES,
        )
    )


def render_runs_markdown(comparison: RunsComparison) -> str:
    """The same as a comment on a pull request."""
    lines = ["## initcheck compare-runs", ""]
    lines += [f"- {for_markdown(sentence)}" for sentence in describe_runs(comparison)]
    if comparison.differences:
        cells = [(one.what, one.old, one.new) for one in comparison.differences]
        lines += ["", f"{DIFFERENCES}:", "", *_table(("what", "A", "B"), cells)]
    rows = [
        (
            row.initializer,
            row.asked,
            _values(row, comparison),
            _difference(row, comparison),
            row.verdict.value.upper(),
            "; ".join([_runs(row), *_facts(row)]),
        )
        for row in comparison.rows
    ]
    lines += ["", *_table(_COLUMNS, rows), ""]
    lines += [f"- {title}: {for_markdown(meaning)}" for title, meaning in questions(comparison).items()]
    return "\n".join(lines) + "\n"


def _runs(row: RunsRow) -> str:
    if row.pairs is not None:
        left = [f"{count} of {side}'s" for count, side in zip(row.left_out, "AB", strict=True) if count]
        rest = f"; {' and '.join(left)} runs have no partner and are left out" if left else ""
        return f"{row.pairs:,} pair{'' if row.pairs == 1 else 's'} of one seed{rest}"
    old, new = row.runs
    return f"{old:,} and {new:,} runs, not paired" if old and new else f"{old + new:,} runs"


def _values(row: RunsRow, comparison: RunsComparison) -> str:
    if row.old is None or row.new is None:
        return ""
    if row.question is RunsQuestion.SPEED:
        budget = min(comparison.budgets)
        return " → ".join(f"> {budget}" if math.isinf(value) else f"{value:g}" for value in (row.old, row.new))
    if row.question is RunsQuestion.STUCK:
        return f"{100 * row.old:.3g} % → {100 * row.new:.3g} %"
    form = ".4f" if row.question is not RunsQuestion.SCORE or comparison.score.is_share else ".4g"
    return f"{row.old:{form}} → {row.new:{form}}"


def _difference(row: RunsRow, comparison: RunsComparison) -> str:
    if row.difference is None:
        return ""
    difference, form = row.difference, "+.3f"
    if row.question is RunsQuestion.SCORE:
        form = "+.4f" if comparison.score.is_share else "+.3g"
    interval = f" [{difference.low:{form}}, {difference.high:{form}}]" if has_interval(difference) else ""
    return f"{difference.value:{form}}{interval}"


def _facts(row: RunsRow) -> list[str]:
    """n, p, α, Δ, and what so many runs show."""
    facts = []
    if row.p_value is not None and row.alpha is not None:
        facts.append(f"p {row.p_value:.2g}, α {row.alpha:.2g}")
    if row.delta is not None:
        facts.append(f"Δ {row.delta:g}")
    unit = "pairs" if row.pairs is not None else "runs a side"
    if row.detectable is not None:
        shown = "no difference would be seen" if math.isinf(row.detectable) else f"{row.detectable:.2g} would be seen"
        facts.append(f"{shown} with power {POWER:g}")
    if row.more_needed is not None:
        facts.append(f"{row.more_needed:,} {unit} would show Δ")
    return [*facts, *filter(None, [row.note])]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(for_markdown, row))} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines]
