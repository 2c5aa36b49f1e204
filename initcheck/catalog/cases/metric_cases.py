"""Every metric with the options, targets and outputs that it is judged with, and the names that it has.

Source: https://keras.io/api/metrics/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from initcheck.catalog.cases.loss_cases import Options


@dataclass(frozen=True)
class MetricCase:
    """A metric, with one or several sets of options.

    Attributes:
        name: The class.
        targets: As those of a loss.
        outputs: As those of a loss, or ``guesses`` by number, or all classes ``ranked``.
        options: Sets of arguments; with ``from_logits`` outputs are numbers.
        shape: Of all outputs; targets by number without the axis of classes.
        label: Distinguishes the rows of one metric.
        elements: Whether weights may be those of elements.
        whole: Whether weights are whole numbers.
        weighted: Whether it takes weights of samples.
        empty: Its result before any sample; NaN where none is documented.
        apart: What has rows of their own: that it is ``rebuilt`` from its configuration, and weights of ``elements``.
        late: Whether its variables need a batch.
        since: The version of Keras that documents its options.
        doubles: Whether its outputs may be in double precision.
        function: The function of ``keras.metrics`` that gives the values of which it is the mean.
        names: Strings that stand for it beside its own name with underscores.
    """

    name: str
    targets: str
    outputs: str
    options: tuple[Options, ...] = ({},)
    shape: tuple[int, ...] = (12, 4)
    label: str = ""
    elements: bool = False
    whole: bool = False
    weighted: bool = True
    empty: float = 0.0
    apart: tuple[str, ...] = ()
    late: bool = False
    since: str = "2"
    doubles: bool = True
    function: str = ""
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}-{self.label}" if self.label else self.name


_ALONG = {"axis": 1}
_CUBE = (12, 3, 4)
_SOME = {"thresholds": [0.25, 0.5, 0.875]}
_EVEN = {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}
_COUNTS: tuple[Options, ...] = ({}, {"thresholds": 0.25}, _SOME, _EVEN)
_SHARES: tuple[Options, ...] = (
    *_COUNTS,
    {"top_k": 2},
    {"class_id": 1},
    {"top_k": 2, "class_id": 0},
    {"thresholds": 0.75, "top_k": 3},
)
_CURVES = tuple(
    {"curve": curve, "summation_method": method, "num_thresholds": number}
    for curve, number in (("ROC", 200), ("PR", 9))
    for method in ("interpolation", "minoring", "majoring")
)
_LABELS = {"multi_label": True, "num_labels": 4}
_THREE = {"num_classes": 3}
_IDS = {"num_classes": 3, "target_class_ids": [0, 2]}
_DENSE = {"sparse_y_true": False, "sparse_y_pred": False}
_FS = tuple(
    {**average, **threshold}
    for average in ({}, {"average": "micro"}, {"average": "macro"}, {"average": "weighted"})
    for threshold in ({}, {"threshold": 0.375})
)
_SMOOTH = {"label_smoothing": 0.25}
_LOGITS = {"from_logits": True}

METRIC_CASES = (
    MetricCase("MeanSquaredError", "numbers", "numbers", function="mean_squared_error", names=("mse", "MSE")),
    MetricCase("MeanAbsoluteError", "numbers", "numbers", function="mean_absolute_error", names=("mae", "MAE")),
    MetricCase(
        *("MeanAbsolutePercentageError", "numbers", "numbers"),
        function="mean_absolute_percentage_error",
        names=("mape", "MAPE"),
    ),
    MetricCase(
        *("MeanSquaredLogarithmicError", "positive", "numbers"),
        function="mean_squared_logarithmic_error",
        names=("msle", "MSLE"),
    ),
    MetricCase("RootMeanSquaredError", "numbers", "numbers", elements=True),
    MetricCase("LogCoshError", "numbers", "numbers", function="log_cosh"),
    MetricCase("CosineSimilarity", "numbers", "numbers", apart=("rebuilt",)),
    MetricCase("CosineSimilarity", "numbers", "numbers", (_ALONG,), _CUBE, "along", apart=("rebuilt",)),
    MetricCase("KLDivergence", "shares", "shares", function="kl_divergence"),
    MetricCase("Poisson", "positive", "positive", function="poisson"),
    MetricCase("Hinge", "signs", "numbers", function="hinge"),
    MetricCase("SquaredHinge", "signs", "numbers", function="squared_hinge"),
    MetricCase("CategoricalHinge", "hot", "numbers", function="categorical_hinge"),
    MetricCase(
        *("BinaryCrossentropy", "bits", "chances", ({}, _SMOOTH, _LOGITS, {**_LOGITS, **_SMOOTH})),
        function="binary_crossentropy",
        names=("bce", "BCE"),
    ),
    MetricCase(
        *("CategoricalCrossentropy", "hot", "shares", ({}, _SMOOTH, _LOGITS, {**_LOGITS, **_SMOOTH})),
        function="categorical_crossentropy",
    ),
    MetricCase("CategoricalCrossentropy", "hot", "shares", (_ALONG,), _CUBE, "along"),
    MetricCase("CategoricalCrossentropy", "hot", "shares", ({**_ALONG, **_SMOOTH},), _CUBE, "smoothed-along"),
    MetricCase(
        *("SparseCategoricalCrossentropy", "classes", "shares", ({}, _LOGITS)),
        function="sparse_categorical_crossentropy",
    ),
    MetricCase("PearsonCorrelation", "numbers", "numbers", function="pearson_correlation"),
    MetricCase("PearsonCorrelation", "numbers", "numbers", (_ALONG,), _CUBE, "along"),
    MetricCase("ConcordanceCorrelation", "numbers", "numbers", function="concordance_correlation"),
    MetricCase("ConcordanceCorrelation", "numbers", "numbers", (_ALONG,), _CUBE, "along"),
    MetricCase("Accuracy", "classes", "guesses", shape=(12, 3), elements=True),
    MetricCase(
        *("BinaryAccuracy", "bits", "chances", ({}, {"threshold": 0.75}, {"threshold": 0.25})),
        elements=True,
        function="binary_accuracy",
    ),
    MetricCase(
        "BinaryAccuracy", "bits", "numbers", ({"threshold": 1.5}, {"threshold": -0.5}), label="of-numbers", since="3.6"
    ),
    MetricCase("CategoricalAccuracy", "hot", "shares", function="categorical_accuracy"),
    MetricCase("CategoricalAccuracy", "hot", "shares", shape=_CUBE, label="of-sequences", elements=True),
    MetricCase("SparseCategoricalAccuracy", "classes", "shares", function="sparse_categorical_accuracy"),
    MetricCase("SparseCategoricalAccuracy", "classes", "shares", shape=_CUBE, label="of-sequences", elements=True),
    MetricCase(
        *("TopKCategoricalAccuracy", "hot", "shares", ({}, {"k": 2}, {"k": 1}), (12, 7)),
        doubles=False,
        function="top_k_categorical_accuracy",
    ),
    MetricCase(
        "TopKCategoricalAccuracy", "hot", "shares", ({"k": 2},), _CUBE, "of-sequences", elements=True, doubles=False
    ),
    MetricCase(
        *("SparseTopKCategoricalAccuracy", "classes", "shares", ({}, {"k": 2}, {"k": 1}), (12, 7)),
        doubles=False,
        function="sparse_top_k_categorical_accuracy",
    ),
    MetricCase(
        "SparseTopKCategoricalAccuracy",
        "classes",
        "shares",
        ({"k": 2},),
        _CUBE,
        "of-sequences",
        elements=True,
        doubles=False,
    ),
    MetricCase(
        *("SparseTopKCategoricalAccuracy", "classes", "ranked", ({"k": 2, "from_sorted_ids": True},)),
        label="of-sorted-ids",
    ),
    MetricCase("TruePositives", "bits", "chances", _COUNTS, elements=True),
    MetricCase("FalsePositives", "bits", "chances", _COUNTS, elements=True),
    MetricCase("TrueNegatives", "bits", "chances", _COUNTS, elements=True),
    MetricCase("FalseNegatives", "bits", "chances", _COUNTS, elements=True),
    MetricCase("Precision", "bits", "chances", _SHARES, elements=True),
    MetricCase("Recall", "bits", "chances", _SHARES, elements=True),
    *(
        MetricCase(
            *(name, "bits", "chances"),
            tuple(
                {argument: bound, **more}
                for bound, more in (
                    *((0.5, {}), (0.25, {"num_thresholds": 5}), (0.75, {"class_id": 2, "num_thresholds": 17})),
                    *((0.0, {"num_thresholds": 1}), (1.0, {}), (0.5, {"class_id": 0, "num_thresholds": 5})),
                )
            ),
        )
        for name, argument in (
            ("SensitivityAtSpecificity", "specificity"),
            ("SpecificityAtSensitivity", "sensitivity"),
            ("PrecisionAtRecall", "recall"),
            ("RecallAtPrecision", "precision"),
        )
    ),
    MetricCase("AUC", "bits", "chances", ({}, *_CURVES, {"thresholds": [0.75, 0.125, 0.375]}, _LOGITS), elements=True),
    MetricCase(
        *("AUC", "bits", "chances"),
        (*({**one, "thresholds": [0.25, 0.5, 0.75]} for one in _CURVES[3:]), {"thresholds": [0.0, 0.5, 1.0]}),
        label="even",
    ),
    MetricCase(
        *("AUC", "bits", "chances"),
        (
            *({**_LABELS, "thresholds": [0.25, 0.375]}, {**_LABELS, "curve": "PR", "num_thresholds": 17}),
            {"multi_label": True, "summation_method": "majoring", "thresholds": [0.25, 0.375], **_LOGITS},
        ),
        label="of-labels",
    ),
    MetricCase(
        *("AUC", "bits", "chances"),
        (
            {"label_weights": [1.0, 0.5, 2.0, 0.25]},
            {"label_weights": [1.0, 0.5, 2.0, 0.25], "thresholds": [0.25, 0.375]},
            {**_LABELS, "label_weights": [1.0, 0.5, 2.0, 0.25], "thresholds": [0.25, 0.375]},
            {**_LABELS, "label_weights": [1.0, 0.5, 2.0, 0.25], "curve": "PR", "num_thresholds": 17},
        ),
        label="of-weighted-labels",
        apart=("rebuilt",),
    ),
    MetricCase(
        "AUC",
        "bits",
        "chances",
        tuple({**one, "curve": "PRGAIN"} for one in _CURVES[:3]),
        label="of-gains",
        since="3.11",
    ),
    MetricCase(
        "IoU",
        "classes",
        "guesses",
        (_IDS, {**_IDS, "ignore_class": 1}, {**_THREE, "target_class_ids": [1]}),
        (12, 3),
        whole=True,
    ),
    MetricCase("IoU", "hot", "numbers", ({**_IDS, **_DENSE},), (12, 3), "by-argmax", whole=True),
    MetricCase(
        "IoU", "classes", "guesses", ({**_THREE, "target_class_ids": [0, 1, 2]},), (12, 5), "out-of-bounds", whole=True
    ),
    MetricCase(
        "MeanIoU",
        "classes",
        "guesses",
        (_THREE, {**_THREE, "ignore_class": 0}, {"num_classes": 5}),
        (12, 3),
        whole=True,
    ),
    MetricCase(
        *("BinaryIoU", "bits", "chances"),
        ({}, {"target_class_ids": [0]}, {"target_class_ids": [1], "threshold": 0.75}),
        (12, 1),
        whole=True,
    ),
    MetricCase("OneHotIoU", "hot", "numbers", (_IDS, {**_IDS, "ignore_class": 2}), (12, 3), whole=True),
    MetricCase("OneHotIoU", "hot", "guesses", ({**_IDS, "sparse_y_pred": True},), (12, 3), "sparse", whole=True),
    MetricCase("OneHotIoU", "hot", "numbers", ({**_IDS, **_ALONG},), _CUBE, "along", whole=True),
    MetricCase("OneHotMeanIoU", "hot", "numbers", (_THREE, {**_THREE, "ignore_class": 2}), (12, 3), whole=True),
    MetricCase(
        "FBetaScore",
        "hot",
        "chances",
        (*_FS, *({**one, "beta": 2.0} for one in _FS[3::2]), {"beta": 0.5}),
        apart=("elements",),
        late=True,
    ),
    MetricCase("FBetaScore", "bits", "chances", ({"threshold": 0.5, "beta": 2.0},), label="of-labels", late=True),
    MetricCase("F1Score", "hot", "chances", _FS, late=True),
    MetricCase(
        *("R2Score", "numbers", "numbers"),
        ({}, {"class_aggregation": None}, {"class_aggregation": "variance_weighted_average"}),
        elements=True,
        empty=float("nan"),
    ),
    MetricCase(
        "R2Score",
        "numbers",
        "numbers",
        ({"num_regressors": 1},),
        (12, 1),
        "adjusted",
        empty=float("nan"),
        weighted=False,
    ),
    MetricCase(
        "R2Score",
        "numbers",
        "numbers",
        ({"num_regressors": 1},),
        (12, 3),
        "adjusted-of-several",
        empty=float("nan"),
        weighted=False,
    ),
)
METRIC_ROWS: Mapping[str, MetricCase] = MappingProxyType({str(case): case for case in METRIC_CASES})
