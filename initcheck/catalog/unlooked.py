"""Public names that no check looks at beyond their configuration, with the reason; layers have it in their rows."""

from __future__ import annotations

from collections.abc import Mapping

# Kind of names → reason → names, separated by blanks.
_REASONS: Mapping[str, Mapping[str, str]] = {
    "losses": {
        "not yet, part 4": (
            "BinaryFocalCrossentropy CTC CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy "
            "CategoricalHinge Circle CosineSimilarity Dice Hinge Huber KLDivergence LogCosh "
            "MeanAbsolutePercentageError MeanSquaredLogarithmicError Poisson SquaredHinge Tversky"
        ),
    },
    "metrics": {
        "the base class of metrics that average a function": "MeanMetricWrapper",
        "not yet, part 4": (
            "AUC BinaryCrossentropy BinaryIoU CategoricalCrossentropy CategoricalHinge ConcordanceCorrelation "
            "CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives Hinge IoU KLDivergence LogCoshError "
            "MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanSquaredError MeanSquaredLogarithmicError "
            "OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision PrecisionAtRecall R2Score Recall "
            "RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalCrossentropy "
            "SpecificityAtSensitivity SquaredHinge Sum TrueNegatives TruePositives"
        ),
    },
    "optimizers": {
        "not yet, part 4": "Adafactor Lamb LossScaleOptimizer MultiOptimizer Muon ScheduleFreeAdamW",
    },
    "callbacks": {
        "it reports, and changes neither training nor what is kept; it needs TensorBoard": "TensorBoard",
        "it needs orbax-checkpoint, which Keras does not install": "OrbaxCheckpoint",
    },
}
REASONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    kind: {reason: tuple(names.split()) for reason, names in reasons.items()} for kind, reasons in _REASONS.items()
}
