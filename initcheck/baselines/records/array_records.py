"""The records of arrays in a baseline: draws, initial weights, fans and orders."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from initcheck.baselines.records.fields import MOST_VALUES, Count, Digest, Finite, Named, Record, Text


class ArrayRecord(Record):
    """An array, or several one after another, by digest, moments and some values.

    Attributes:
        dtype: Of the elements.
        size: The number of elements.
        digest: Names exactly these bits, types and shapes.
        mean: Of the elements, to 12 digits.
        stddev: Of the elements, to 12 digits.
        kurtosis: Their fourth central moment over the squared second; 1, the least there is, where all are equal.
        values: Elements at even distances, at most ``MOST_VALUES``, each as the shortest decimal that gives its bits.
    """

    dtype: Literal["float16", "bfloat16", "float32", "float64"]
    size: Count
    digest: Digest
    mean: Finite
    stddev: Annotated[Finite, Field(ge=0)]
    kurtosis: Annotated[Finite, Field(ge=1)]
    values: tuple[Finite, ...] = Field(max_length=MOST_VALUES)


class LawRecord(Record):
    """Many independent draws in units of the documented law, pooled.

    Attributes:
        n: The number of draws.
        mean: Their mean, 0 for the law.
        stddev: Their standard deviation, 1 for the law.
        kurtosis: Their fourth central moment over the squared second.
        scale_is_exact: Whether the standard deviation is no estimate but the same for every draw, but for rounding.
        bins: Counts between the law's quantiles, all bins being equally likely.
    """

    n: Count
    mean: Finite
    stddev: Annotated[Finite, Field(ge=0)]
    kurtosis: Annotated[Finite, Field(ge=1)]
    scale_is_exact: bool
    bins: tuple[Count, ...] = Field(min_length=2, max_length=MOST_VALUES)

    @model_validator(mode="after")
    def _agree(self) -> LawRecord:
        if sum(self.bins) != self.n:
            raise ValueError("the bins do not sum up to n")
        return self


class DrawsRecord(Record):
    """The draws of one initializer in one dtype.

    Attributes:
        draws: Shape and seed, in words → the draw; a name of an exception where the framework refuses it.
        law: Its pooled draws; None of a row without randomness, or of what is refused.
    """

    draws: Named[ArrayRecord | Text]
    law: LawRecord | None


class FansRecord(Record):
    """The fans that a layer's kernel was scaled by, as measured on the kernel; None where its scale is no fan's.

    Attributes:
        fan_in: Under ``mode="fan_in"``.
        fan_out: Under ``mode="fan_out"``.
    """

    fan_in: Annotated[Finite, Field(gt=0)] | None
    fan_out: Annotated[Finite, Field(gt=0)] | None


class OrderRecord(Record):
    """The orders in which ``fit`` took some rows.

    Attributes:
        rows: The number of rows.
        batch_size: Rows per step.
        epochs: A digest of each epoch's order.
        first: The first row numbers of the first epoch.
        every_row_once: Whether each epoch took each row exactly once.
        shuffled: Whether no epoch took the rows as they lie, forwards or backwards.
    """

    rows: Count
    batch_size: Count
    epochs: tuple[Digest, ...] = Field(min_length=1, max_length=1000)
    first: tuple[Annotated[int, Field(ge=-1, le=10**9)], ...] = Field(max_length=MOST_VALUES)
    every_row_once: bool
    shuffled: bool

    @property
    def repeats(self) -> bool:
        """Whether all epochs, two at least, took one order."""
        return len(self.epochs) > 1 and len(set(self.epochs)) == 1
