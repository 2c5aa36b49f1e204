"""Calls every loss in all the ways that it can be called, beside its documented formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.cases.loss_cases import LOSS_CASES, LossCase, Options
from initcheck.evidence.composition.promises import Row, Seen, is_keras_3, keeps_doubles
from initcheck.evidence.steps.judged_examples import example_of, row_apart, supports, words_of
from initcheck.frameworks.arrays import as_array
from initcheck.oracle.loss_formulas import LOSS_FORMULAS
from initcheck.oracle.rounding import Rounded, rounding_to

Array = np.ndarray[Any, Any]

_SHARES = np.array([1.5, 0.25, 0.0, 2.0, 1.0, 0.75], np.float32)  # of six samples
_ROWS = (6, 4)
_OF_OUTPUTS = ("numbers", "positive", "bits", "signs")  # one target for each output
_HALVES = ("float16", "bfloat16")
_WHOLE = ("int32", "uint8", "int64", "float64")


def _row(case: LossCase) -> Row:
    def row(keras: Any, _: Path) -> Iterator[Seen]:
        kind = getattr(keras.losses, case.name, None)
        for number, options in enumerate(case.options):
            if supports(kind, options):
                yield from _called(keras, case, options)
                if not number:
                    yield from _reduced(keras, case, options)
                    yield from _of_other_targets(keras, case, options)
                    yield from _in_other_types(keras, case, options)

    return row


def _right(case: LossCase, options: Options, y: Array, p: Array) -> Rounded:
    result: Rounded = LOSS_FORMULAS[case.function](y.astype(float), Rounded(p), **options)
    return result


def _called(keras: Any, case: LossCase, options: Options) -> Iterator[Seen]:
    """Each sample's loss: of the object, of the function, and of the object that its configuration gives."""
    y, p = example_of(case, options)
    each, words = _right(case, options, y, p), words_of(options)
    loss = getattr(keras.losses, case.name)(**options, reduction="none")
    yield f"each loss {words}", each, loss(y, p)
    function: Any = getattr(keras.losses, case.function, None)
    if supports(function, options):
        yield f"function {words}", each, function(y, p, **(options or case.needed))
    if "rebuilt" not in case.apart:
        yield from _rebuilt(keras, case, options)


def _rebuilt(keras: Any, case: LossCase, options: Options) -> Iterator[Seen]:
    y, p = example_of(case, options)
    config = keras.losses.serialize(getattr(keras.losses, case.name)(**options, reduction="none"))
    again = keras.losses.deserialize(config)
    yield f"class rebuilt {words_of(options)}", case.name, type(again).__name__
    if callable(again):
        yield f"each loss once rebuilt {words_of(options)}", _right(case, options, y, p), again(y, p)


def _columns(keras: Any, case: LossCase, options: Options) -> Iterator[Seen]:
    y, p = example_of(case, options)
    loss = getattr(keras.losses, case.name)(**options, reduction="none")
    yield "each loss for a column of classes", _right(case, options, y, p), loss(y[..., None], p)


def _reduced(keras: Any, case: LossCase, options: Options) -> Iterator[Seen]:
    """Every reduction, with and without weights of the samples."""
    y, p = example_of(case, options)
    each = _right(case, options, y, p)
    count = float(each.value.size)
    kind = getattr(keras.losses, case.name)
    names = ["sum", "sum_over_batch_size", "none", None, "mean", "mean_with_sample_weight"]
    weights = {"": None, "weighted": np.resize(_SHARES, each.shape)} if case.samples else {"": None}
    for words, share in weights.items():
        weighted = each if share is None else each * share.astype(float)
        if share is not None and each.value.ndim == 1:
            column = kind(**options, reduction="sum")(y, p, share[:, None])
            yield "weighted by a column", weighted.sum(), column
        for name in names[: 6 if _has_reduction(keras, "mean_with_sample_weight") else 3]:
            right = weighted
            if name == "sum":
                right = weighted.sum()
            elif name == "mean_with_sample_weight" and share is not None:
                right = weighted.sum() / float(share.sum())
            elif name not in ("none", None):
                right = weighted.sum() / count
            right = right if case.samples else each
            yield f"{words} {name}", right, kind(**options, reduction=name)(y, p, share)


def _has_reduction(keras: Any, name: str) -> bool:
    try:
        keras.losses.MeanSquaredError(reduction=name)
    except ValueError:
        return False
    return True


def _of_other_targets(keras: Any, case: LossCase, options: Options) -> Iterator[Seen]:
    """Whole targets, in a column and without one, and sequences of samples."""
    y, p = example_of(case, options)
    each = _right(case, options, y, p)
    loss = getattr(keras.losses, case.name)(**options, reduction="none")
    function: Any = getattr(keras.losses, case.function, None)
    if np.array_equal(y, y.astype(int)) and case.targets != "signs":
        for dtype in _WHOLE:
            yield f"each loss for targets in {dtype}", each, loss(y.astype(dtype), p)
        if is_keras_3(keras) and supports(function, options) and case.name != "CTC":
            whole = function(y.astype("int32"), p, **(options or case.needed))
            yield "function of whole targets", each, whole
    if case.targets == "classes" and "columns" not in case.apart:
        yield from _columns(keras, case, options)
    if case.shape != _ROWS or "axis" in options or not case.samples or case.targets == "labels":
        return
    sequences = [one.reshape(2, 3, *one.shape[1:]) for one in (y, p)]
    yield "each loss of sequences", Rounded(each.value.reshape(2, 3), each.error.reshape(2, 3)), loss(*sequences)
    if case.targets in _OF_OUTPUTS:
        flat = [one.reshape(-1, 1) for one in (y, p)]
        each_alone = _right(case, options, *flat)
        yield "one output each", each_alone, loss(*flat)
        if is_keras_3(keras):
            yield "one output each, targets without its axis", each_alone, loss(flat[0][:, 0], flat[1])


def _in_other_types(keras: Any, case: LossCase, options: Options) -> Iterator[Seen]:
    """Doubles, and half precision where it suffices."""
    y, p = example_of(case, options)
    kind = getattr(keras.losses, case.name)
    if not supports(kind, {"dtype": ""}):
        return
    for dtype in ("float32", *(["float64"] if keeps_doubles() else []), *(_HALVES if case.half else ())):
        result = kind(**options, reduction="none", dtype=dtype)(y, p)
        yield f"type in {dtype}", dtype, keras.backend.standardize_dtype(result.dtype)
        with rounding_to(dtype if dtype in _HALVES else "float32"):
            right = _right(case, options, y, p)
        yield f"each loss in {dtype}", right, as_array(keras.ops.cast(result, "float32"))


_APART = {"rebuilt": _rebuilt, "columns": _columns}
JUDGED_LOSSES: Mapping[str, Row] = {
    **{str(case): _row(case) for case in LOSS_CASES},
    **{f"{case}-{what}": row_apart("losses", case, _APART[what]) for case in LOSS_CASES for what in case.apart},
}
