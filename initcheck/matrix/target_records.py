"""What was judged on one target, as a JSON file that its process writes."""

from __future__ import annotations

import dataclasses
from enum import Enum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from initcheck.catalog.laws import Law, VarianceScaled
from initcheck.errors import InitcheckError
from initcheck.files import read_bounded
from initcheck.records import Status

_MOST_BYTES = 64_000_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SubjectKind(Enum):
    """What a check was applied to."""

    INITIALIZER = "initializer"
    LAYER = "layer"
    OTHER = "other"


class OfferedRow(_Part):
    """An initializer that the target offers, or another that it was asked for with arguments.

    Attributes:
        name: The row's name, a subject of checks.
        law: The documented law in words.
        law_key: Equal for equal laws, whatever shapes they are documented for.
        source: Where it is documented.
        like: The row of Keras's catalogue that goes by the same name in papers; empty where none does.
    """

    name: str
    law: str
    law_key: str
    source: str
    like: str = ""


class JudgedCell(_Part):
    """The verdict of one check on one subject of the target.

    Attributes:
        check: Code of the check.
        subject: Name of the subject.
        kind: What the subject is.
        status: The verdict's; None where initcheck itself failed.
        issue: Reason of the known issue; empty where there is none.
        link: Where the known issue is reported or documented.
    """

    check: str
    subject: str
    kind: SubjectKind
    status: Status | None
    measured: str
    expected: str = ""
    bound: str = ""
    n: int | None = None
    p_value: float | None = None
    alpha: float | None = None
    effect: float | None = None
    issue: str = ""
    link: str = ""

    @property
    def known(self) -> bool:
        """Whether it is refuted or inconclusive as a known issue says."""
        return bool(self.issue) and self.status in (Status.FAIL, Status.INCONCLUSIVE)

    @property
    def outdated(self) -> bool:
        """Whether a known issue says that it fails, and it does not: the row of the issue is wrong."""
        return bool(self.issue) and self.status is Status.PASS

    @property
    def good(self) -> bool:
        """Whether nobody needs to look at it: it holds, was not asked, or fails as is known."""
        return not self.outdated and (self.known or self.status in (Status.PASS, Status.NOT_APPLICABLE))


class CheckFacts(_Part):
    """A check: what it judges, and where to read on.

    Attributes:
        title: The promise.
        family: Its family.
        url: Its section of docs/checks.md.
        detects: The effect that it detects with power 99.9 %, if it is statistical.
    """

    title: str
    family: str
    url: str
    detects: str = ""


class TargetRecord(_Part):
    """All verdicts on one target.

    Attributes:
        target: Its name.
        settings: Versions, processor and switches that decide what it draws.
        packages: Those of the settings that are packages, whose versions are the environment.
        seed: The root seed.
        seconds: How long it took.
        rows: Its initializers.
        checks: Code → the check.
        cells: The verdicts, in the order of the catalogue.
    """

    target: str
    settings: dict[str, str]
    packages: tuple[str, ...]
    seed: int
    seconds: float
    rows: tuple[OfferedRow, ...]
    checks: dict[str, CheckFacts]
    cells: tuple[JudgedCell, ...]


def law_key(law: Law) -> str:
    """Equal for equal distributions: which shapes a library documents besides is no part of them."""
    return repr(dataclasses.replace(law, least_axes=0) if isinstance(law, VarianceScaled) else law)


def read_record(path: Path) -> TargetRecord:
    """The record in that file.

    Raises:
        InitcheckError: It cannot be read, or is no such record.
    """
    try:
        return TargetRecord.model_validate_json(read_bounded(path, _MOST_BYTES))
    except ValidationError as error:
        raise InitcheckError(f"{path} is no record of a target ({error.error_count()} errors in it)") from None
