"""The bytes of a CSV file as UTF-8."""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

from initcheck.errors import DataError
from initcheck.files import read_bounded
from initcheck.texts import for_terminal

MOST_BYTES = 512_000_000

# The longer mark first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a SQLite database",
}


@dataclass(frozen=True)
class CsvText:
    """The text of one CSV file.

    Attributes:
        where: Its path, for messages.
        utf8: The text in UTF-8, without a byte order mark.
        encoding: The file's encoding.
        digest: The first 16 hexadecimal digits of SHA-256 over the file's bytes.
    """

    where: str
    utf8: bytes
    encoding: str
    digest: str


def read_text(path: Path) -> CsvText:
    """Reads a file or pipe of at most ``MOST_BYTES``: UTF-8, or UTF-16 or UTF-32 with a byte order mark.

    Raises:
        InitcheckError: It cannot be read, is no file, is too large, or takes too long.
        DataError: It is empty or not such a text.
    """
    raw = read_bounded(path, MOST_BYTES, "a table")
    where = for_terminal(str(path))
    for mark, kind in _OTHER_FORMATS.items():
        if raw.startswith(mark):
            raise DataError(f"{where}: this is {kind}, not a CSV file; export the table as CSV in UTF-8")
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    utf8 = _to_utf8(raw, encoding, where)
    if (place := utf8.find(b"\0")) >= 0:
        line = utf8.count(b"\n", 0, place) + 1
        raise DataError(
            f"{where}: line {line} holds a NUL byte, so this is not a CSV file in UTF-8 (UTF-16 without a byte order "
            "mark?); export the table as CSV in UTF-8"
        )
    if not utf8.strip():
        raise DataError(f"{where}: the file is empty; give a header line and rows")
    return CsvText(where, utf8, encoding.upper(), hashlib.sha256(raw).hexdigest()[:16])


def _to_utf8(raw: bytes, encoding: str, where: str) -> bytes:
    try:
        if encoding == "utf-8":
            utf8 = raw.removeprefix(codecs.BOM_UTF8)
            utf8.decode()
            return utf8
        return raw.decode(encoding).encode()
    except UnicodeError as error:
        line = raw.count(b"\n", 0, getattr(error, "start", 0)) + 1
        raise DataError(
            f"{where}: line {line} is not text in {encoding.upper()}; export the table as CSV in UTF-8"
        ) from None
