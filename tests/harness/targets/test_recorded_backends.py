"""Baselines of Keras on another backend than TensorFlow: the evidence is there, repeats, and says what it is of."""

import dataclasses

import numpy as np
import pytest
from other_backends import build, data, on_other_backends

from initcheck import INITIALIZERS, Problem
from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import Section
from initcheck.baselines.recording import record
from initcheck.baselines.recording.parts import Part, merge
from initcheck.catalog.cases.recorded_layers import RECORDED
from initcheck.catalog.problems import get_problem
from initcheck.evidence.baseline.layer_stages import LayerRecorder
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.backends import has_doubles
from initcheck.frameworks.differentiation import gradients
from initcheck.targets import frameworks_of, target

pytestmark = on_other_backends
XOR = dataclasses.replace(get_problem("xor"), epochs=2)
PARTS = (
    Part("draws", "he_normal"),
    Part("problems", "xor", XOR, 0),
    Part("models", "own", reseeds=2, model=Problem.of(build, data, epochs=2, name="own")),
)


@pytest.fixture(scope="module")
def recorded():
    """Two recordings of a few parts, under one seed."""
    few = pytest.MonkeyPatch()
    few.setattr(record, "TRACED", ("he_normal",))
    try:
        yield [merge([record.record_part(part, seed=7, advance=lambda *_: None) for part in PARTS]) for _ in range(2)]
    finally:
        few.undo()


def test_a_baseline_repeats_in_every_bit(recorded):
    comparison = compare(*recorded)
    assert comparison.verdict is Class.IDENTICAL, comparison.differing
    stages = {len(cell.ladder) for cell in comparison.cells if cell.section in (Section.TRACES, Section.MODELS)}
    assert min(stages) > 6


def test_a_baseline_names_its_target_and_the_float_types_that_the_backend_has(recorded):
    where = recorded[0].environment
    assert where.target == target()
    assert set(frameworks_of(target())) < set(where.versions)
    assert ("float64" in recorded[0].draws["he_normal"]) == has_doubles(target())


def test_weights_that_are_scaled_by_2_percent_are_another_law(recorded, monkeypatch):
    options = {"scale": 2.0 * 1.02**2, "mode": "fan_in", "distribution": "truncated_normal"}
    row = dataclasses.replace(INITIALIZERS["he_normal"], made_by="VarianceScaling", config=options)
    monkeypatch.setattr(record, "INITIALIZERS", {"he_normal": row})
    other = record.record_part(PARTS[0], seed=7, advance=lambda *_: None)
    (cell,) = [cell for cell in compare(recorded[0], other).of(Section.DRAWS) if cell.key.dtype == "float32"]
    assert cell.found is Class.CHANGED


def test_a_layer_s_gradients_are_those_by_hand():
    """Of the sum of s·(xW + b) by W, b and x."""
    case = next(case for case in RECORDED.values() if case.layer == "Dense" and case.computes and not case.call)
    recorder = LayerRecorder(7)
    layer = recorder._keras.layers.Dense(2)
    stream = np.random.RandomState(0)
    x, slopes = (stream.normal(size=(3, size)).astype(np.float32) for size in (4, 2))
    layer.build((None, 4))
    kernel, bias = (stream.normal(size=shape).astype(np.float32) for shape in ((4, 2), (2,)))
    layer.set_weights([kernel, bias])

    def compute(rows):
        output = layer(rows)
        return (output * as_tensor(slopes)).sum(), output

    found = gradients(layer, [as_tensor(x)], compute)
    np.testing.assert_allclose(found.values, x @ kernel + bias, rtol=1e-5)
    found_in_turn = *found.by_weights, *found.by_tensors
    for actual, expected in zip(found_in_turn, (x.T @ slopes, slopes.sum(0), slopes @ kernel.T), strict=True):
        np.testing.assert_allclose(np.asarray(actual), expected, rtol=1e-5)
    assert recorder.observe(case).gradient.deviation < 1e-4


def test_masks_that_are_drawn_and_not_used_leave_an_output_to_compare():
    """A plain call of a recurrent layer is inference, though TensorFlow and JAX draw its masks; an image's draws."""
    recorder = LayerRecorder(7)
    names = "lstm-states", "RandomFlip() of (24,9,8,3)"
    states, flip = (recorder.observe(RECORDED[name]) for name in names)
    assert states.output is not None
    assert states.gradient is not None
    assert states.noise is not None
    assert flip.output is None
    assert flip.noise is not None
