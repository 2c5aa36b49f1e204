"""Reads and writes baseline files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from initcheck.baselines.schema import FORMAT, SCHEMA, Baseline
from initcheck.errors import InitcheckError
from initcheck.files import read_bounded
from initcheck.texts import for_terminal

MOST_BYTES = 32_000_000  # a hundred thousand reseeds of a dozen cells; a default baseline has less than one million
_SHOWN = 60  # characters of a hostile text that a message repeats


def write_baseline(baseline: Baseline) -> str:
    """The file's text: one line for each record, always in the same order, so that a diff reads well."""
    body = baseline.model_dump(mode="json")
    if not body["environment"]["distributions"]:
        del body["environment"]["distributions"]  # as the files of earlier versions are
    body["checksum"] = _checksum(body)
    return "\n".join(_lines(body, "")) + "\n"


def load_baseline(path: Path) -> Baseline:
    """The baseline in that file.

    Raises:
        InitcheckError: The file cannot be read, is no baseline, is damaged or edited, or is of a newer initcheck.
    """
    try:
        body = from_json(read_bounded(path, MOST_BYTES, "a baseline"), allow_inf_nan=False)
    except ValueError as error:  # text cut off, no text at all, or nested without end
        raise InitcheckError(f"{path} is no JSON, or was cut off ({_short(error)}); record it anew") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise InitcheckError(f"{path} is no baseline; write one with initcheck record")
    schema, checksum = body.get("schema_version"), body.pop("checksum", None)
    if isinstance(schema, int) and schema > SCHEMA:
        raise InitcheckError(
            f"{path} was written by a newer initcheck (schema {_short(schema)}; this one reads {SCHEMA}); "
            "upgrade initcheck"
        )
    try:
        baseline = Baseline.model_validate_json(json.dumps(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where, what = _short(".".join(map(str, first["loc"]))), _short(first["msg"])
        raise InitcheckError(f"{path} holds no baseline ({where}: {what}); record it anew") from None
    if checksum != _checksum(body):
        raise InitcheckError(f"{path} was changed after it was recorded: its checksum does not agree; record it anew")
    return baseline


def _checksum(body: dict[str, Any]) -> str:
    """Shows that nobody edited the numbers; not made to withstand anybody who wants to."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _lines(value: Any, indent: str) -> list[str]:
    """JSON with a line for each object that holds no other object."""
    if not isinstance(value, dict | list) or not any(isinstance(item, dict) for item in _items(value)):
        return [json.dumps(value, ensure_ascii=False)]
    pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    lines: list[str] = []
    inner = indent + " "
    for key, item in pairs:
        name = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
        first, *rest = _lines(item, inner)
        lines += [f"{inner}{name}{first}", *rest]
        lines[-1] += ","
    lines[-1] = lines[-1][:-1]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return [opening, *lines, indent + closing]


def _items(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _short(text: object) -> str:
    """A text from a file, fit for a terminal: printable, on one line, and not long."""
    shown = for_terminal(str(text))
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
