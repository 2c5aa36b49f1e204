"""A store on disk: a folder for each question, in it a file for each block of finished runs, whole or absent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from initcheck.errors import InitcheckError, StoreError
from initcheck.files import read_bounded
from initcheck.records import Runs
from initcheck.store.blocks import CellBlock
from initcheck.store.owners import ProcessOwner
from initcheck.store.part_formats import PartFormat
from initcheck.store.part_texts import rectangles
from initcheck.store.stored_parts import StoredPart, digest_of_part
from initcheck.store.sweep_questions import FORM, SCHEMA, SweepQuestion
from initcheck.texts import for_terminal

MARK = "initcheck-store.json"
QUESTION = "question.json"
RUNS, TEXTS, ASKS, CLAIMS, PARTIAL, DAMAGED = "runs", "texts", "asks", "claims", "partial", "damaged"
_FORM = "initcheck store"
_ABANDONED = 86400  # seconds after which a partial file of another machine is swept
_MOST_TEXT = 8_000_000  # bytes of a question or an ask


class AnswerFolder:
    """The runs of one question.

    Args:
        path: The folder.
        question: The question.
        form: In which parts are written.
    """

    def __init__(self, path: Path, question: SweepQuestion, form: PartFormat) -> None:
        self.path = path
        self.question = question
        self.form = form

    def parts(self) -> list[StoredPart]:
        """The parts that are there now, by name."""
        return self.parts_beside(set())

    def parts_beside(self, known: set[str]) -> list[StoredPart]:
        """The parts that are there now, but for those of these names; the names of all are added to them."""
        names: set[str] = set()
        with contextlib.suppress(FileNotFoundError):
            names = {*os.listdir(self.path / RUNS)} - known  # noqa: PTH208 - names alone: there may be many
        known |= names
        found = [StoredPart.of(self.path / RUNS / name) for name in sorted(names)]
        return [part for part in found if part is not None]

    def stamp(self) -> int:
        """A number that differs where parts came since it was taken."""
        with contextlib.suppress(FileNotFoundError):
            return (self.path / RUNS).stat().st_mtime_ns
        return 0

    def read(self, part: StoredPart) -> Runs | None:
        """The runs of a part; None where it is damaged: it is set aside then, so that they are trained again."""
        try:
            return part.read(self.question.score)
        except ValueError:
            self.set_aside(part.path)
            return None

    def texts(self) -> list[Path]:
        """The files of texts that are there now, by name."""
        return sorted((self.path / TEXTS).glob("*"))

    def set_aside(self, path: Path) -> None:
        """Puts a damaged file where nobody looks for it."""
        with contextlib.suppress(OSError):
            (self.path / DAMAGED).mkdir(exist_ok=True)
            path.replace(self.path / DAMAGED / path.name)

    def write(self, key: str, runs: Runs) -> list[StoredPart]:
        """Writes runs of one initializer, by order and reseed; they are on the disk afterwards.

        Raises:
            StoreError: They cannot be written.
        """
        written, new = [], {}
        for orders, reseeds, piece in rectangles(runs):
            block, content = CellBlock(key, orders, reseeds), self.form.encode(piece)
            digest = digest_of_part(content)
            path = self.path / RUNS / f"{block.name}.{digest}.{self.form.value}"
            if not path.exists():
                new[path] = content
            written.append(StoredPart(path, block, digest, self.form))
        self.place(new)
        return written

    def place(self, contents: Mapping[Path, bytes]) -> None:
        """Puts files into their places, each in one step; afterwards all are on the disk.

        Args:
            contents: The path of each with its content.

        Raises:
            StoreError: One cannot be written; nothing of it is left then.
        """
        for path, content in contents.items():
            self._place(path, content)
        for folder in dict.fromkeys(path.parent for path in contents):
            _sync(folder)

    def _place(self, path: Path, content: bytes) -> None:
        owner = ProcessOwner.this_process()
        sign = hashlib.blake2b(owner.host.encode(), digest_size=4).hexdigest()
        partial = self.path / PARTIAL / f"{sign}-{owner.pid}-{secrets.token_hex(6)}"
        try:
            for folder in (path.parent, partial.parent):
                folder.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    partial.unlink()
                raise
        except OSError as error:
            raise StoreError(
                f"{path.parent} cannot be written to ({error.strerror or error}); what the store had is kept: "
                "free some space or name another --store, and start again"
            ) from None

    def sweep(self) -> int:
        """Removes what killed processes left half-written; gives the number of files."""
        sign = hashlib.blake2b(ProcessOwner.this_process().host.encode(), digest_size=4).hexdigest()
        swept = 0
        with contextlib.suppress(OSError):
            for path in (self.path / PARTIAL).iterdir():
                match = re.fullmatch(r"([0-9a-f]{8})-(\d{1,9})-[0-9a-f]{12}", path.name)
                with contextlib.suppress(OSError):
                    is_ours = match is not None and match[1] == sign
                    ended = is_ours and ProcessOwner(ProcessOwner.this_process().host, int(match[2]), "").has_ended  # type: ignore[index] # is_ours
                    if ended or time.time() - path.stat().st_mtime > _ABANDONED:
                        path.unlink()
                        swept += 1
        return swept

    def note_ask(self, ask: Mapping[str, Any], **changing: Any) -> None:
        """Writes down what was asked; ``changing`` is what is known at the end alone, such as the engine's words."""
        body = json.loads(json.dumps(ask, default=str))
        name = hashlib.blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=8).hexdigest()
        text = json.dumps({**body, **changing}, indent=1, ensure_ascii=False) + "\n"
        path, encoded = self.path / ASKS / f"{name}.json", text.encode("utf-8", "backslashreplace")
        if not path.exists() or path.read_bytes() != encoded:
            self.place({path: encoded})

    def asks(self) -> list[dict[str, Any]]:
        """What was asked of it, the latest last."""
        paths = sorted((self.path / ASKS).glob("*.json"), key=lambda one: (one.stat().st_mtime_ns, one.name))
        return [_read_json(path) for path in paths]


class Store:
    """A folder of answers.

    Args:
        root: The folder.

    Attributes:
        root: The folder.
        form: In which its parts are written.

    Raises:
        InitcheckError: It is no store, or a newer initcheck's.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._shown = root
        self.form = self._read_mark()

    @classmethod
    def open(cls, root: Path, form: PartFormat | None = None, *, default: PartFormat = PartFormat.JSON_LINES) -> Store:
        """The store in that folder, which is made where there is none.

        Args:
            root: The folder.
            form: In which its parts are written; by default that which it has.
            default: That of a new one, where none is asked for.

        Raises:
            InitcheckError: Something else is in the folder, it cannot be written to, or is of another form; or an extra
                is missing.
        """
        (form or default).require()
        absolute = root.absolute()
        try:
            absolute.mkdir(parents=True, exist_ok=True)
            mark = absolute / MARK
            if not mark.exists():
                others = [one for one in sorted(os.listdir(absolute)) if not one.startswith(".")]  # noqa: PTH208
                if others and not mark.exists():  # another process may have made it since
                    raise InitcheckError(
                        f"{root} is no store: it holds {for_terminal(others[0])}; name an empty folder or a store"
                    )
                _write_mark(mark, form or default)
            partial = absolute / f".{secrets.token_hex(6)}"
            partial.touch()
            partial.unlink()
        except (OSError, ValueError) as error:
            reason = for_terminal(getattr(error, "strerror", None) or str(error))
            raise InitcheckError(f"{root} cannot be used as a store ({reason}); name another folder") from None
        store = cls(root)
        store.form.require()
        if form is not None and form is not store.form:
            raise InitcheckError(
                f"{root} keeps its runs as {store.form.value}; leave the format out, or make a new store of the other "
                f"one: initcheck store merge {root} --store NEW --store-format {form.value}"
            )
        return store

    def answers(self, question: SweepQuestion) -> AnswerFolder:
        """The folder of that question, which is made where it is missing.

        Raises:
            InitcheckError: It cannot be written.
        """
        folder = AnswerFolder(self.root / question.name, question, self.form)
        path = folder.path / QUESTION
        if not path.exists():
            folder.place({path: question.text.encode("utf-8", "backslashreplace")})
        elif path.read_bytes() != question.text.encode("utf-8", "backslashreplace"):
            raise InitcheckError(f"{path} is damaged; remove {folder.path}, or name another store")
        return folder

    def all_answers(self) -> Iterator[AnswerFolder]:
        """The folders of all questions that runs answer, by name.

        Raises:
            InitcheckError: One of them is damaged.
        """
        return (folder for folder in self.all_questions() if folder.question.body.get("score") is not None)

    def all_questions(self) -> Iterator[AnswerFolder]:
        """The folders of all questions, those that texts answer included, by name.

        Raises:
            InitcheckError: One of them is damaged.
        """
        for path in sorted(self.root.glob(f"*/{QUESTION}")):
            body = _read_json(path)
            if body.get("format") != FORM or not isinstance(body.get("trained"), dict):
                raise InitcheckError(f"{path} holds no question; remove {path.parent}")
            if body.get("schema") != SCHEMA:
                raise InitcheckError(f"{path} is of another initcheck (schema {body.get('schema')}); read it with that")
            question = SweepQuestion(body)
            if question.name != path.parent.name:
                raise InitcheckError(f"{path} was edited or moved; remove {path.parent}")
            yield AnswerFolder(path.parent, question, self.form)

    def _read_mark(self) -> PartFormat:
        mark = self.root / MARK
        if not self.root.is_dir():
            raise InitcheckError(f"{self._shown}: no such folder; name a store that --store has made")
        if not mark.exists():
            raise InitcheckError(f"{self._shown} is no store: it has no {MARK}; name one that --store has made")
        body = _read_json(mark)
        if body.get("format") != _FORM:
            raise InitcheckError(f"{self._shown} is no store of initcheck's; name another folder")
        if body.get("schema") != SCHEMA:
            raise InitcheckError(
                f"{self._shown} is the store of another initcheck (schema {body.get('schema')}, not {SCHEMA}); use "
                "that one, or another folder"
            )
        named = body.get("parts", PartFormat.JSON_LINES.value)
        if named not in {form.value for form in PartFormat}:
            raise InitcheckError(
                f"{self._shown} is the store of another initcheck (its parts are {named}); use that one"
            )
        return PartFormat(named)


def _write_mark(mark: Path, form: PartFormat) -> None:
    partial = mark.with_name(f".{secrets.token_hex(6)}")
    partial.write_text(json.dumps({"format": _FORM, "schema": SCHEMA, "parts": form.value}) + "\n", encoding="utf-8")
    partial.replace(mark)


def _read_json(path: Path) -> dict[str, Any]:
    from pydantic_core import from_json

    try:
        body = from_json(read_bounded(path, _MOST_TEXT, "it"))
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise InitcheckError(f"{path} is damaged; remove it, or name another store")
    return body


def _sync(folder: Path) -> None:
    if hasattr(os, "O_DIRECTORY"):  # the new name has to be on the disk, too
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
