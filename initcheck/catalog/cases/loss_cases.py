"""Every loss with the options, targets and outputs that it is judged with, and the names that it has.

Source: https://keras.io/api/losses/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Options = Mapping[str, Any]


@dataclass(frozen=True)
class LossCase:
    """A loss, with one or several sets of options.

    Attributes:
        name: The class.
        function: The function of the same formula.
        targets: What its targets are: ``numbers``, ``positive``, ``bits``, ``signs``, ``hot`` rows, ``classes``,
            ``shares`` that add up to one, ``labels`` of embeddings, ``spelt`` sequences.
        outputs: What its outputs are: ``numbers``, ``positive``, ``chances``, ``shares``, ``units`` of length one,
            ``steps`` of sequences.
        options: Sets of arguments; with ``from_logits`` outputs are numbers.
        shape: Of the outputs; targets without the axis of classes.
        label: Distinguishes the rows of one loss.
        samples: Whether it is one number for each sample, which weights multiply.
        apart: What has rows of their own: that it is ``rebuilt`` from its configuration, and ``columns`` of classes.
        half: Whether half precision represents what it computes with.
        names: Further strings that stand for it.
        named: Whether strings stand for it at all.
        needed: Arguments without which its function cannot be called.
    """

    name: str
    function: str
    targets: str
    outputs: str
    options: tuple[Options, ...] = ({},)
    shape: tuple[int, ...] = (6, 4)
    label: str = ""
    samples: bool = True
    apart: tuple[str, ...] = ()
    half: bool = True
    names: tuple[str, ...] = ()
    named: bool = True
    needed: Options = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}-{self.label}" if self.label else self.name


_SMOOTH = {"label_smoothing": 0.25}
_LOGITS = {"from_logits": True}
_ALONG = {"axis": 1}
_CUBE = (2, 3, 4)
_FOCUS = {"alpha": 0.375, "gamma": 1.5}
_ONE_GAMMA = {"gamma": 1.0}

LOSS_CASES = (
    LossCase("MeanSquaredError", "mean_squared_error", "numbers", "numbers", names=("mse", "MSE")),
    LossCase("MeanAbsoluteError", "mean_absolute_error", "numbers", "numbers", names=("mae", "MAE")),
    LossCase(
        *("MeanAbsolutePercentageError", "mean_absolute_percentage_error", "numbers", "numbers"),
        names=("mape", "MAPE"),
    ),
    LossCase(
        *("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", "positive", "numbers"),
        names=("msle", "MSLE"),
    ),
    LossCase("CosineSimilarity", "cosine_similarity", "numbers", "numbers", ({}, {"axis": 0}), apart=("rebuilt",)),
    LossCase(
        "CosineSimilarity", "cosine_similarity", "numbers", "numbers", (_ALONG,), _CUBE, "along", apart=("rebuilt",)
    ),
    LossCase("Huber", "huber", "numbers", "numbers", ({}, {"delta": 0.375}, {"delta": 3.0}), apart=("rebuilt",)),
    LossCase("LogCosh", "log_cosh", "numbers", "numbers"),
    LossCase("KLDivergence", "kl_divergence", "shares", "shares", names=("kld", "KLD"), half=False),
    LossCase("Poisson", "poisson", "positive", "positive"),
    LossCase("Hinge", "hinge", "signs", "numbers"),
    LossCase("Hinge", "hinge", "bits", "numbers", label="bits"),
    LossCase("SquaredHinge", "squared_hinge", "signs", "numbers"),
    LossCase("SquaredHinge", "squared_hinge", "bits", "numbers", label="bits"),
    LossCase("CategoricalHinge", "categorical_hinge", "hot", "numbers"),
    LossCase(
        *("BinaryCrossentropy", "binary_crossentropy", "bits", "chances"),
        ({}, _SMOOTH, _LOGITS, {**_LOGITS, **_SMOOTH}, {"label_smoothing": 0.0, "axis": 0}),
        names=("bce", "BCE"),
        half=False,
    ),
    LossCase(
        *("BinaryFocalCrossentropy", "binary_focal_crossentropy", "bits", "chances"),
        (
            *({}, _FOCUS, _ONE_GAMMA, {"apply_class_balancing": True}),
            {**_FOCUS, "apply_class_balancing": True, **_LOGITS, **_SMOOTH, "axis": 0},
        ),
        half=False,
    ),
    LossCase(
        *("CategoricalCrossentropy", "categorical_crossentropy", "hot", "shares"),
        ({}, _SMOOTH, _LOGITS, {**_LOGITS, **_SMOOTH}),
        half=False,
    ),
    LossCase(
        *("CategoricalCrossentropy", "categorical_crossentropy", "hot", "shares"),
        (_ALONG, {**_LOGITS, **_ALONG}),
        _CUBE,
        "along",
        half=False,
    ),
    LossCase(
        *("CategoricalCrossentropy", "categorical_crossentropy", "hot", "shares"),
        ({**_SMOOTH, **_ALONG},),
        _CUBE,
        "smoothed-along",
        half=False,
    ),
    LossCase(
        *("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", "hot", "shares"),
        ({}, _FOCUS, _ONE_GAMMA, _SMOOTH, {**_FOCUS, **_LOGITS, **_SMOOTH}, {"alpha": [0.25, 0.5, 0.75, 1.0]}),
        half=False,
    ),
    LossCase(
        *("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", "hot", "shares"),
        (_ALONG, {**_FOCUS, **_ALONG, **_LOGITS}),
        _CUBE,
        "along",
        half=False,
    ),
    LossCase(
        *("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", "hot", "shares"),
        ({**_SMOOTH, **_ALONG},),
        _CUBE,
        "smoothed-along",
        half=False,
    ),
    LossCase(
        *("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", "classes", "shares"),
        ({}, _LOGITS),
        half=False,
    ),
    LossCase(
        *("CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy", "classes", "shares"),
        ({}, {"q": 0.75}),
        named=False,
        needed={"q": 0.5},
        apart=("rebuilt", "columns"),
    ),
    LossCase("Dice", "dice", "bits", "chances", ({},), samples=False),
    LossCase("Dice", "dice", "bits", "chances", (_ALONG, {"axis": 0}), label="along"),
    LossCase("Dice", "dice", "bits", "chances", ({"axis": (1, 2)},), _CUBE, "along-two"),
    LossCase("Tversky", "tversky", "bits", "chances", ({}, {"alpha": 0.25, "beta": 0.25}), samples=False),
    LossCase("Tversky", "tversky", "bits", "chances", (_ALONG, {"axis": 0}), label="along"),
    LossCase(
        "Tversky", "tversky", "bits", "chances", ({"alpha": 0.75, "beta": 0.25},), (6, 4), "unlike", samples=False
    ),
    LossCase(
        *("Circle", "circle", "labels", "units"),
        ({}, {"gamma": 4.0, "margin": 0.25}, {"gamma": 4.0, "remove_diagonal": False}),
        half=False,
    ),
    LossCase("CTC", "ctc", "spelt", "steps", shape=(3, 4, 3), half=False),
)
LOSS_ROWS: Mapping[str, LossCase] = MappingProxyType({str(case): case for case in LOSS_CASES})
