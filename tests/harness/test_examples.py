"""The examples of models as they are: each runs, repeats in a baseline, and gives the same by both engines."""

import importlib

import numpy as np
import pytest

import initcheck
from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import Section
from initcheck.baselines.recording.record import parts_of, record_part

# Name → the score that is chosen, and whether the ensemble trains it.
EXAMPLES = {
    "regression": ("loss", True),
    "two_inputs": ("accuracy", True),
    "sequences": ("accuracy", True),
    "images": ("accuracy", False),
    "transformer": ("accuracy", True),
}
QUICK = "regression"


def problem_of(name, **settings):
    module = importlib.import_module(f"examples.models.{name}")
    return initcheck.Problem.of(module.build, module.data, **{"epochs": 1, "batch_size": 128, **settings})


def named(name):
    return name if name == QUICK else pytest.param(name, marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [named(name) for name in EXAMPLES])
def test_an_example_is_trained_by_fit_and_judged_by_its_score(name):
    sweep = initcheck.sweep(problem_of(name), initializers=["own", "glorot_uniform"], reseeds=2)
    score, _ = EXAMPLES[name]
    assert sweep.facts.score.name == score
    assert [runs.initializer for runs in sweep.groups] == ["own", "glorot_uniform"]
    assert sweep.engine.startswith("reference engine")
    for runs in sweep.groups:
        assert np.isfinite(runs.test_score).all()
        assert len(np.unique(runs.history[:, -1, 0])) == 2
    assert sweep.facts.chance is not None


@pytest.mark.parametrize("name", [named(name) for name in EXAMPLES])
def test_both_engines_train_an_example_alike(name):
    _, suits = EXAMPLES[name]
    if not suits:
        with pytest.raises(initcheck.InitcheckError, match=r"its data are a .*Dataset, which makes batches itself"):
            initcheck.sweep(problem_of(name), initializers=["own"], reseeds=2, engine="ensemble")
        return
    one, many = (
        initcheck.sweep(problem_of(name), initializers=["own", "he_normal"], reseeds=2, engine=engine)
        for engine in ("reference", "ensemble")
    )
    assert many.engine.startswith("stateless ensemble engine")
    for mine, other in zip(one.groups, many.groups, strict=True):
        assert mine.metrics == other.metrics
        assert np.array_equal(mine.seeds, other.seeds)
        # Losses of an epoch of a few steps: rounding of 6e-8 a step, and a row within it of a threshold.
        assert np.allclose(mine.metric("loss"), other.metric("loss"), rtol=1e-4)
        assert np.allclose(mine.test_score, other.test_score, rtol=1e-4, atol=1.5 / mine.test_total)
        assert np.allclose(mine.train_score, other.train_score, rtol=1e-4, atol=1.5 / mine.train_total)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_recorded_twice_is_identical(name):
    (part,) = [one for one in parts_of((), 2, [problem_of(name)]) if one.model]
    one, two = (record_part(part, seed=3, advance=lambda *_: None) for _ in range(2))
    comparison = compare(one, two)
    (cell,) = comparison.of(Section.MODELS)
    assert cell.found is Class.IDENTICAL
    if name != QUICK:
        return
    other = record_part(part, seed=4, advance=lambda *_: None).model_copy(update={"seed": 3})
    (cell,) = compare(one, other).of(Section.MODELS)
    assert cell.found is Class.CHANGED
