"""Comparisons of bits and configs: traces stage by stage, and objects before and after a round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.records import Verdict, failed, passed

if TYPE_CHECKING:
    from initcheck.evidence.serialization.round_trips import RoundTrip


Array = np.ndarray[Any, Any]


def judge_trips(trips: Sequence[RoundTrip], given: Mapping[str, Any]) -> Verdict:
    """Judges whether every route kept class, config and bits; the config must contain ``given``."""
    for trip in trips:
        if trip.kinds[0] != trip.kinds[1]:
            return failed(f"{trip.route} gave {trip.kinds[1]}", trip.kinds[0])
        for one in (trip.config, trip.config_again):
            lost = differing_entries(given, one)
            if lost:
                return failed(f"{trip.route}: the config is {dict(one)}", f"{lost} as given: {dict(given)}")
        lost = differing_entries(trip.config, trip.config_again) or differing_entries(trip.config_again, trip.config)
        if lost:
            return failed(f"{trip.route} changed {lost}", "the same config")
        wrong = first_difference(trip.arrays, trip.arrays_again)
        if wrong:
            return failed(f"{trip.route}: {wrong}", "the same bits")
        if not trip.arrays:
            return failed(f"{trip.route} has nothing to compare", "weights or draws")
    return passed(f"{len(trips)} routes, {sum(len(trip.arrays) for trip in trips)} arrays bit-identical")


def differing_entries(given: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Config entries that are missing or differ."""
    return [key for key, value in given.items() if key not in config or config[key] != value]


def first_difference(arrays: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> str:
    """Describes the first array that differs; empty if all are bitwise equal."""
    if len(arrays) != len(others):
        return f"{len(others)} arrays instead of {len(arrays)}"
    for number, (one, other) in enumerate(zip(arrays, others, strict=True)):
        if one.shape != other.shape or one.dtype != other.dtype:
            return f"array {number} is {other.dtype}{other.shape} instead of {one.dtype}{one.shape}"
        if one.tobytes() != other.tobytes():
            gap = float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64))))
            return f"array {number} of shape {one.shape} differs by up to {gap:.3g}"
    return ""


def bitwise_equal(one: Array, other: Array) -> bool:
    """Whether dtype, shape and every bit are equal; a NaN equals a NaN of the same bits."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def mismatch(one: Array, other: Array) -> str:
    """Describes how two arrays differ."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return f"{one.dtype}{one.shape} against {other.dtype}{other.shape}"
    values = [np.asarray(array, dtype=float) for array in (one, other)]
    differ = ~((values[0] == values[1]) | (np.isnan(values[0]) & np.isnan(values[1])))
    largest = np.nanmax(np.abs(values[0] - values[1]), initial=0.0)
    return f"{int(differ.sum())} of {one.size} values differ, by {largest:.3g} at most"


def first_divergence(one: Mapping[str, Sequence[Array]], other: Mapping[str, Sequence[Array]]) -> str:
    """Describes the first stage at which two traces differ; empty if all are bitwise equal."""
    for stage in one:
        if len(one[stage]) != len(other[stage]):
            return f"{stage}: {len(one[stage])} arrays against {len(other[stage])}"
        for number, (mine, yours) in enumerate(zip(one[stage], other[stage], strict=True)):
            if not bitwise_equal(mine, yours):
                which = f"{stage} (array {number})" if len(one[stage]) > 1 else stage
                return f"{which}: {mismatch(mine, yours)}"
    return ""


def first_digest_mismatch(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Describes the first name whose digests differ; empty if all are equal."""
    for name in {**here, **there}:
        if here.get(name) != there.get(name):
            return f"{name}: {here.get(name, 'none')} here, {there.get(name, there.get('raised', 'none'))} there"
    return ""
