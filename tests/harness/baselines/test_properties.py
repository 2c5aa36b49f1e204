"""What holds for every baseline: written and read, taken apart and merged, compared with itself."""

import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from baselines import STAGES, baseline, trace, values
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.closeness import mean_p_value, scale_p_value
from initcheck.baselines.comparing.compare import appeared, compare
from initcheck.baselines.recording.parts import merge
from initcheck.baselines.records.array_records import FansRecord
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.baselines.records.summary import array_record
from initcheck.errors import InitcheckError

NAMES = st.text(min_size=1, max_size=200)
SECTIONS = ("draws", "defaults", "fans", "orders", "problems")
FLOATS: dict[str, Literal[16, 32, 64]] = {"float16": 16, "float32": 32, "float64": 64}
BASELINES = [baseline(), baseline(draw_seed=1, nudge=True), baseline(scale=1.5)]


@st.composite
def baselines(draw):
    """A baseline with any names, weights of any bits, and trainings that may have diverged."""
    record = draw(st.sampled_from(BASELINES))
    dtype = draw(st.sampled_from(tuple(FLOATS)))
    plain = st.floats(-1e4, 1e4, width=FLOATS[dtype])
    weights = [array_record(draw(arrays(dtype, st.integers(1, 99), elements=plain)), 64) for _ in range(2)]
    stage = draw(st.sampled_from(tuple(STAGES)))
    lost = np.array(values(stage))
    lost.flat[draw(st.integers(0, lost.size - 1))] = draw(st.floats(width=32))
    positive = st.none() | st.floats(0, 1e9, exclude_min=True)
    fans = st.builds(FansRecord, fan_in=positive, fan_out=positive)
    return record.model_copy(
        update={
            "seed": draw(st.integers(-(2**63), 2**63 - 1)),
            "defaults": draw(st.dictionaries(NAMES, st.just(tuple(weights)), max_size=3)),
            "fans": draw(st.dictionaries(NAMES, fans, max_size=3)),
            "orders": draw(st.dictionaries(NAMES, st.just(record.orders["feed"]), max_size=3)),
            "problems": {
                name: record.problems["iris"].model_copy(update={"traces": {"he_normal": trace(**{stage: lost})}})
                for name in draw(st.lists(NAMES, max_size=2, unique=True))
            },
        }
    )


@given(baselines())
@settings(max_examples=50)
def test_what_is_written_is_read_as_it_was(record):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.json"
        path.write_text(write_baseline(record), encoding="utf-8")
        again = load_baseline(path)
    assert again == record
    assert write_baseline(again) == write_baseline(record)


@given(baselines(), st.data())
@settings(max_examples=50)
def test_one_byte_that_is_edited_is_noticed(record, data):
    text = write_baseline(record)
    digits = [place for place, letter in enumerate(text) if letter.isdigit() and letter.isascii()]
    place = data.draw(st.sampled_from(digits))
    other = str((int(text[place]) + data.draw(st.integers(1, 9))) % 10)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.json"
        path.write_text(text[:place] + other + text[place + 1 :], encoding="utf-8")
        try:
            again = load_baseline(path)
        except InitcheckError:
            return
    assert again == record  # the digit changed nothing that is read, such as 1e-07 and 1e-7


@given(baselines(), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_parts_merge_to_the_whole_in_any_order(original, random):
    nothing = original.model_copy(update={section: {} for section in SECTIONS})
    parts = [
        nothing.model_copy(update={section: {name: record}})
        for section in SECTIONS
        for name, record in getattr(original, section).items()
    ]
    random.shuffle(parts)
    assert merge([nothing, *parts]) == original


@given(baselines())
@settings(max_examples=50)
def test_a_baseline_compared_with_itself_is_identical_in_every_cell(record):
    cells = compare(record, record).cells
    assert {cell.found for cell in cells} == {Class.IDENTICAL}
    assert len(cells) >= len(record.draws) + len(record.defaults) + len(record.fans) + len(record.orders)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e90, 1e150])
def test_the_kurtosis_of_an_array_does_not_depend_on_its_scale(size):
    assert array_record(np.array([0, 0, 0, 4]) * size, 4).kurtosis == 2.333  # 4·(3⁴ + 3·1⁴)/(3² + 3·1²)² = 7/3
    assert array_record(np.array([1, -1, 1, -1]) * size, 4).kurtosis == 1


@pytest.mark.parametrize("section", SECTIONS)
def test_what_only_one_side_has_is_never_identical(section):
    less = BASELINES[0].model_copy(update={section: {}})
    for old, new in ((BASELINES[0], less), (less, BASELINES[0])):
        cells = [cell for cell in compare(old, new).cells if cell.section in (section, "traces", "fits")]
        if news := appeared(old, new):
            assert {key.section for key in news} == {section} == {"defaults", "fans"} & {section}
            assert section not in {cell.section for cell in cells}
        else:
            assert {cell.found for cell in cells} - {Class.IDENTICAL}


@pytest.mark.parametrize("size", [2, 3, 5, 12, 30, 200])
@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_few_numbers_of_one_law_are_found_different_no_oftener_than_is_said(law, size):
    """Of 2,000 pairs at 1 % a share of 2 % would be 4.5 standard errors more; a normal law of z gives 3 to 60 %."""
    draw = getattr(np.random.RandomState(size), law)
    found = []
    for _ in range(2000):
        one, other = (array_record(draw(size=size).astype(np.float32), 8) for _ in range(2))
        kurtosis = max(one.kurtosis, other.kurtosis)
        scale = scale_p_value((one.stddev, size), (other.stddev, size), kurtosis)
        found.append((mean_p_value(one, other, (size, size)) < 0.01, scale < 0.01))
    assert np.all(np.mean(found, axis=0) <= 0.02)


def test_one_number_shows_no_spread_and_many_show_a_small_one():
    one, other = (array_record(np.array([number], np.float32), 8) for number in (0.5, -0.25))
    assert mean_p_value(one, other, (1, 1)) == 1
    assert scale_p_value((0.5, 1), (0.25, 1), 3.0) == 1
    assert scale_p_value((1.0, 10_000), (1.05, 10_000), 1.8) < 1e-6
    assert scale_p_value((1.0, 5), (1.05, 5), 1.8) > 0.5
