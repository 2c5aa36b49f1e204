"""A sweep as the files of a folder, and the sweep of such a folder again."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initcheck.arguments import path_of
from initcheck.errors import InitcheckError
from initcheck.files import read_bounded, require_replaceable, write_whole
from initcheck.record_files import RecordFile, checksum_of, first_mistake, shortened

if TYPE_CHECKING:
    from initcheck.reporting.results import Sweep
    from initcheck.reporting.saved_schema import SweepRecord

RECORD, RUNS, HISTORY, PAGE = SWEEP_FILES = "sweep.json", "runs.csv", "history.csv", "report.html"

# A hundred thousand reseeds of five initializers over fifteen epochs fit.
_MOST_BYTES = {RECORD: 8_000_000, RUNS: 200_000_000, HISTORY: 1_000_000_000, PAGE: 100_000_000}


def save(sweep: Sweep, folder: Path) -> None:
    """Writes ``sweep_files`` to a folder, which is made where it is missing.

    Raises:
        InitcheckError: The folder or a file cannot be written.
    """
    files = sweep_files(sweep)
    with writable_folder(folder, "the folder"):
        write_files(folder, files)


def sweep_files(sweep: Sweep) -> dict[str, Iterable[str]]:
    """File → its text, in pieces; to be written once, in this order: the data first, then their record, then the page.

    The record holds the digests of the others. So whatever is left of a write that was cut short is known for what it
    is: files of an earlier sweep do not have the new record's digests, nor new files the earlier record's.
    """
    from initcheck.reporting.page import render_report
    from initcheck.reporting.saved_tables import as_csv, history_csv

    record = _record(sweep)  # before anything is written: what fails must not leave half of a sweep
    digests: dict[str, str] = {}
    page = render_report(sweep)
    digests[PAGE] = _digest([_encoded(page)])
    return {
        RUNS: _digested(as_csv(part.to_frame() for part in sweep.parts()), digests, RUNS),
        HISTORY: _digested(history_csv(sweep.groups), digests, HISTORY),
        RECORD: _record_text(record, digests),
        PAGE: [page],
    }


def write_files(folder: Path, files: Mapping[str, Iterable[str]]) -> None:
    """Writes each file to the folder, in the order given.

    Raises:
        InitcheckError: One cannot be written; the message says which of them are new.
    """
    new: list[str] = []
    for name, parts in files.items():
        try:
            write_whole(folder / name, parts)
        except InitcheckError as error:
            if not new:
                raise
            raise InitcheckError(f"{error}; {', '.join(new)} there {'is' if len(new) == 1 else 'are'} new") from None
        new.append(name)


@contextlib.contextmanager
def writable_folder(folder: Path, option: str, files: Iterable[str] = SWEEP_FILES) -> Iterator[None]:
    """Makes sure before the work that its results can be written to a folder after it.

    A folder made here is removed at the end of the ``with`` block if nothing was written to it.

    Args:
        folder: The folder to write to.
        option: The user's name for it.
        files: Names of the files that will be written.

    Raises:
        InitcheckError: The path is a file, or cannot be written to.
    """
    names = tuple(files)
    missing: list[Path] = []
    given, folder = folder, folder.absolute()  # wherever the user's own code goes meanwhile
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for name in names:
            require_replaceable(folder / name, option)
        places = {os.path.realpath(folder / name) for name in names}
        if len(places) < len(names):
            raise InitcheckError(f"{option}: in {given} a link makes one file of two; name another folder")
    except (OSError, ValueError) as error:  # a null character is a ValueError
        with contextlib.suppress(OSError, ValueError):
            _remove_empty(missing)
        why = getattr(error, "strerror", None) or error
        reason = "is a file" if _is_file(folder) else f"cannot be written to ({why})"
        raise InitcheckError(f"{option} {given} {reason}; name another folder") from None
    try:
        yield
    finally:
        _remove_empty(missing)


def load(folder: str | Path) -> Sweep:
    """The sweep in a folder of ``Sweep.save`` or ``initcheck run``, with the same runs, answers, frames and plots.

    Its ``problem`` holds facts alone: no file can hold a problem's functions.

    Raises:
        InitcheckError: The folder holds no sweep; or its files are damaged, edited, too large, of a newer initcheck, or
            not of one sweep.
    """
    from initcheck.reporting.results import Sweep
    from initcheck.reporting.saved_tables import read_groups

    folder = path_of("the folder", folder)
    record = _read_record(folder)
    texts = {name: read_bounded(folder / name, _MOST_BYTES[name], "that file of a sweep") for name in (RUNS, HISTORY)}
    page = folder / PAGE
    if page.exists():  # who needs no page may remove it
        texts[PAGE] = read_bounded(page, _MOST_BYTES[PAGE], "a report")
    for name, text in texts.items():
        if _digest([text]) != record.digests[name]:
            remedy = "remove the page, or run again" if name == PAGE else "run again"
            raise InitcheckError(
                f"{folder / name} is not the one that {RECORD} was written with: it was edited, cut off, or is of "
                f"another sweep; {remedy}"
            )
    try:
        groups = read_groups(record.groups, record.problem.score.score, texts[RUNS], texts[HISTORY])
    except ValueError as error:
        raise InitcheckError(f"{folder} is damaged ({shortened(error)}); run again") from None
    return Sweep(
        problem=record.problem.facts,
        groups=groups,
        seed=record.seed,
        environment=record.environment.environment,
        command=record.command,
        engine=record.engine,
        planned=record.planned,
        trained=record.trained,
    )


def _read_record(folder: Path) -> SweepRecord:
    from initcheck.reporting.saved_schema import FORMAT, SCHEMA, SweepRecord

    path = folder / RECORD
    if not _exists(folder):
        raise InitcheckError(f"{folder}: no such folder; name one that initcheck run or Sweep.save has written")
    if _is_file(folder):
        raise InitcheckError(f"{folder} is a file; name the folder that initcheck run or Sweep.save has written")
    if not _exists(path):
        earlier = "was written by an earlier initcheck, or cut short" if _exists(folder / RUNS) else "holds no sweep"
        raise InitcheckError(f"{folder} {earlier}: it has no {RECORD}; write it with initcheck run --out {folder}")
    file = RecordFile(
        kind="record of a sweep",
        form=FORMAT,
        schema=SCHEMA,
        most_bytes=_MOST_BYTES[RECORD],
        write="name a folder that initcheck run has written",
        again="run again",
    )
    record = file.read(path, SweepRecord)
    if set(record.digests) != {RUNS, HISTORY, PAGE}:
        raise InitcheckError(f"{path} does not say which files belong to it; run again")
    return record


def _record(sweep: Sweep) -> SweepRecord:
    """The record of a sweep, still without digests.

    Raises:
        InitcheckError: The sweep holds what no record may, such as a processor without a name.
    """
    from importlib import metadata

    from pydantic import ValidationError

    from initcheck.reporting.saved_schema import SweepRecord

    where = sweep.environment
    groups = [{"runs": len(runs), **{name: getattr(runs, name) for name in _OF_GROUPS}} for runs in sweep.groups]
    body = {
        "initcheck_version": metadata.version("initcheck"),
        "problem": dataclasses.asdict(sweep.facts),
        "groups": tuple(groups),
        "seed": sweep.seed,
        "engine": sweep.engine,
        "command": sweep.command,
        "planned": sweep.planned,
        "environment": {field.name: getattr(where, field.name) for field in dataclasses.fields(where)},
        "digests": {},
        "trained": sweep.trained,
    }
    try:
        return SweepRecord.model_validate(_printable(body))
    except ValidationError as error:
        raise InitcheckError(f"the sweep cannot be saved ({first_mistake(error)}); correct that") from None


def _record_text(record: SweepRecord, digests: Mapping[str, str]) -> Iterator[str]:
    """The text of ``sweep.json``, made when it is asked for: after the tables, whose digests it holds."""
    body = record.model_copy(update={"digests": dict(digests)}).model_dump(mode="json")
    body["checksum"] = checksum_of(body)
    yield json.dumps(body, indent=1, ensure_ascii=False) + "\n"


_OF_GROUPS = ("problem", "initializer", "epochs", "train_total", "test_total", "metrics")


def _printable(value: Any) -> Any:
    """The same with every text as it is written to a file: half a character, as of a file's name, is spelt out."""
    if isinstance(value, str):
        return _encoded(value).decode()
    if isinstance(value, Mapping):
        return {_printable(key): _printable(item) for key, item in value.items()}
    return tuple(map(_printable, value)) if isinstance(value, tuple) else value


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")  # as initcheck.files does


def _digested(parts: Iterable[str], digests: dict[str, str], name: str) -> Iterator[str]:
    """Yields the parts; when all were taken, ``digests`` has the digest of their bytes under that name."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(_encoded(part))
        yield part
    digests[name] = digest.hexdigest()


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _remove_empty(folders: Iterable[Path]) -> None:
    for path in folders:
        with contextlib.suppress(OSError):  # not empty: it holds the results
            path.rmdir()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or no name
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
