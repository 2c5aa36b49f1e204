"""The finding of a sweep in plain words: no more than the intervals support."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from initcheck.catalog.problem_facts import ProblemFacts
from initcheck.engines.plan import Vary
from initcheck.records import Runs, Score
from initcheck.reporting.format import format_count, format_level, format_percent, format_score, has_interval
from initcheck.reporting.results import Sweep
from initcheck.statistics.answers import Answer, ranked
from initcheck.statistics.estimates import Estimate, compare_pairs
from initcheck.statistics.outcomes import MIN_EPOCHS
from initcheck.statistics.two_way import Components
from initcheck.texts import for_axis

MIN_RUNS = 6  # with fewer not even a median has a 95 % interval, so nothing is concluded
UNFINISHED = 0.1  # from this share of unfinished runs on, they may decide who comes out best
_MOST_NAMES = 5
# What a run may change.
_CHANGED = {Vary.INIT: "Reseeding", Vary.ORDER: "Another order of the rows", Vary.BOTH: "Both"}


def find(sweep: Sweep) -> list[str]:
    """The finding in plain words, the most important sentence first: no more than the intervals support."""
    answers = [replace(answer, initializer=for_axis(answer.initializer)) for answer in sweep.answers]  # none too long
    if not answers:
        return ["No run has finished."]
    fewest = min(answer.runs for answer in answers)
    if fewest < MIN_RUNS:
        return [
            "Too few runs to distinguish an initializer from its seed: "
            f"{format_count(fewest, 'run')} of one or more of them, "
            f"where at least {MIN_RUNS} of each are needed. The numbers below say what these runs did, and no more."
        ]
    epochs = max(runs.epochs for runs in sweep.groups)
    if any(answer.diverged for answer in answers):
        return [_find_diverged(answers, sweep.facts.score), *_find_comparable(sweep, answers)]
    missed = _find_none_reached(answers, sweep.facts, epochs)
    sentences = [*_find_unfinished(answers, sweep.facts), *_find_answers(sweep, answers, missed)]
    if missed and 2 * sum(answer.unfinished for answer in answers) < sum(answer.runs for answer in answers):
        sentences.sort(key=missed[0].__ne__)  # perhaps nothing helps: that comes before advice to train on
    return sentences


def _find_diverged(answers: Sequence[Answer], score: Score) -> str:
    """Says that runs ended with no number, so that no mean of theirs exists."""
    ended = _listing([f"{one.initializer} {one.diverged:,} of {one.runs:,}" for one in answers if one.diverged])
    return (
        f"Runs ended with a held-out {score.name} that is no number: {ended}. Their initializers have no mean and no "
        "spread, and such a run never comes out best."
    )


def _find_comparable(sweep: Sweep, answers: Sequence[Answer]) -> list[str]:
    """The best initializer and the stuck runs, where some runs ended with no number."""
    epochs = max(runs.epochs for runs in sweep.groups)
    best = [] if len(answers) == 1 or _varied(sweep.groups) is not Vary.INIT else [_find_most_often(answers)]
    return [*best, _find_stuck(answers, epochs)]


def _find_answers(sweep: Sweep, answers: Sequence[Answer], missed: Sequence[str]) -> list[str]:
    """The best initializer, the widest spread, and the stuck runs, or that no run has reached the target."""
    epochs, score = max(runs.epochs for runs in sweep.groups), sweep.facts.score
    varied = _varied(sweep.groups)
    if varied is Vary.BOTH:
        components = {for_axis(name): parts for name, parts in sweep.components.items()}
        caveat = "Runs share initial weights and orders: no initializer is called best."
        return [_find_origin(components, answers, score), caveat, *missed[:1]]
    if varied is Vary.ORDER:
        caveat = "Each initializer has one draw of weights in all its runs: none is called best."
        return [_find_spread(answers, varied, score), caveat, *(missed or [_find_stuck(answers, epochs)])]
    order, repeated = _explain_order(answers, sweep.groups), _find_repeated(answers)
    return [
        _find_best(answers, score),
        *filter(None, [order]),
        _find_spread(answers, varied, score),
        *(missed or [_find_stuck(answers, epochs)]),
        *filter(None, [repeated]),
    ]


def _find_unfinished(answers: Sequence[Answer], facts: ProblemFacts) -> list[str]:
    """Says that training was too short, where that concerns a substantial share of the runs."""
    sizes = [1 if answer.one_run else answer.runs for answer in answers]
    unfinished = [min(answer.unfinished, size) for answer, size in zip(answers, sizes, strict=True)]
    if sum(unfinished) < UNFINISHED * sum(sizes):
        return []
    repeated = [answer.initializer for answer in answers if answer.one_run and answer.runs > 1]
    once = f", {_listing(repeated)} counted once," if repeated else ""
    return [
        f"{sum(unfinished):,} of {format_count(sum(sizes), 'run')}{once} did not reach the {target_words(facts)} "
        "while their loss still falls: train for more epochs."
    ]


def target_words(facts: ProblemFacts) -> str:
    """The score and its target in words: ``target accuracy 0.9``."""
    if facts.target is None:
        return f"scored by {facts.score.name}, without a target"
    return f"target {facts.score.name} {format_level(facts.target, facts.score)}"


def _varied(groups: Sequence[Runs]) -> Vary:
    """The parts that vary among the finished runs, however many of a grid they are."""
    if all(len(np.unique(runs.orders)) == 1 for runs in groups):
        return Vary.INIT
    return Vary.ORDER if all(len(np.unique(runs.reseeds)) == 1 for runs in groups) else Vary.BOTH


def _find_origin(components: Mapping[str, Components], answers: Sequence[Answer], score: Score) -> str:
    """The sources of the widest spread."""
    if not any(answer.test_stddev.value for answer in answers):
        return f"Neither reseeding nor another order of the rows changed any run's held-out {score.name}."
    if not components:
        return "Where the spread comes from cannot be said: not every draw of weights was trained in every order."
    name, widest = max(components.items(), key=lambda item: item[1].total)
    return (
        f"Of the variance of {_possessive(name)} held-out {score.name}, which spreads most, "
        f"{format_percent(widest.rows)} is the initial weights, {format_percent(widest.columns)} the order of the "
        f"rows, and {format_percent(widest.interplay)} what neither decides alone."
    )


def _find_best(answers: Sequence[Answer], score: Score) -> str:
    if len(answers) == 1:
        mean, runs = format_score(answers[0].test_mean, score), format_count(answers[0].runs, "run")
        return f"{answers[0].initializer} reaches a mean held-out {score.name} of {mean} over {runs}."
    if len({answer.test_mean.value for answer in answers}) == 1 and not any(a.test_stddev.value for a in answers):
        return f"Every run ends with the same held-out {score.name}, {format_score(answers[0].test_mean, score)}."
    return _find_most_often(answers)


def _find_most_often(answers: Sequence[Answer]) -> str:
    """Who comes out best most often, if each initializer is run once."""
    leaders = [one for one in _leaders(answers, lambda answer: answer.best) if one.best.value > 0]
    shares = [f"{answer.initializer} ({format_percent(answer.best)})" for answer in leaders]
    if len(leaders) == 1:
        return f"If each initializer is run once, {shares[0]} comes out best most often."
    first = leaders[0].best
    level = [answer.initializer for answer in leaders if math.isclose(answer.best.value, first.value)]
    if len(level) == len(leaders):
        return f"No initializer clearly comes out best: if each is run once, {_listing(shares)} tie."
    tie = f"; {_listing(level)} tie" if len(level) > 1 else ""
    overlap = ", and the first one's interval overlaps with the others'" if has_interval(first) else ""
    most = f"{_listing(shares)} do so most often{tie}{overlap}"
    return f"No initializer clearly comes out best: if each is run once, {most}."


def _explain_order(answers: Sequence[Answer], groups: Sequence[Runs]) -> str:
    """Why one initializer comes out best more often than another that has the better mean; empty where none does."""
    score = groups[0].score
    pair = _disagreeing(answers, score)
    if pair is None:
        return ""
    often, higher = (answers[place] for place in pair)
    above, below = compare_pairs(*(ranked(groups[place]) for place in pair))
    worse, over, under, best = (
        ("lower", "above", "below", "highest") if score.higher_is_better else ("higher", "below", "above", "lowest")
    )
    if above > below:  # with the worse mean it must then lose by more than it wins
        why = f"; where they are {under}, they fall further short"
    elif often.test_stddev.value > higher.test_stddev.value:
        why = f", but they spread more, and only the {best} run of all comes out best"
    else:
        why = f", but what counts is the {best} run of all {len(answers)} initializers"
    return (
        f"{often.initializer} comes out best more often than {higher.initializer} although its mean is {worse} "
        f"({_shown(often, score)} against {_shown(higher, score)}): its runs are {over} "
        f"{_possessive(higher.initializer)} in {100 * above:.0f} % of all pairs and {under} them in "
        f"{100 * below:.0f} %{why}."
    )


def _disagreeing(answers: Sequence[Answer], score: Score) -> tuple[int, int] | None:
    """Places of the first answer that comes out best more often and of the second that has the better mean.

    The one that comes out best most often is looked at first, with the best mean above its own; then the others, in
    their order. Differences that no table shows are none; nor, but for the first one's, are those whose intervals
    overlap.
    """
    order = sorted(range(len(answers)), key=lambda place: -answers[place].best.value)
    for rank, often in enumerate(order):
        later = max(order[rank + 1 :], key=lambda place: score.sign * answers[place].test_mean.value, default=often)
        mine, other = answers[often], answers[later]
        differ = _shown(mine, score) != _shown(other, score) and format_percent(mine.best) != format_percent(other.best)
        means = (mine.test_mean, other.test_mean) if score.higher_is_better else (other.test_mean, mine.test_mean)
        contrary = mine.best.value > other.best.value and means[0].value < means[1].value
        clear = not rank or _is_higher(mine.best, other.best) or _is_higher(*reversed(means))
        if contrary and differ and clear:
            return often, later
    return None


def _is_higher(higher: Estimate, lower: Estimate) -> bool:
    """Whether the intervals of the two do not overlap, as far as they have any."""
    bottom = higher.low if has_interval(higher) else higher.value
    return bottom > (lower.high if has_interval(lower) else lower.value)


def _shown(answer: Answer, score: Score) -> str:
    return f"{answer.test_mean.value:.3f}" if score.is_share else f"{answer.test_mean.value:.4g}"


def _find_spread(answers: Sequence[Answer], varied: Vary, score: Score) -> str:
    change = _CHANGED[varied]
    first, *rivals = _leaders(answers, lambda answer: answer.test_stddev)
    if first.test_stddev.value == 0:
        return f"{change} changed no run's held-out {score.name}."
    several = f"{_range_of_means(answers, score)}; {change[0].lower()}{change[1:]}"
    between = several if len(answers) > 1 else change
    beside = f", not clearly more than for {_listing([rival.initializer for rival in rivals])}" if rivals else ""
    most = " most" if len(answers) > 1 else ""
    spread = format_score(first.test_stddev, score)
    return f"{between} alone moves it{most} for {first.initializer}, by a standard deviation of {spread}{beside}."


def _range_of_means(answers: Sequence[Answer], score: Score) -> str:
    """The lowest and the highest mean with the names of all that have it; differences that no table shows are none."""
    means = sorted(answers, key=lambda answer: answer.test_mean.value)
    low, high = (
        [answer for answer in answers if _shown(answer, score) == _shown(end, score)] for end in (means[0], means[-1])
    )
    form = ".2f" if score.is_share else ".3g"
    if _shown(means[0], score) == _shown(means[-1], score):
        return f"Mean held-out {score.name} is {means[0].test_mean.value:{form}} for all"
    ends = [
        f"{end.test_mean.value:{form}} ({_listing([answer.initializer for answer in names])})"
        for end, names in ((means[0], low), (means[-1], high))
    ]
    return f"Mean held-out {score.name} runs from {ends[0]} to {ends[1]}"


def _possessive(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _find_repeated(answers: Sequence[Answer]) -> str:
    """The initializers whose runs are one run, repeated; empty where there is none."""
    names = [answer.initializer for answer in answers if answer.one_run and answer.runs > 1]
    if not names:
        return ""
    draws, theirs, it = ("draws", "its runs", "it") if len(names) == 1 else ("draw", "the runs of each", "them")
    return (
        f"{_listing(names)} {draws} nothing at random: {theirs} are one run, repeated, and only what compares {it} "
        "with others has an interval."
    )


def _find_none_reached(answers: Sequence[Answer], facts: ProblemFacts, epochs: int) -> list[str]:
    """Says that no run reached the target, in place of which runs are stuck; empty where one did.

    Empty, too, where all losses still fall: more epochs may do. From fewer than 8 epochs not even a plateau can be
    determined.
    """
    falling = all(answer.unfinished == answer.runs for answer in answers)
    if facts.target is None or falling or any(answer.reached for answer in answers):
        return []
    sentences = [
        f"No run of any initializer reached the {target_words(facts)}: perhaps this model cannot on these data, or "
        "needs more epochs."
    ]
    return [*sentences, _find_stuck(answers, epochs)] if not any(answer.judged for answer in answers) else sentences


def _find_stuck(answers: Sequence[Answer], epochs: int) -> str:
    if all(math.isnan(answer.epochs_to_target.value) for answer in answers):
        return "Whether runs are stuck cannot be determined without a target: give one, as --target-score."
    known = [answer for answer in answers if answer.judged]
    counts = {answer.initializer: _count_stuck(answer) for answer in known}
    total, of = (sum(each) for each in zip(*counts.values(), strict=True)) if counts else (0, 0)
    unknown = sum(1 if answer.one_run else answer.runs - answer.judged for answer in answers if not _is_known(answer))
    few, budget = epochs < MIN_EPOCHS, format_count(epochs, "epoch")
    why = f"from {budget}" if few else _unknown_because(answers)
    if not of:
        remedy = f"train for {MIN_EPOCHS} or more" if few else "train for more"
        return f"Whether runs are stuck cannot be determined{' ' if few else ', as '}{why}: {remedy}."
    rest = f"; of {unknown:,} more it cannot be determined{' ' if few else ': '}{why}" if unknown else ""
    if not total:
        refused = few and unknown  # the known runs are then those that learn fastest
        bounds = [] if refused else [answer.stuck.high for answer in known if not answer.one_run]
        bound = f"; the true share may still be as high as {100 * max(bounds):.2g} %" if bounds else ""
        if not unknown:
            return f"No run is stuck{bound}."
        among = f" among runs of {_listing(list(counts))}" if bound else ""
        return f"Of {format_count(of, 'run')} none is stuck{rest}{bound}{among}."
    ordered = sorted(counts.items(), key=lambda item: -item[1][0] / item[1][1])
    stuck = _listing([f"{name} {count:,} of {runs:,}" for name, (count, runs) in ordered if count])
    return f"{total:,} of {format_count(of, 'run')} {'is' if total == 1 else 'are'} stuck: {stuck}{rest}."


def _unknown_because(answers: Sequence[Answer]) -> str:
    """The reasons why it cannot be determined of runs of enough epochs whether they are stuck."""
    noisy = sum(answer.noisy for answer in answers)
    reasons = {
        "the loss is too noisy to show whether it falls": noisy,
        "accuracy stayed that of one class though the loss falls": sum(a.runs - a.judged for a in answers) - noisy,
    }
    return " or ".join(reason for reason, runs in reasons.items() if runs)


def _count_stuck(answer: Answer) -> tuple[int, int]:
    """The number of stuck runs, and of how many: one where all are one run, repeated."""
    runs = 1 if answer.one_run else answer.judged
    return round(answer.stuck.value * runs), runs


def _is_known(answer: Answer) -> bool:
    return answer.judged == answer.runs


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
