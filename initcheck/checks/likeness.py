"""Whether two pieces of evidence are the same to the last bit, and if not, where they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def same(one: Array, other: Array) -> bool:
    """Whether type, shape and every bit agree; NaN equals itself, as bits do."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def apart(one: Array, other: Array) -> str:
    """In words, how far two arrays are apart."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return f"{one.dtype}{one.shape} against {other.dtype}{other.shape}"
    values = [np.asarray(array, dtype=float) for array in (one, other)]
    differ = ~((values[0] == values[1]) | (np.isnan(values[0]) & np.isnan(values[1])))
    largest = np.nanmax(np.abs(values[0] - values[1]), initial=0.0)
    return f"{int(differ.sum())} of {one.size} values differ, by {largest:.3g} at most"


def parting(one: Mapping[str, Sequence[Array]], other: Mapping[str, Sequence[Array]]) -> str:
    """The first stage at which two traces part, with how far; empty where they never do."""
    for stage in one:
        if len(one[stage]) != len(other[stage]):
            return f"{stage}: {len(one[stage])} arrays against {len(other[stage])}"
        for number, (mine, yours) in enumerate(zip(one[stage], other[stage], strict=True)):
            if not same(mine, yours):
                which = f"{stage} (array {number})" if len(one[stage]) > 1 else stage
                return f"{which}: {apart(mine, yours)}"
    return ""


def parting_of_digests(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """The first name whose digests differ; empty where none do."""
    for name in {**here, **there}:
        if here.get(name) != there.get(name):
            return f"{name}: {here.get(name, 'none')} here, {there.get(name, there.get('raised', 'none'))} there"
    return ""
