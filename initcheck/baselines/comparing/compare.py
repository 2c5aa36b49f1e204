"""Compares two baselines, cell by cell; loads no framework."""

from __future__ import annotations

import dataclasses

from initcheck.baselines.comparing.accuracy import DELTA, TESTS, compare_accuracies
from initcheck.baselines.comparing.comparison import Class, ComparedCell, Comparison, Difference
from initcheck.baselines.comparing.draw_cells import (
    LAW_TESTS,
    WEIGHT_TESTS,
    absent,
    compare_defaults,
    compare_draws,
    compare_fans,
    compare_orders,
    pairs,
)
from initcheck.baselines.comparing.trace_cells import compare_traces
from initcheck.baselines.records.schema import Baseline, ProblemRecord
from initcheck.baselines.records.training_records import TraceRecord
from initcheck.errors import InitcheckError
from initcheck.records import Environment

ALPHA = 1e-3
_DECIDE_BITS = ("platform", "cpu", "cpu features", "threads", "oneDNN", "op determinism", "devices", "switches")
_OF_NUMBERS = ("draws", "defaults", "traces", "fits")  # sections whose cells may be equal in every bit


def compare(old: Baseline, new: Baseline) -> Comparison:
    """Every cell of two baselines.

    Raises:
        InitcheckError: They were recorded under different root seeds, so that nothing in them belongs together.
    """
    if old.seed != new.seed:
        raise InitcheckError(
            f"the baselines have the seeds {old.seed} and {new.seed}; record both with the same --seed"
        )
    alpha = ALPHA / _count_tests(old)
    cells: list[ComparedCell] = []
    for row, mine, other in pairs(old.draws, new.draws):
        for dtype, was, now in pairs(mine or {}, other or {}):
            name = f"{row} {dtype}"
            cells.append(
                compare_draws(name, was, now, alpha) if was and now else absent("draws", name, old=was is not None)
            )
    for name, had, has in pairs(old.defaults, new.defaults):
        both = had is not None and has is not None
        cells.append(
            compare_defaults(name, had or (), has or (), alpha) if both else absent("defaults", name, old=has is None)
        )
    for name, fan, fans in pairs(old.fans, new.fans):
        cells.append(compare_fans(name, fan, fans) if fan and fans else absent("fans", name, old=fans is None))
    for name, order, orders in pairs(old.orders, new.orders):
        cells.append(
            compare_orders(name, order, orders) if order and orders else absent("orders", name, old=orders is None)
        )
    laws = {cell.name: cell for cell in cells if cell.section == "draws"}
    for name, problem, problems in pairs(old.problems, new.problems):
        if problem and problems:
            cells += _compare_problem(name, problem, problems, laws, alpha)
        else:
            cells.append(absent("traces", name, old=problems is None))
    differences = environment_differences(old.environment.environment, new.environment.environment)
    refused = tuple(one for one in differences if one.what in _DECIDE_BITS)
    if refused:
        cells = [_without_bits(cell, refused) for cell in cells]
    return Comparison(differences, refused, tuple(cells), DELTA, ALPHA)


def _compare_problem(
    problem: str, old: ProblemRecord, new: ProblemRecord, laws: dict[str, ComparedCell], alpha: float
) -> list[ComparedCell]:
    if old.held_out_rows != new.held_out_rows:
        return [ComparedCell("traces", problem, Class.CHANGED, note="another number of held-out rows: other data")]
    order = compare_orders(problem, old.order, new.order)
    accuracies = {row: _accuracies(problem, row, old, new, alpha) for row in {**old.traces, **new.traces}}
    cells = [order]
    for section, mine, other in (("traces", old.traces, new.traces), ("fits", old.fits, new.fits)):
        for row, was, now in pairs(mine, other):
            name = f"{problem} {row}"
            if was is None or now is None:
                cells.append(absent(section, name, old=now is None))
                continue
            unknown = ComparedCell(section, name, Class.INCONCLUSIVE)
            cells.append(
                compare_traces(
                    name,
                    was,
                    now,
                    rows=old.held_out_rows,
                    law=laws.get(f"{row} float32", unknown),
                    order=order,
                    accuracies=accuracies.get(row, unknown),
                    section=section,
                )
            )
    traces = {cell.name: cell for cell in cells if cell.section == "traces"}
    recorded = {*old.accuracies, *new.accuracies}
    return [
        *cells,
        *(_by_rounding(cell, traces.get(cell.name)) for row, cell in accuracies.items() if row in recorded),
    ]


def _by_rounding(accuracies: ComparedCell, trace: ComparedCell | None) -> ComparedCell:
    """Equivalent accuracies of a training that is the same but for rounding differ by what rounding has become.

    Over hundreds of reseeds some runs lie where one bit, amplified by each step, decides a held-out row.
    """
    same = trace is not None and trace.found.rank <= Class.WITHIN_TOLERANCE.rank
    if not same or accuracies.found is not Class.SAME_DISTRIBUTION:
        return accuracies
    note = f"{accuracies.note}; the training is the same but for rounding"
    return dataclasses.replace(accuracies, found=Class.WITHIN_TOLERANCE, note=note)


def _accuracies(problem: str, row: str, old: ProblemRecord, new: ProblemRecord, alpha: float) -> ComparedCell:
    name = f"{problem} {row}"
    was, now = old.accuracies.get(row), new.accuracies.get(row)
    if was and now:
        mine, other = old.traces.get(row), new.traces.get(row)
        paired = mine is not None and other is not None and _start_alike(mine, other)
        return compare_accuracies(name, was, now, old.held_out_rows, paired=paired, alpha=alpha)
    holder = "old" if was else "new"
    note = f"only the {holder} baseline has any; record both with --reseeds N" if was or now else "none recorded"
    return ComparedCell("accuracies", name, Class.INCONCLUSIVE, note=note)


def _start_alike(old: TraceRecord, new: TraceRecord) -> bool:
    """Whether equal reseeds have equal initial weights, as far as the first tells."""
    return old.stages["initial weights"].digest == new.stages["initial weights"].digest


def _count_tests(old: Baseline) -> int:
    """p-values that could be asked for, whether or not anything differs.

    None is asked for what only one baseline holds, so the old one alone tells how many: a cell has the same share
    whether or not the others are recorded and judged with it.
    """
    draws = sum(map(len, old.draws.values()))
    weights = sum(map(len, old.defaults.values()))
    accuracies = sum(len(problem.accuracies) for problem in old.problems.values())
    return max(1, LAW_TESTS * draws + WEIGHT_TESTS * weights + TESTS * accuracies)


def environment_differences(old: Environment, new: Environment) -> tuple[Difference, ...]:
    """What is not the same of two environments."""
    mine, other = dict(old.rows()), dict(new.rows())
    return tuple(
        Difference(what, mine.get(what, "–"), other.get(what, "–"))
        for what in {**mine, **other}
        if mine.get(what) != other.get(what)
    )


def _without_bits(cell: ComparedCell, refused: tuple[Difference, ...]) -> ComparedCell:
    """The cell as it may be told between machines: equal bits are not promised, so none are claimed."""
    if cell.section not in _OF_NUMBERS or cell.found is not Class.IDENTICAL:
        return cell
    names = ", ".join(one.what for one in refused)
    note = f"the same bits as far as recorded, but no claim about bits is made between these environments: {names}"
    return dataclasses.replace(cell, found=Class.WITHIN_TOLERANCE, note=note, unclaimed=True)
