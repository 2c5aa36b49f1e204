"""Estimates as text, the same in the terminal, on the page and in a notebook."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from initcheck.records import ACCURACY, Score
from initcheck.statistics.answers import TITLES, Answer
from initcheck.statistics.estimates import Estimate
from initcheck.statistics.outcomes import MIN_EPOCHS
from initcheck.statistics.two_way import Components

_MOST_OF_WARNING = 200  # characters
_MOST_DIGITS = 9  # of a score
_SMALLEST, _LARGEST = -4, 6  # powers of ten that are written out
NONE = "–"  # no number: too few runs


def notation(score: Score) -> str:
    """How the cells of a table of answers are written."""
    one_class = (
        "accuracy of one class only: the loss falls, but in each epoch one class is predicted for all rows: perhaps "
        "only the output's bias learns. "
    )
    return (
        "Brackets hold the 95 % interval; there is none where all runs are equal, where they are too few, and for one "
        "run repeated, in which nothing is random. Numbers are rounded to two digits of the interval's half-width. "
        f"{NONE}: no number, as there are too few runs or epochs, or as the runs are not independent draws of weights. "
        "never: every run was stuck, so that only a least number of restarts can be given, and none from a single run; "
        f"where no run of any initializer reached the target, restarts are {NONE}. {one_class if score.counted else ''}"
        "noisy loss: the loss seems flat, but its noise could hide a fall."
    )


def answer_cells(answer: Answer, epochs: int, score: Score = ACCURACY) -> dict[str, str]:
    """The cells of one initializer's row: column title → text, titled and ordered as ``TITLES``.

    Args:
        answer: The answer of its runs.
        epochs: The epochs of each run; a median beyond them is shown as ``> epochs``.
        score: What they are judged by.
    """
    texts = (
        format_score(answer.test_mean, score),
        format_score(answer.test_stddev, score),
        format_score(answer.train_mean, score),
        format_score(answer.train_stddev, score),
        format_percent(answer.best),
        format_epochs(answer.epochs_to_target, epochs),
        format_stuck(answer, epochs),
        format_restarts(answer.restarts),
    )
    return dict(zip(TITLES, texts, strict=True))


def component_cells(components: Components) -> dict[str, str]:
    """The cells of one initializer's components of variance: column title → text."""
    return {
        "standard deviation": f"{components.total:.4g}",
        "initial weights": format_percent(components.rows),
        "order of the rows": format_percent(components.columns),
        "interplay": format_percent(components.interplay),
    }


def format_score(estimate: Estimate, score: Score) -> str:
    """A score with its interval; ``0.836 [0.781, 0.883]`` for a share, as many digits as it needs for any other."""
    if score.is_share:
        return format_share(estimate)
    if not has_interval(estimate):
        return _with_interval(estimate, lambda value: f"{value:.4g}")
    largest, last = _magnitude(max(abs(estimate.low), abs(estimate.high))), _magnitude(_half_width(estimate)) - 1
    if _SMALLEST <= largest <= _LARGEST:
        return _with_interval(estimate, lambda value: f"{value:.{min(max(0, -last), _MOST_DIGITS)}f}")
    return _with_interval(estimate, lambda value: f"{value:.{min(max(1, largest - last), _MOST_DIGITS)}e}")


def format_level(value: float, score: Score) -> str:
    """A level of a score, such as a target: a share as ``format_number`` gives it."""
    return format_number(value) if score.is_share else f"{value:.4g}"


def format_share(estimate: Estimate) -> str:
    """A share of 1 with its interval: ``0.836 [0.781, 0.883]``."""
    digits = _decimals(estimate, most=5, without_interval=3)
    return _with_interval(estimate, lambda value: f"{value:.{digits}f}")


def format_percent(estimate: Estimate) -> str:
    """The same in per cent: ``31 % [18, 45]``."""
    hundredfold = Estimate(100 * estimate.value, 100 * estimate.low, 100 * estimate.high)
    digits = _decimals(hundredfold, most=3, without_interval=0)
    return _with_interval(hundredfold, lambda value: f"{value:.{digits}f}", unit=" %")


def format_epochs(estimate: Estimate, epochs: int) -> str:
    """A number of epochs with its interval, infinite ones as ``> epochs``: ``9 [7, > 15]``."""
    return _with_interval(estimate, lambda value: f"> {epochs}" if math.isinf(value) else f"{value:.0f}")


def format_stuck(answer: Answer, epochs: int) -> str:
    """The share of stuck runs: ``31 % [18, 45]``, ``unknown (5 epochs)``, or both."""
    if not answer.judged:
        return f"unknown ({_reason(answer, epochs)})"
    unknown = answer.runs - answer.judged
    return format_percent(answer.stuck) + (f", {unknown:,} of {answer.runs:,} unknown" if unknown else "")


def _reason(answer: Answer, epochs: int) -> str:
    if math.isnan(answer.epochs_to_target.value):
        return "no target"
    if epochs < MIN_EPOCHS:
        return format_count(epochs, "epoch")
    reasons = {"noisy loss": answer.noisy, "accuracy of one class only": answer.runs - answer.judged - answer.noisy}
    return " or ".join(reason for reason, runs in reasons.items() if runs)


def format_restarts(estimate: Estimate) -> str:
    """A number of runs with its interval; ``never [≥ 10]`` where every run was stuck."""
    if math.isinf(estimate.value):
        return "never" if math.isnan(estimate.low) else f"never [≥ {estimate.low:.0f}]"
    return _with_interval(estimate, lambda value: f"{value:.0f}")


def count_deprecations(found: Sequence[str]) -> str:
    """How many deprecation warnings of the framework there are, and the first of them."""
    return f"{format_count(len(found), 'deprecation warning')} of the framework, first: {found[0]:.{_MOST_OF_WARNING}}"


def format_count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 run``, ``10,000 runs``; ``plural`` is given where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def format_ordinal(number: int) -> str:
    """A place: ``1st``, ``12th``, ``93rd``."""
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def format_number(share: float) -> str:
    """A share such as a target with at most four decimals: ``0.9``, ``0.9943``; what is below 1 is not shown as 1."""
    rounded = round(share, 4)
    if 0 < share < 1:
        rounded = min(max(rounded, 0.0001), 0.9999)
    return f"{rounded:.4f}".rstrip("0").rstrip(".")


def has_interval(estimate: Estimate) -> bool:
    """Whether the sample gave an interval."""
    return not (math.isnan(estimate.low) or math.isnan(estimate.high))


def _with_interval(estimate: Estimate, text: Callable[[float], str], unit: str = "") -> str:
    if math.isnan(estimate.value):
        return NONE
    interval = f" [{text(estimate.low)}, {text(estimate.high)}]" if has_interval(estimate) else ""
    return text(estimate.value) + unit + interval


def _decimals(estimate: Estimate, *, most: int, without_interval: int) -> int:
    """Decimals that leave two significant digits of the half-width, as error bars are quoted."""
    half_width = _half_width(estimate)
    if not half_width > 0:  # NaN included
        return without_interval
    return min(most, max(0, 1 - _magnitude(half_width)))


def _half_width(estimate: Estimate) -> float:
    return (estimate.high - estimate.low) / 2


def _magnitude(value: float) -> int:
    """The power of ten of its first digit; 0 of what has none."""
    return math.floor(math.log10(value)) if value > 0 and math.isfinite(value) else 0
