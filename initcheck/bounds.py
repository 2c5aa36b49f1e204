"""The documented bounds: what thousands of reseeds did to a score, for each problem and initializer, as TOML."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from initcheck.errors import InitcheckError
from initcheck.files import read_bounded
from initcheck.record_files import first_mistake, shortened
from initcheck.records import ACCURACY, Runs
from initcheck.statistics.counts import Counts
from initcheck.statistics.estimates import Estimate, proportion

CONTENTS = (0.95, 0.99)  # shares of the reseeds that the tolerance intervals hold
MOST_BYTES = 32_000_000
PACKAGED = resources.files("initcheck").joinpath("bounds.toml")
_HEAD = """\
# What reseeding does to accuracy on the held-out rows. Written by initcheck bounds calibrate, shown in docs/bounds.md.
#
# correct and runs_with count the correctly classified held-out rows, and the runs with so many. The gate compares with
# them and with collapsed; the other numbers are made from them, for people. holds_95 and holds_99 contain that share of
# all reseeds (tolerance intervals, confidence 95 %); the other intervals are 95 % confidence intervals.
"""

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Count = Annotated[int, Field(ge=0, le=10**9)]
_Level = Annotated[int, Field(ge=-(10**15), le=10**15)]
_MOST_UNITS = 10**15
_DIGITS = 3  # of a standard deviation that a unit leaves


class Bound(BaseModel):
    """The results of one problem's reseeds under one initializer.

    Attributes:
        collapsed: Runs whose final weights do no better on the training rows than naming the commonest class, or than
            the best constant answer.
        correct: The numbers of correctly classified held-out rows that occur, ascending; or a score in units.
        runs_with: The number of runs with each of them.
        unit: What ``correct`` counts, of a score that counts no rows.
    """

    model_config = ConfigDict(frozen=True)  # the other keys of the file repeat these for people

    collapsed: _Count
    correct: tuple[_Level, ...] = Field(min_length=1)
    runs_with: tuple[_Count, ...]
    unit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _agree(self) -> Bound:
        if len(self.correct) != len(self.runs_with) or list(self.correct) != sorted(set(self.correct)):
            raise ValueError("correct is not ascending, or not as long as runs_with")
        if self.unit is None and self.correct[0] < 0:
            raise ValueError("correct has a negative count")
        if not 0 < sum(self.runs_with) >= self.collapsed or 0 in self.runs_with:
            raise ValueError("runs_with has an empty place, or fewer runs than collapsed")
        return self

    @property
    def counts(self) -> Counts:
        """The correctly classified held-out rows of all runs, or their scores in units."""
        return Counts(np.array(self.correct), np.array(self.runs_with))

    def scale(self, rows: int) -> float:
        """What a count is of the score: the share of one held-out row, or the unit."""
        return self.unit or 1 / rows

    @property
    def collapse_rate(self) -> Estimate:
        """The share of collapsed runs, with its exact interval."""
        return proportion(self.collapsed, self.counts.n)


class Calibration(BaseModel):
    """The bounds of one problem, and how they were made.

    Attributes:
        date: The day, in ISO 8601.
        seed: The root seed of the runs.
        held_out_rows: The number of held-out rows.
        environment: The environment of the runs.
        initializers: Name of the initializer → its bound.
        score: What the runs are judged by.
        model: Of a user's own model, the options that name it, by their names in ``OwnProblem``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: _Name
    seed: int
    held_out_rows: int = Field(ge=1, le=10**9)
    environment: Mapping[str, str]
    initializers: Mapping[_Name, Bound]
    score: _Name = ACCURACY.name
    model: Mapping[_Name, str | int | float | tuple[str, ...]] | None = None

    @model_validator(mode="after")
    def _fit(self) -> Calibration:
        for name, bound in self.initializers.items():
            if bound.unit is None and bound.correct[-1] > self.held_out_rows:
                raise ValueError(f"{name} has more correct rows than there are")
        return self


class Bounds(BaseModel):
    """The bounds of several problems.

    Attributes:
        problems: Name of the problem, as ``--problem`` takes it → its calibration.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    problems: Mapping[_Name, Calibration]

    def cells(self) -> Iterator[tuple[str, str, Bound]]:
        """The bounds one by one: problem, initializer, bound."""
        for problem, calibration in self.problems.items():
            for initializer, bound in calibration.initializers.items():
                yield problem, initializer, bound


def summarize(runs: Runs, level: float | None, unit: float | None = None) -> Bound:
    """The bound that runs of one cell give.

    Args:
        runs: The runs.
        level: Share of the commonest class among the training rows, or the best score of a constant answer; None where
            it is not known, so that no run counts as collapsed.
        unit: What a score that counts no rows is counted in.

    Raises:
        InitcheckError: A score that counts no rows is no number in some run, or too far from the others.
    """
    if runs.score.counted:
        counts = Counts.of(runs.test_correct)
        collapsed = runs.train_correct <= round((level or 0.0) * runs.train_total)
    else:
        unit = unit or unit_of(runs)
        counts = Counts.of(_in_units(runs, unit))
        sign = runs.score.sign
        collapsed = np.zeros(len(runs), bool) if level is None else sign * runs.train_score <= sign * level
    return Bound(
        collapsed=int(collapsed.sum()),
        correct=tuple(counts.values.tolist()),
        runs_with=tuple(counts.counts.tolist()),
        unit=unit,
    )


def unit_of(runs: Runs) -> float:
    """A power of ten that leaves three digits of the scores' standard deviation."""
    scores = runs.test_score[np.isfinite(runs.test_score)]
    spread = float(scores.std()) if len(scores) else 0.0
    size = spread or float(np.abs(scores).max(initial=0.0)) or 1.0
    return float(10.0 ** (math.floor(math.log10(size)) - _DIGITS))


def _in_units(runs: Runs, unit: float) -> npt.NDArray[np.int64]:
    with np.errstate(invalid="ignore", over="ignore"):
        counts = np.rint(runs.test_score / unit)
    wrong = int((~(np.abs(counts) < _MOST_UNITS)).sum())
    if wrong:
        raise InitcheckError(
            f"{wrong} of {len(runs)} runs of {runs.initializer} end with a {runs.score.name} that is no number, or far "
            "beyond the others; bounds cannot hold them: leave that initializer out, or lower the learning rate"
        )
    return counts.astype(np.int64)


def load_bounds(path: Path | None = None) -> Bounds:
    """The bounds of that file; those that came with the package by default.

    Raises:
        InitcheckError: The file cannot be read, or holds something else.
    """
    try:
        text = read_bounded(path, MOST_BYTES, "a bounds file") if path else PACKAGED.read_bytes()
        return Bounds.model_validate(tomllib.loads(text.decode()))
    except ValidationError as error:
        reason = f"holds no bounds ({first_mistake(error)})"
    except (ValueError, RecursionError) as error:  # no TOML, no text, digits or brackets without end
        reason = f"is no TOML ({shortened(' '.join(str(error).split()))})"
    raise InitcheckError(f"{path or PACKAGED} {reason}; write it anew with initcheck bounds calibrate")


def write_bounds(bounds: Bounds) -> str:
    """The file's text: a line for each number, made to be read in a diff."""
    lines = [_HEAD]
    for problem, calibration in bounds.problems.items():
        title = f"problems.{_key(problem)}"
        lines += [f"[{title}]", f'date = "{calibration.date}"', f"seed = {calibration.seed}"]
        lines.append(f"held_out_rows = {calibration.held_out_rows}")
        if calibration.score != ACCURACY.name:
            lines.append(f"score = {json.dumps(calibration.score, ensure_ascii=False)}")
        if calibration.model is not None:
            lines += ["", f"[{title}.model]"]
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in calibration.model.items()]
        lines += ["", f"[{title}.environment]"]
        lines += [
            f"{_key(name)} = {json.dumps(value, ensure_ascii=False)}" for name, value in calibration.environment.items()
        ]
        for name, bound in calibration.initializers.items():
            lines += ["", f"[{title}.initializers.{_key(name)}]"]
            lines += [f"{key} = {value}" for key, value in _numbers(bound, calibration.held_out_rows).items()]
        lines.append("")
    return "\n".join(lines)


def _numbers(bound: Bound, rows: int) -> dict[str, object]:
    counts, collapse, scale = bound.counts, bound.collapse_rate, bound.scale(rows)
    low, high = (value * scale for value in counts.stddev_interval)
    shares = {f"holds_{100 * content:.0f}": counts.tolerance_interval(content) for content in CONTENTS}
    return {
        "runs": counts.n,
        **({} if bound.unit is None else {"unit": bound.unit}),
        "mean": rounded(counts.mean * scale, counts.stddev * scale / math.sqrt(counts.n)),
        "stddev": rounded(counts.stddev * scale, (high - low) / 4),
        "stddev_interval": [rounded(value, (high - low) / 4) for value in (low, high)],
        **{name: [_shown(value * scale, bound) for value in ends] for name, ends in shares.items()},
        "collapse_rate": rounded(collapse.value, (collapse.high - collapse.low) / 4),
        "collapse_interval": [
            rounded(end, (collapse.high - collapse.low) / 4) for end in (collapse.low, collapse.high)
        ],
        "collapsed": bound.collapsed,
        "correct": list(bound.correct),
        "runs_with": list(bound.runs_with),
    }


def _shown(value: float, bound: Bound) -> float:
    return round(value, 4) if bound.unit is None else float(f"{value:.9g}")


def rounded(value: float, error: float) -> float:
    """The value, cut where its standard error has two digits left; to six decimals where it has none."""
    return round(value, 1 - math.floor(math.log10(error)) if error > 0 else 6)


def _key(name: str) -> str:
    """A TOML key: quoted where it is not bare."""
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else json.dumps(name, ensure_ascii=False)
