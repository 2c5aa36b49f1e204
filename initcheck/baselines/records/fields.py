"""The fields that the records of a baseline are made of: bounded in size, and strict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST_VALUES = 64  # of one array that are kept as numbers
_MOST_ENTRIES = 1000

Text = Annotated[str, Field(min_length=1, max_length=200)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
Count = Annotated[int, Field(ge=0, le=10**9)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
# JSON has no NaN and no infinity; a training that diverged has such values, a draw does not.
Number = Finite | Literal["nan", "inf", "-inf"]
_Item = TypeVar("_Item")


def _few(items: Mapping[str, _Item]) -> Mapping[str, _Item]:
    if len(items) > _MOST_ENTRIES:
        raise ValueError(f"{len(items)} entries are more than the {_MOST_ENTRIES} that it may have")
    return items


Named = Annotated[Mapping[Text, _Item], AfterValidator(_few)]


class Record(BaseModel):
    """The base of every record: frozen, and without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
