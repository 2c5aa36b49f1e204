"""Formulas of losses and metrics, on numbers worked out by hand and on those of Keras's documentation."""

import numpy as np
import pytest

from initcheck.catalog.cases.loss_cases import LOSS_CASES, LOSS_ROWS
from initcheck.catalog.cases.metric_cases import METRIC_CASES, METRIC_ROWS
from initcheck.frameworks.public_names import public_names
from initcheck.oracle.loss_formulas import LOSS_FORMULAS
from initcheck.oracle.metric_formulas import METRIC_FORMULAS
from initcheck.oracle.rounding import Rounded


@pytest.mark.parametrize(
    ("name", "y", "p", "options", "expected"),
    [
        ("tversky", [[1, 1, 0, 0]], [[1, 0, 0, 0]], {"alpha": 1.0, "beta": 0.0}, 0.0),
        ("tversky", [[1, 1, 0, 0]], [[1, 0, 0, 0]], {"alpha": 0.0, "beta": 1.0}, 0.5),
        ("dice", [[1, 1, 0, 0]], [[1, 0, 0, 0]], {}, 1 / 3),
        ("huber", [[0, 0]], [[0.5, 3]], {"delta": 1.0}, [(0.125 + 2.5) / 2]),
        ("hinge", [[0, 1]], [[0.5, 0.5]], {}, [(1.5 + 0.5) / 2]),
        ("categorical_hinge", [[0, 1, 0]], [[0.25, 0.5, 1]], {}, [1.5]),
        ("poisson", [[1.0]], [[1.0]], {}, [1.0]),
        ("kl_divergence", [[0.5, 0.5]], [[0.25, 0.75]], {}, [0.5 * np.log(2) + 0.5 * np.log(2 / 3)]),
        ("categorical_generalized_cross_entropy", [1], [[0.75, 0.25]], {"q": 0.5}, [1.0]),
        ("sparse_categorical_crossentropy", [1, 0], [[0.5, 0.5], [0.25, 0.75]], {"ignore_class": 0}, [np.log(2), 0]),
        # Two steps of three equal classes: the label 1 is spelt by 01, 10 and 11.
        ("ctc", [[1]], [[[0, 0, 0], [0, 0, 0]]], {}, [np.log(3)]),
        ("ctc", [[1, 1]], [[[0, 0, 0]] * 3], {}, [np.log(27)]),  # 101 alone
    ],
)
def test_losses_worked_out_by_hand(name, y, p, options, expected):
    result = LOSS_FORMULAS[name](np.array(y, float), Rounded(np.array(p, float)), **options)
    np.testing.assert_allclose(result.value, expected, atol=1e-6)
    assert np.all(result.error < 1e-5)


@pytest.mark.parametrize(
    ("name", "y", "p", "w", "options", "expected"),
    [
        ("AUC", [0, 0, 1, 1], [0, 0.5, 0.3, 0.9], [1, 1, 1, 1], {"num_thresholds": 3}, 0.75),
        ("AUC", [0, 0, 1, 1], [0, 0.5, 0.3, 0.9], [1, 0, 0, 1], {"num_thresholds": 3}, 1.0),
        ("Precision", [0, 1, 1, 1], [1, 0, 1, 1], [0, 0, 1, 0], {}, 1.0),
        ("Precision", [[0, 0, 1, 1]], [[1, 1, 1, 1]], [1], {"top_k": 2}, 0.0),
        (
            "SensitivityAtSpecificity",
            [0, 0, 0, 1, 1],
            [0, 0.3, 0.8, 0.3, 0.8],
            [1, 1, 2, 2, 1],
            {"specificity": 0.5},
            1 / 3,
        ),
        ("IoU", [0, 0, 1, 1], [0, 1, 0, 1], [0.3, 0.3, 0.3, 0.1], {"target_class_ids": [0]}, 1 / 3),
        ("MeanIoU", [0, 0, 1, 1], [0, 1, 0, 1], [0.3, 0.3, 0.3, 0.1], {}, 0.2380952),
        ("R2Score", [[1], [4], [3]], [[2], [4], [4]], [1, 1, 1], {}, 0.57142866),
        ("RootMeanSquaredError", [[0, 1], [0, 0]], [[1, 1], [0, 0]], [1, 0], {}, np.sqrt(0.5)),
        ("SparseTopKCategoricalAccuracy", [2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]], [0.7, 0.3], {"k": 1}, 0.3),
    ],
)
def test_metrics_of_the_documentation(name, y, p, w, options, expected):
    result = METRIC_FORMULAS[name](np.array(y), np.array(p, float), np.array(w, float), **options)
    np.testing.assert_allclose(result.value, expected, atol=1e-6)


def test_f_scores_of_the_documentation():
    y, p = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0]]), np.array([[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
    result = METRIC_FORMULAS["FBetaScore"](y, p, np.ones(3), beta=2.0, threshold=0.5)
    np.testing.assert_allclose(result.value, [0.3846154, 0.90909094, 0.8333334], atol=1e-6)


def test_every_class_has_a_row():
    rows = {"losses": {case.name for case in LOSS_CASES}, "metrics": {case.name for case in METRIC_CASES}}
    rows["metrics"] |= {"Mean", "Sum", "MeanMetricWrapper"}
    for public in public_names():
        assert public.kind not in rows or public.name in rows[public.kind], public.name
    assert len(LOSS_ROWS) == len(LOSS_CASES)
    assert len(METRIC_ROWS) == len(METRIC_CASES)
