"""Cells that are no trainings: draws, first weights of layers, fans, and ``fit``'s orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from initcheck.baselines.comparing.closeness import (
    DRAW_ROUNDINGS,
    MATRIX_ROUNDINGS,
    SCALE_EFFECT,
    detectable,
    deviation,
    law_p_values,
    mean_p_value,
    scale_p_value,
)
from initcheck.baselines.comparing.comparison import Class, ComparedCell, Deviation
from initcheck.baselines.records.array_records import ArrayRecord, DrawsRecord, FansRecord, LawRecord, OrderRecord

LAW_TESTS = 5  # p-values of a draws cell: three of its law, two of a single draw
WEIGHT_TESTS = 2  # of each weight of a layer
_NAMED = 3  # draws that a note names, if there are no more
_SAME_STREAM = 1e-3  # of the largest value: independent draws of a dozen values do not agree so closely
_EXACT_SCALE = 1e-5  # an orthogonal kernel's root mean square is fixed; others agree so closely once in thousands

_Item = TypeVar("_Item")


def absent(section: str, name: str, *, old: bool) -> ComparedCell:
    """The cell of what only one baseline holds."""
    return ComparedCell(section, name, Class.CHANGED, note=f"only in the {'old' if old else 'new'} baseline")


def compare_draws(name: str, old: DrawsRecord, new: DrawsRecord, alpha: float) -> ComparedCell:
    """The cell of one initializer in one dtype.

    Draws within the roundings of one draw are the same stream. Draws that are not are another stream, whose law is
    judged on the pooled draws; each draw that differs must also be possible by itself.

    Args:
        name: The cell's.
        old: The old draws.
        new: The new ones.
        alpha: The false-alarm rate of each p-value.
    """
    if missing := set(old.draws) ^ set(new.draws):
        return ComparedCell("draws", name, Class.CHANGED, note=f"only one baseline holds {min(missing)}")
    differing = [key for key in old.draws if not _same(old.draws[key], new.draws[key])]
    if not differing and old.law == new.law:
        return ComparedCell("draws", name, Class.IDENTICAL)
    exact = bool(old.law and old.law.scale_is_exact)
    roundings = MATRIX_ROUNDINGS if exact else DRAW_ROUNDINGS
    sizes: dict[str, Deviation] = {}
    for key in differing:
        mine, other = old.draws[key], new.draws[key]
        if isinstance(mine, str) or isinstance(other, str):
            return ComparedCell("draws", name, Class.CHANGED, "draws", note=f"{key}: {_told(mine)} → {_told(other)}")
        if (mine.size, mine.dtype) != (other.size, other.dtype):
            return ComparedCell("draws", name, Class.CHANGED, "draws", note=f"{key}: another size or dtype")
        sizes[key] = deviation(mine, other)
    first = next(iter(sizes), "")
    largest = max(sizes.values(), key=lambda size: size.ulps, default=None)
    which = f": {'; '.join(differing)}" if 0 < len(differing) <= _NAMED else f", first {first}" if first else ""
    told = f"{len(differing)} of {len(old.draws)} draws differ{which}"
    if largest is None or largest.ulps <= roundings:
        return ComparedCell(
            "draws", name, Class.WITHIN_TOLERANCE, "draws", largest, f"{told}; {roundings} ulps are allowed"
        )
    found, why = _compare_streams(old, new, [key for key in sizes if sizes[key].ulps > roundings], alpha)
    stream = "another stream" if largest.relative > _SAME_STREAM else "the same stream, but for more than its rounding"
    return ComparedCell("draws", name, found, "draws", sizes[first], f"{told}; {stream}, {why}")


def _compare_streams(old: DrawsRecord, new: DrawsRecord, keys: list[str], alpha: float) -> tuple[Class, str]:
    if old.law is None or new.law is None:
        return Class.CHANGED, "where nothing is random"
    p_values = law_p_values(old.law, new.law)
    for key in keys:
        mine, other = old.draws[key], new.draws[key]
        assert isinstance(mine, ArrayRecord)
        assert isinstance(other, ArrayRecord)
        p_values[f"mean of {key}"] = mean_p_value(mine, other, (mine.size, other.size)) * len(keys)
        scale = scale_p_value((mine.stddev, mine.size), (other.stddev, other.size), old.law.kurtosis)
        p_values[f"scale of {key}"] = scale * len(keys)
    worst = min(p_values, key=lambda test: p_values[test])
    facts = f"n={old.law.n:,} and {new.law.n:,}, α={alpha:.2g}"
    if p_values[worst] < alpha:
        return (
            Class.CHANGED,
            f"another law: {worst} ({_moments(old.law)} → {_moments(new.law)}), p {p_values[worst]:.2g}, {facts}",
        )
    if old.law.scale_is_exact:
        return Class.SAME_DISTRIBUTION, f"the same scale and law as far as seen, least p {p_values[worst]:.2g}, {facts}"
    smallest = detectable(old.law.n, new.law.n, old.law.kurtosis, alpha)
    facts = f"least p {p_values[worst]:.2g}, {facts}; a scale off by {smallest:.1%} would be seen"
    if smallest > SCALE_EFFECT:
        return Class.INCONCLUSIVE, f"too few draws to tell its law, {facts}"
    return Class.SAME_DISTRIBUTION, f"the same law, {facts}"


def compare_defaults(
    name: str, old: tuple[ArrayRecord, ...], new: tuple[ArrayRecord, ...], alpha: float
) -> ComparedCell:
    """The cell of one layer's first weights."""
    if [(one.size, one.dtype) for one in old] != [(one.size, one.dtype) for one in new]:
        return ComparedCell("defaults", name, Class.CHANGED, note="other weights: their number, sizes or dtypes")
    found, notes, first = Class.IDENTICAL, [], None
    for number, (mine, other) in enumerate(zip(old, new, strict=True), start=1):
        if mine.digest == other.digest:
            continue
        size = deviation(mine, other)
        first = first or size
        kind, why = _compare_weights(mine, other, size, alpha)
        notes.append(f"weight {number}: {why}")
        found = max(found, kind, key=lambda one: one.rank)
    return ComparedCell("defaults", name, found, "draws" if notes else "", first, "; ".join(notes))


def _compare_weights(old: ArrayRecord, new: ArrayRecord, size: Deviation, alpha: float) -> tuple[Class, str]:
    if size.ulps <= DRAW_ROUNDINGS:
        return Class.WITHIN_TOLERANCE, f"{size}; {DRAW_ROUNDINGS} ulps are allowed"
    told = f"mean {old.mean:.4g} → {new.mean:.4g}, standard deviation {old.stddev:.4g} → {new.stddev:.4g}"
    if not old.stddev or not new.stddev:
        return Class.CHANGED, told
    kurtosis = max(old.kurtosis, new.kurtosis)
    scale_p = scale_p_value((old.stddev, old.size), (new.stddev, new.size), kurtosis)
    p_value = min(mean_p_value(old, new, (old.size, new.size)), scale_p)
    if p_value < alpha:
        return Class.CHANGED, f"{told}, p {p_value:.2g}, n={old.size:,}, α={alpha:.2g}"
    squares = [one.mean**2 + one.stddev**2 for one in (old, new)]
    if abs(squares[1] / squares[0] - 1) < _EXACT_SCALE:
        return Class.SAME_DISTRIBUTION, f"another stream of exactly the same scale, {told}"
    smallest = detectable(old.size, new.size, kurtosis, alpha)
    kind = Class.SAME_DISTRIBUTION if smallest <= SCALE_EFFECT else Class.INCONCLUSIVE
    return kind, f"another stream, {told}, p {p_value:.2g}; a scale off by {smallest:.1%} would be seen"


def compare_fans(name: str, old: FansRecord, new: FansRecord) -> ComparedCell:
    """The cell of one kind of layer: what its kernel is scaled by."""
    if old == new:
        return ComparedCell("fans", name, Class.IDENTICAL)
    parts = [
        f"{mode} {_fan(getattr(old, mode))} → {_fan(getattr(new, mode))}"
        for mode in ("fan_in", "fan_out")
        if getattr(old, mode) != getattr(new, mode)
    ]
    return ComparedCell("fans", name, Class.CHANGED, "draws", note=", ".join(parts))


def compare_orders(name: str, old: OrderRecord, new: OrderRecord) -> ComparedCell:
    """The cell of one feed. Other permutations of the same kind are another stream of one law."""
    if old == new:
        return ComparedCell("orders", name, Class.IDENTICAL)
    if (old.rows, old.batch_size, len(old.epochs)) != (new.rows, new.batch_size, len(new.epochs)):
        return ComparedCell(
            "orders", name, Class.CHANGED, "batch order", note="another number of rows, batches or epochs"
        )
    mine, other = _kind(old), _kind(new)
    if mine == other and old.shuffled and old.every_row_once:
        note = f"another stream of orders: {mine}"
        return ComparedCell("orders", name, Class.SAME_DISTRIBUTION, "batch order", note=note)
    return ComparedCell("orders", name, Class.CHANGED, "batch order", note=f"{mine} → {other}")


def _kind(order: OrderRecord) -> str:
    rows = "every row once" if order.every_row_once else "not every row once"
    epochs = "one order in every epoch" if order.repeats else "a new order in each epoch"
    return f"{rows}, {epochs if order.shuffled else 'not shuffled'}"


def _same(old: ArrayRecord | str, new: ArrayRecord | str) -> bool:
    if isinstance(old, str) or isinstance(new, str):
        return old == new
    return old.digest == new.digest


def _told(draw: ArrayRecord | str) -> str:
    return f"refused with {draw}" if isinstance(draw, str) else "drawn"


def _moments(law: LawRecord) -> str:
    return f"mean {law.mean:.4g}, standard deviation {law.stddev:.4g} of the law's"


def _fan(value: float | None) -> str:
    return "of no fan" if value is None else f"{value:g}"


def pairs(old: Mapping[str, _Item], new: Mapping[str, _Item]) -> list[tuple[str, _Item | None, _Item | None]]:
    """The entries of both by name, those of the old one first."""
    return [(name, old.get(name), new.get(name)) for name in {**old, **new}]
