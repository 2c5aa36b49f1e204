"""A comparison of two baselines as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from enum import Enum
from typing import Any

from initcheck.baselines.comparing.comparison import Comparison
from initcheck.reporting.comparisons.sentences import describe, overall


def comparison_json(comparison: Comparison) -> str:
    """Everything that was found, as JSON; what is not finite is written as a word."""
    body = {"verdict": overall(comparison).value, "sentences": describe(comparison), **dataclasses.asdict(comparison)}
    return json.dumps(as_jsonable(body), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_jsonable(value: Any) -> Any:
    """The same made of what JSON knows; what is not finite is a word."""
    if isinstance(value, dict):
        return {key: as_jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_jsonable(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
