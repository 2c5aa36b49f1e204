"""Which cells a quick run takes."""

from initcheck.checks.quick import SHARE, WHOLE, in_quick_run
from initcheck.checks.registry import Cell, Check, Subject, all_checks, cells
from initcheck.records import passed


def _cells(count: int, *, own: bool = False) -> list[Cell]:
    subjects = [Subject(f"row-{number}", own=own) for number in range(count)]
    check = Check("LONG", "a promise", "laws", subjects, lambda lab, value: passed("well"))
    return [Cell(check, subject, 0.0) for subject in subjects]


def test_every_check_is_in_a_quick_run_and_statistical_ones_whole() -> None:
    every = list(cells())
    for seed in range(SHARE):
        kept = [cell for cell, chosen in zip(every, in_quick_run(every, seed), strict=True) if chosen]
        assert {cell.check.code for cell in kept} == {check.code for check in all_checks()}
        assert [cell.name for cell in kept if cell.check.statistical] == [
            cell.name for cell in every if cell.check.statistical
        ]
        assert len(kept) < len(every) / 2


def test_four_root_seeds_in_a_row_take_every_cell() -> None:
    every = list(cells())
    assert all(map(any, zip(*(in_quick_run(every, seed) for seed in range(7, 11)), strict=True)))


def test_what_is_short_or_own_is_taken_whole() -> None:
    assert all(in_quick_run(_cells(WHOLE), 1))
    assert not all(in_quick_run(_cells(WHOLE + 1), 1))
    assert all(in_quick_run(_cells(60, own=True), 1))


def test_what_is_chosen_does_not_depend_on_what_else_is_run() -> None:
    long = _cells(60)
    chosen = in_quick_run(long, 1)
    assert [in_quick_run([cell], 1)[0] for cell in long] == chosen
    assert sum(chosen) == 15


def test_what_shares_evidence_is_taken_together() -> None:
    subjects = [Subject(f"row-{number}", evidence=f"model {number % 6}") for number in range(60)]
    check = Check("LONG", "a promise", "laws", subjects, lambda lab, value: passed("well"))
    kept = in_quick_run([Cell(check, subject, 0.0) for subject in subjects], 0)
    assert [number % 6 for number, chosen in enumerate(kept) if chosen] == [0, 4] * 10
