"""Updates every metric batch by batch, beside its documented formula over all that it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.catalog.cases.loss_cases import Options
from initcheck.catalog.cases.metric_cases import METRIC_CASES, MetricCase
from initcheck.evidence.composition.promises import Row, Seen, is_keras_3
from initcheck.evidence.steps.judged_examples import example_of, row_apart, supports, words_of
from initcheck.oracle.metric_formulas import METRIC_FORMULAS
from initcheck.oracle.rounding import Rounded

Array = np.ndarray[Any, Any]

_BATCHES = (slice(0, 5), slice(5, 8), slice(8, 12))
_SHARES = np.array([1.5, 0.25, 0.0, 2.0, 1.0, 0.75, 4.0, 0.5, 1.0, 3.0, 0.0, 1.25], np.float32)
_WHOLE_SHARES = np.array([2, 1, 0, 3, 1, 1, 4, 2, 1, 5, 0, 1], np.int32)


def shares_of(case: MetricCase, y: Array, elements: bool = False) -> Array:
    """Weights of the samples, or of their elements."""
    shares = _WHOLE_SHARES if case.whole else _SHARES
    return np.resize(shares[:11], y.shape) if elements else shares


def _right(case: MetricCase, options: Options, *data: Array) -> Rounded:
    given = {name: value for name, value in options.items() if name != "dtype"}
    result: Rounded = METRIC_FORMULAS[case.name](*data, **given)
    return result


def _now(metric: Any) -> Array:
    """The result as it is now: that of several thresholds may be a variable."""
    return np.array(metric.result(), float)


def _row(case: MetricCase) -> Row:
    def row(keras: Any, _: Path) -> Iterator[Seen]:
        kind = getattr(keras.metrics, case.name, None)
        if Version(keras.__version__) < Version(case.since):
            return
        for number, options in enumerate(case.options):
            if supports(kind, options):
                yield from (_at_the_end if number else _over_batches)(keras, case, options)
                if "rebuilt" not in case.apart:
                    yield from _rebuilt(keras, case, options)
                if not number:
                    yield from _with_weights(keras, case, options)
                    yield from _given_otherwise(keras, case, options)
                    yield from _by_names(keras, case, options)

    return row


def _over_batches(keras: Any, case: MetricCase, options: Options) -> Iterator[Seen]:
    """Without weights: before the first batch, after each, and after a reset."""
    y, p = example_of(case, options)
    metric, ones = getattr(keras.metrics, case.name)(**options), np.ones(len(y))
    later = options.get("multi_label") or case.late
    if not np.isnan(case.empty) and not later:
        yield f"before any sample {words_of(options)}", case.empty, float(np.sum(_now(metric)))
    for number, batch in enumerate(_BATCHES):
        metric.update_state(y[batch], p[batch])
        seen = slice(0, batch.stop)
        right = _right(case, options, y[seen], p[seen], ones[seen])
        yield f"after batch {number + 1} {words_of(options)}", right, _now(metric)
    metric.reset_state()
    after = metric(y[_BATCHES[1]], p[_BATCHES[1]])
    again = _right(case, options, y[_BATCHES[1]], p[_BATCHES[1]], ones[_BATCHES[1]])
    yield f"of the second batch after a reset {words_of(options)}", again, after


def _at_the_end(keras: Any, case: MetricCase, options: Options) -> Iterator[Seen]:
    """After three batches, with weights of the samples where it takes them."""
    y, p = example_of(case, options)
    shares = shares_of(case, y) if case.weighted else np.ones(len(y))
    metric = getattr(keras.metrics, case.name)(**options)
    for batch in _BATCHES:
        metric.update_state(y[batch], p[batch], *([shares[batch]] if case.weighted else []))
    yield f"after three batches {words_of(options)}", _right(case, options, y, p, shares), _now(metric)


def _rebuilt(keras: Any, case: MetricCase, options: Options) -> Iterator[Seen]:
    y, p = example_of(case, options)
    metric = keras.metrics.deserialize(keras.metrics.serialize(getattr(keras.metrics, case.name)(**options)))
    metric.update_state(y, p)
    yield f"class rebuilt {words_of(options)}", case.name, type(metric).__name__
    yield f"once rebuilt {words_of(options)}", _right(case, options, y, p, np.ones(len(y))), _now(metric)


def _with_weights(keras: Any, case: MetricCase, options: Options) -> Iterator[Seen]:
    """Weights of the samples, flat, in a column and all one; of the elements where they may have their own."""
    if not case.weighted:
        return
    kind = getattr(keras.metrics, case.name)
    y, p = example_of(case, options)
    shares = shares_of(case, y)
    metric = kind(**options)
    for number, batch in enumerate(_BATCHES):
        metric.update_state(y[batch], p[batch], sample_weight=shares[batch])
        seen = slice(0, batch.stop)
        yield f"weighted after batch {number + 1}", _right(case, options, y[seen], p[seen], shares[seen]), _now(metric)
    alone = kind(**options)
    alone.update_state(y, p, sample_weight=np.zeros_like(shares))
    if not np.isnan(case.empty):
        yield "without weight", 0.0, float(np.sum(_now(alone)))
    if case.elements and case.targets != "hot":
        yield from _of_elements(keras, case, options)


def _of_elements(keras: Any, case: MetricCase, options: Options) -> Iterator[Seen]:
    y, p = example_of(case, options)
    shares = shares_of(case, y, elements=True)
    metric = getattr(keras.metrics, case.name)(**options)
    for batch in _BATCHES:
        metric.update_state(y[batch], p[batch], sample_weight=shares[batch])
    yield f"with weights of elements {words_of(options)}", _right(case, options, y, p, shares), _now(metric)


def _given_otherwise(keras: Any, case: MetricCase, options: Options) -> Iterator[Seen]:
    """Whole targets, flags, columns of classes; another dtype; states that the caller keeps."""
    kind = getattr(keras.metrics, case.name)
    y, p = example_of(case, options)
    right = _right(case, options, y, p, np.ones(len(y)))
    if np.array_equal(y, y.astype(int)) and case.targets != "signs":
        for dtype in ("int32", "uint8", "float64", *(["bool"] if case.targets == "bits" else [])):
            metric = kind(**options)
            metric.update_state(y.astype(dtype), p)
            yield f"for targets in {dtype}", right, _now(metric)
    if case.targets == "classes" and case.outputs == "shares" and case.shape != (12, 3, 4):
        metric = kind(**options)
        metric.update_state(y[:, None], p, sample_weight=shares_of(case, y))
        yield "for a weighted column of classes", _right(case, options, y, p, shares_of(case, y)), _now(metric)
    yield "name", "other", kind(**options, name="other").name
    if not is_keras_3(keras):
        return
    exact = kind(**options, dtype="float64")
    exact.update_state(y.astype("float64"), p.astype("float64" if case.doubles else "float32"))
    again = keras.metrics.deserialize(keras.metrics.serialize(exact)) if "rebuilt" not in case.apart else exact
    yield "type once rebuilt", "float64", again.dtype
    yield "in double precision", right, _now(exact)
    metric = kind(**options)
    metric.update_state(y, p)
    if hasattr(metric, "stateless_reset_state"):  # since Keras 3.1
        states = metric.stateless_reset_state()
        for batch in _BATCHES:
            states = metric.stateless_update_state(states, y[batch], p[batch])
        yield "with states that the caller keeps", right, metric.stateless_result(states)
    yield "beside them", right, _now(metric)
    function = getattr(keras.metrics, case.function, None) if case.function else None
    if function is not None and supports(function, options):
        each = np.asarray(function(y, p, **options), float)
        yield f"mean of what {case.function} gives", right, float(each.mean())


def _by_names(keras: Any, case: MetricCase, options: Options) -> Iterator[Seen]:
    """The strings that stand for it: its class, that with underscores, and abbreviations."""
    if options or case.label or not is_keras_3(keras):
        return
    y, p = example_of(case, {})
    snake = re.sub("([a-z0-9])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", case.name)).lower()
    for name in (case.name, snake, *case.names):
        metric = keras.metrics.get(name)
        metric.update_state(y, p)
        yield f"metric called {name}", _right(case, {}, y, p, np.ones(len(y))), _now(metric)


_APART = {"rebuilt": _rebuilt, "elements": _of_elements}
JUDGED_METRICS: Mapping[str, Row] = {
    **{str(case): _row(case) for case in METRIC_CASES},
    **{f"{case}-{what}": row_apart("metrics", case, _APART[what]) for case in METRIC_CASES for what in case.apart},
}
