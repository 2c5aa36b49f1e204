"""What there is to say of a sweep's data: rows, features, classes, and what the problem itself states."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from initcheck.records import Data, Runs
from initcheck.reporting.format import format_count
from initcheck.reporting.results import Sweep

_MOST_CLASSES = 12  # named with their shares


def data_rows(sweep: Sweep) -> list[tuple[str, str]]:
    """Facts as ``(name, value)`` pairs; one that the problem states takes the place of ours of that name."""
    runs = next(iter(sweep.groups), None)
    data = _data_of(sweep, runs)
    facts = {
        "source": sweep.problem.source,
        "rows": f"{runs.train_total:,} for training, {runs.test_total:,} held out" if runs else "not known yet",
        **(_facts(data) if data else {}),
        **dict(sweep.problem.about),
    }
    facts.setdefault("chance", f"{sweep.problem.chance:.4g}: accuracy of always naming the commonest class")
    return list(facts.items())


def _data_of(sweep: Sweep, runs: Runs | None) -> Data | None:
    """The table once more, where it is the one that was trained on."""
    if runs is None:
        return None
    try:
        data = sweep.problem.data()
        sizes = (len(data.x_train), len(data.x_test))
    except Exception:  # whatever the user's function raises now: the page has the counts of the runs
        return None
    return data if sizes == (runs.train_total, runs.test_total) else None


def _facts(data: Data) -> dict[str, str]:
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
    return f"two: {named}" if len(labels) == 2 else f"{format_count(len(labels), 'class', 'classes')}: {named}"


def _label(label: np.generic) -> str:
    value = label.item()
    return f"{value:g}" if isinstance(value, float) else str(value)
