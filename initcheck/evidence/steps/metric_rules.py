"""What is documented of metrics in general: means, masks, weights, states, own classes, refusals, and compiled ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.catalog.cases.loss_cases import LOSS_CASES
from initcheck.catalog.cases.metric_cases import METRIC_ROWS
from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, keeps_doubles, refusal, table, values
from initcheck.evidence.steps.judged_examples import examples, supports
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import compiled
from initcheck.frameworks.floatx import dtype_policy
from initcheck.frameworks.operations import operations
from initcheck.oracle.loss_formulas import LOSS_FORMULAS
from initcheck.oracle.metric_formulas import METRIC_FORMULAS
from initcheck.oracle.rounding import Rounded

# What the first rows judge beside the metrics of the table, with the arguments that they give.
SUMMED: Mapping[str, Sequence[str]] = {"Mean": ("dtype",), "Sum": ("dtype",), "MeanMetricWrapper": ("fn", "kwargs")}


def _result(metric: Any, *batches: Any) -> Any:
    for batch in batches:
        metric.update_state(*batch)
    return np.array(metric.result(), float).tolist()


def sums_and_means(keras: Any, _: Path) -> Iterator[Seen]:
    """Numbers of any axes, weighted by samples or elements; a mean of nothing is zero."""
    mean, total = keras.metrics.Mean, keras.metrics.Sum
    cube = inputs([[1, 2], [3, 6]], [[4, 4], [8, 0]])
    for words, given, right in (
        ("of two batches", (([1.0, 3.0],), ([5.0],)), (3.0, 9.0)),
        ("of single numbers", ((2.0,), (4.0,)), (3.0, 6.0)),
        ("of whole numbers", ((np.array([1, 2]),), (np.array([6]),)), (3.0, 9.0)),
        ("of more axes", ((cube,), (cube[:1],)), (10 / 3, 40.0)),
        ("weighted", ((inputs(1, 3), inputs(1, 3)), (inputs(6), inputs(0))), (2.5, 10.0)),
        ("with one weight", ((inputs(1, 3), 0.5), (inputs(5, 7), 1.0)), (14 / 3, 14.0)),
        ("with negative weights", ((inputs(1, 3), inputs(-1, -1)),), (2.0, -4.0)),
        ("weighted to nothing", ((inputs(1, 3), inputs(0, 0)),), (0.0, 0.0)),
        ("with weights of samples", ((cube, inputs(1, 3)),), (3.75, 60.0)),
        ("with weights of elements", ((inputs([1, 2], [3, 4]), inputs([1, 0], [1, 2])),), (3.0, 12.0)),
        ("with a column of weights", ((inputs([1, 3], [5, 7]), inputs([1], [3])),), (5.0, 40.0)),
        ("with weights of steps", ((cube, inputs([1, 0], [2, 1])),), (13.5 / 4, 27.0)),
    ):
        yield f"mean {words}", Rounded(right[0], 4e-7), np.array(_result(mean(), *given))
        if words != "with a column of weights":
            yield f"sum {words}", right[1], _result(total(), *given)
    if Version(keras.__version__) >= Version("3.4"):
        one = inputs(0.5)
        yield "mean with one weight in an array", 3.5, _result(mean(), (inputs(1, 3), one), (inputs(5), one * 2))
    for kind in (mean, total):
        yield "of nothing", 0.0, _result(kind())
        metric = kind(dtype="float64")
        if keeps_doubles():
            yield "type", "float64", as_array(metric(inputs(1, 2))).dtype.name
        yield "type once rebuilt", "float64", kind.from_config(metric.get_config()).dtype
        metric.reset_state()
        yield "after a reset", 4.0, _result(metric, ([4.0],))


def whole_sums(keras: Any, _: Path) -> Iterator[Seen]:
    """Sums in whole numbers begin anew after a reset, too."""
    if not is_keras_3(keras):
        return
    metric = keras.metrics.Sum(dtype="int32")
    yield "sum", 3, _result(metric, ([1, 2],))
    metric.reset_state()
    yield "sum after a reset", 4, _result(metric, ([4],))


def means_of_functions(keras: Any, _: Path) -> Iterator[Seen]:
    """The mean of a function of targets and outputs, with the arguments that it was given."""
    kind = keras.metrics.MeanMetricWrapper
    y, p = inputs([1, 2], [3, 4], [0, 0]), inputs([2, 2], [3, 8], [9, 9])
    metric = kind(keras.losses.huber, delta=2.0, name="other")
    shares = inputs(1, 3, 0)
    yield "weighted mean", Rounded(0.25 + 3 * 3) / 4, np.array(_result(metric, (y, p, shares)))
    if is_keras_3(keras):
        again = kind.from_config(metric.get_config())
        yield "mean of a rebuilt one", Rounded(0.25), np.array(_result(again, (y[:1], p[:1])))
        yield "name of a rebuilt one", "other", again.name
    own = kind(lambda y, p: abs(y - p)[..., 0])
    yield "mean of an own function", Rounded(10.0) / 3, np.array(_result(own, (y, p)))


def means_of_structures(keras: Any, _: Path) -> Iterator[Seen]:
    """The function is given the structures of targets and outputs."""
    if not is_keras_3(keras):
        return
    metric = keras.metrics.MeanMetricWrapper(lambda y, p: abs(y["a"] - p["a"]) + 10 * abs(y["b"] - p["b"]))
    y, p = {"a": inputs(0, 0), "b": inputs(1, 1)}, {"a": inputs(1, 2), "b": inputs(3, 5)}
    yield "mean", 31.5, _result(metric, (y, p))


def masked_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """Steps that a mask hides count neither in the sum nor in the number, with weights and without."""
    if not is_keras_3(keras):
        return
    x = inputs([[1], [2], [0]], [[4], [0], [0]])
    y, p = np.zeros((2, 3, 1), np.float32), keras.layers.Masking()(x)
    yield "mean of three steps", 7.0, _result(keras.metrics.MeanSquaredError(), (y, p))
    weighted = _result(keras.metrics.MeanSquaredError(), (y, p, inputs([0.5, 1, 8], [2, 8, 8])))
    yield "mean of weighted steps", Rounded(0.5 + 4 + 32) / 3.5, np.array(weighted)
    labels = inputs([[1], [1], [1]], [[0], [0], [0]])
    exact = keras.layers.Masking()(inputs([[0.75], [0.25], [0]], [[0.75], [0], [0]]))
    yield (
        "accuracy of three steps",
        Rounded(1.0) / 3,
        np.array(_result(keras.metrics.BinaryAccuracy(), (labels, exact))),
    )
    hidden = keras.layers.Masking()(np.zeros((2, 3, 1), np.float32))
    yield "mean where all is masked", 0.0, _result(keras.metrics.MeanSquaredError(), (y + 1, hidden))


def ignored_classes_of_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """A class to ignore counts neither in the sum nor in the number."""
    kind = keras.metrics.SparseCategoricalCrossentropy
    if not is_keras_3(keras) or not supports(kind, {"ignore_class": 0}):
        return
    y, p = examples("classes", "shares", (6, 4))
    for ignored in (0, -1):
        labels = np.where(np.arange(6) < 2, ignored, y)
        each = LOSS_FORMULAS["sparse_categorical_crossentropy"](labels, Rounded(p), False, ignored)
        counts = labels != ignored
        for words, shares in (("weighted", inputs(1, 2, 0.5, 4, 1, 2)), ("all of weight one", np.ones(6, np.float32))):
            right = (each * shares.astype(float)).sum() / float((shares * counts).sum())
            yield (
                f"without class {ignored}, {words}",
                right,
                np.array(_result(kind(ignore_class=ignored), (labels, p, shares))),
            )
        yield f"ignored {ignored}", ignored, kind.from_config(kind(ignore_class=ignored).get_config()).ignore_class


def means_without_a_class(keras: Any, _: Path) -> Iterator[Seen]:
    """Without weights, too, a class to ignore counts neither in the sum nor in the number."""
    kind = keras.metrics.SparseCategoricalCrossentropy
    if not supports(kind, {"ignore_class": 0}):
        return
    p = inputs([0.25, 0.75], [0.5, 0.5], [0.75, 0.25])
    metric = kind(ignore_class=0)
    yield "mean of two", Rounded(-np.log(0.5 * 0.25) / 2, 1e-7), np.array(_result(metric, (np.array([0, 1, 1]), p)))


def classes_beyond(keras: Any, _: Path) -> Iterator[Seen]:
    """A class to ignore may be none of the classes, as −1 or 255 in maps of segments."""
    for ignored in (-1, 255):
        y, p = np.array([[0, ignored], [1, 1]]), np.array([[0, 1], [1, 0]])
        for metric in (
            keras.metrics.MeanIoU(num_classes=2, ignore_class=ignored),
            keras.metrics.IoU(num_classes=2, target_class_ids=[0, 1], ignore_class=ignored),
        ):
            yield f"overlap without {ignored}", Rounded(0.5, 1e-6), np.array(_result(metric, (y, p)))


def classes_below_zero(keras: Any, _: Path) -> Iterator[Seen]:
    """Labels and outputs below zero are no classes, and count nowhere."""
    metric = keras.metrics.MeanIoU(num_classes=2)
    yield "overlap", Rounded(0.5, 1e-6), np.array(_result(metric, ([0, -1, 1, 0, 1], [0, 1, 1, -1, 0])))


def classes_first(keras: Any, _: Path) -> Iterator[Seen]:
    """The axis of classes may be the first one."""
    y, p = examples("hot", "numbers", (12, 3))
    options = {"num_classes": 3, "target_class_ids": [0, 2]}
    right = METRIC_FORMULAS["OneHotIoU"](y, p, np.ones(12), **options)
    yield "overlap", right, np.array(_result(keras.metrics.OneHotIoU(**options, axis=0), (y.T, p.T)))


def fractions_as_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """The documented example: an overlap weighted by 0.3 and 0.1."""
    given = [0, 0, 1, 1], [0, 1, 0, 1], [0.3, 0.3, 0.3, 0.1]
    exact = keras.metrics.IoU(num_classes=2, target_class_ids=[0], dtype="float32")
    yield "in single precision", Rounded(1 / 3, 1e-6), np.array(_result(exact, given))
    default = keras.metrics.IoU(num_classes=2, target_class_ids=[0])
    yield "by default", Rounded(1 / 3, 1e-6), np.array(_result(default, given))


def weights_of_outputs(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights of samples or steps, in a column, a list or one for all, weigh sequences of outputs."""
    y, p = examples("numbers", "numbers", (2, 3, 4))
    each = LOSS_FORMULAS["mean_squared_error"](y.astype(float), Rounded(p))
    steps = inputs([1, 0, 2], [0.5, 4, 1])
    for words, shares, all_shares in (
        ("steps", steps, steps),
        ("samples", inputs(1, 3), np.array([[1.0] * 3, [3.0] * 3])),
        ("samples in a column", inputs([1], [3]), np.array([[1.0] * 3, [3.0] * 3])),
        ("samples in a list", [1.0, 3.0], np.array([[1.0] * 3, [3.0] * 3])),
        ("all", 0.5, np.full((2, 3), 0.5)),
    ):
        right = (each * all_shares.astype(float)).sum() / float(all_shares.sum())
        yield (
            f"mean with weights of {words}",
            right,
            np.array(_result(keras.metrics.MeanSquaredError(), (y, p, shares))),
        )
    hot, given = examples("bits", "chances", (4, 3))
    shares = inputs(1, 0.5, 2, 0)
    for name in ("Precision", "Recall", "AUC", "TruePositives"):
        right = METRIC_FORMULAS[name](hot, given, shares)
        for words, one in (("a column", shares[:, None]), ("a list", shares.tolist())):
            yield (
                f"{name} with weights in {words}",
                right,
                np.array(_result(getattr(keras.metrics, name)(), (hot, given, one))),
            )


def shapes_of_labels(keras: Any, _: Path) -> Iterator[Seen]:
    """Labels of one axis beside outputs in a column, the reverse, lists, and sequences with a class of interest."""
    y, p = examples("bits", "chances", (6, 1))
    ones = np.ones(6)
    for name in ("Precision", "AUC", "TrueNegatives", "BinaryCrossentropy", "MeanSquaredError", "RootMeanSquaredError"):
        right = METRIC_FORMULAS[name](y, p, ones)
        kind = getattr(keras.metrics, name)
        pairs = {"flat labels": (y[:, 0], p), "flat outputs": (y, p[:, 0]), "both flat": (y[:, 0], p[:, 0])}
        if name == "BinaryCrossentropy":
            pairs = {"columns": (y, p)}
        for words, pair in pairs.items():
            if words == "both flat" and name == "MeanSquaredError":
                continue
            yield f"{name} of {words}", right, np.array(_result(kind(), pair))
    lists = [0, 1, 1], [0.25, 0.75, 0.25]
    yield "recall of lists", 0.5, _result(keras.metrics.Recall(), lists)
    yield "accuracy of lists", Rounded(2.0) / 3, np.array(_result(keras.metrics.BinaryAccuracy(), lists))
    if Version(keras.__version__) >= Version("3.4"):
        given = [1, 0, 2], [[0.25, 0.75, 0], [0.5, 0.25, 0.25], [0.75, 0.25, 0]]
        for name in ("SparseCategoricalAccuracy", "CategoricalAccuracy"):
            listed: Any = (given[0] if name.startswith("S") else np.eye(3)[given[0]].tolist(), given[1])
            yield f"{name} of lists", Rounded(2.0) / 3, np.array(_result(getattr(keras.metrics, name)(), listed))
    y, p = examples("bits", "chances", (2, 3, 4))
    for options in ({"class_id": 2}, {"top_k": 2}, {"top_k": 1, "class_id": 0}):
        for name in ("Precision", "Recall"):
            right = METRIC_FORMULAS[name](y, p, np.ones(2), **options)
            yield (
                f"{name} of sequences, {options}",
                right,
                np.array(_result(getattr(keras.metrics, name)(**options), (y, p))),
            )


def columns_of_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """Classes of the steps of sequences, with and without an axis of their own, weighed by sample and by step."""
    y, p = examples("classes", "shares", (6, 3, 4))
    shares = inputs(1, 0, 2, 0.5, 1, 3)
    names = {"SparseCategoricalAccuracy": {}, "SparseTopKCategoricalAccuracy": {"k": 2}}
    for name, options in {**names, "SparseCategoricalCrossentropy": {}}.items():
        each = METRIC_FORMULAS[name]
        for words, weights in (("", np.ones(6)), (" with weights", shares), (" with weights of steps", y % 2 + 0.5)):
            right = each(y.reshape(-1), p.reshape(-1, 4), np.broadcast_to(weights.T, (3, 6)).T.reshape(-1), **options)
            metric = getattr(keras.metrics, name)(**options)
            metric.update_state(y[..., None], p, **({"sample_weight": weights.astype(np.float32)} if words else {}))
            yield f"{name} of classes in a column of steps{words}", right, np.array(metric.result())
    kind, options = keras.metrics.SparseTopKCategoricalAccuracy, {"k": 2, "from_sorted_ids": True}
    if supports(kind, options):
        y, p = examples("classes", "ranked", (6, 3, 4), stream=21)
        right = METRIC_FORMULAS[kind.__name__](y.reshape(-1), p.reshape(-1, 4), np.ones(18), **options)
        yield "classes of steps among sorted ones", right, np.array(_result(kind(**options), (y, p)))


def many_classes(keras: Any, _: Path) -> Iterator[Seen]:
    """A class is not its neighbour, however many there are."""
    yield from _neighbours(keras, "float32", 2049)


def many_classes_in_half_precision(keras: Any, _: Path) -> Iterator[Seen]:
    """Nor where outputs are in half precision, which represents no whole numbers of more than 8 or 11 bits."""
    yield from _neighbours(keras, "bfloat16", 257)
    yield from _neighbours(keras, "float16", 2049)


def _neighbours(keras: Any, dtype: str, label: int) -> Iterator[Seen]:
    p = operations(keras).cast(np.eye(label + 1, dtype=np.float32)[[label - 1, *[label] * 3]], dtype)
    for name, y in (
        ("SparseCategoricalAccuracy", np.array([label] * 4)),
        ("CategoricalAccuracy", np.eye(label + 1, dtype=np.float32)[[label] * 4]),
    ):
        words = f"{name} of a neighbour and class {label} for outputs in {dtype}"
        yield words, 0.75, _result(getattr(keras.metrics, name)(), (y, p))


def flags_as_labels(keras: Any, _: Path) -> Iterator[Seen]:
    """Labels and outputs that are true or false."""
    y, p = np.array([[True], [True], [False], [False]]), np.array([[True], [False], [False], [False]])
    if Version(keras.__version__) >= Version("3.9"):
        yield "accuracy of flags", 0.75, _result(keras.metrics.BinaryAccuracy(), (y, p))
    yield "accuracy of flags as labels", 0.75, _result(keras.metrics.BinaryAccuracy(), (y, p.astype("float32")))
    yield "recall of flags", 0.5, _result(keras.metrics.Recall(), (y, p))
    yield "equal flags", 0.75, _result(keras.metrics.Accuracy(), (y.astype(int), p.astype(int)))


def metrics_at_limits(keras: Any, _: Path) -> Iterator[Seen]:
    """What lies on a threshold is not above it; of nothing right or nothing positive, the share is zero."""
    kinds = keras.metrics
    on = inputs(0.5, 0.5, 0.75), inputs(0.5, 0.75, 0.75)
    y = inputs(1, 0, 1)
    yield "right above a half", 1.0, _result(kinds.TruePositives(), (y, on[0]))
    yield "right above three quarters", 0.0, _result(kinds.TruePositives(thresholds=0.75), (y, on[1]))
    even = kinds.TruePositives(thresholds=[0.0, 0.25, 0.5, 0.75, 1.0])
    yield "right above quarters", [2.0, 2.0, 1.0, 0.0, 0.0], _result(even, (y, on[0]))
    uneven = kinds.FalsePositives(thresholds=[0.0, 0.505, 1.0])
    yield "wrong above what is almost a half", [1.0, 0.0, 0.0], _result(uneven, (inputs(0), inputs(0.5025)))
    borders = kinds.FalsePositives(thresholds=[0.0, 0.5, 1.0])
    yield "wrong at zero and one", [1.0, 1.0, 0.0], _result(borders, (inputs(0, 0), inputs(0, 1)))
    for kind in (kinds.Precision, kinds.Recall):
        yield f"{kind.__name__} of nothing", 0.0, _result(kind(), (inputs(0, 0), inputs(0, 0.25)))
    for kind in (kinds.Precision, kinds.Recall):
        yield f"{kind.__name__} of small weights", 1.0, _result(kind(), (inputs(1), inputs(0.75), inputs(1e-7)))
    for labels in (0, 1):
        yield f"area of labels {labels} alone", 0.0, _result(kinds.AUC(), (inputs(labels, labels), inputs(0.25, 0.75)))
    yield "area of right order", Rounded(1.0, 1e-6), np.array(_result(kinds.AUC(), (inputs(0, 1), inputs(0.25, 0.75))))
    yield "area of certain ones", Rounded(1.0, 1e-6), np.array(_result(kinds.AUC(), (inputs(0, 1), inputs(0, 1))))
    yield (
        "area of equal ones",
        Rounded(0.5, 1e-6),
        np.array(_result(kinds.AUC(), (inputs(0, 1, 0, 1), inputs(1, 1, 0, 0)))),
    )
    scores = kinds.FBetaScore(threshold=0.5)
    yield "score of nothing", [0.0, 0.0], _result(scores, (inputs([0, 0]), inputs([0.25, 0.25])))
    yield (
        "overlap of a class that is not there",
        Rounded(1.0, 1e-6),
        np.array(_result(kinds.MeanIoU(num_classes=3), (np.array([0, 1]), np.array([0, 1])))),
    )
    at = inputs([1], [1]), inputs([0.5], [0.75])
    one = _result(kinds.F1Score("micro", 0.5), at)
    yield "score of one above and one on a threshold", Rounded(2 / 3, 1e-6), np.array(one)
    above = kinds.BinaryIoU(target_class_ids=[1], threshold=0.5)
    yield "overlap on the threshold", Rounded(1.0, 1e-6), np.array(_result(above, (inputs(1, 0), inputs(0.5, 0.25))))
    for name, argument in (("SensitivityAtSpecificity", "specificity"), ("RecallAtPrecision", "precision")):
        never = getattr(kinds, name)(**{argument: 1.0})
        yield f"{name} out of reach", 0.0, _result(never, (inputs(0, 1), inputs(1, 0.75)))
    if hasattr(kinds, "R2Score"):
        constant = inputs([2], [2], [2]), inputs([1], [2], [4])
        yield "what explains equal numbers", 0.0, _result(kinds.R2Score(), constant)
    yield (
        "first of equal ones",
        0.5,
        _result(kinds.SparseCategoricalAccuracy(), (np.array([0, 1]), inputs([0.5, 0.5], [0.5, 0.5]))),
    )


def types_of_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights of any type; under a global policy of half precision, metrics stay in ``floatx``."""
    y, p = examples("bits", "chances", (6, 4))
    whole = np.array([1, 0, 2, 1, 3, 0])
    for name in ("BinaryAccuracy", "Precision", "AUC"):
        for dtype in ("int64", "uint8", "float64"):
            right = METRIC_FORMULAS[name](y, p, whole)
            metric = getattr(keras.metrics, name)()
            metric.update_state(y, p, sample_weight=whole.astype(dtype))
            yield f"{name} with weights in {dtype}", right, np.array(metric.result())
    if not is_keras_3(keras):
        return
    if keeps_doubles():
        tenths = np.arange(1, 7) / 10
        exact = (np.square(y.astype(float) - p).mean(-1) * tenths).sum() / tenths.sum()
        metric = keras.metrics.MeanSquaredError(dtype="float64")
        metric.update_state(y.astype(float), p.astype(float), sample_weight=tenths)
        yield "whether weights in double precision are exact", True, abs(float(metric.result()) - exact) < 1e-14
    half = p.astype("float16")
    with dtype_policy(keras, "mixed_float16"):
        for name in ("BinaryAccuracy", "MeanSquaredError", "AUC", "TruePositives"):
            metric = getattr(keras.metrics, name)()
            metric.update_state(y, half)
            yield (
                f"type of {name} under a policy",
                "float32",
                keras.backend.standardize_dtype(metric.variables[0].dtype),
            )
            if name != "MeanSquaredError":
                yield f"{name} under a policy", METRIC_FORMULAS[name](y, half, np.ones(6)), np.array(metric.result())


def many_samples(keras: Any, _: Path) -> Iterator[Seen]:
    """Overlaps count in whole numbers, beyond those that single precision represents."""
    if Version(keras.__version__) < Version("3.8"):
        return
    zero, many = np.array([0]), np.array([2**24])
    metric = keras.metrics.IoU(num_classes=2, target_class_ids=[0])
    for shares in (many, zero + 1, -many):
        metric.update_state(zero, zero, sample_weight=shares)
    metric.update_state(zero, zero + 1)
    yield "overlap", Rounded(0.5, 1e-6), np.array(metric.result())
    metric.reset_state()
    metric.update_state(zero, zero, sample_weight=zero + 300)
    metric.update_state(zero, zero + 1, sample_weight=zero + 100)
    yield "overlap of hundreds", Rounded(0.75, 1e-6), np.array(metric.result())


def kept_results(keras: Any, _: Path) -> Iterator[Seen]:
    """A result is a tensor: it stays what it was as further batches follow."""
    for name, options in (
        *(
            ("TruePositives", {"thresholds": [0.25, 0.5]}),
            ("TruePositives", {}),
            ("Precision", {"thresholds": [0.25, 0.5]}),
        ),
        *(("Sum", {}), ("AUC", {}), ("MeanIoU", {"num_classes": 2})),
    ):
        metric = getattr(keras.metrics, name)(**options)
        batch = (inputs(1, 1),) if name == "Sum" else (inputs(1, 0), inputs(1, 1))
        metric.update_state(*batch)
        result = metric.result()
        before = values(result)
        metric.update_state(*(one[::-1] * 0 + 1 for one in batch))
        yield f"{name} after another batch", before, values(result)


def own_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """A user's metric has variables, which a reset makes zero; metrics that it holds are part of it."""
    if not is_keras_3(keras):  # Keras 2 wraps update_state, where super has no class
        return

    class LargestOutput(keras.metrics.Metric):  # type: ignore[misc] # Keras is loaded at run time
        """The largest output so far, and how many there were."""

        def __init__(self, name: str = "largest", dtype: str = "float32") -> None:
            super().__init__(name=name, dtype=dtype)
            self.top = self.add_weight(name="top", initializer="zeros")
            self.count = keras.metrics.Sum()

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # noqa: ARG002 - Keras's
            math = keras.ops
            self.top.assign(math.maximum(math.cast(math.max(y_pred), self.dtype), math.convert_to_tensor(self.top)))
            self.count.update_state(math.ones_like(y_pred))

        def result(self) -> Any:
            return {"top": self.top + 0.0, "count": self.count.result()}

    metric = LargestOutput()
    yield "of one batch", {"top": 5.0, "count": 2.0}, values(metric(inputs(0, 0), inputs(2, 5)))
    yield "of two batches", {"top": 5.0, "count": 3.0}, values(metric(inputs(0), inputs(3)))
    metric.reset_state()
    yield "of nothing", {"top": 0.0, "count": 0.0}, values(metric.result())
    yield "name", "largest", metric.name
    yield "variables", 2, len(metric.variables)
    yield "types", ["float32"] * 2, [one.dtype for one in metric.variables]
    yield "whether they are trained", [False] * 2, [one.trainable for one in metric.variables]
    if not hasattr(metric, "stateless_reset_state"):  # before Keras 3.1
        return
    states = metric.stateless_update_state(metric.stateless_reset_state(), inputs(0, 0), inputs(4, 1))
    yield "with states that the caller keeps", {"top": 4.0, "count": 2.0}, values(metric.stateless_result(states))
    yield "beside them", {"top": 0.0, "count": 0.0}, values(metric.result())
    yield "raised for too few states", "ValueError", refusal(metric.stateless_result, states[:1])
    yield "configuration", {"name": "largest", "dtype": "float32"}, metric.get_config()


def metrics_in_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """A metric that holds one that holds others: their variables are its own, and its reset is theirs."""
    if not is_keras_3(keras):
        return

    class NestedMetric(keras.metrics.Metric):  # type: ignore[misc] # Keras is loaded at run time
        """Wraps another metric."""

        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def update_state(self, *given: Any) -> None:
            self.inner.update_state(*given)

        def result(self) -> Any:
            return self.inner.result()

    metric = NestedMetric(NestedMetric(keras.metrics.Mean()))
    yield "mean", 2.0, _result(metric, (inputs(1, 3),))
    yield "variables", 2, len(metric.variables)
    metric.reset_state()
    yield "mean after a reset", 5.0, _result(metric, (inputs(5),))


def results_in_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """The step that ``fit`` compiles has the metrics' results in it: what is best under a bound is the same there."""
    if not is_keras_3(keras):
        return
    y, p = examples("bits", "chances", (12, 1))
    options = {"specificity": 0.5, "num_thresholds": 5}
    metric = keras.metrics.SensitivityAtSpecificity(**options)
    metric.update_state(y, p)
    right = METRIC_FORMULAS["SensitivityAtSpecificity"](y, p, np.ones(12), **options)
    yield "sensitivity", right, as_array(compiled(metric.result)())


def metric_identifiers(keras: Any, _: Path) -> Iterator[Seen]:
    """``get`` returns metrics by their names, objects as they are and of their configuration, and nothing of None."""
    kinds = keras.metrics
    metric = kinds.Precision(thresholds=0.25, name="other")
    yield "an object", True, kinds.get(metric) is metric
    again = kinds.get(kinds.serialize(metric))
    yield "of a configuration", ["Precision", metric.get_config()], [type(again).__name__, again.get_config()]
    if is_keras_3(keras):
        yield "raised for an unknown name", "ValueError", refusal(kinds.get, "no_metric")
        yield "nothing", True, kinds.get(None) is None
        yield "a class", "Recall", type(kinds.get(kinds.Recall)).__name__
        yield "two of one name", False, kinds.get("auc") is kinds.get("auc")


def refused_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """Arguments beyond what is documented raise."""
    kinds = keras.metrics
    for name, options in (
        *(
            ("Precision", {"thresholds": 1.5}),
            ("Recall", {"thresholds": [0.5, -0.25]}),
            ("TruePositives", {"thresholds": 2}),
        ),
        *(("AUC", {"num_thresholds": 1}), ("AUC", {"curve": "PRC"}), ("AUC", {"summation_method": "mean"})),
        *(("AUC", {"num_labels": 2}), ("SensitivityAtSpecificity", {"specificity": 1.5})),
        *(("SpecificityAtSensitivity", {"sensitivity": -0.5}), ("PrecisionAtRecall", {"recall": 2})),
        *(("RecallAtPrecision", {"precision": 2}), ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 0})),
        *(("FBetaScore", {"average": "mean"}), ("FBetaScore", {"beta": 0.0}), ("FBetaScore", {"beta": 2})),
        *(
            ("FBetaScore", {"threshold": 1.5}),
            ("R2Score", {"class_aggregation": "mean"}),
            ("R2Score", {"num_regressors": -1}),
        ),
        ("IoU", {"num_classes": 2, "target_class_ids": [2]}),
    ):
        yield f"raised by {name} for {options}", "ValueError", refusal(lambda: getattr(kinds, name)(**options))  # noqa: B023
    if not is_keras_3(keras):
        return
    flat = inputs(0, 1)
    for name in ("FBetaScore", "R2Score"):
        yield f"raised by {name} for one axis", "ValueError", refusal(getattr(kinds, name)().update_state, flat, flat)
    labels = kinds.AUC(multi_label=True)
    yield "raised by an area of labels for one axis", "ValueError", refusal(labels.update_state, flat, flat)
    yield (
        "raised by a class of interest for one axis",
        "ValueError",
        refusal(kinds.Recall(class_id=0).update_state, flat, flat),
    )


def functions_of_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """The functions of ``keras.metrics``: one value for each sample."""
    for case in LOSS_CASES:
        function = getattr(keras.metrics, case.function, None)
        if function is None or case.label or not supports(function, case.options[-1]):
            continue
        options = case.options[-1]
        outputs = "numbers" if options.get("from_logits") else case.outputs
        y, p = examples(case.targets, outputs, case.shape)
        yield (
            case.function,
            LOSS_FORMULAS[case.function](y.astype(float), Rounded(p), **options),
            function(y, p, **options),
        )
    y, p = examples("classes", "shares", (6, 4))
    hot = np.eye(4, dtype=np.float32)[y.astype(int)]
    ranks = (p > np.take_along_axis(p, y[:, None].astype(int), 1)).sum(1)
    for words, function, target, options, within in (
        ("categorical", "categorical_accuracy", hot, {}, 1),
        ("sparse", "sparse_categorical_accuracy", y, {}, 1),
        ("among two", "top_k_categorical_accuracy", hot, {"k": 2}, 2),
        ("sparse among two", "sparse_top_k_categorical_accuracy", y, {"k": 2}, 2),
    ):
        yield (
            f"{words} accuracy",
            (ranks < within).astype(float).tolist(),
            values(getattr(keras.metrics, function)(target, p, **options)),
        )


def compiled_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """What ``fit`` and ``evaluate`` report in a graph: anew each epoch, weighted and not, over partial batches."""
    cases = [METRIC_ROWS[name] for name in ("AUC", "Precision", "FalseNegatives", "BinaryIoU", "RootMeanSquaredError")]
    y, p = examples("bits", "chances", (12, 1))
    shares = np.resize([1.0, 3.0, 0.0, 2.0, 1.0], 12).astype(np.float32)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Activation("linear")])
    kinds = keras.metrics
    model.compile(
        *(keras.optimizers.SGD(), "mse"),
        metrics=[getattr(kinds, case.name)(name=f"plain_{case.name}") for case in cases],
        weighted_metrics=[getattr(kinds, case.name)(name=f"share_{case.name}") for case in cases if not case.whole],
    )
    history = model.fit(p, y, 5, 2, 0, sample_weight=shares, validation_data=(p[:7], y[:7], shares[:7]), shuffle=False)
    evaluated = model.evaluate(pipeline(p, y, shares, size=5), verbose=0, return_dict=True)
    for case in cases:
        formula, ones = METRIC_FORMULAS[case.name], np.ones(12)
        plain = formula(y, p, ones)
        for epoch in range(2):
            yield f"{case.name} of epoch {epoch + 1}", plain, history.history[f"plain_{case.name}"][epoch]
        yield f"{case.name} of evaluate", plain, evaluated[f"plain_{case.name}"]
        if case.whole:
            continue
        yield f"weighted {case.name} of evaluate", formula(y, p, shares), evaluated[f"share_{case.name}"]
        yield f"weighted {case.name} of an epoch", formula(y, p, shares), history.history[f"share_{case.name}"][1]
        held_out = formula(y[:7], p[:7], shares[:7])
        yield f"weighted {case.name} held out", held_out, history.history[f"val_share_{case.name}"][1]


METRIC_RULES: Mapping[str, Row] = table(
    sums_and_means,
    whole_sums,
    means_of_functions,
    means_of_structures,
    masked_metrics,
    ignored_classes_of_metrics,
    means_without_a_class,
    classes_beyond,
    classes_below_zero,
    classes_first,
    fractions_as_weights,
    weights_of_outputs,
    shapes_of_labels,
    columns_of_steps,
    many_classes,
    many_classes_in_half_precision,
    flags_as_labels,
    metrics_at_limits,
    types_of_metrics,
    many_samples,
    kept_results,
    own_metrics,
    metrics_in_metrics,
    results_in_graphs,
    metric_identifiers,
    refused_metrics,
    functions_of_metrics,
    compiled_metrics,
)
