import pytest
from judged_targets import UNCUT, cell, judged, keras, offered, torch

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.laws import ElementLaw, Elementwise, Orthogonal, VarianceScaled
from initcheck.errors import InitcheckError
from initcheck.matrix.law_tables import DRAWS, FURTHER, LAWS, LAYERS, SEEDS, CellState, make_matrix
from initcheck.matrix.target_records import law_key, read_record
from initcheck.records import Status

FAIL, NONE = Status.FAIL, Status.NOT_APPLICABLE
KNOWN = {"issue": "it does", "link": "https://example.org/1"}


def matrix(*records, **reasons):
    return make_matrix(7, [*(one.target for one in records), *reasons], {one.target: one for one in records}, reasons)


def entry(made, table, name, target):
    (line,) = [line for line in made.tables[table] if line.name == name]
    return next(one for one in line.entries if one.target == target)


def test_a_law_under_another_name_is_compared_by_what_it_is_not_by_its_name():
    made = matrix(keras(), torch())
    (line,) = made.tables[LAWS]
    assert (line.name, line.documented) == ("he_normal", str(INITIALIZERS["he_normal"].law))
    kept, other = line.entries
    assert (kept.state, kept.law) == (CellState.HOLDS, "")
    assert (other.state, other.law, other.names) == (CellState.OTHER_LAW, str(UNCUT), ("kaiming_normal_",))
    same = judged("torch", [offered("kaiming_normal_", like="he_normal")], [cell("LAW02", "kaiming_normal_")])
    assert entry(matrix(keras(), same), LAWS, "he_normal", "torch").state is CellState.HOLDS


def test_shapes_that_a_library_does_not_document_are_no_other_law():
    scaled = VarianceScaled(2.0, "fan_in", "truncated_normal", least_axes=2)
    assert law_key(scaled) == law_key(INITIALIZERS["he_normal"].law)
    assert law_key(Orthogonal(2.5)) != law_key(Orthogonal())


@pytest.mark.parametrize(
    ("of_mean", "state"),
    [
        ({"status": FAIL}, CellState.REFUTED),
        ({"status": FAIL, **KNOWN}, CellState.REFUTED),
        ({"status": Status.INCONCLUSIVE}, CellState.INCONCLUSIVE),
        ({"status": None}, CellState.INCONCLUSIVE),
        ({"status": NONE}, CellState.NOT_JUDGED),
    ],
)
def test_another_law_that_is_not_kept_is_refuted_like_any_other(of_mean, state):
    assert entry(matrix(keras(), torch(**of_mean)), LAWS, "he_normal", "torch").state is state


def test_one_check_that_fails_refutes_what_others_confirm_and_one_without_anything_to_judge_counts_for_nothing():
    cells = [cell("LAW02", "he_normal"), cell("LAW03", "he_normal", FAIL, effect=0.5, n=9)]
    record = judged("keras:jax", [offered("he_normal", like="he_normal")], cells)
    found = entry(matrix(record), LAWS, "he_normal", "keras:jax")
    assert (found.state, found.bad, found.known) == (CellState.REFUTED, (cells[1],), False)
    cells[1] = cell("LAW03", "he_normal", NONE)
    record = judged("keras:jax", [offered("he_normal", like="he_normal")], cells)
    assert entry(matrix(record), LAWS, "he_normal", "keras:jax").state is CellState.HOLDS


def test_what_a_library_lacks_is_not_offered_and_what_it_is_not_asked_for_is_not_judged():
    rows = [offered(name, like=name) for name in ("he_normal", "lecun_normal", "standard_normal")]
    full = judged("keras:jax", rows, [cell("LAW02", row.name) for row in rows])
    made = matrix(full, torch())
    assert entry(made, LAWS, "lecun_normal", "torch").state is CellState.NOT_OFFERED
    assert entry(made, LAWS, "standard_normal", "torch").state is CellState.NOT_JUDGED  # arguments of ours


def test_a_name_that_a_library_lacks_stands_for_the_same_law_under_another_name():
    rows = [offered("lecun_normal", like="lecun_normal")]
    jax = judged("jax", rows, [cell("LAW02", "lecun_normal", FAIL)])
    found = entry(matrix(jax), LAWS, "variance_scaling", "jax")  # of Keras, by default
    assert (found.state, found.names) == (CellState.REFUTED, ("lecun_normal",))


def test_laws_without_a_counterpart_come_after_side_by_side_where_they_are_equal():
    law = Elementwise(ElementLaw("normal", 0.0, 1.7))
    jax = judged("jax", [offered("normal(1.7)", law)], [cell("LAW02", "normal(1.7)")])
    flax = judged("flax", [offered("gaussian(1.7)", law)], [cell("LAW02", "gaussian(1.7)", FAIL)])
    made = matrix(jax, flax, torch())
    (line,) = made.tables[FURTHER]
    assert (line.name, line.documented) == ("normal(1.7)", "N(0, 1.7²)")
    assert [one.state for one in line.entries] == [CellState.HOLDS, CellState.REFUTED, CellState.NOT_JUDGED]
    assert line.entries[1].names == ("gaussian(1.7)",)


def test_layers_and_seeds_have_tables_of_their_own_and_a_table_without_rows_is_left_out():
    assert list(matrix(torch()).tables) == [LAWS]
    layer = cell("LAW28", "Linear", FAIL)
    made = matrix(keras(), torch(layer, cell("LAW11", "half"), cell("SEED13", "2^32", FAIL), cell("SEED13", "2^64")))
    assert list(made.tables) == [LAWS, LAYERS, DRAWS, SEEDS]
    assert entry(made, DRAWS, "LAW11", "torch").state is CellState.HOLDS
    assert entry(made, LAYERS, "Linear", "torch").cells == (layer,)
    assert entry(made, LAYERS, "Linear", "keras:tensorflow").state is CellState.NOT_JUDGED
    aliased = entry(made, SEEDS, "SEED13", "torch")
    assert (aliased.state, aliased.subjects, len(aliased.bad)) == (CellState.REFUTED, ("2^32", "2^64"), 1)
    assert matrix(torch(), keras()).tables[SEEDS][0].entries[0].state is CellState.NOT_OFFERED


def test_what_fails_as_is_known_is_good_and_a_known_issue_that_no_longer_fails_is_not():
    known = matrix(torch(status=FAIL, **KNOWN))
    assert known.good
    assert known.refutations[0].known
    assert entry(known, LAWS, "he_normal", "torch").known
    assert not matrix(torch(status=FAIL)).good
    assert not matrix(torch(status=None)).good
    assert not matrix(torch(**KNOWN)).good
    assert matrix(torch(status=NONE, **KNOWN)).good


def test_refutations_are_gathered_by_target_and_check_the_farthest_off_first():
    more = [cell("LAW02", "b", FAIL, effect=-0.4), cell("LAW02", "c", FAIL, **KNOWN)]
    known, new = sorted(matrix(torch(*more, status=FAIL, effect=0.1)).refutations, key=lambda one: not one.known)
    assert [one.subject for one in new.cells] == ["b", "kaiming_normal_"]
    assert [one.subject for one in known.cells] == ["c"]


def test_counts_are_of_cells_in_all_tables():
    made = matrix(keras(), torch(status=FAIL))
    counts = made.counts()
    assert made.counts("torch")[CellState.HOLDS] == 0
    assert counts[CellState.HOLDS] == 2  # a law, and seeds
    assert (counts[CellState.REFUTED], counts[CellState.NOT_OFFERED]) == (1, 1)


def test_a_record_is_read_as_it_was_written_and_nothing_else_is_taken_for_one(tmp_path):
    file = tmp_path / "torch.json"
    file.write_text(torch(p_value=1e-9).model_dump_json())
    assert read_record(file) == torch(p_value=1e-9)
    file.write_text("{}")
    with pytest.raises(InitcheckError, match="no record of a target"):
        read_record(file)
