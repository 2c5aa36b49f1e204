"""The names by which ``compile`` knows losses and metrics.

Sources: https://keras.io/api/losses/, https://keras.io/api/metrics/. A version of Keras need not know all of them, and
what it knows beyond them is enumerated from it.
"""

from __future__ import annotations

from collections.abc import Mapping

_LOSSES = """
    bce binary_crossentropy binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy
    categorical_hinge circle cosine_similarity dice hinge huber kl_divergence kld kullback_leibler_divergence log_cosh
    logcosh mae mape mean_absolute_error mean_absolute_percentage_error mean_squared_error
    mean_squared_logarithmic_error mse msle poisson sparse_categorical_crossentropy squared_hinge tversky
"""
_METRICS = """
    Accuracy acc accuracy auc bce binary_accuracy binary_crossentropy categorical_accuracy categorical_crossentropy
    categorical_hinge ce concordance_correlation cosine_similarity crossentropy f1_score false_negatives
    false_positives hinge kl_divergence kld log_cosh log_cosh_error mae mape mean_absolute_error
    mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error mse msle pearson_correlation
    poisson precision r2_score recall root_mean_squared_error sparse_categorical_accuracy
    sparse_categorical_crossentropy sparse_top_k_categorical_accuracy squared_hinge top_k_categorical_accuracy
    true_negatives true_positives
"""
# ``compile`` itself understands these, in capitals too, from the shapes of outputs and targets.
BY_SHAPE = ("Accuracy", "acc", "accuracy", "ce", "crossentropy")
# Needs lengths of sequences in its targets.
OF_SEQUENCES = ("ctc", "CTC")
NAMES_OF: Mapping[str, tuple[str, ...]] = {"losses": tuple(_LOSSES.split()), "metrics": tuple(_METRICS.split())}
EVERY_OTHER = "every other name"
