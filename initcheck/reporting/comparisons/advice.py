"""May the new environment be merged? The comparison's classes as an answer for somebody who has to decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.comparison import Comparison, Section


class Tone(StrEnum):
    """The colour of an answer."""

    GOOD = "good"
    CARE = "care"
    BAD = "bad"


@dataclass(frozen=True)
class Advice:
    """The answer to "May I merge?".

    Attributes:
        answer: In a word or two.
        reason: Why, and what to do, in a sentence or two.
        tone: Its colour.
        passes: Whether no cell is beyond what is allowed: the exit code of ``initcheck compare`` is 0.
    """

    answer: str
    reason: str
    tone: Tone
    passes: bool


def advise(comparison: Comparison) -> Advice:
    """The answer for that comparison."""
    passes = not comparison.beyond()
    verdict = comparison.verdict
    tone, answer, reason = _changed(comparison) if verdict is Class.CHANGED else _CALM[verdict]
    if passes and tone is not Tone.GOOD:
        answer, reason = "Yes, as you allow it", f"No cell is beyond what --allow accepts. Without it: {reason}"
    return Advice(answer, reason.format(delta=f"{comparison.delta:g}"), tone, passes)


_CALM = {
    Class.IDENTICAL: (
        Tone.GOOD,
        "Yes",
        "Everything that was compared is the same in both environments, bit for bit; the verdict says what was "
        "not looked at.",
    ),
    Class.WITHIN_TOLERANCE: (
        Tone.GOOD,
        "Yes",
        "Only last bits differ, within rounding error. Tests that pin exact floating-point results may need new "
        "numbers, and of many trainings some may classify a row differently.",
    ),
    Class.SAME_DISTRIBUTION: (
        Tone.GOOD,
        "Yes, with new numbers",
        "Seeded draws or runs give other numbers than before, of the same law and with equivalent accuracies. Record "
        "pinned results again; results over many seeds hold.",
    ),
    Class.INCONCLUSIVE: (
        Tone.CARE,
        "Not yet",
        "Nothing is known to have changed for the worse, but some differences could not be judged on this evidence. "
        "Record both sides with more --reseeds, or look at the cells that are inconclusive.",
    ),
}


def _changed(comparison: Comparison) -> tuple[Tone, str, str]:
    cells = comparison.of(Section.ACCURACIES)
    worse = [cell for cell in cells if cell.found is Class.CHANGED]
    unclear = [cell for cell in cells if cell.found is Class.INCONCLUSIVE]
    if worse:
        return (
            Tone.BAD,
            "No",
            f"Accuracy over reseeds changed in {len(worse)} of {len(cells)} comparisons. Find out why at the first "
            "stage that differs, before you compare results of the two environments.",
        )
    if not cells or unclear:
        missing = f"for {len(unclear)} of {len(cells)} comparisons" if cells else "at all"
        return (
            Tone.CARE,
            "Not without a look",
            "Something changed that neither rounding error nor another stream explains, and what that does to "
            f"accuracy could not be judged {missing}. Read what changed below, and decide whether your results rest on "
            "it.",
        )
    return (
        Tone.CARE,
        "After a look",
        "Something changed that neither rounding error nor another stream explains; accuracy over reseeds did not, "
        f"in any of {len(cells)} comparisons (the same, or equivalent within ±{{delta}}). Read what changed below: if "
        "your models do not rest on it, merge.",
    )
