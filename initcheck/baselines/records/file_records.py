"""The records of saved models in a baseline: the files themselves, and what an environment makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from initcheck.baselines.records.fields import Count, Digest, Record
from initcheck.baselines.records.training_records import StageRecord

_MOST_CHARACTERS = 150_000


class FileStage(StrEnum):
    """The stages of a saved model, in the order in which they are judged."""

    LOADED = "loading"
    PREDICTIONS = "predictions of the loaded model"
    STEPS = "steps of the loaded optimizer"
    MOMENTS = "moments of the loaded optimizer"
    FOLLOWING = "weights after the next step"


class LoadedRecord(Record):
    """A model as it is after loading.

    Attributes:
        refused: The name of the exception that loading raised, and then nothing else; empty where it raised none.
        steps: Of its optimizer.
        moments: Digests of the optimizer's arrays, sorted: versions keep them in different orders.
        predictions: For given inputs.
        following: Its weights after one more step; None where it cannot be trained on.
    """

    refused: Annotated[str, Field(max_length=200)] = ""
    steps: Count = 0
    moments: tuple[Digest, ...] = Field(max_length=1000, default=())
    predictions: StageRecord | None = None
    following: StageRecord | None = None


class SavedRecord(Record):
    """A model's file.

    Attributes:
        content: Compressed by zlib, in base64.
        own: What the environment that wrote it makes of it.
    """

    content: Annotated[str, Field(max_length=_MOST_CHARACTERS, pattern="^[A-Za-z0-9+/]*={0,2}$")]
    own: LoadedRecord


def digest_of(files: Mapping[str, SavedRecord]) -> str:
    """Names exactly these files."""
    key = hashlib.blake2b(digest_size=12)
    for name, file in sorted(files.items()):
        key.update(f"{name} {file.content}\n".encode())
    return key.hexdigest()
