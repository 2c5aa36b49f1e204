"""The documented formulas of metrics that are no means: from all targets, outputs and weights that they were given.

Sources: https://keras.io/api/metrics/; areas under precision and recall: Davis & Goadrich 2006, The Relationship
Between Precision-Recall and ROC Curves; their gains: Flach & Kull 2015, Precision-Recall-Gain Curves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.oracle.loss_formulas import LOSS_FORMULAS
from initcheck.oracle.rounding import UNIT, Rounded

Floats = np.ndarray[Any, Any]
Formula = Callable[..., Rounded]

_FEW = 16  # roundings of a ratio of counts and of the terms that keep it finite


def near(value: Any, roundings: int = _FEW) -> Rounded:
    """The value, off by at most so many roundings of numbers up to one, or of itself where it is larger."""
    value = np.asarray(value, float)
    return Rounded(value, roundings * UNIT * np.maximum(1.0, np.abs(value)))


def _ratio(part: Any, whole: Any) -> Floats:
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    ratio: Floats = np.divide(part, whole, out=np.zeros(whole.shape), where=whole != 0)
    return ratio


def _over_all(y: Floats, w: Floats) -> Floats:
    return np.broadcast_to(w.reshape(*w.shape, *[1] * (y.ndim - w.ndim)), y.shape)


def counts(y: Floats, p: Floats, w: Floats, thresholds: Any) -> Mapping[str, Floats]:
    """Weighted numbers of right and wrong positives and negatives above each threshold, by ``tp``, ``fp`` and so on."""
    y, p, w = y.astype(bool), np.asarray(p, float), _over_all(y, w).astype(float)
    above = [p > threshold for threshold in np.asarray(thresholds, float)]
    axes = tuple(range(y.ndim))
    return {
        "tp": np.array([(w * (y & one)).sum(axes) for one in above]),
        "fp": np.array([(w * (~y & one)).sum(axes) for one in above]),
        "fn": np.array([(w * (y & ~one)).sum(axes) for one in above]),
        "tn": np.array([(w * (~y & ~one)).sum(axes) for one in above]),
    }


def _chosen(y: Floats, p: Floats, top_k: int | None, class_id: int | None) -> tuple[Floats, Floats]:
    p = np.asarray(p, float)
    if top_k is not None:
        kept = np.argsort(np.argsort(-p, axis=-1, kind="stable"), axis=-1) < top_k
        p = np.where(kept, p, -np.inf)
    return (y, p) if class_id is None else (y[..., class_id], p[..., class_id])


def _listed(thresholds: Any, default: float = 0.5) -> list[float]:
    return [*np.atleast_1d(default if thresholds is None else thresholds).astype(float)]


def _one_or_all(values: Floats, thresholds: Any) -> Rounded:
    return near(values if np.size(thresholds) > 1 and thresholds is not None else values[0])


def _count(kind: str) -> Formula:
    def formula(y: Floats, p: Floats, w: Floats, thresholds: Any = None) -> Rounded:
        return _one_or_all(counts(y, p, w, _listed(thresholds))[kind], thresholds)

    return formula


def _share(beside: str) -> Formula:
    def formula(
        y: Floats, p: Floats, w: Floats, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None
    ) -> Rounded:
        y, p = _chosen(y, p, top_k, class_id)
        of = counts(y, p, w, _listed(thresholds, 0.5 if top_k is None else -1e9))
        return _one_or_all(_ratio(of["tp"], of["tp"] + of[beside]), thresholds)

    return formula


def _even(count: int) -> Floats:
    return np.arange(count) / (count - 1) if count > 1 else np.array([0.5])


def _best(given: str, wanted: str, argument: str) -> Formula:
    def formula(
        y: Floats, p: Floats, w: Floats, num_thresholds: int = 200, class_id: int | None = None, **bound: float
    ) -> Rounded:
        y, p = _chosen(y, p, None, class_id)
        of = counts(y, p, w, _even(num_thresholds))
        rates = {
            "recall": _ratio(of["tp"], of["tp"] + of["fn"]),
            "precision": _ratio(of["tp"], of["tp"] + of["fp"]),
            "specificity": _ratio(of["tn"], of["tn"] + of["fp"]),
        }
        reached = rates[given] >= bound[argument]
        return near(np.where(reached, rates[wanted], 0.0).max())

    return formula


def area(
    y: Floats,
    p: Floats,
    w: Floats,
    num_thresholds: int = 200,
    curve: str = "ROC",
    summation_method: str = "interpolation",
    thresholds: Any = None,
    multi_label: bool = False,
    num_labels: int | None = None,  # noqa: ARG001 - the columns say it
    label_weights: Any = None,
    from_logits: bool = False,
) -> Rounded:
    """The area under a curve of thresholds; of several labels, the weighted mean of theirs or the area of all."""
    p = 1 / (1 + np.exp(-np.asarray(p, float))) if from_logits else p
    inner = _even(num_thresholds)[1:-1] if thresholds is None else np.sort(thresholds)
    edges = [-1e-7, *inner, 1 + 1e-7]
    if multi_label:
        shares = np.ones(y.shape[-1]) if label_weights is None else np.asarray(label_weights)
        weights = _over_all(y, w)
        areas = [
            _area(counts(y[:, k], p[:, k], weights[:, k], edges), curve, summation_method) for k in range(len(shares))
        ]
        return near((np.array(areas) * shares).sum() / shares.sum(), len(edges) + _FEW)
    weights = _over_all(y, w) * (1.0 if label_weights is None else np.asarray(label_weights))
    return near(_area(counts(y, p, weights, edges), curve, summation_method), len(edges) + _FEW)


def _area(of: Mapping[str, Floats], curve: str, method: str) -> float:
    tp, fp, fn, tn = (of[name] for name in ("tp", "fp", "fn", "tn"))
    if (curve, method) == ("PR", "interpolation"):
        total = 0.0
        for k in range(len(tp) - 1):
            above, positives = tp[k] + fp[k], tp[k + 1] + fp[k + 1]
            if above > positives:
                slope = (tp[k] - tp[k + 1]) / (above - positives)
                intercept = tp[k + 1] - slope * positives
                bend = intercept * np.log(above / positives) if positives > 0 else 0.0
                total += float(_ratio(slope * (tp[k] - tp[k + 1] + bend), tp[k + 1] + fn[k + 1]))
        return total
    recall, precision = _ratio(tp, tp + fn), _ratio(tp, tp + fp)
    x, height = {"ROC": (_ratio(fp, fp + tn), recall), "PR": (recall, precision)}.get(curve, (recall, precision))
    if curve == "PRGAIN":
        scale = _ratio(tp + fn, tn + fp)
        x = np.maximum(np.where(tp == 0, 0.0, 1 - scale * _ratio(fn, tp)), 0.0)
        height = np.where(tp == 0, 1.0, 1 - scale * _ratio(fp, tp))
    pairs = np.stack([height[:-1], height[1:]])
    heights = {"interpolation": pairs.mean(0), "minoring": pairs.min(0), "majoring": pairs.max(0)}[method]
    return float(((x[:-1] - x[1:]) * heights).sum())


def matrix(y: Floats, p: Floats, w: Floats, classes: int) -> Floats:
    """Weighted numbers by right class and given class; of classes that there are."""
    table = np.zeros((classes, classes))
    for right, given, weight in zip(y.ravel(), p.ravel(), np.ravel(_over_all(y, w)), strict=True):
        if 0 <= right < classes and 0 <= given < classes:
            table[int(right), int(given)] += weight
    return table


def overlap(
    y: Floats,
    p: Floats,
    w: Floats,
    num_classes: int = 2,
    target_class_ids: Any = None,
    ignore_class: int | None = None,
    sparse_y_true: bool = True,
    sparse_y_pred: bool = True,
    axis: int = -1,
) -> Rounded:
    """The mean over classes that occur of what is common to what is either."""
    y = y if sparse_y_true else y.argmax(axis)
    p = p if sparse_y_pred else p.argmax(axis)
    w = np.where(y == ignore_class, 0.0, _over_all(y, w)) if ignore_class is not None else w
    table = matrix(y, p, w, num_classes)
    either = table.sum(0) + table.sum(1) - table.diagonal()
    ids = np.arange(num_classes) if target_class_ids is None else np.asarray(target_class_ids)
    shares = _ratio(table.diagonal(), either)[ids]
    return near(_ratio(shares.sum(), (either[ids] > 0).sum()))


def dense_overlap(y: Floats, p: Floats, w: Floats, **options: Any) -> Rounded:
    """The overlap of classes that are one-hot rows and largest outputs."""
    return overlap(y, p, w, **{"sparse_y_true": False, "sparse_y_pred": False, **options})


def binary_overlap(y: Floats, p: Floats, w: Floats, target_class_ids: Any = (0, 1), threshold: float = 0.5) -> Rounded:
    """The overlap of what reaches the threshold, and of what does not."""
    return overlap(y, (p >= threshold).astype(int), w, 2, target_class_ids)


def f_score(
    y: Floats, p: Floats, w: Floats, average: str | None = None, beta: float = 1.0, threshold: float | None = None
) -> Rounded:
    """The weighted harmonic mean of precision and recall, of each class or averaged."""
    given = p > threshold if threshold is not None else (p >= p.max(axis=-1, keepdims=True)) & (np.abs(p) > 1e-9)
    w, right = _over_all(y, w), y.astype(bool)
    tp, fp, fn = ((w * one).sum(axis=0) for one in (right & given, ~right & given, right & ~given))
    support = (w * right).sum(axis=0)
    if average == "micro":
        tp, fp, fn = tp.sum(), fp.sum(), fn.sum()
    precision, recall = _ratio(tp, tp + fp), _ratio(tp, tp + fn)
    scores = (1 + beta**2) * _ratio(precision * recall, beta**2 * precision + recall)
    if average == "weighted":
        return near((scores * support).sum() / support.sum(), 64)
    return near(scores if average is None else scores.mean(), 64)


def determination(
    y: Any, p: Any, w: Floats, class_aggregation: str | None = "uniform_average", num_regressors: int = 0
) -> Rounded:
    """One less the squared errors over the squares about the mean; adjusted for the number of regressors."""
    y, p, w = Rounded(y), Rounded(p), _over_all(y, w).astype(float)
    count = w.sum(axis=0)
    total = (y * y * w).sum(axis=0) - (y * w).sum(axis=0) * ((y * w).sum(axis=0) / count)
    score = 1.0 - (np.square(y - p) * w).sum(axis=0) / total
    if class_aggregation == "uniform_average":
        score = score.sum() / float(len(count))
    elif class_aggregation:
        score = (total * score).sum() / total.sum()
    if num_regressors:
        rows = float(y.shape[0])
        score = 1.0 - (1.0 - score) * (rows - 1.0) / (rows - num_regressors - 1.0)
    result: Rounded = score
    return result


def root(y: Floats, p: Floats, w: Floats) -> Rounded:
    """The root of the weighted mean of squares."""
    result: Rounded = np.sqrt(_average(lambda y, p: np.square(p - y))(y, p, w))
    return result


def _average(each: Callable[..., Any]) -> Formula:
    """The mean of what the function gives for each sample, or for each element of it, by weight."""

    def formula(y: Floats, p: Floats, w: Floats, **options: Any) -> Rounded:
        values = each(y.astype(float), Rounded(p), **options)
        shares = w if w.ndim == len(values.shape) else _over_all(values.value, w)
        result: Rounded = (values * shares.astype(float)).sum() / float(shares.sum())
        return result

    return formula


def _equal(y: Floats, p: Rounded) -> Rounded:
    return Rounded((y == p.value) * 1.0)


def _beyond(y: Floats, p: Rounded, threshold: float = 0.5) -> Rounded:
    return Rounded(((p.value > threshold) == (y > 0.5)) * 1.0)


def _among(y: Floats, p: Rounded, k: int = 5) -> Rounded:
    right = np.take_along_axis(p.value, y[..., None].astype(int), -1)
    return Rounded(((p.value > right).sum(axis=-1) < k) * 1.0)


def _sorted_among(y: Floats, p: Rounded, k: int = 5, from_sorted_ids: bool = False) -> Rounded:
    return Rounded((p.value[..., :k] == y[..., None]).any(-1) * 1.0) if from_sorted_ids else _among(y, p, k)


# By class; those that are means of a loss's formula follow.
METRIC_FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {
        "Accuracy": _average(_equal),
        "BinaryAccuracy": _average(_beyond),
        "CategoricalAccuracy": _average(lambda y, p: _among(y.argmax(-1), p, 1)),
        "SparseCategoricalAccuracy": _average(lambda y, p: _among(y, p, 1)),
        "TopKCategoricalAccuracy": _average(lambda y, p, k=5: _among(y.argmax(-1), p, k)),
        "SparseTopKCategoricalAccuracy": _average(_sorted_among),
        "TruePositives": _count("tp"),
        "FalsePositives": _count("fp"),
        "TrueNegatives": _count("tn"),
        "FalseNegatives": _count("fn"),
        "Precision": _share("fp"),
        "Recall": _share("fn"),
        "SensitivityAtSpecificity": _best("specificity", "recall", "specificity"),
        "SpecificityAtSensitivity": _best("recall", "specificity", "sensitivity"),
        "PrecisionAtRecall": _best("recall", "precision", "recall"),
        "RecallAtPrecision": _best("precision", "recall", "precision"),
        "AUC": area,
        "IoU": overlap,
        "MeanIoU": overlap,
        "BinaryIoU": binary_overlap,
        "OneHotIoU": dense_overlap,
        "OneHotMeanIoU": dense_overlap,
        "FBetaScore": f_score,
        "F1Score": f_score,
        "R2Score": determination,
        "RootMeanSquaredError": root,
        **{
            name: _average(LOSS_FORMULAS[function])
            for name, function in {
                "MeanSquaredError": "mean_squared_error",
                "MeanAbsoluteError": "mean_absolute_error",
                "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
                "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
                "LogCoshError": "log_cosh",
                "KLDivergence": "kl_divergence",
                "Poisson": "poisson",
                "Hinge": "hinge",
                "SquaredHinge": "squared_hinge",
                "CategoricalHinge": "categorical_hinge",
                "BinaryCrossentropy": "binary_crossentropy",
                "CategoricalCrossentropy": "categorical_crossentropy",
                "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
                "PearsonCorrelation": "pearson_correlation",
                "ConcordanceCorrelation": "concordance_correlation",
            }.items()
        },
        "CosineSimilarity": _average(lambda y, p, axis=-1: -LOSS_FORMULAS["cosine_similarity"](y, p, axis)),
    }
)
