"""Records as JSON files with a checksum: strict, bounded in size, and read as what somebody else may have made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from initcheck.errors import InitcheckError
from initcheck.files import read_bounded
from initcheck.texts import for_terminal

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

_SHOWN = 90  # characters of a hostile text that a message repeats


@dataclass(frozen=True)
class RecordFile:
    """The format of one kind of record file.

    Attributes:
        kind: In words: ``baseline``.
        form: The text of its field ``format``.
        schema: The newest schema that this initcheck reads.
        most_bytes: The largest size.
        write: How to write one, for messages.
        again: How to write this one again, for messages.
    """

    kind: str
    form: str
    schema: int
    most_bytes: int
    write: str
    again: str

    def read(self, path: Path, model: type[Model]) -> Model:
        """The record in that file.

        Raises:
            InitcheckError: The file cannot be read, holds no such record, is damaged or edited, or is of a newer
                initcheck.
        """
        from pydantic import ValidationError
        from pydantic_core import from_json

        try:
            body = from_json(read_bounded(path, self.most_bytes, f"a {self.kind}"), allow_inf_nan=False)
        except ValueError as error:  # text cut off, no text at all, or nested without end
            raise InitcheckError(f"{path} is no JSON, or was cut off ({shortened(error)}); {self.again}") from None
        if not isinstance(body, dict) or body.get("format") != self.form:
            raise InitcheckError(f"{path} is no {self.kind}; {self.write}")
        schema, checksum = body.get("schema_version"), body.pop("checksum", None)
        if isinstance(schema, int) and schema > self.schema:
            raise InitcheckError(
                f"{path} was written by a newer initcheck (schema {shortened(schema)}; this one reads {self.schema}); "
                "upgrade initcheck"
            )
        try:
            record = model.model_validate_json(json.dumps(body))
        except ValidationError as error:
            raise InitcheckError(f"{path} holds no {self.kind} ({first_mistake(error)}); {self.again}") from None
        if checksum != checksum_of(body):
            raise InitcheckError(f"{path} was changed after it was written: its checksum differs; {self.again}")
        return record


def checksum_of(body: dict[str, Any]) -> str:
    """A checksum that shows accidental edits of the record, not deliberate ones."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def first_mistake(error: Any) -> str:
    """The first thing that pydantic finds wrong: where, and what."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{shortened('.'.join(map(str, first['loc'])))}: {shortened(first['msg'].removeprefix('Value error, '))}"


def shortened(text: object) -> str:
    """A text from a file, fit for a message: printable, on one line, and not long."""
    shown = for_terminal(str(text))
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
