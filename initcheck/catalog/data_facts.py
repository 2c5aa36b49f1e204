"""Descriptions of a table's features and classes, for people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from initcheck.records import Data

_MOST_CLASSES = 12  # named with their shares


def describe_data(data: Data) -> dict[str, str]:
    """Features, and classes with their shares if the targets are class numbers."""
    shape = data.input_shape
    features = " × ".join(f"{size:,}" for size in shape)
    facts = {"features": features if len(shape) < 2 else f"{features} = {int(np.prod(shape)):,}"}
    try:
        labels, counts = np.unique(np.concatenate([np.ravel(data.y_train), np.ravel(data.y_test)]), return_counts=True)
    except (TypeError, ValueError):
        return facts
    rows = len(data.x_train) + len(data.x_test)
    if counts.sum() != rows or len(labels) > rows / 2:  # one-hot, or no classes
        return facts
    return facts | {"classes": _classes(labels, counts)}


def _classes(labels: npt.NDArray[np.generic], counts: npt.NDArray[np.int64]) -> str:
    shares = [
        f"{_label(label)}: {100 * count / counts.sum():.3g} % ({count:,})"
        for label, count in zip(labels[:_MOST_CLASSES], counts, strict=False)
    ]
    more = [f"and {len(labels) - _MOST_CLASSES} more"] if len(labels) > _MOST_CLASSES else []
    named = ", ".join(shares + more)
    return f"two: {named}" if len(labels) == 2 else f"{len(labels)} classes: {named}"


def _label(label: np.generic) -> str:
    value = label.item()
    return f"{value:g}" if isinstance(value, float) else str(value)
