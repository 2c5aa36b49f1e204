"""Compares two baselines, cell by cell; loads no framework."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from initcheck.baselines.comparing.accuracy import DELTA, TESTS, compare_accuracies
from initcheck.baselines.comparing.classes import Class, allowed, worst
from initcheck.baselines.comparing.comparison import CellKey, ComparedCell, Comparison, Section, Side
from initcheck.baselines.comparing.differences import Difference, environment_differences
from initcheck.baselines.comparing.draw_cells import (
    LAW_TESTS,
    WEIGHT_TESTS,
    compare_defaults,
    compare_draws,
    compare_fans,
    compare_orders,
    draw_roundings,
)
from initcheck.baselines.comparing.file_cells import compare_files, knows_files_of, loaded_files, own_files
from initcheck.baselines.comparing.layer_cells import NOISE_TESTS, compare_layers
from initcheck.baselines.comparing.model_cells import MODEL_TESTS, compare_models
from initcheck.baselines.comparing.step_cells import compare_steps
from initcheck.baselines.comparing.trace_cells import compare_traces
from initcheck.baselines.records.array_records import DrawsRecord, OrderRecord
from initcheck.baselines.records.schema import Baseline, ProblemRecord
from initcheck.baselines.records.training_records import AccuraciesRecord, Stage, TraceRecord
from initcheck.catalog.cases.initializer_strings import class_name
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.errors import InitcheckError
from initcheck.records import DECIDE_BITS

ALPHA = 1e-3
_CLASS_NAMES = {name: class_name(row) for name, row in INITIALIZERS.items()}


@dataclass(frozen=True)
class Known:
    """The context that a cell is judged in, beside its own two records.

    Attributes:
        old: The old baseline.
        new: The new one.
        alpha: The false-alarm rate of each p-value.
        cells: The cells compared so far.
    """

    old: Baseline
    new: Baseline
    alpha: float
    cells: dict[CellKey, ComparedCell] = field(default_factory=dict)

    def found(self, key: CellKey) -> Class:
        """The class of a cell that was compared before; inconclusive where there is none."""
        return self.cells[key].found if key in self.cells else Class.INCONCLUSIVE

    def law_of(self, kind: str) -> Class:
        """The class of the draws of an initializer, by its class; inconclusive where none was compared."""
        rows = [CellKey(Section.DRAWS, name, dtype="float32") for name, one in _CLASS_NAMES.items() if one == kind]
        return worst(map(self.found, rows)) if rows else Class.INCONCLUSIVE


def absent(key: CellKey, side: Side) -> ComparedCell:
    """The cell of what one baseline alone holds."""
    return ComparedCell(key, Class.CHANGED, note=f"only in the {side} baseline", only_in=side)


@dataclass(frozen=True)
class Comparer:
    """The functions that compare the cells of a section.

    Attributes:
        records: The section's records in a baseline.
        compare: The cell of a record in both baselines.
        lone: The cell of a record in one baseline alone.
        others: The records of the new one, where the old one decides them; by default as ``records``.
        hides: Whether of two records there is nothing to compare, so that there is no cell: the verdict lists it.
        claims_bits: Whether an identical cell says that numbers are equal in every bit.
        grows: Whether frameworks gain such records, as layers and arguments: what only the new baseline holds has no
            cell, and the verdict lists it.
    """

    records: Callable[[Baseline], Mapping[CellKey, Any]]
    compare: Callable[[CellKey, Any, Any, Known], ComparedCell]
    lone: Callable[[CellKey, Side], ComparedCell] = absent
    hides: Callable[[Any, Any], bool] = lambda old, new: False
    others: Callable[[Baseline, Baseline], Mapping[CellKey, Any]] | None = None
    claims_bits: bool = False
    grows: bool = False


def compare(old: Baseline, new: Baseline, allow: frozenset[Class] = allowed()) -> Comparison:
    """Every cell of two baselines.

    Args:
        old: The old baseline.
        new: The new one.
        allow: The classes that a cell may have.

    Raises:
        InitcheckError: They were recorded under different root seeds, so that nothing in them belongs together.
    """
    if old.seed != new.seed:
        raise InitcheckError(
            f"the baselines have the seeds {old.seed} and {new.seed}; record both with the same --seed"
        )
    sides = old.environment.environment, new.environment.environment
    refused = environment_differences(*sides, DECIDE_BITS)
    whole = _whole_problems(old.problems, new.problems)
    known = Known(_without(old, whole), _without(new, whole), ALPHA / _count_tests(old))
    for section, comparer in COMPARERS.items():
        if section in lacking_sections(old, new):
            continue
        mine = comparer.records(known.old)
        other = comparer.others(known.old, known.new) if comparer.others else comparer.records(known.new)
        for key in {**mine, **other}:
            if key.dtype in lacking_dtypes(old, new):
                continue
            if key in mine and key in other:
                if comparer.hides(mine[key], other[key]):
                    continue
                known.cells[key] = comparer.compare(key, mine[key], other[key], known)
            elif key in mine or not comparer.grows:
                known.cells[key] = comparer.lone(key, Side.OLD if key in mine else Side.NEW)
    cells = [_by_rounding(cell, known) for cell in known.cells.values()] + list(whole.values())
    places = ["", *{**old.problems, **new.problems}], list(Section)
    cells.sort(key=lambda cell: (places[0].index(cell.key.problem), places[1].index(cell.section)))
    if refused:
        cells = [_without_bits(cell, refused) for cell in cells]
    return Comparison(old, new, allow, environment_differences(*sides), refused, tuple(cells), DELTA, ALPHA)


def appeared(old: Baseline, new: Baseline) -> list[CellKey]:
    """What only the new baseline holds, of the sections that frameworks gain records of."""
    sections = [one for name, one in COMPARERS.items() if one.grows and name not in lacking_sections(old, new)]
    return [key for one in sections for key in one.records(new) if key not in one.records(old)]


def lacking_dtypes(old: Baseline, new: Baseline) -> dict[str, Side]:
    """The float types that one of the two has no draw in, as a backend may lack one, so that none is compared."""
    mine, other = ({dtype for records in one.draws.values() for dtype in records} for one in (old, new))
    if not mine or not other:
        return {}
    return {dtype: Side.NEW if dtype in mine else Side.OLD for dtype in sorted(mine ^ other)}


def lacking_sections(old: Baseline, new: Baseline) -> dict[Section, Side]:
    """The sections that one of the two says nothing of, as files of earlier versions do, so that neither is judged."""
    lacking: dict[Section, Side] = {}
    for section, mine, other in ((Section.LAYERS, old.layers, new.layers), (Section.STEPS, old.steps, new.steps)):
        if not (mine and other):
            lacking[section] = Side.NEW if mine else Side.OLD
    given = [any(problem.given for problem in one.problems.values()) for one in (old, new)]
    if not all(given) and (old.problems or new.problems):
        lacking[Section.GIVEN] = Side.NEW if given[0] else Side.OLD
    if not knows_files_of(new, old):
        lacking[Section.FILES] = Side.NEW if old.files else Side.OLD
    return lacking


def _whole_problems(old: Mapping[str, ProblemRecord], new: Mapping[str, ProblemRecord]) -> dict[str, ComparedCell]:
    """The problems that cannot be compared, each with the one cell that says why."""
    cells = {}
    for name in {**old, **new}:
        key = CellKey(Section.TRACES, problem=name)
        if name not in old or name not in new:
            cells[name] = absent(key, Side.OLD if name in old else Side.NEW)
        elif old[name].held_out_rows != new[name].held_out_rows:
            note = "the number of held-out rows differs: other data"
            cells[name] = ComparedCell(key, Class.CHANGED, note=note)
    return cells


def _without(baseline: Baseline, problems: Mapping[str, ComparedCell]) -> Baseline:
    kept = {name: record for name, record in baseline.problems.items() if name not in problems}
    return baseline.model_copy(update={"problems": kept})


def _draws(baseline: Baseline) -> dict[CellKey, DrawsRecord]:
    return {
        CellKey(Section.DRAWS, row, dtype=dtype): record
        for row, records in baseline.draws.items()
        for dtype, record in records.items()
    }


def _orders(baseline: Baseline) -> dict[CellKey, OrderRecord]:
    feeds = {CellKey(Section.ORDERS, feed): record for feed, record in baseline.orders.items()}
    return feeds | {CellKey(Section.ORDERS, problem=name): one.order for name, one in baseline.problems.items()}


def _of_problems(
    section: Section, of: Callable[[ProblemRecord], Mapping[str, Any]]
) -> Callable[[Baseline], dict[CellKey, Any]]:
    return lambda baseline: {
        CellKey(section, row, name): record
        for name, problem in baseline.problems.items()
        for row, record in of(problem).items()
    }


def _compare_accuracies(key: CellKey, old: AccuraciesRecord, new: AccuraciesRecord, known: Known) -> ComparedCell:
    problems = [one.problems[key.problem] for one in (known.old, known.new)]
    starts = {
        one.traces[key.subject].stages[Stage.INITIAL_WEIGHTS].digest if key.subject in one.traces else None
        for one in problems
    }
    paired = len(starts) == 1 and None not in starts  # the first reseed decides for all
    return compare_accuracies(key, old, new, problems[0].held_out_rows, paired=paired, alpha=known.alpha)


def _lone_accuracies(key: CellKey, side: Side) -> ComparedCell:
    note = f"only the {side} baseline has any; record both with --reseeds N"
    return ComparedCell(key, Class.INCONCLUSIVE, note=note)


def _compare_traces(key: CellKey, old: TraceRecord, new: TraceRecord, known: Known) -> ComparedCell:
    drawn = CellKey(Section.DRAWS, key.subject, dtype="float32")
    return compare_traces(
        key,
        old,
        new,
        rows=known.old.problems[key.problem].held_out_rows,
        law=known.found(drawn),
        roundings=draw_roundings(_draws(known.old).get(drawn)),
        order=known.cells[CellKey(Section.ORDERS, problem=key.problem)],
        accuracies=known.found(CellKey(Section.ACCURACIES, key.subject, key.problem)),
    )


# A training is judged by the cells of its initializer's draws, of its problem's order and of its accuracies, too, which
# therefore come first.
COMPARERS: Mapping[Section, Comparer] = {
    Section.DRAWS: Comparer(
        _draws, lambda key, old, new, known: compare_draws(key, old, new, known.alpha), claims_bits=True
    ),
    Section.DEFAULTS: Comparer(
        lambda baseline: {CellKey(Section.DEFAULTS, layer): one for layer, one in baseline.defaults.items()},
        lambda key, old, new, known: compare_defaults(key, old, new, known.alpha),
        claims_bits=True,
        grows=True,
    ),
    Section.FANS: Comparer(
        lambda baseline: {CellKey(Section.FANS, kind): one for kind, one in baseline.fans.items()},
        lambda key, old, new, known: compare_fans(key, old, new),
        grows=True,
    ),
    Section.LAYERS: Comparer(
        lambda baseline: {CellKey(Section.LAYERS, name): one for name, one in baseline.layers.items()},
        lambda key, old, new, known: compare_layers(key, old, new, known.alpha, known.law_of),
        hides=lambda old, new: bool(old.refused and new.refused),
        claims_bits=True,
        grows=True,
    ),
    Section.STEPS: Comparer(
        lambda baseline: {CellKey(Section.STEPS, name): one for name, one in baseline.steps.items()},
        lambda key, old, new, known: compare_steps(key, old, new),
        hides=lambda old, new: bool(old.refused and new.refused),
        claims_bits=True,
        grows=True,
    ),
    Section.FILES: Comparer(
        own_files,
        lambda key, old, new, known: compare_files(key, old, new),
        hides=lambda old, new: bool(old.refused),
        others=loaded_files,
        claims_bits=True,
    ),
    Section.ORDERS: Comparer(_orders, lambda key, old, new, known: compare_orders(key, old, new)),
    Section.ACCURACIES: Comparer(
        _of_problems(Section.ACCURACIES, lambda problem: problem.accuracies), _compare_accuracies, _lone_accuracies
    ),
    Section.TRACES: Comparer(
        _of_problems(Section.TRACES, lambda problem: problem.traces), _compare_traces, claims_bits=True
    ),
    Section.GIVEN: Comparer(
        _of_problems(Section.GIVEN, lambda problem: problem.given), _compare_traces, claims_bits=True
    ),
    Section.FITS: Comparer(_of_problems(Section.FITS, lambda problem: problem.fits), _compare_traces, claims_bits=True),
    Section.MODELS: Comparer(
        lambda baseline: {CellKey(Section.MODELS, name): one for name, one in baseline.models.items()},
        lambda key, old, new, known: compare_models(key, old, new, known.alpha),
        claims_bits=True,
    ),
}


def _count_tests(old: Baseline) -> int:
    """p-values that could be asked for, whether or not anything differs.

    None is asked for what only one baseline holds, so the old one alone says how many: a cell has the same share
    whether or not the others are recorded and judged with it.
    """
    draws = sum(map(len, old.draws.values()))
    weights = sum(map(len, old.defaults.values())) + sum(len(one.initial_weights) for one in old.layers.values())
    noises = sum(one.noise is not None for one in old.layers.values())
    accuracies = sum(len(problem.accuracies) for problem in old.problems.values())
    models = MODEL_TESTS * len(old.models)
    return max(1, LAW_TESTS * draws + WEIGHT_TESTS * weights + NOISE_TESTS * noises + TESTS * accuracies + models)


def _by_rounding(cell: ComparedCell, known: Known) -> ComparedCell:
    """Equivalent accuracies of a training that is the same within rounding error differ by what rounding has become.

    Over hundreds of reseeds some runs lie where one bit, amplified by each step, decides a held-out row.
    """
    if cell.section is not Section.ACCURACIES or cell.found is not Class.SAME_DISTRIBUTION:
        return cell
    trace = known.found(dataclasses.replace(cell.key, section=Section.TRACES))
    if trace.rank > Class.WITHIN_TOLERANCE.rank:
        return cell
    note = f"{cell.note}; the training is the same within rounding error"
    return dataclasses.replace(cell, found=Class.WITHIN_TOLERANCE, note=note)


def _without_bits(cell: ComparedCell, refused: tuple[Difference, ...]) -> ComparedCell:
    """The cell as it may be called between machines: equal bits are not promised, so none are claimed."""
    if not COMPARERS[cell.section].claims_bits or cell.found is not Class.IDENTICAL:
        return cell
    names = ", ".join(one.what for one in refused)
    note = f"the same bits as far as recorded, but no claim about bits is made between these environments: {names}"
    return dataclasses.replace(cell, found=Class.WITHIN_TOLERANCE, note=note, unclaimed=True)
