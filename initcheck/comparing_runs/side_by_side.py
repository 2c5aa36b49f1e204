"""Compares two sweeps, initializer by initializer; loads no framework."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from initcheck.arguments import number
from initcheck.baselines.comparing.classes import RELATIVE_DELTA
from initcheck.baselines.comparing.differences import Difference, differences, environment_differences
from initcheck.catalog.problem_facts import ProblemFacts
from initcheck.comparing_runs.effects import (
    Measured,
    judge,
    measure_accuracy,
    measure_net_share,
    measure_score,
    net_share,
    runs_that_show_a_rare_outcome,
)
from initcheck.comparing_runs.matching import (
    Matched,
    bitwise_equal,
    dependent,
    incomparable,
    match,
    varied,
)
from initcheck.comparing_runs.verdicts import (
    DELTA,
    FALSE_ALARM_RATE,
    NET_DELTAS,
    RunsComparison,
    RunsQuestion,
    RunsRow,
    RunsVerdict,
)
from initcheck.errors import InitcheckError
from initcheck.records import Environment, Runs
from initcheck.statistics.answers import is_one_run, ranked
from initcheck.statistics.estimates import Estimate, Values, median
from initcheck.statistics.exact_tests import as_levels, spread_p_value
from initcheck.statistics.outcomes import MIN_EPOCHS, Outcomes, outcomes

_LEAST_SHARE = 1e-9  # no number of runs would show less
# The arrays that are digested, and how many rows each has.
_ROWS: Mapping[str, Callable[[Runs], int]] = {
    "training inputs": lambda runs: runs.train_total,
    "training targets": lambda runs: runs.train_total,
    "held-out inputs": lambda runs: runs.test_total,
    "held-out targets": lambda runs: runs.test_total,
}
TESTS = 4  # p-values of an initializer: two of the score (mean, spread), one of stuck runs, one of speed


class SweptRuns(Protocol):
    """The compared part of a sweep; attributes as of ``Sweep``."""

    @property
    def facts(self) -> ProblemFacts:
        """The problem without its functions."""

    @property
    def groups(self) -> tuple[Runs, ...]:
        """The finished runs, a group for each initializer."""

    @property
    def seed(self) -> int:
        """The root seed."""

    @property
    def environment(self) -> Environment:
        """The environment of the runs."""

    @property
    def engine(self) -> str:
        """The engine that trained them."""

    @property
    def planned(self) -> int:
        """The number of runs asked for."""

    @property
    def finished(self) -> int:
        """The number of finished runs."""

    @property
    def trained(self) -> tuple[tuple[str, str], ...]:
        """Model and optimizer in words."""


def compare_runs(
    a: SweptRuns, b: SweptRuns, *, delta: float | None = None, false_alarm_rate: float = FALSE_ALARM_RATE
) -> RunsComparison:
    """The rows of B's runs beside A's; arguments and errors are those of ``initcheck.compare_runs``."""
    for name, sweep in (("a", a), ("b", b)):
        if not hasattr(sweep, "groups"):  # Sweep lies above
            raise InitcheckError(f"{name} is a {type(sweep).__name__}; give a Sweep, as of initcheck.load(folder)")
    facts = a.facts, b.facts
    false_alarm_rate = number("false_alarm_rate", false_alarm_rate)
    shares = {"false_alarm_rate": false_alarm_rate}
    if delta is not None:
        delta = number("delta", delta)
        if facts[0].score.is_share:
            shares = {"delta": delta, **shares}
        elif not 0 < delta < math.inf:
            raise InitcheckError(f"delta is {delta:g}; give a difference of {facts[0].score.name} above 0")
    for name, share in shares.items():
        if not _LEAST_SHARE <= share < 1:
            raise InitcheckError(f"{name} is {share:g}; it may lie between {_LEAST_SHARE:g} and 1")
    mine, other = ({runs.initializer: runs for runs in sweep.groups} for sweep in (a, b))
    both = [name for name in mine if name in other]
    alpha = false_alarm_rate / (TESTS * max(1, len(both)))
    other_problem = _other_problem(*facts)
    rows = _missing_runs(a, b)
    for name in {**mine, **other}:
        if name not in both:
            side, sizes = ("A", (len(mine[name]), 0)) if name in mine else ("B", (0, len(other[name])))
            rows.append(RunsRow(name, RunsQuestion.RUNS, RunsVerdict.NOT_COMPARABLE, sizes, note=f"only in {side}"))
        else:
            rows += _rows(mine[name], other[name], facts, other_problem, delta, alpha)
    return RunsComparison(
        titles=(facts[0].title, facts[1].title),
        differences=(*_setting_differences(a, b), *environment_differences(a.environment, b.environment)),
        rows=tuple(rows),
        false_alarm_rate=false_alarm_rate,
        tests=TESTS * len(both),
        budgets=(_budget(a), _budget(b)),
        score=facts[0].score,
    )


def _missing_runs(a: SweptRuns, b: SweptRuns) -> list[RunsRow]:
    """A row that says how many runs are missing of a sweep that was stopped."""
    cut = [
        f"{side} was stopped after {sweep.finished:,} of {sweep.planned:,} runs"
        for side, sweep in (("A", a), ("B", b))
        if sweep.finished < sweep.planned
    ]
    if not cut:
        return []
    note = f"{' and '.join(cut)}; the others are not compared"
    sizes = (a.planned - a.finished, b.planned - b.finished)
    return [RunsRow("the whole sweep", RunsQuestion.RUNS, RunsVerdict.INCONCLUSIVE, sizes, note=note)]


def _rows(
    old: Runs,
    new: Runs,
    facts: tuple[ProblemFacts, ProblemFacts],
    other_problem: str,
    delta: float | None,
    alpha: float,
) -> Iterator[RunsRow]:
    """The rows of one initializer that both have."""
    name, sizes = old.initializer, (len(old), len(new))
    if why := other_problem or incomparable(old, new):
        yield RunsRow(name, RunsQuestion.RUNS, RunsVerdict.NOT_COMPARABLE, sizes, note=why)
        return
    if bitwise_equal(old, new):
        note = f"every run is bitwise equal: {', '.join(old.metrics)} of all epochs, and the scores at the end"
        yield RunsRow(name, RunsQuestion.RUNS, RunsVerdict.IDENTICAL, sizes, pairs=len(old), note=note)
        return
    matched = match(old, new)
    asked = {RunsQuestion.SCORE: _default_delta(matched.old) if delta is None else delta, **NET_DELTAS}
    if facts[0].target is None or facts[0].target != facts[1].target:
        targets = [f"{one.target:g}" if one.target is not None else "none" for one in facts]
        note = f"other targets ({' and '.join(targets)}) count other runs as having learned"
        if targets == ["none", "none"]:
            note = "without a target no run counts as having learned"
        asked = {RunsQuestion.SCORE: asked[RunsQuestion.SCORE]}
        later = [RunsRow(name, one, RunsVerdict.NOT_COMPARABLE, sizes, note=note) for one in NET_DELTAS]
    else:
        later = []
    ends = _outcomes(matched, facts)
    if RunsQuestion.STUCK in asked and (note := _unknown(matched, ends)):
        del asked[RunsQuestion.STUCK]
        later.append(RunsRow(name, RunsQuestion.STUCK, RunsVerdict.INCONCLUSIVE, sizes, note=note))
    samples = _samples(matched, ends)
    for question, margin in asked.items():
        row = RunsRow(
            initializer=name,
            question=question,
            verdict=RunsVerdict.INCONCLUSIVE,
            runs=(len(matched.old), len(matched.new)),
            pairs=len(matched.old) if matched.paired else None,
            old=_value(question, samples[question][0]),
            new=_value(question, samples[question][1]),
            delta=margin,
            left_out=matched.left_out,
            score=matched.old.score.name,
        )
        yield _judged(row, samples[question], matched, alpha, facts[0].chance)
    yield from later


def _default_delta(old: Runs) -> float:
    """The margin of a mean score, where none is given."""
    if old.score.is_share:
        return DELTA
    finite = np.abs(old.test_score[np.isfinite(old.test_score)])
    return RELATIVE_DELTA * float(finite.mean()) if len(finite) and finite.any() else RELATIVE_DELTA


def _judged(
    row: RunsRow, samples: tuple[Values, Values], matched: Matched, alpha: float, chance: float | None
) -> RunsRow:
    """The row with its verdict."""
    delta = row.delta or 0.0
    if is_one_run(matched.old) and is_one_run(matched.new):
        return _exact(row, samples)
    if why := dependent(matched):
        return _noted(replace(row, difference=_bare(row.question, samples, matched)), why)
    if row.question is not RunsQuestion.SCORE:
        measured = measure_net_share(*samples, paired=matched.paired)
    elif not all(np.isfinite(sample).all() for sample in samples):
        return _ranked(row, matched, alpha)
    elif matched.old.score.counted:
        old, new = matched.old.test_correct, matched.new.test_correct
        measured = measure_accuracy(old, new, matched.old.test_total, paired=matched.paired)
    else:
        reach = 0.0 if chance is None else max(abs(chance - float(sample.mean())) for sample in samples)
        measured = measure_score(*samples, paired=matched.paired, reach=reach, least_end=delta)
    row = _with_verdict(row, measured, delta, alpha)
    if row.question is RunsQuestion.SCORE:
        unseen = measured.runs < runs_that_show_a_rare_outcome(measured.reach, delta)
        return _with_spread(row, matched, alpha, unseen=unseen)
    with_facts = _with_arrivals if row.question is RunsQuestion.SPEED else _with_counts
    return with_facts(row, samples, matched)


def _with_verdict(row: RunsRow, measured: Measured, delta: float, alpha: float) -> RunsRow:
    """The row with the verdict of what was measured, by that margin."""
    verdict, detectable, needed = judge(measured, delta, alpha)
    return replace(
        row,
        verdict=verdict,
        difference=measured.difference,
        p_value=measured.p_value,
        alpha=alpha,
        detectable=detectable,
        needed=needed,
        delta=delta,
    )


def _ranked(row: RunsRow, matched: Matched, alpha: float) -> RunsRow:
    """The row of scores some of which are no numbers: runs are compared by which is better, not by their means."""
    ends = ranked(matched.old), ranked(matched.new)
    measured = measure_net_share(*ends, paired=matched.paired)
    ill = [int((~np.isfinite(side.test_score)).sum()) for side in (matched.old, matched.new)]
    return _noted(
        _with_verdict(row, measured, NET_DELTAS[RunsQuestion.SPEED], alpha),
        f"{ill[0]} of {len(ends[0])} end with no number → {ill[1]} of {len(ends[1])}: B − A is the share of runs "
        "that are better in B less the share that are better in A",
    )


def _with_spread(row: RunsRow, matched: Matched, alpha: float, *, unseen: bool) -> RunsRow:
    """The row of scores, changed too where their spread is another."""
    if matched.old.score.counted:
        old, new = matched.old.test_correct, matched.new.test_correct
    else:
        old, new = as_levels(matched.old.test_score, matched.new.test_score)
    p_value = spread_p_value(old, new, paired=matched.paired)
    form = ".4f" if matched.old.score.is_share else ".4g"
    ends = [format(_stddev(side.test_score), form) for side in (matched.old, matched.new)]
    words = f"spread {ends[0]} → {ends[1]}, p {p_value:.2g}"
    if p_value < alpha:
        alone = row.verdict is not RunsVerdict.CHANGED
        return _noted(replace(row, verdict=RunsVerdict.CHANGED, spread_only=alone), words)
    if unseen and row.verdict is RunsVerdict.INCONCLUSIVE:
        words += "; outcomes too rare for so few runs to show could move the mean by Δ"
    return _noted(row, words)


def _stddev(sample: Values) -> float:
    return float(np.std(sample, ddof=1)) if len(sample) > 1 else 0.0


def _with_counts(row: RunsRow, samples: tuple[Values, Values], matched: Matched) -> RunsRow:
    old, new = (int(sample.sum()) for sample in samples)
    words = f"{old} of {len(samples[0])} stuck → {new} of {len(samples[1])}"
    if matched.paired:
        up, down = (int((samples[0] < samples[1]).sum()), int((samples[0] > samples[1]).sum()))
        words += f"; {up} newly stuck, {down} no longer"
    return _noted(_noted(row, words), _budgets(matched))


def _budgets(matched: Matched) -> str:
    """The epochs that count where one side has more: the other side's later ones are unknown."""
    epochs = matched.old.epochs, matched.new.epochs
    if epochs[0] == epochs[1]:
        return ""
    return f"A has {epochs[0]} epochs, B {epochs[1]}: only the first {min(epochs)} count"


def _with_arrivals(row: RunsRow, samples: tuple[Values, Values], matched: Matched) -> RunsRow:
    """The row of speed; where most runs never arrive, equal speeds within the budget are no sign of equal speeds."""
    arrived = [int(np.isfinite(sample).sum()) for sample in samples]
    words = f"{arrived[0]} of {len(samples[0])} reach the target → {arrived[1]} of {len(samples[1])}"
    if matched.paired:
        slower, faster = (samples[1] > samples[0]).sum(), (samples[1] < samples[0]).sum()
        words += f"; slower in {slower}, faster in {faster} pairs"
    row = _noted(_noted(row, words), _budgets(matched))
    few = any(2 * count < len(sample) for count, sample in zip(arrived, samples, strict=True))
    if few and row.verdict is RunsVerdict.EQUIVALENT:
        return _noted(replace(row, verdict=RunsVerdict.INCONCLUSIVE), "most never reach it: train for more epochs")
    return row


def _exact(row: RunsRow, samples: tuple[Values, Values]) -> RunsRow:
    """The row of an initializer under which nothing is random: there is one run a side, and nothing to estimate."""
    old, new = float(samples[0][0]), float(samples[1][0])
    difference = new - old if new != old else 0.0  # of two infinite ones, too
    if row.question is RunsQuestion.SPEED:
        difference = float(np.sign(difference))
    verdict = RunsVerdict.CHANGED if abs(difference) > (row.delta or 0) else RunsVerdict.EQUIVALENT
    exact = replace(row, verdict=verdict, old=old, new=new, difference=Estimate(difference, difference, difference))
    return _noted(exact, "exact: nothing is random, so that each side is one run repeated")


def _outcomes(matched: Matched, facts: tuple[ProblemFacts, ProblemFacts]) -> tuple[Outcomes, Outcomes]:
    """The outcomes of A's and of B's runs in the epochs that both have, by one definition.

    A sweep may be older than the classes' counts; and these say nothing of epochs before a run's last.
    """
    target, counts = facts[0].target, [one.one_class for one in facts]
    budget = min(matched.old.epochs, matched.new.epochs)
    old, new = counts if all(counts) and matched.old.epochs == matched.new.epochs else (None, None)
    return outcomes(_early(matched.old, budget), target, old), outcomes(_early(matched.new, budget), target, new)


def _early(runs: Runs, epochs: int) -> Runs:
    """The runs as they were after so many epochs, but for the counts of rows."""
    return replace(runs, history=runs.history[:, :epochs])


def _unknown(matched: Matched, ends: tuple[Outcomes, Outcomes]) -> str:
    """The reason why it cannot be determined of every run whether it is stuck; empty where it can."""
    counts = [int(side.unknown.sum()) for side in ends]
    if not any(counts):
        return ""
    epochs = min(matched.old.epochs, matched.new.epochs)
    if epochs < MIN_EPOCHS:
        return f"whether runs are stuck cannot be determined from {epochs} epochs; train for {MIN_EPOCHS} or more"
    noisy = sum(int(side.noisy.sum()) for side in ends)
    reasons = {
        "the loss is too noisy to show whether it falls": noisy,
        "accuracy stayed that of one class though the loss falls": sum(counts) - noisy,
    }
    why = " or ".join(reason for reason, runs in reasons.items() if runs)
    return (
        f"whether {counts[0]} of A's and {counts[1]} of B's runs are stuck cannot be determined: {why}; train for more "
        "epochs"
    )


def _samples(matched: Matched, ends: tuple[Outcomes, Outcomes]) -> dict[RunsQuestion, tuple[Values, Values]]:
    """Question → each side's values, one for each run."""
    old, new = matched.old, matched.new
    return {
        RunsQuestion.SCORE: (old.test_score, new.test_score),
        RunsQuestion.STUCK: (ends[0].stuck.astype(np.float64), ends[1].stuck.astype(np.float64)),
        RunsQuestion.SPEED: (ends[0].epochs_to_target, ends[1].epochs_to_target),
    }


def _value(question: RunsQuestion, sample: Values) -> float:
    return median(sample).value if question is RunsQuestion.SPEED else float(sample.mean())


def _bare(question: RunsQuestion, samples: tuple[Values, Values], matched: Matched) -> Estimate:
    """A difference without its error."""
    old, new = samples
    speed = question is RunsQuestion.SPEED
    value = net_share(old, new, paired=matched.paired) if speed else float(new.mean() - old.mean())
    return Estimate(value, math.nan, math.nan)


def _noted(row: RunsRow, note: str) -> RunsRow:
    return replace(row, note="; ".join(filter(None, (note, row.note))))


def _other_problem(old: ProblemFacts, new: ProblemFacts) -> str:
    """Why two sweeps are not of one problem; empty where they are."""
    if old.name != new.name:
        return f"other problems: {old.name} and {new.name}"
    if old.score != new.score:
        return f"A is scored by {old.score.name}, B by {new.score.name}"
    if old.data and new.data and old.data.classes != new.data.classes:
        return f"{old.data.classes} classes in A and {new.data.classes} in B"
    return ""


def _setting_differences(a: SweptRuns, b: SweptRuns) -> tuple[Difference, ...]:
    """The differences that may be the cause beside the environment."""
    mine, other = _settings(a), _settings(b)
    return (*differences(mine, other), *_array_differences(a, b))


def _array_differences(a: SweptRuns, b: SweptRuns) -> Iterator[Difference]:
    """The arrays of data that differ, though they have equally many rows."""
    digests = [
        {**dict(one.arrays), "held-out targets": one.digest} if one else {} for one in (a.facts.data, b.facts.data)
    ]
    for what, total in _ROWS.items():
        old, new = (digest.get(what) for digest in digests)
        sizes = [{total(runs) for runs in sweep.groups} for sweep in (a, b)]
        if old and new and old != new and sizes[0] == sizes[1]:
            yield Difference(what, old[:8], new[:8])


def _settings(sweep: SweptRuns) -> Mapping[str, str]:
    facts = sweep.facts
    groups = sweep.groups
    return {
        "problem": facts.name,
        "title": facts.title,
        "source": facts.source,
        "loss": facts.loss,
        "batch size": f"{facts.batch_size:,}",
        "epochs": _each(runs.epochs for runs in groups),
        "score": facts.score.name,
        "chance": "unknown" if facts.chance is None else f"{facts.chance:g}",
        "target": "none" if facts.target is None else f"{facts.target:g}",
        "training rows": _each(runs.train_total for runs in groups),
        "held-out rows": _each(runs.test_total for runs in groups),
        **dict(sweep.trained),
        **dict(facts.about),
        "root seed": str(sweep.seed),
        "engine": sweep.engine,
        "varied": ", ".join(sorted({kind for kind in map(varied, groups) if kind})) or "nothing",
        "runs": f"{sweep.finished:,} of {sweep.planned:,}",
    }


def _each(numbers: Iterator[int]) -> str:
    return ", ".join(f"{number:,}" for number in sorted(set(numbers))) or "none"


def _budget(sweep: SweptRuns) -> int:
    return max((runs.epochs for runs in sweep.groups), default=sweep.facts.epochs)
