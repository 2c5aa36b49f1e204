"""The tables of a matrix: what the targets document, and whether it holds, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.matrix.target_records import JudgedCell, OfferedRow, SubjectKind, TargetRecord, law_key
from initcheck.records import Status

LAWS, FURTHER, LAYERS, DRAWS, SEEDS = "laws", "further", "layers", "draws", "seeds"
_Belongs = Callable[[TargetRecord, JudgedCell], bool]
BAD = (Status.FAIL, Status.INCONCLUSIVE, None)  # what refutes a promise, or leaves it open


class CellState(Enum):
    """What a cell of the matrix says, the gravest first."""

    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    OTHER_LAW = "other law"
    HOLDS = "holds"
    NOT_JUDGED = "not judged"
    NOT_OFFERED = "not offered"


@dataclass(frozen=True)
class MatrixEntry:
    """One cell: a law, a layer or a promise of seeds, on one target.

    Attributes:
        target: The column.
        state: What was found.
        cells: The verdicts of all checks on it.
        law: The law that the target documents, where it is another one than the row's.
        names: What the target calls it, where it is judged under other names than the row's.
        source: Where the target documents it.
    """

    target: str
    state: CellState
    cells: tuple[JudgedCell, ...] = ()
    law: str = ""
    names: tuple[str, ...] = ()
    source: str = ""

    @cached_property
    def bad(self) -> tuple[JudgedCell, ...]:
        """The verdicts that refute it, or leave it open."""
        return tuple(cell for cell in self.cells if cell.status in BAD)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What the checks were applied to."""
        return tuple(dict.fromkeys(cell.subject for cell in self.cells))

    @property
    def known(self) -> bool:
        """Whether all that is refuted is known."""
        return bool(self.bad) and all(cell.known for cell in self.bad)


@dataclass(frozen=True)
class MatrixLine:
    """One row of a table: its name, what is documented, and an entry for each target."""

    name: str
    documented: str
    entries: tuple[MatrixEntry, ...]


@dataclass(frozen=True)
class Refutation:
    """A promise that one target does not keep: what fails of one check, known failures apart from others.

    Attributes:
        target: The column.
        check: Code of the check.
        cells: What fails, that with the greatest effect first.
    """

    target: str
    check: str
    cells: tuple[JudgedCell, ...]

    @property
    def known(self) -> bool:
        """Whether that is known."""
        return self.cells[0].known


@dataclass(frozen=True)
class Matrix:
    """Targets side by side.

    Attributes:
        seed: The root seed.
        targets: The columns, in the order asked for.
        records: Target → what was judged.
        reasons: Target → why nothing was judged.
        tables: Key of the table → its rows; one without rows is left out.
    """

    seed: int
    targets: tuple[str, ...]
    records: Mapping[str, TargetRecord]
    reasons: Mapping[str, str]
    tables: Mapping[str, tuple[MatrixLine, ...]]

    def counts(self, target: str = "") -> dict[CellState, int]:
        """How many entries say what, on one target or on all; those that nothing was asked for are none."""
        entries = [entry for lines in self.tables.values() for line in lines for entry in line.entries]
        said = [one for one in entries if one.cells or one.state is CellState.NOT_OFFERED]
        chosen = [one.state for one in said if target in ("", one.target)]
        return {state: chosen.count(state) for state in CellState}

    @property
    def refutations(self) -> list[Refutation]:
        """Every promise that is refuted or left open, by target and check."""
        groups: dict[tuple[str, str, bool], list[JudgedCell]] = {}
        for record in self.records.values():
            for cell in record.cells:
                if cell.status in BAD:
                    groups.setdefault((record.target, cell.check, cell.known), []).append(cell)
        return [
            Refutation(target, check, tuple(sorted(cells, key=lambda cell: -abs(cell.effect or 0))))
            for (target, check, _), cells in groups.items()
        ]

    @property
    def good(self) -> bool:
        """Whether all that was judged holds, or fails as is known."""
        return all(cell.good for record in self.records.values() for cell in record.cells)


def make_matrix(
    seed: int, targets: Sequence[str], records: Mapping[str, TargetRecord], reasons: Mapping[str, str]
) -> Matrix:
    """The matrix of these targets; one without a record has a reason, and no column in the tables."""
    columns = [records[target] for target in targets if target in records]
    tables = {
        LAWS: tuple(_named_laws(columns)),
        FURTHER: tuple(_further_laws(columns)),
        LAYERS: _by_subject(columns),
        DRAWS: _by_check(columns, _is_of_draws),
        SEEDS: _by_check(columns, _is_of_seeds),
    }
    found = {key: lines for key, lines in tables.items() if lines}
    return Matrix(seed, tuple(targets), records, reasons, found)


def _named_laws(columns: Sequence[TargetRecord]) -> Iterator[MatrixLine]:
    """A row for each initializer of Keras's catalogue that a target has: the laws as people know them."""
    keys = {name: law_key(row.law) for name, row in INITIALIZERS.items()}
    for name, row in INITIALIZERS.items():
        synonyms = [other for other, key in keys.items() if key == keys[name]]
        # Arguments of a row are ours: a library is not asked for them, and may take them all the same.
        absent = CellState.NOT_JUDGED if row.config else CellState.NOT_OFFERED
        entries = []
        for record in columns:
            offered = _counterparts(record, name, keys[name], synonyms)
            entries.append(
                _of_rows(record, offered, name, keys[name]) if offered else MatrixEntry(record.target, absent)
            )
        if any(entry.cells for entry in entries):
            yield MatrixLine(name, str(row.law), tuple(entries))


def _counterparts(record: TargetRecord, name: str, key: str, synonyms: Sequence[str]) -> list[OfferedRow]:
    """What goes by that name on the target; else what has that law; else what goes by another name of that law."""
    return (
        [row for row in record.rows if row.like == name]
        or [row for row in record.rows if row.law_key == key]
        or [row for row in record.rows if row.like in synonyms]
    )


def _further_laws(columns: Sequence[TargetRecord]) -> Iterator[MatrixLine]:
    """A row for each law that a target documents under no name of the catalogue, or with other arguments."""
    firsts: dict[str, OfferedRow] = {}
    for row in (row for record in columns for row in record.rows if not row.like):
        firsts.setdefault(row.law_key, row)
    for key, first in firsts.items():
        entries = []
        for record in columns:
            offered = [row for row in record.rows if row.law_key == key]
            absent = MatrixEntry(record.target, CellState.NOT_JUDGED)
            entries.append(_of_rows(record, offered, first.name, key) if offered else absent)
        yield MatrixLine(first.name, first.law, tuple(entries))


def _of_rows(record: TargetRecord, offered: Sequence[OfferedRow], name: str, key: str) -> MatrixEntry:
    names = tuple(row.name for row in offered)
    cells = [
        cell
        for cell in record.cells
        if cell.kind is SubjectKind.INITIALIZER and cell.subject in names and not _is_of_seeds(record, cell)
    ]
    other = next((row.law for row in offered if row.law_key != key), "")
    state = _state(cells)
    state = CellState.OTHER_LAW if other and state is CellState.HOLDS else state
    return MatrixEntry(record.target, state, tuple(cells), other, () if names == (name,) else names, offered[0].source)


def _by_subject(columns: Sequence[TargetRecord]) -> tuple[MatrixLine, ...]:
    """A row for each layer."""
    lines = []
    layers = [[cell for cell in record.cells if _is_of_layers(record, cell)] for record in columns]
    for subject in dict.fromkeys(cell.subject for cells in layers for cell in cells):
        entries: list[MatrixEntry] = []
        titles: dict[str, str] = {}
        for record, cells in zip(columns, layers, strict=True):
            own = tuple(cell for cell in cells if cell.subject == subject)
            titles |= {cell.check: record.checks[cell.check].title for cell in own}
            entries.append(MatrixEntry(record.target, _state(own), own))
        lines.append(MatrixLine(subject, " ".join(titles.values()), tuple(entries)))
    return tuple(lines)


def _by_check(columns: Sequence[TargetRecord], belongs: _Belongs) -> tuple[MatrixLine, ...]:
    """A row for each check whose cells belong there, if any target is judged by it."""
    found = [[cell for cell in record.cells if belongs(record, cell)] for record in columns]
    lines = []
    for code in sorted({cell.check for cells in found for cell in cells}):
        entries = []
        for record, cells in zip(columns, found, strict=True):
            own = tuple(cell for cell in cells if cell.check == code)
            entries.append(MatrixEntry(record.target, _state(own) if own else CellState.NOT_OFFERED, own))
        title = next(record.checks[code].title for record in columns if code in record.checks)
        if {entry.state for entry in entries} - {CellState.NOT_OFFERED, CellState.NOT_JUDGED}:
            lines.append(MatrixLine(code, title, tuple(entries)))
    return tuple(lines)


def _is_of_seeds(record: TargetRecord, cell: JudgedCell) -> bool:
    return record.checks[cell.check].family == SEEDS


def _is_of_layers(record: TargetRecord, cell: JudgedCell) -> bool:
    return cell.kind is SubjectKind.LAYER and not _is_of_seeds(record, cell)


def _is_of_draws(record: TargetRecord, cell: JudgedCell) -> bool:
    return cell.kind is SubjectKind.OTHER and not _is_of_seeds(record, cell)


def _state(cells: Iterable[JudgedCell]) -> CellState:
    """The gravest of what the checks found; one that holds outweighs any that had nothing to judge."""
    found = {cell.status for cell in cells}
    if Status.FAIL in found:
        return CellState.REFUTED
    if found & {Status.INCONCLUSIVE, None}:
        return CellState.INCONCLUSIVE
    return CellState.HOLDS if Status.PASS in found else CellState.NOT_JUDGED
