"""May the new environment be merged? The comparison's classes, turned into an answer for somebody who has to decide."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from initcheck.baselines.comparing.comparison import Class, Comparison
from initcheck.reporting.comparisons.sentences import overall


@dataclass(frozen=True)
class Advice:
    """The answer to "May I merge?".

    Attributes:
        answer: In a word or two.
        reason: Why, and what to do, in a sentence or two.
        tone: ``good``, ``care`` or ``bad``.
        passes: Whether no cell is beyond what is allowed: the exit code of ``initcheck compare`` is 0.
    """

    answer: str
    reason: str
    tone: Literal["good", "care", "bad"]
    passes: bool


def advise(comparison: Comparison, allowed: Collection[Class]) -> Advice:
    """The answer for that comparison.

    Args:
        comparison: What was found.
        allowed: What a cell may be.
    """
    passes = all(cell.found in allowed for cell in comparison.cells)
    found = overall(comparison)
    answer, reason = _changed(comparison) if found is Class.CHANGED else _CALM[found]
    tone: Literal["good", "care", "bad"] = "good" if found.rank <= Class.SAME_DISTRIBUTION.rank else "care"
    if answer == _NO:
        tone = "bad"
    if passes and tone != "good":
        answer, reason = "Yes, as you allow it", f"No cell is beyond what --allow accepts. Without it: {reason}"
    return Advice(answer, reason.format(delta=f"{comparison.delta:g}"), tone, passes)


_NO = "No"
_CALM = {
    Class.IDENTICAL: ("Yes", "Everything that was recorded is the same in both environments, bit for bit."),
    Class.WITHIN_TOLERANCE: (
        "Yes",
        "Only last bits moved, by no more than rounding explains. Tests that pin exact floating-point results may need "
        "new numbers, and of many trainings some may class a row otherwise.",
    ),
    Class.SAME_DISTRIBUTION: (
        "Yes, with new numbers",
        "Seeded draws or runs give other numbers than before, of the same law and with equivalent accuracies. Record "
        "pinned results anew; results over many seeds hold.",
    ),
    Class.INCONCLUSIVE: (
        "Not yet",
        "Nothing is known to have changed for the worse, but some differences could not be judged on this evidence. "
        "Record both sides with more --reseeds, or look at the cells that are inconclusive.",
    ),
}


def _changed(comparison: Comparison) -> tuple[str, str]:
    cells = comparison.of("accuracies")
    worse = [cell for cell in cells if cell.found is Class.CHANGED]
    unclear = [cell for cell in cells if cell.found is Class.INCONCLUSIVE]
    if worse:
        return (
            _NO,
            f"Accuracy over reseeds changed in {len(worse)} of {len(cells)} comparisons. Find out why at the first "
            "stage that differs, before results of the two environments are held against each other.",
        )
    if not cells or unclear:
        missing = f"for {len(unclear)} of {len(cells)} comparisons" if cells else "at all"
        return (
            "Not without a look",
            f"Something changed by more than rounding or another stream explains, and what that does to accuracy could "
            f"not be judged {missing}. Read what changed below, and decide whether your results rest on it.",
        )
    return (
        "After a look",
        f"Something changed by more than rounding or another stream explains; accuracy over reseeds did not, in any of "
        f"{len(cells)} comparisons (the same, or equivalent within ±{{delta}}). Read what changed below: if your "
        "models do not rest on it, merge.",
    )
