"""A comparison of two baselines as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from enum import Enum
from typing import Any

from initcheck.baselines.comparing.comparison import ComparedCell, Comparison
from initcheck.reporting.comparisons.sentences import describe


def comparison_json(comparison: Comparison) -> str:
    """The whole comparison as JSON; infinity and NaN are words."""
    body = {
        "verdict": comparison.verdict,
        "sentences": describe(comparison),
        "differences": comparison.differences,
        "refused": comparison.refused,
        "cells": [_cell(cell) for cell in comparison.cells],
        "delta": comparison.delta,
        "alpha": comparison.alpha,
    }
    return json.dumps(as_jsonable(body), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _cell(cell: ComparedCell) -> dict[str, Any]:
    facts = {field.name: getattr(cell, field.name) for field in dataclasses.fields(cell) if field.name != "key"}
    return {"section": cell.section, "name": cell.name, **facts, "stage": cell.stage or ""}


def as_jsonable(value: Any) -> Any:
    """The value made of JSON's types; infinity and NaN are words."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: as_jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_jsonable(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
