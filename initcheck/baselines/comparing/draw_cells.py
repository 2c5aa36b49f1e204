"""Cells that are no trainings: draws, initial weights of layers, fans, and ``fit``'s orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from initcheck.baselines.comparing.classes import Class
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
from initcheck.baselines.comparing.comparison import CellKey, ComparedCell, Deviation
from initcheck.baselines.records.array_records import ArrayRecord, DrawsRecord, FansRecord, LawRecord, OrderRecord
from initcheck.baselines.records.layer_records import AskedRecord
from initcheck.baselines.records.training_records import Stage

LAW_TESTS = 5  # p-values of a draws cell: three of its law, two of a single draw
WEIGHT_TESTS = 2  # of each weight of a layer
_NAMED = 3  # draws that a note names, if there are no more
_SAME_STREAM = 1e-3  # of the largest value: independent draws of a dozen values do not agree so closely
_FEWEST = 3  # recorded values that show a common factor: independent ones have one to 1e-3 once in millions
_EXACT_SCALE = 1e-5  # an orthogonal kernel's root mean square is fixed; others agree so closely once in thousands

_Item = TypeVar("_Item")


def draw_roundings(draws: DrawsRecord | None) -> int:
    """The ulps that an initializer's draws may differ by and be the same stream."""
    return MATRIX_ROUNDINGS if draws and draws.law and draws.law.scale_is_exact else DRAW_ROUNDINGS


def compare_draws(key: CellKey, old: DrawsRecord, new: DrawsRecord, alpha: float) -> ComparedCell:
    """The cell of one initializer in one dtype.

    Draws within the roundings of one draw are the same stream. Draws that are not are another stream, whose law is
    judged on the pooled draws; each draw that differs must also be possible by itself.

    Args:
        key: The cell's key.
        old: The old draws.
        new: The new ones.
        alpha: The false-alarm rate of each p-value.
    """
    if missing := set(old.draws) ^ set(new.draws):
        return ComparedCell(key, Class.CHANGED, note=f"only one baseline holds {min(missing)}")
    differing = [draw for draw in old.draws if not _same(old.draws[draw], new.draws[draw])]
    if not differing and old.law == new.law:
        return ComparedCell(key, Class.IDENTICAL)
    roundings = draw_roundings(old)
    sizes: dict[str, Deviation] = {}
    for draw in differing:
        mine, other = old.draws[draw], new.draws[draw]
        if isinstance(mine, str) or isinstance(other, str):
            return ComparedCell(key, Class.CHANGED, Stage.DRAWS, note=f"{draw}: {_drawn(mine)} → {_drawn(other)}")
        if (mine.size, mine.dtype) != (other.size, other.dtype):
            return ComparedCell(key, Class.CHANGED, Stage.DRAWS, note=f"{draw}: size or dtype differs")
        sizes[draw] = deviation(mine, other)
    first = next(iter(sizes), "")
    largest = max(sizes.values(), key=lambda size: size.ulps, default=None)
    which = f": {'; '.join(differing)}" if 0 < len(differing) <= _NAMED else f", first {first}" if first else ""
    counts = f"{len(differing)} of {len(old.draws)} draws differ{which}"
    if largest is None or largest.ulps <= roundings:
        return ComparedCell(
            key, Class.WITHIN_TOLERANCE, Stage.DRAWS, largest, f"{counts}; {roundings} ulps are allowed"
        )
    kind, why = _compare_streams(old, new, [draw for draw in sizes if sizes[draw].ulps > roundings], alpha)
    stream = "another stream" if largest.relative > _SAME_STREAM else "the same stream, beyond rounding error"
    return ComparedCell(key, kind, Stage.DRAWS, sizes[first], f"{counts}; {stream}, {why}")


def _compare_streams(old: DrawsRecord, new: DrawsRecord, names: list[str], alpha: float) -> tuple[Class, str]:
    if old.law is None or new.law is None:
        return Class.CHANGED, "where nothing is random"
    p_values = law_p_values(old.law, new.law)
    for name in names:
        mine, other = old.draws[name], new.draws[name]
        assert isinstance(mine, ArrayRecord)
        assert isinstance(other, ArrayRecord)
        p_values[f"mean of {name}"] = mean_p_value(mine, other, (mine.size, other.size)) * len(names)
        scale = scale_p_value((mine.stddev, mine.size), (other.stddev, other.size), old.law.kurtosis)
        p_values[f"scale of {name}"] = scale * len(names)
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
        return Class.INCONCLUSIVE, f"too few draws to judge its law, {facts}"
    return Class.SAME_DISTRIBUTION, f"the same law, {facts}"


@dataclass(frozen=True)
class JudgedWeights:
    """The initial weights of a layer in both baselines.

    Attributes:
        found: Their class.
        size: The deviation of the first weight that differs.
        note: Further facts, for people to read.
        by_initializer: Whether a weight was judged by what was asked of its initializer.
    """

    found: Class
    size: Deviation | None = None
    note: str = ""
    by_initializer: bool = False


def compare_defaults(
    key: CellKey, old: tuple[ArrayRecord, ...], new: tuple[ArrayRecord, ...], alpha: float
) -> ComparedCell:
    """The cell of one layer's initial weights."""
    judged = compare_weights(old, new, alpha)
    stage = Stage.DRAWS if judged.size else None
    return ComparedCell(key, judged.found, stage, judged.size, judged.note)


def compare_weights(
    old: tuple[ArrayRecord, ...],
    new: tuple[ArrayRecord, ...],
    alpha: float,
    asked: Sequence[AskedRecord | None] = (),
) -> JudgedWeights:
    """The initial weights of one layer.

    Args:
        old: The old weights.
        new: The new ones.
        alpha: The false-alarm rate of each p-value.
        asked: What both sides asked for each weight, of an initializer whose draws have one law on both; None where
            that is unknown. It decides where the weights are too few to.
    """
    if [(one.size, one.dtype) for one in old] != [(one.size, one.dtype) for one in new]:
        return JudgedWeights(Class.CHANGED, note="the number, sizes or dtypes of its weights differ")
    whole, notes, first, few = Class.IDENTICAL, [], None, False
    for number, (mine, other) in enumerate(zip(old, new, strict=True), start=1):
        if mine.digest == other.digest:
            continue
        size = deviation(mine, other)
        first = first or size
        kind, why = _compare_weights(mine, other, size, alpha)
        one = asked[number - 1] if number <= len(asked) else None
        if kind is Class.INCONCLUSIVE and one is not None:
            kind, few = Class.SAME_DISTRIBUTION, True
            why += f"; both ask {one.initializer} for {one.shape}, whose law is judged under draws"
        notes.append(f"weight {number}: {why}")
        whole = max(whole, kind, key=lambda one: one.rank)
    return JudgedWeights(whole, first, "; ".join(notes), few)


def _compare_weights(old: ArrayRecord, new: ArrayRecord, size: Deviation, alpha: float) -> tuple[Class, str]:
    if size.ulps <= DRAW_ROUNDINGS:
        return Class.WITHIN_TOLERANCE, f"{size}; {DRAW_ROUNDINGS} ulps are allowed"
    moments = f"mean {old.mean:.4g} → {new.mean:.4g}, standard deviation {old.stddev:.4g} → {new.stddev:.4g}"
    if not old.stddev or not new.stddev:
        return Class.CHANGED, moments
    if factor := _factor(old, new):
        return Class.CHANGED, f"the same stream, times {factor:.4g}; {moments}"
    kurtosis = max(old.kurtosis, new.kurtosis)
    scale_p = scale_p_value((old.stddev, old.size), (new.stddev, new.size), kurtosis)
    p_value = min(mean_p_value(old, new, (old.size, new.size)), scale_p)
    if p_value < alpha:
        return Class.CHANGED, f"{moments}, p {p_value:.2g}, n={old.size:,}, α={alpha:.2g}"
    squares = [one.mean**2 + one.stddev**2 for one in (old, new)]
    if abs(squares[1] / squares[0] - 1) < _EXACT_SCALE:
        return Class.SAME_DISTRIBUTION, f"another stream of exactly the same scale, {moments}"
    smallest = detectable(old.size, new.size, kurtosis, alpha)
    kind = Class.SAME_DISTRIBUTION if smallest <= SCALE_EFFECT else Class.INCONCLUSIVE
    return kind, f"another stream, {moments}, p {p_value:.2g}; a scale off by {smallest:.1%} would be seen"


def _factor(old: ArrayRecord, new: ArrayRecord) -> float | None:
    """What all recorded values were multiplied by, where that is one factor other than 1; None where it is not."""
    pairs = [(a, b) for a, b in zip(old.values, new.values, strict=True) if a or b]
    if len(pairs) < _FEWEST or any(not a or not b for a, b in pairs):
        return None
    factors = [b / a for a, b in pairs]
    if any(abs(one / factors[0] - 1) > _SAME_STREAM for one in factors) or abs(factors[0] - 1) < _SAME_STREAM:
        return None
    return factors[0]


def compare_fans(key: CellKey, old: FansRecord, new: FansRecord) -> ComparedCell:
    """The cell of one kind of layer: what its kernel is scaled by."""
    if old == new:
        return ComparedCell(key, Class.IDENTICAL)
    parts = [
        f"{mode} {_fan(getattr(old, mode))} → {_fan(getattr(new, mode))}"
        for mode in ("fan_in", "fan_out")
        if getattr(old, mode) != getattr(new, mode)
    ]
    return ComparedCell(key, Class.CHANGED, Stage.DRAWS, note=", ".join(parts))


def compare_orders(key: CellKey, old: OrderRecord, new: OrderRecord) -> ComparedCell:
    """The cell of one feed. Other permutations of the same kind are another stream of one law."""
    if old == new:
        return ComparedCell(key, Class.IDENTICAL)
    if (old.rows, old.batch_size, len(old.epochs)) != (new.rows, new.batch_size, len(new.epochs)):
        return ComparedCell(key, Class.CHANGED, Stage.BATCH_ORDER, note="the number of rows, batches or epochs differs")
    mine, other = _kind(old), _kind(new)
    if mine == other and old.shuffled and old.every_row_once:
        note = f"another stream of orders: {mine}"
        return ComparedCell(key, Class.SAME_DISTRIBUTION, Stage.BATCH_ORDER, note=note)
    return ComparedCell(key, Class.CHANGED, Stage.BATCH_ORDER, note=f"{mine} → {other}")


def _kind(order: OrderRecord) -> str:
    rows = "every row once" if order.every_row_once else "not every row once"
    epochs = "one order in every epoch" if order.repeats else "a new order in each epoch"
    return f"{rows}, {epochs if order.shuffled else 'not shuffled'}"


def _same(old: ArrayRecord | str, new: ArrayRecord | str) -> bool:
    if isinstance(old, str) or isinstance(new, str):
        return old == new
    return old.digest == new.digest


def _drawn(draw: ArrayRecord | str) -> str:
    return f"refused with {draw}" if isinstance(draw, str) else "drawn"


def _moments(law: LawRecord) -> str:
    return f"mean {law.mean:.4g}, standard deviation {law.stddev:.4g} of the law's"


def _fan(value: float | None) -> str:
    return "of no fan" if value is None else f"{value:g}"


def pairs(old: Mapping[str, _Item], new: Mapping[str, _Item]) -> list[tuple[str, _Item | None, _Item | None]]:
    """The entries of both by name, those of the old one first."""
    return [(name, old.get(name), new.get(name)) for name in {**old, **new}]
