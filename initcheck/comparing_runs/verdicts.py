"""Two sweeps compared: a verdict for each initializer and question, with its numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from initcheck.baselines.comparing.classes import Ranked
from initcheck.baselines.comparing.differences import Difference
from initcheck.records import ACCURACY, Score
from initcheck.statistics.estimates import Estimate

DELTA = 0.01  # of a mean that is a share
FALSE_ALARM_RATE = 1e-3  # of a whole comparison, as of initcheck compare
POWER = 0.9  # with which a detectable difference is called a change


class RunsQuestion(StrEnum):
    """A question about the runs of one initializer."""

    SCORE = "score"
    STUCK = "stuck"
    SPEED = "speed"
    RUNS = "runs"  # where all of the others have one answer


# Of the share of stuck runs, and of the share of slower less that of faster runs.
NET_DELTAS = {RunsQuestion.STUCK: 0.05, RunsQuestion.SPEED: 0.1}


class RunsVerdict(Ranked):
    """The verdict of comparing B's runs with A's, from the best to the worst."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not comparable"
    CHANGED = "changed"


VERDICTS = RunsVerdict.options()


def accepted(named: Collection[RunsVerdict]) -> set[RunsVerdict]:
    """The accepted verdicts: those named, and any better one.

    Args:
        named: The verdicts that a row may have; by default equivalent.
    """
    return {RunsVerdict.IDENTICAL, *(named or {RunsVerdict.EQUIVALENT})} | (
        {RunsVerdict.EQUIVALENT} if set(named) - {RunsVerdict.IDENTICAL} else set()
    )


@dataclass(frozen=True)
class RunsRow:
    """One question about one initializer.

    Attributes:
        initializer: Its name.
        question: The question.
        verdict: The judgement.
        runs: The numbers of A's and of B's runs.
        pairs: The number of pairs of one seed; None where they are not paired.
        old: A's value: a mean score, a share of stuck runs, a median of epochs (infinite beyond the budget).
        new: B's value.
        difference: B's less A's, with its 95 % interval: of the means, of the shares; for speed the share of runs that
            are slower in B less the share that are faster.
        delta: The verdict is equivalent where that interval lies inside ±``delta``.
        p_value: Of the null hypothesis that the change has no effect; None where no test was needed or possible.
        alpha: The level that the p-value is compared with.
        detectable: The difference that so many runs show with power ``POWER``; infinite where none could.
        needed: Pairs, or runs of each side, that show a difference of ``delta`` with that power.
        note: Further facts, for people to read.
        left_out: The numbers of A's and of B's runs without a partner, where others have one.
        spread_only: Whether it is changed by the scores' spread alone, not by their mean.
        score: The name of the score.
    """

    initializer: str
    question: RunsQuestion
    verdict: RunsVerdict
    runs: tuple[int, int]
    pairs: int | None = None
    old: float | None = None
    new: float | None = None
    difference: Estimate | None = None
    delta: float | None = None
    p_value: float | None = None
    alpha: float | None = None
    detectable: float | None = None
    needed: int | None = None
    note: str = ""
    left_out: tuple[int, int] = (0, 0)
    spread_only: bool = False
    score: str = ACCURACY.name

    @property
    def asked(self) -> str:
        """The question in a word: the score by its name."""
        return self.score if self.question is RunsQuestion.SCORE else self.question.value

    @property
    def more_needed(self) -> int | None:
        """The runs that would show a difference of ``delta``, where it is inconclusive for want of runs."""
        enough = self.needed is None or self.needed <= (min(self.runs) if self.pairs is None else self.pairs)
        return None if enough or self.verdict is not RunsVerdict.INCONCLUSIVE else self.needed


@dataclass(frozen=True)
class RunsComparison:
    """Two sweeps side by side.

    Attributes:
        titles: The problems of A and B.
        differences: Other settings, data and environment, each a possible cause.
        rows: Everything compared, in A's order, then what only B has.
        false_alarm_rate: Chance that a change without effect has a row that is called changed.
        tests: The number of p-values that share that rate.
        budgets: A's and B's epochs.
        score: What A's runs are judged by.
    """

    titles: tuple[str, str]
    differences: tuple[Difference, ...]
    rows: tuple[RunsRow, ...]
    false_alarm_rate: float
    tests: int
    budgets: tuple[int, int]
    score: Score = ACCURACY

    @property
    def verdict(self) -> RunsVerdict:
        """The verdict of the worst row; not comparable where there is none."""
        return max((row.verdict for row in self.rows), key=lambda one: one.rank, default=RunsVerdict.NOT_COMPARABLE)

    @property
    def compared(self) -> list[RunsRow]:
        """The rows that are comparable."""
        return [row for row in self.rows if row.verdict is not RunsVerdict.NOT_COMPARABLE]
