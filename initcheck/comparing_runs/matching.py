"""Matches the runs of two sweeps, and says whether each side's runs are independent of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.engines.plan import Vary
from initcheck.records import Runs

Places = npt.NDArray[np.int64]
_WORDS = {Vary.INIT: "the initial weights", Vary.ORDER: "the order of the rows", Vary.BOTH: "both in a grid"}


@dataclass(frozen=True, eq=False)
class Matched:
    """The runs of one initializer that are compared.

    Attributes:
        old: A's runs: those with a partner, or all where none has one.
        new: B's, in the same order where they are paired.
        paired: Whether each has its partner: the same reseed, order and seed.
        left_out: The numbers of A's and of B's runs without a partner, where others have one.
    """

    old: Runs
    new: Runs
    paired: bool
    left_out: tuple[int, int]


def match(old: Runs, new: Runs) -> Matched:
    """The pairs of two groups; all runs unpaired where there is no pair."""
    mine, other = ({key: place for place, key in enumerate(_keys(runs))} for runs in (old, new))
    common = [key for key in mine if key in other]
    if not common:
        return Matched(old, new, paired=False, left_out=(0, 0))
    return Matched(
        old.at(np.array([mine[key] for key in common])),
        new.at(np.array([other[key] for key in common])),
        paired=True,
        left_out=(len(old) - len(common), len(new) - len(common)),
    )


def bitwise_equal(old: Runs, new: Runs) -> bool:
    """Whether two groups have the same runs with the same results, every bit of them."""
    matched = match(old, new)
    one, two = matched.old, matched.new
    return (
        matched.paired
        and matched.left_out == (0, 0)
        and (old.train_total, old.test_total, old.epochs) == (new.train_total, new.test_total, new.epochs)
        and one.score == two.score
        and np.array_equal(one.train_score, two.train_score, equal_nan=True)
        and np.array_equal(one.test_score, two.test_score, equal_nan=True)
        and one.metrics == two.metrics
        and np.array_equal(one.history, two.history, equal_nan=True)
    )


def varied(runs: Runs) -> Vary | None:
    """The parts that vary among the runs; None where there is one alone."""
    reseeds, orders = len(np.unique(runs.reseeds)), len(np.unique(runs.orders))
    if len(runs) == 1:
        return None
    if orders == 1 and reseeds == len(runs):
        return Vary.INIT
    return Vary.ORDER if reseeds == 1 and orders == len(runs) else Vary.BOTH


def incomparable(old: Runs, new: Runs) -> str:
    """Why two groups are not of one training; empty where they are."""
    if old.test_total != new.test_total:
        return f"{old.test_total} held-out rows in A and {new.test_total} in B: scores of other rows"
    mine, other = varied(old), varied(new)
    if mine and other and mine is not other:
        return f"A varies {_WORDS[mine]}, B {_WORDS[other]}"
    return ""


def dependent(matched: Matched) -> str:
    """Why no test holds for those runs, whatever their number; empty where one does."""
    kinds = {varied(matched.old), varied(matched.new)}
    if Vary.BOTH in kinds:
        return (
            "runs of a grid share weights and orders, so that no test for independent runs holds; "
            "run both with --vary init, or with --vary order"
        )
    if Vary.ORDER in kinds and not matched.paired:
        return (
            "all runs of a side share one draw of weights, and A's is not B's; "
            "run both with the same --seed, so that they are paired"
        )
    return ""


def _keys(runs: Runs) -> list[tuple[int, int, int]]:
    return list(zip(runs.reseeds.tolist(), runs.orders.tolist(), runs.seeds.tolist(), strict=True))
