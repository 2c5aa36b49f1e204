"""Optimizers, losses and metrics in baselines: twice the same, and faults of released versions at their stage."""

import functools

import numpy as np
import pytest
from baselines import baseline

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import Section
from initcheck.baselines.recording.single_steps import record_steps
from initcheck.baselines.records.step_records import StepStage
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.catalog.cases.recorded_steps import KIND_OF, RECORDED_OPTIMIZERS, RECORDED_STEPS, class_of
from initcheck.catalog.optimizers import OPTIMIZERS
from initcheck.checks.census import take_census
from initcheck.frameworks.keras import load_keras
from initcheck.reporting.comparisons.comparison_page import render_comparison
from initcheck.reporting.comparisons.sentences import describe
from initcheck.seeding import DEFAULT_SEED

ACCUMULATED = "AdamW(gradient_accumulation_steps=3)"
AVERAGED = "SGD(use_ema=True, ema_momentum=0.9999) in fit"
PLAIN = "Adam()"
LOSS, METRIC = "loss Huber(delta=0.375)", "metric Precision(thresholds=0.25)"
CASES = {name: RECORDED_STEPS[name] for name in (ACCUMULATED, AVERAGED, PLAIN, LOSS, METRIC)}


@pytest.fixture(scope="module")
def healthy():
    return record_steps(DEFAULT_SEED, CASES)


def compared(old, new):
    return compare(*(baseline().model_copy(update={"steps": one}) for one in (old, new)))


def found(old, new):
    cells = compared(old, new).of(Section.STEPS)
    return {cell.name: (cell.found, cell.stage) for cell in cells if cell.found is not Class.IDENTICAL}


def test_every_optimizer_of_the_catalogue_and_every_loss_and_metric_that_is_looked_at_are_recorded():
    assert {case.optimizer for case in RECORDED_OPTIMIZERS.values()} == {row.name for row in OPTIMIZERS}
    recorded = {(KIND_OF[type(case)], class_of(case)) for case in RECORDED_STEPS.values()}
    seen = [one.public for one in take_census() if one.looked_at and one.public.kind in ("losses", "metrics")]
    of_values = {("metrics", name) for name in ("Mean", "MeanMetricWrapper", "Sum")}  # without targets
    assert {(one.kind, one.name) for one in seen} - recorded == of_values


def test_optimizers_recorded_twice_are_identical_whatever_else_is_recorded(healthy):
    assert set(healthy) == set(CASES)
    assert not any(one.refused for one in healthy.values())
    assert not found(healthy, record_steps(DEFAULT_SEED, dict(reversed(CASES.items()))))


def micro_steps(patch, keras):
    """As Keras 3.4: a weight decays at each micro-step."""
    optimizer = keras.optimizers.Optimizer
    real = optimizer.apply

    def apply(self, grads, trainable_variables=None):
        if self.built:
            self._apply_weight_decay(self._trainable_variables)
        return real(self, grads, trainable_variables)

    patch.setattr(optimizer, "apply", apply)


def empty_averages(patch, keras):
    """As Keras 3.0.1: the averages begin at zero."""

    def update(self, variables):
        for variable, average in zip(variables, self._model_variables_moving_average, strict=True):
            average.assign(self.ema_momentum * average + (1 - self.ema_momentum) * variable)

    patch.setattr(keras.optimizers.Optimizer, "_update_model_variables_moving_average", update)


def other_epsilon(patch, keras):
    real = keras.optimizers.Adam.__init__

    @functools.wraps(real)
    def init(self, **options):
        real(self, epsilon=1e-4, **options)

    patch.setattr(keras.optimizers.Adam, "__init__", init)


def other_delta(patch, keras):
    real = keras.losses.Huber.__init__

    @functools.wraps(real)
    def init(self, delta=1.0, **options):
        real(self, delta=delta * 0.999, **options)

    patch.setattr(keras.losses.Huber, "__init__", init)


def optimistic(patch, keras):
    real = keras.metrics.Precision.result
    patch.setattr(keras.metrics.Precision, "result", lambda self: real(self) * 1.0001)


@pytest.mark.parametrize(
    ("fault", "name", "stage"),
    [
        (micro_steps, ACCUMULATED, StepStage.FIRST_MOVE),
        (empty_averages, AVERAGED, StepStage.FITTED),
        (other_epsilon, PLAIN, StepStage.UPDATES),
        (other_delta, LOSS, StepStage.VALUE),
        (optimistic, METRIC, StepStage.VALUE),
    ],
)
def test_a_fault_is_named_at_its_stage(healthy, monkeypatch, fault, name, stage):
    fault(monkeypatch, load_keras())
    spoiled = record_steps(DEFAULT_SEED, CASES)
    assert found(healthy, spoiled)[name] == (Class.CHANGED, stage)
    comparison = compared(healthy, spoiled)
    assert f"since the stage '{stage}'" in describe(comparison)[0]
    assert "".join(render_comparison(comparison)).count(name)


def test_rounding_is_allowed_for(healthy):
    record = healthy[PLAIN]
    stage = record.stages[StepStage.UPDATES]
    ulp = float(np.spacing(np.float32(max(map(abs, stage.values)))))
    moved = stage.model_copy(update={"digest": "0" * 24, "values": tuple(one + ulp for one in stage.values)})
    other = record.model_copy(update={"stages": {**record.stages, StepStage.UPDATES: moved}})
    expected = {PLAIN: (Class.WITHIN_TOLERANCE, StepStage.UPDATES)}
    assert found(healthy, {**healthy, PLAIN: other}) == expected


def test_what_one_environment_refuses_is_a_change_and_what_both_do_has_no_cell(healthy):
    refusing = {name: one.model_copy(update={"refused": "ValueError", "stages": {}}) for name, one in healthy.items()}
    assert set(found(healthy, refusing).values()) == {(Class.CHANGED, None)}
    assert compared(refusing, refusing).of(Section.STEPS) == []


def test_optimizers_that_only_the_new_environment_has_are_listed_as_not_compared(healthy):
    older = {name: one for name, one in healthy.items() if name != PLAIN}
    comparison = compared(older, healthy)
    assert len(comparison.of(Section.STEPS)) == len(older)
    assert any(f"Not compared: steps {PLAIN}" in sentence for sentence in describe(comparison))


def test_a_file_without_them_is_read_and_says_so(healthy, tmp_path):
    path = tmp_path / "old.json"
    path.write_text(write_baseline(baseline()))
    assert '\n "steps": {' not in path.read_text()
    sentences = describe(compared(load_baseline(path).steps, healthy))
    assert (
        "Not looked at: optimizers, losses and metrics alone; the old baseline holds none. Record it anew." in sentences
    )
    path.write_text(write_baseline(baseline().model_copy(update={"steps": healthy})))
    assert load_baseline(path).steps == healthy
