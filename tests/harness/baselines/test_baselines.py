"""Baselines made by hand: what is written is read, what is broken is reported, and each fault is named at its stage."""

import json
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from baselines import FITTED, NAN, STAGES, baseline, changed, cpu_seconds_of_children, trace, values
from click.testing import CliRunner

from initcheck import InitcheckError
from initcheck.baselines.comparing.accuracy import DELTA, compare_accuracies, difference
from initcheck.baselines.comparing.classes import Class, allowed
from initcheck.baselines.comparing.closeness import DRAW_ROUNDINGS, MATRIX_ROUNDINGS, deviation, ulp
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import CellKey, Obstacle, Section, Side
from initcheck.baselines.records.array_records import DrawsRecord
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.baselines.records.summary import array_record, stage_record
from initcheck.baselines.records.training_records import AccuraciesRecord
from initcheck.cli import app as cli
from initcheck.reporting.comparisons.cell_changes import title_of
from initcheck.reporting.comparisons.sentences import describe

OLD = baseline()


def stored(folder, record, name="file.json"):
    path = folder / name
    path.write_text(write_baseline(record), encoding="utf-8")
    return path


def found_in(new, section, name, old=OLD):
    (cell,) = (cell for cell in compare(old, new).cells if (cell.section, cell.name) == (section, name))
    return cell


def test_what_is_written_is_read_back_and_written_the_same(tmp_path):
    path = stored(tmp_path, OLD)
    assert load_baseline(path) == OLD
    assert write_baseline(load_baseline(path)) == path.read_text(encoding="utf-8")
    assert all(len(line) < 3000 for line in path.read_text(encoding="utf-8").splitlines())


def test_a_diverged_training_is_kept_with_its_words(tmp_path):
    new = changed(OLD, "final weights", lambda values: values * NAN)
    path = stored(tmp_path, new)
    assert (
        "nan"
        in json.loads(path.read_text())["problems"]["iris"]["traces"]["he_normal"]["stages"]["final weights"]["values"]
    )
    assert load_baseline(path) == new
    assert compare(load_baseline(path), new).cells[0].found is Class.IDENTICAL


def edit(body):
    body["problems"]["iris"]["accuracies"]["he_normal"]["correct"][0] = 1


def newer(body):
    body["schema_version"] = 2


def foreign(body):
    body["format"] = "something else"


def claims_rows(body):
    body["problems"]["iris"]["held_out_rows"] = 10**10


def claims_runs(body):
    body["problems"]["iris"]["accuracies"]["he_normal"]["correct"] = [1] * 100_001


def long_name(body):
    body["draws"]["<script>alert(1)</script>\u001b[2J" * 100] = {}


def nan_in_draw(body):
    body["draws"]["he_normal"]["float32"]["draws"]["(16,), seed 1"]["values"][0] = "nan"


def unknown_key(body):
    body["extra"] = 1


def many(body):
    body["fans"] = {str(number): {"fan_in": 1.0, "fan_out": 1.0} for number in range(1001)}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (edit, "changed after it was written"),
        (newer, "written by a newer initcheck"),
        (foreign, "is no baseline"),
        (claims_rows, "holds no baseline"),
        (claims_runs, "holds no baseline"),
        (long_name, "holds no baseline"),
        (nan_in_draw, "holds no baseline"),
        (unknown_key, "holds no baseline"),
        (many, "holds no baseline"),
    ],
)
def test_a_spoilt_file_is_reported_in_one_short_line(tmp_path, spoil, message):
    path = stored(tmp_path, OLD)
    body = json.loads(path.read_text())
    spoil(body)
    path.write_text(json.dumps(body))
    with pytest.raises(InitcheckError, match=message) as raised:
        load_baseline(path)
    message = str(raised.value).replace(str(path), "")
    assert message.isprintable()
    assert len(message) < 250


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": NaN}', "[" * 100_000, "\x00", "null"])
def test_no_text_at_all_is_reported_too(tmp_path, text):
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(InitcheckError, match=r"file\.json"):
        load_baseline(path)


def test_every_truncation_is_reported(tmp_path):
    text = write_baseline(OLD).encode()
    path = tmp_path / "file.json"
    for end in range(0, len(text) - 2, len(text) // 40):
        path.write_bytes(text[:end])
        with pytest.raises(InitcheckError, match=r"file\.json"):
            load_baseline(path)


def test_a_missing_file_and_a_folder_are_reported(tmp_path):
    for path, reason in ((tmp_path / "none.json", "cannot be read"), (tmp_path, "is a folder, not a file")):
        with pytest.raises(InitcheckError, match=reason):
            load_baseline(path)


def test_an_environment_against_itself_is_identical():
    comparison = compare(OLD, OLD)
    assert {cell.found for cell in comparison.cells} == {Class.IDENTICAL}
    assert describe(comparison)[0].startswith("IDENTICAL")


def test_ulps_are_those_of_numpy():
    for value in (1.0, 0.1, 3.7e-5, 123456.0, 2.0**-126):
        assert ulp(value) == np.spacing(np.float32(value))
        assert ulp(value, "float64") == np.spacing(value)
        if value < 65504 and value > 1e-4:
            assert ulp(value, "float16") == np.spacing(np.float16(value))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_recorded_values_give_back_their_bits_and_deviations_are_exact(dtype):
    values = np.random.RandomState(0).randn(64).astype(dtype)
    record = array_record(values, 64)
    assert np.array_equal(np.array(record.values, dtype=dtype), values)
    moved = values.copy()
    moved[5] = np.nextafter(moved[5], np.array(9, dtype=dtype))
    assert deviation(record, array_record(moved, 64)).absolute == abs(float(moved[5]) - float(values[5]))


def test_what_is_not_recorded_still_shows_in_the_moments():
    values = np.linspace(0, 1, 10_001, dtype=np.float32)
    moved = values.copy()
    moved[1::5] += np.float32(0.01)
    size = deviation(stage_record([values], None), stage_record([moved], None))
    assert 0 < size.absolute <= 0.0101


@pytest.mark.parametrize(
    "stage", ["draws", "initial weights", "first loss", "first gradient", "first update", "reloaded weights"]
)
def test_a_fault_is_named_at_its_stage(stage):
    cell = found_in(changed(OLD, stage, lambda values: values * np.float32(1.05)), "traces", "iris he_normal")
    assert (cell.found, cell.stage) == (Class.CHANGED, stage)
    assert cell.size.relative == pytest.approx(0.05, rel=0.1)


@pytest.mark.parametrize("stage", ["epoch losses", "epoch accuracies", "final weights", "predictions"])
def test_other_bits_are_within_tolerance(stage):
    cell = found_in(changed(OLD, stage, lambda values: np.nextafter(values, np.float32(9))), "traces", "iris he_normal")
    assert (cell.found, cell.stage) == (Class.WITHIN_TOLERANCE, stage)
    assert cell.size.ulps <= 1


def test_late_differences_beyond_rounding_are_decided_by_the_accuracies():
    late = changed(OLD, "final weights", lambda values: values * np.float32(1.05))
    cell = found_in(late, "traces", "iris he_normal")
    assert (cell.found, cell.stage) == (Class.SAME_DISTRIBUTION, "final weights")
    worse = late.model_copy(deep=True)
    counts = worse.problems["iris"].accuracies["he_normal"]
    moved = counts.model_copy(update={"correct": tuple(count - 3 for count in counts.correct)})
    worse.problems["iris"].accuracies["he_normal"] = moved
    assert found_in(worse, "traces", "iris he_normal").found is Class.CHANGED
    assert found_in(worse, "accuracies", "iris he_normal").found is Class.CHANGED


def moved_row(record):
    """The same baseline with one reseed whose final weights classify one row differently."""
    new = record.model_copy(deep=True)
    counts = new.problems["iris"].accuracies["he_normal"]
    first, *rest = counts.correct
    other = counts.model_copy(update={"correct": (first - 1, *rest)})
    new.problems["iris"].accuracies["he_normal"] = other
    return new


def test_a_row_that_is_classified_differently_is_rounding_only_where_the_training_is_the_same_within_rounding_error():
    assert found_in(moved_row(OLD), "accuracies", "iris he_normal").found is Class.WITHIN_TOLERANCE
    beyond = changed(OLD, "final weights", lambda values: values * np.float32(1.05))
    assert found_in(moved_row(beyond), "accuracies", "iris he_normal").found is Class.SAME_DISTRIBUTION


def test_a_loss_reported_differently_is_a_change_though_the_weights_agree():
    cell = found_in(changed(OLD, "epoch losses", lambda values: values * np.float32(1.05)), "traces", "iris he_normal")
    assert (cell.found, cell.stage) == (Class.CHANGED, "epoch losses")
    assert "what fit reports differs" in cell.note


@pytest.mark.parametrize("scale", [1.0, 1.05])
def test_another_stream_is_distinguished_from_another_law(scale):
    new = baseline(draw_seed=1, scale=scale)
    cell = found_in(new, "draws", "he_normal float32")
    assert cell.found is (Class.SAME_DISTRIBUTION if scale == 1 else Class.CHANGED)
    assert "of 2 draws differ" in cell.note


def test_too_few_draws_of_another_stream_are_inconclusive():
    cell = found_in(baseline(draw_seed=1, pooled=500), "draws", "he_normal float32", baseline(pooled=500))
    assert cell.found is Class.INCONCLUSIVE


def test_one_ulp_in_a_draw_is_within_tolerance():
    cell = found_in(baseline(nudge=True), "draws", "he_normal float32")
    assert cell.found is Class.WITHIN_TOLERANCE
    assert 0 < cell.size.ulps <= 1


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([[2, 0, 1, 3], [3, 1, 0, 2]], Class.SAME_DISTRIBUTION),
        ([[1, 0, 3, 2], [1, 0, 3, 2]], Class.CHANGED),
        ([[0, 1, 2, 3], [0, 1, 2, 3]], Class.CHANGED),
        ([[1, 0, 3, 3], [3, 2, 0, 1]], Class.CHANGED),
    ],
)
def test_orders_of_the_same_kind_are_another_stream_and_others_a_change(orders, expected):
    new = baseline(orders=orders)
    assert found_in(new, "orders", "feed").found is expected
    cell = found_in(new, "traces", "iris he_normal")
    assert (cell.found, cell.stage) == (expected, "batch order")
    assert "in one order" in cell.note
    assert any("in another order" in sentence for sentence in describe(compare(OLD, new)))


@pytest.mark.parametrize(
    ("factor", "found", "stage"), [(1, Class.IDENTICAL, None), (1.05, Class.CHANGED, "first update")]
)
def test_a_training_from_given_weights_is_judged_though_draws_and_order_are_others(factor, found, stage):
    new = baseline(draw_seed=1, orders=[[1, 0, 3, 2], [1, 0, 3, 2]])
    moved = {"first update": values("first update") * np.float32(factor)}
    new.problems["iris"].given["given weights"] = trace(tuple(STAGES)[1:], **moved)
    cell = found_in(new, "given", "iris given weights")
    assert (cell.found, cell.stage) == (found, stage)
    without = new.problems["iris"].model_copy(update={"given": {}})
    comparison = compare(OLD, new.model_copy(update={"problems": {"iris": without}}))
    assert not comparison.of(Section.GIVEN)
    assert any(one.startswith("Not looked at: trainings from given weights; the new") for one in describe(comparison))


@pytest.mark.parametrize("orders", [[[2, 0, 1, 3], [3, 1, 0, 2]], [[1, 0, 3, 2], [1, 0, 3, 2]]])
def test_what_follows_from_another_order_is_reported_and_not_judged(orders):
    new = baseline(orders=orders)
    halved = np.array([[0.5, 0.25]], np.float32)
    moved = trace(FITTED, **{"epoch losses": values("epoch losses") * 2, "epoch accuracies": halved})
    new.problems["iris"].fits["he_normal"] = moved
    cell = found_in(new, "fits", "iris he_normal")
    assert cell.stage == "batch order"
    assert cell.found is found_in(new, "orders", "iris").found
    assert "held-out accuracy" in cell.note
    assert cell.note.endswith("→ 0.25")
    assert {(step.found, step.obstacle) for step in cell.ladder[2:]} == {(Class.INCONCLUSIVE, Obstacle.BATCH_ORDER)}
    assert [(end.what, end.new) for end in cell.ends][1] == ("held-out accuracy", 0.25)
    assert any(sentence.startswith("In fit's own order: iris he_normal") for sentence in describe(compare(OLD, new)))


def test_in_one_order_a_training_as_fit_runs_it_is_judged_like_any_other():
    new = OLD.model_copy(deep=True)
    for factor, expected in ((1 + 1e-7, Class.WITHIN_TOLERANCE), (1.05, Class.SAME_DISTRIBUTION)):
        weights = (values("final weights") * factor).astype(np.float32)
        new.problems["iris"].fits["he_normal"] = trace(FITTED, **{"final weights": weights})
        cell = found_in(new, "fits", "iris he_normal")
        assert (cell.found, cell.stage) == (expected, "final weights")
    less = OLD.model_copy(deep=True)
    del less.problems["iris"].fits["he_normal"]
    assert found_in(less, "fits", "iris he_normal").note == "only in the old baseline"


def test_what_only_one_baseline_holds_is_a_difference():
    less = OLD.model_copy(update={"fans": {}, "problems": {}})
    for old, new, lone in ((OLD, less, ["fans dense", "traces iris"]), (less, OLD, ["traces iris"])):
        comparison = compare(old, new)
        assert comparison.verdict is Class.CHANGED
        assert [str(cell.key) for cell in comparison.cells if cell.only_in] == lone
        assert {cell.only_in for cell in comparison.cells} - {None} == {Side.OLD if old is OLD else Side.NEW}
        assert f"In one baseline only: {', '.join(lone)}." in describe(comparison)


def test_layers_that_a_framework_gains_are_listed_and_no_change():
    less = OLD.model_copy(update={"fans": {}, "defaults": {}})
    comparison = compare(less, OLD)
    assert comparison.verdict is Class.IDENTICAL
    assert "Not compared: defaults Dense, fans dense, which the old baseline lacks." in describe(comparison)


@pytest.mark.parametrize(
    ("property_", "value", "label"),
    [
        ("cpu", "another", "cpu"),
        ("threads", (8, 2), "threads"),
        ("onednn", False, "oneDNN"),
        ("platform", "x", "platform"),
    ],
)
def test_between_machines_no_claim_about_bits_is_made_and_the_rest_is_judged(property_, value, label):
    where = OLD.environment.model_copy(update={property_: value})
    comparison = compare(OLD, OLD.model_copy(update={"environment": where}))
    assert [one.what for one in comparison.refused] == [label]
    assert {cell.found for cell in comparison.of(Section.TRACES)} == {Class.WITHIN_TOLERANCE}
    assert {cell.found for cell in comparison.of(Section.ACCURACIES)} == {Class.IDENTICAL}
    assert not comparison.differing  # equal bits are not listed one by one as if they were others
    assert any(label in sentence and "No claim about bits" in sentence for sentence in describe(comparison))


def test_a_package_named_like_a_property_of_the_machine_is_a_version_and_decides_no_bits():
    where = OLD.environment.model_copy(update={"versions": {**OLD.environment.versions, "cpu": "1.0"}})
    comparison = compare(OLD, OLD.model_copy(update={"environment": where}))
    assert not comparison.refused
    assert {cell.found for cell in comparison.cells} == {Class.IDENTICAL}


def test_a_name_that_reads_like_a_note_decides_nothing():
    old, new = (
        OLD.model_copy(update={"draws": {"he_normal": {"float32": DrawsRecord(draws={name: text}, law=None)}}})
        for name, text in (("only in the old days", "ValueError"), ("only in the old days", "TypeError"))
    )
    comparison = compare(old, new)
    (cell,) = comparison.of(Section.DRAWS)
    assert cell.note.startswith("only in the old")
    assert (cell.found, cell.only_in) == (Class.CHANGED, None)
    assert not any("In one baseline only" in sentence for sentence in describe(comparison))


def test_the_name_of_a_problem_grants_no_tolerance():
    """Draws of orthogonal matrices may differ by more ulps than others; a problem so named has none of their own."""
    old, new = (
        one.model_copy(update={"draws": {}, "problems": {"orthogonal": one.problems["iris"]}})
        for one in (OLD, changed(OLD, "draws", lambda values: values * np.float32(1 + 3e-6)))
    )
    step = found_in(new, "traces", "orthogonal he_normal", old).ladder[0]
    assert DRAW_ROUNDINGS < step.size.ulps < MATRIX_ROUNDINGS
    assert step.found is Class.INCONCLUSIVE


def test_what_follows_from_other_initial_weights_is_not_compared_and_says_why():
    new = changed(OLD, "initial weights", lambda values: values * np.float32(1.05))
    ladder = found_in(new, "traces", "iris he_normal").ladder
    assert {step.obstacle for step in ladder[:3]} == {None}
    assert {step.obstacle for step in ladder[3:]} == {Obstacle.INITIAL_WEIGHTS}


def test_beyond_are_the_cells_that_are_not_allowed():
    new = baseline(draw_seed=1)
    assert [str(cell.key) for cell in compare(OLD, new).beyond()] == ["draws he_normal float32"]
    assert not compare(OLD, new, allowed([Class.SAME_DISTRIBUTION])).beyond()


def test_baselines_of_other_seeds_are_not_compared():
    with pytest.raises(InitcheckError, match="seeds"):
        compare(OLD, OLD.model_copy(update={"seed": 2}))


@pytest.mark.parametrize("paired", [True, False])
def test_the_interval_of_a_difference_covers(paired):
    stream = np.random.RandomState(0)
    missed = 0
    for _ in range(500):
        old: Any = stream.binomial(1, 0.9, 200) * 0.5 + 0.5  # a tenth of the runs collapses
        new: Any = (
            np.where(stream.rand(200) < 0.02, 1.5 - old, old) if paired else stream.binomial(1, 0.9, 200) * 0.5 + 0.5
        )
        gap = difference(old, new, paired=paired, least=0.1)
        truth = 0.02 * (0.1 * 0.5 - 0.9 * 0.5) if paired else 0.0
        missed += not gap.low <= truth <= gap.high
    assert missed / 500 < 0.07


def test_few_runs_that_happened_to_agree_are_not_equivalent():
    equal = np.full(5, 0.9)
    gap = difference(equal, equal, paired=True, least=0.1)
    assert gap.high > DELTA


def run(*arguments):
    return CliRunner().invoke(cli.cli, ["compare", *map(str, arguments)])


def test_exit_codes_say_what_was_allowed(tmp_path):
    old = stored(tmp_path, OLD, "old.json")
    bits = stored(tmp_path, changed(OLD, "final weights", lambda v: np.nextafter(v, np.float32(9))), "bits.json")
    stream = stored(tmp_path, baseline(draw_seed=1), "stream.json")
    assert run(old, old).exit_code == 0
    assert run(old, bits).exit_code == 0
    assert run(old, bits, "--allow", "identical").exit_code == 1
    assert run(old, stream).exit_code == 1
    assert run(old, stream, "--allow", "same-distribution").exit_code == 0
    assert isinstance(run(old, tmp_path / "none.json").exception, InitcheckError)


def test_json_holds_everything_and_is_not_written_on_failure(tmp_path):
    old, out = stored(tmp_path, OLD, "old.json"), tmp_path / "out.json"
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    out.write_text("kept")
    run(old, bad, "--json", out)
    assert out.read_text() == "kept"
    new = stored(tmp_path, changed(OLD, "first loss", lambda values: values * NAN), "new.json")
    assert run(old, new, "--json", out).exit_code == 1
    body = json.loads(out.read_text())
    assert body["verdict"] == "changed"
    assert len(body["cells"]) == len(compare(OLD, OLD).cells)
    assert {"verdict", "sentences", "differences", "refused", "cells", "delta", "alpha"} == set(body)
    cell = next(cell for cell in body["cells"] if (cell["section"], cell["name"]) == ("traces", "iris he_normal"))
    assert {"section", "name", "found", "stage", "size", "note", "ladder", "unclaimed"} < set(cell)
    assert (cell["found"], cell["stage"], cell["only_in"]) == ("changed", "first loss", None)
    assert {"stage", "found", "size", "allowed", "note", "obstacle", "by_initializer"} == set(cell["ladder"][0])
    assert cell["ladder"][3]["size"] == {"absolute": "inf", "relative": "inf", "ulps": "inf"}
    assert {one["stage"] for one in body["cells"] if one["found"] == "identical"} == {""}


def test_comparing_loads_no_framework_and_takes_seconds(tmp_path):
    paths = [stored(tmp_path, OLD, "old.json"), stored(tmp_path, baseline(draw_seed=1), "new.json")]
    code = """
import atexit, sys
from initcheck.cli.app import cli
atexit.register(lambda: print("loaded", {"tensorflow", "keras", "h5py"} & set(sys.modules)))
cli.main(["compare", *sys.argv[1:]], standalone_mode=False)
"""
    start = cpu_seconds_of_children()
    done = subprocess.run([sys.executable, "-c", code, *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "loaded set()" in done.stdout
    assert cpu_seconds_of_children() - start < 10  # of 5; not of the clock, which other work delays


def test_a_hostile_name_reaches_the_terminal_without_its_controls(tmp_path):
    name = "\u001b[2Jevil"
    new = OLD.model_copy(update={"fans": {name: OLD.fans["dense"]}})
    out = run(stored(tmp_path, OLD, "old.json"), stored(tmp_path, new, "new.json")).output
    assert "\u001b" not in out
    assert "evil" in out


def test_traces_must_have_the_stages_of_a_training():
    with pytest.raises(ValueError, match="stages"):
        trace(order=("first loss", "initial weights"))


@pytest.mark.parametrize("paired", [True, False])
def test_a_shift_is_no_other_spread(paired):
    """Distances from the old mean grow with a shift, and gave p-values of 1e-15 for equal spreads."""
    stream = np.random.RandomState(2)
    old = np.round(stream.normal(70, 4, 50)).astype(int)
    new = np.round((old if paired else stream.normal(70, 4, 50)) + 12 + stream.normal(0, 1, 50)).astype(int)
    records = [AccuraciesRecord.model_construct(correct=one.tolist()) for one in (old, new)]
    cell = compare_accuracies(CellKey(Section.ACCURACIES, "a"), records[0], records[1], 100, paired=paired, alpha=1e-6)
    assert cell.found is Class.CHANGED  # its mean
    assert float(re.search(r"spread .*\(p ([^)]+)\)", cell.note).group(1)) > 0.01
    wide = AccuraciesRecord.model_construct(correct=np.round(70 + 6 * (old - 70)).clip(0, 100).tolist())
    cell = compare_accuracies(CellKey(Section.ACCURACIES, "a"), records[0], wide, 100, paired=False, alpha=1e-6)
    assert float(re.search(r"spread .*\(p ([^)]+)\)", cell.note).group(1)) < 1e-6


def test_what_no_baseline_holds_is_counted_and_what_is_new_is_named():
    old = OLD.model_copy(update={"public": {"layers": {"Dense": True, "Flip": False}}})
    new = OLD.model_copy(
        update={"public": {"layers": {"Dense": True, "Flip": False, "Novel": False}, "losses": {"Huber": False}}}
    )
    sentences = describe(compare(old, new))
    assert "Not looked at: 2 of 3 layers, 1 of 1 losses." in sentences
    assert "New, not looked at: layers Novel." in sentences
    assert not any(sentence.startswith("New") for sentence in describe(compare(new, new)))
    assert any("does not list" in sentence for sentence in describe(compare(old, OLD)))


def test_a_baseline_of_an_earlier_version_has_no_names_and_is_written_as_it_was(tmp_path):
    assert "public" not in write_baseline(OLD)
    named = OLD.model_copy(update={"public": {"layers": {"Dense": True}}})
    assert load_baseline(stored(tmp_path, named)) == named


def on_target(record, name, **versions):
    """The same evidence, as of that target."""
    changed = {"target": name, "versions": {"keras": "3.15.1", **versions}}
    return record.model_copy(update={"environment": record.environment.model_copy(update=changed)})


def in_double(record):
    """The same draws in double precision, too."""
    draws = {name: {**each, "float64": each["float32"]} for name, each in record.draws.items()}
    return record.model_copy(update={"draws": draws})


@pytest.mark.parametrize(("old", "new", "side"), [(in_double(OLD), OLD, "new"), (OLD, in_double(OLD), "old")])
def test_a_float_type_that_one_side_has_no_draw_in_is_not_judged_and_said(old, new, side):
    comparison = compare(old, new)
    assert {cell.key.dtype for cell in comparison.of(Section.DRAWS)} == {"float32"}
    assert not comparison.beyond()
    assert f"Not compared: draws in float64; the {side} baseline has none." in describe(comparison)


def test_an_initializer_of_one_side_alone_is_judged_where_both_have_its_float_type():
    less = OLD.model_copy(update={"draws": {**OLD.draws, "more": OLD.draws["he_normal"]}})
    assert [str(cell.key) for cell in compare(less, OLD).beyond()] == ["draws more float32"]


def test_between_targets_no_bits_are_claimed_and_another_stream_of_the_same_law_is_allowed(tmp_path):
    sides = (
        on_target(OLD, "keras:tensorflow", tensorflow="2.21.0"),
        on_target(baseline(draw_seed=1), "keras:torch", torch="2.13.0"),
    )
    comparison = compare(*sides)
    assert [one.what for one in comparison.refused] == ["target"]
    assert title_of(comparison) == "tensorflow 2.21.0 → torch 2.13.0, keras 3.15.1"
    files = [str(stored(tmp_path, side, f"{number}.json")) for number, side in enumerate(sides)]
    for words, code in (([], 0), (["--allow", "within-tolerance"], 1)):
        done = CliRunner().invoke(cli.cli, ["compare", *files, *words])
        assert done.exit_code == code, done.output
    within = [str(stored(tmp_path, one, f"{number}.json")) for number, one in enumerate((OLD, baseline(draw_seed=1)))]
    assert CliRunner().invoke(cli.cli, ["compare", *within]).exit_code == 1
