"""LAW23 on a made-up layer, right or only just wrong."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.traits.weights import InitialMatrix
from initcheck.checks.laws.weight_arguments import initial_values, untrained, weight_arguments
from initcheck.evidence.lab import get_lab
from initcheck.evidence.laws.treated_layers import Treated, WeightArguments, share, times, value
from initcheck.records import Status

KERNEL, BIAS = (np.full(shape, value(number), np.float32) for number, shape in enumerate([(3, 2), (2,)]))
RIGHT = Treated(
    arguments=("kernel", "bias"),
    weights=[KERNEL, BIAS],
    losses=sorted([share(0) * 6 * value(0) ** 2, share(1) * 2 * value(1) ** 2]),
    constrained=[KERNEL * np.float32(times(0)), BIAS],
    regularized=frozenset({0, 1}),
    bounded=frozenset({0}),
    shapes=[(2,), (3, 2)],
    trained=(0, 0),
)


def _judged(seen: Treated) -> Status:
    draws = SimpleNamespace(
        layers=SimpleNamespace(offers=lambda layer: True), arguments=SimpleNamespace(treat=lambda request: seen)
    )
    lab: Any = SimpleNamespace(draws=draws)
    request = LayerRequest("Dense")
    statuses = [weight_arguments(lab, one).status for one in (request, untrained(request))]
    return Status.FAIL if Status.FAIL in statuses else statuses[0]


def test_a_layer_as_documented_passes() -> None:
    assert _judged(RIGHT) is Status.PASS


@pytest.mark.parametrize(
    "wrong",
    [
        {"losses": [loss * 1.001 for loss in RIGHT.losses]},
        {"losses": RIGHT.losses[1:]},
        {"losses": sorted([share(1) * 6 * value(0) ** 2, share(0) * 2 * value(1) ** 2])},
        {"constrained": [KERNEL, BIAS]},
        {"constrained": [KERNEL * np.float32(times(0)), BIAS * np.float32(times(1))]},
        {"constrained": [np.nextafter(KERNEL * np.float32(times(0)), np.float32(9)), BIAS]},
        {"shapes": [(2,)]},
        {"trained": (1, 0)},
        {"trained": (0, -1)},
    ],
    ids=[
        "scaled",
        "lost",
        "swapped",
        "unconstrained",
        "constrained-too",
        "off-by-an-ulp",
        "shapes",
        "trained",
        "lost-training",
    ],
)
def test_a_weight_that_is_treated_otherwise_fails(wrong: dict[str, Any]) -> None:
    assert _judged(replace(RIGHT, **wrong)) is Status.FAIL


def test_a_dense_layer_has_a_regularizer_and_a_constraint_for_each_weight() -> None:
    seen = WeightArguments(get_lab(1)).treat(LayerRequest("Dense", {"units": 2}, ((1, 3),)))
    assert seen == replace(
        RIGHT,
        weights=seen.weights,
        losses=seen.losses,
        constrained=seen.constrained,
        bounded=frozenset({0, 1}),
    )
    assert seen.losses == pytest.approx(RIGHT.losses)
    for number, constrained in enumerate(seen.constrained):
        assert np.array_equal(constrained, RIGHT.weights[number] * np.float32(times(number)))


@pytest.mark.parametrize(("off", "status"), [(0.0, Status.PASS), (1e-7, Status.FAIL)])
def test_a_matrix_of_which_one_number_is_lost_fails(off: float, status: Status) -> None:
    def of_matrix(case: InitialMatrix, matrix: np.ndarray) -> list[np.ndarray]:
        return [matrix + np.float32(off) * np.abs(matrix).max()]

    lab: Any = SimpleNamespace(
        stream=lambda *names: 3, draws=SimpleNamespace(arguments=SimpleNamespace(of_matrix=of_matrix))
    )
    (case,) = select(InitialMatrix)
    assert initial_values(lab, case).status is status
