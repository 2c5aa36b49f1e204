"""Reads and writes baseline files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from initcheck.baselines.records.schema import FORMAT, SCHEMA, Baseline
from initcheck.record_files import RecordFile, checksum_of

MOST_BYTES = 32_000_000  # a hundred thousand reseeds of a dozen cells; a default baseline has less than one million


_FILE = RecordFile(
    kind="baseline",
    form=FORMAT,
    schema=SCHEMA,
    most_bytes=MOST_BYTES,
    write="write one with initcheck record",
    again="record it anew",
)


def write_baseline(baseline: Baseline) -> str:
    """The file's text: one line for each record, always in the same order, so that a diff reads well."""
    body = baseline.model_dump(mode="json")
    if not body["environment"]["distributions"]:
        del body["environment"]["distributions"]  # as the files of earlier versions are
    for problem in body["problems"].values():
        if not problem["given"]:
            del problem["given"]
    for section in ("layers", "steps", "files", "loaded", "loaded_from", "public"):
        if not body[section]:
            del body[section]  # the same
    body["checksum"] = checksum_of(body)
    return "\n".join(_lines(body, "")) + "\n"


def load_baseline(path: Path) -> Baseline:
    """The baseline in that file.

    Raises:
        InitcheckError: The file cannot be read, is no baseline, is damaged or edited, or is of a newer initcheck.
    """
    return _FILE.read(path, Baseline)


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
