"""Gathers models in files, and what the installed framework makes of files, its own or another environment's."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping

from initcheck.baselines.records.file_records import LoadedRecord, SavedRecord, digest_of
from initcheck.baselines.records.schema import Baseline
from initcheck.baselines.records.summary import stage_record
from initcheck.digests import digest
from initcheck.evidence.baseline.saved_files import FILES, load_file, save_models

_VALUES = 16
_MOST_BYTES = 1_000_000  # of one file, unpacked; those recorded have a tenth


def record_files() -> dict[str, SavedRecord]:
    """The installed framework's files, each loaded again by itself."""
    return {
        name: SavedRecord(content=base64.b64encode(zlib.compress(content, 9)).decode(), own=_loaded(name, content))
        for name, content in save_models().items()
    }


def with_loaded(new: Baseline, files: Mapping[str, SavedRecord]) -> Baseline:
    """The baseline with what the installed framework makes of another environment's files."""
    loaded = {name: _loaded(name, _content(one)) for name, one in files.items() if name in FILES}
    return new.model_copy(update={"loaded": loaded, "loaded_from": digest_of(files)})


def _content(record: SavedRecord) -> bytes:
    return zlib.decompressobj().decompress(base64.b64decode(record.content), _MOST_BYTES)


def _loaded(name: str, content: bytes) -> LoadedRecord:
    try:
        seen = load_file(name, content)
    except Exception as error:  # noqa: BLE001 - what the framework refuses is evidence
        return LoadedRecord(refused=type(error).__name__)
    return LoadedRecord(
        steps=seen.steps,
        moments=tuple(sorted(digest([one]) for one in seen.moments)),
        predictions=stage_record([seen.predictions], seen.deviation, _VALUES),
        following=None if seen.following is None else stage_record(seen.following, seen.step_deviation, _VALUES),
    )
