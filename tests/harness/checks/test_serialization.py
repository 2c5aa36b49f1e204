"""The checks of serialization on made-up evidence: everything kept, or only just something lost."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from initcheck.catalog import optimizers
from initcheck.catalog.cases import compiled_names, options, resumptions, saved_cases
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.layers import LayerRequest
from initcheck.catalog.optimizers import Rule
from initcheck.checks import registry, serialization
from initcheck.checks.registry import NotApplicable
from initcheck.evidence.lab import Lab
from initcheck.evidence.serialization.other_backends import ForeignFile
from initcheck.evidence.serialization.resumed_trainings import Carrier, TrainedModel
from initcheck.evidence.serialization.round_trips import Clone, Continued, Got, RoundTrip
from initcheck.evidence.serialization.single_arguments import Kept
from initcheck.frameworks.keras import load_keras
from initcheck.records import Status
from initcheck.targets import BACKENDS, backend_of, target

ULP = np.float32(2.0**-23)


def arrays(seed=1, count=3):
    stream = np.random.RandomState(seed)
    return [stream.normal(size=(4, 3)).astype(np.float32) for _ in range(count)]


def trip(**config):
    return RoundTrip("a route", config, dict(config), arrays(), arrays(), ("A", "A"))


def spoiled_array(places=arrays):
    changed = places()
    changed[-1][0, 0] *= 1 + ULP
    return changed


class FakeLab:
    """Hands out the same evidence whatever is asked for."""

    def __init__(self, **evidence):
        self.saving = SimpleNamespace(
            **{
                name: lambda *args, value=value, **_: value(*args) if callable(value) else value
                for name, value in evidence.items()
            }
        )
        self.saving.parts, self.saving.lacking = self.saving, lambda layer: ""

    def stream(self, *names):
        """Any seed will do."""
        return 77


def test_an_initializer_kept_by_every_route_passes():
    lab = FakeLab(initializer=[trip(seed=77), trip(seed=77)])
    assert serialization.initializers(lab, INITIALIZERS["he_normal"]).status is Status.PASS


@pytest.mark.parametrize(
    "wrong",
    [
        replace(trip(seed=77), config={}),
        replace(trip(seed=77), config={"seed": None}, config_again={"seed": None}),
        replace(trip(seed=77), config_again={"seed": 78}),
        replace(trip(seed=77), config_again={"seed": 77, "more": 1}),
        replace(trip(seed=77), arrays_again=spoiled_array()),
        replace(trip(seed=77), arrays_again=arrays()[:2]),
        replace(trip(seed=77), arrays_again=[one.astype(np.float64) for one in arrays()]),
        replace(trip(seed=77), kinds=("A", "B")),
        replace(trip(seed=77), arrays=[], arrays_again=[]),
    ],
    ids=["no seed", "seed None", "other seed", "one key more", "one bit", "an array less", "dtype", "class", "nothing"],
)
def test_an_initializer_that_loses_something_fails(wrong):
    lab = FakeLab(initializer=[trip(seed=77), wrong])
    assert serialization.initializers(lab, INITIALIZERS["he_normal"]).status is Status.FAIL


@pytest.mark.parametrize("name", list(saved_cases.ARGUMENTS))
def test_arguments_are_drawn_away_from_their_defaults(name):
    defaults = {"value": 0.0, "gain": 1.0, "mean": 0.0, "stddev": 0.05, "minval": -0.05, "maxval": 0.05, "scale": 1.0}
    cases = saved_cases.drawn_arguments(name, saved_cases.ARGUMENTS[name][1])
    assert len(cases) >= saved_cases.CASES
    assert all(config[key] != value for config, _ in cases for key, value in defaults.items() if key in config)


def test_every_mode_is_tried_with_every_distribution():
    cases = saved_cases.drawn_arguments("VarianceScaling", saved_cases.ARGUMENTS["VarianceScaling"][1])
    assert len({(config["mode"], config["distribution"]) for config, _ in cases}) == 9


def test_an_argument_put_back_to_its_default_fails():
    def initializer(row, seed, shapes):
        return [trip(**{**row.config, "seed": seed, "scale": 1.0})]

    assert serialization.arguments(FakeLab(initializer=initializer), "VarianceScaling").status is Status.FAIL
    right = FakeLab(initializer=lambda row, seed, shapes: [trip(**{**row.config, "seed": seed})])
    assert serialization.arguments(right, "VarianceScaling").status is Status.PASS


def test_generators_do_not_apply_where_there_are_none():
    with pytest.raises(NotApplicable, match="has no SeedGenerator"):
        serialization.generators(FakeLab(advancing_initializer=None), INITIALIZERS["he_normal"])


def a_layer(**changes):
    case = saved_cases.SAVED_LAYERS[0]
    config = {**case.arguments, **case.initializers}
    return replace(RoundTrip("a route", config, dict(config), arrays(), arrays()), **changes)


def test_a_layer_that_swaps_its_initializers_fails():
    case = saved_cases.SAVED_LAYERS[0]
    assert serialization.layers(FakeLab(layer=a_layer()), case).status is Status.PASS
    swapped = {
        **case.arguments,
        "kernel_initializer": case.initializers["bias_initializer"],
        "bias_initializer": case.initializers["bias_initializer"],
    }
    wrong = a_layer(config=swapped, config_again=swapped)
    assert serialization.layers(FakeLab(layer=wrong), case).status is Status.FAIL
    assert serialization.layers(FakeLab(layer=a_layer(arrays_again=spoiled_array())), case).status is Status.FAIL


def test_a_saved_model_that_differs_in_one_bit_fails():
    right = ([trip()], arrays(5))
    assert serialization.saved_models(FakeLab(saved_model=right), "dense").status is Status.PASS
    wrong = ([replace(trip(), arrays_again=spoiled_array())], arrays(5))
    assert serialization.saved_models(FakeLab(saved_model=wrong), "dense").status is Status.FAIL


def test_a_saved_model_whose_weights_never_changed_is_no_evidence():
    assert serialization.saved_models(FakeLab(saved_model=([trip()], arrays())), "dense").status is Status.FAIL


def a_training(**changes):
    config = {"learning_rate": 0.1, "beta_1": 0.9}
    right = Continued(arrays(1), arrays(2), arrays(3), arrays(3), arrays(4), arrays(4), config, dict(config))
    return replace(right, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"weights_again": spoiled_array(lambda: arrays(3))},
        {"state_again": spoiled_array(lambda: arrays(4))},
        {"config_again": {"learning_rate": 0.1, "beta_1": 0.899}},
        {"assigned": 0.2},
        {"saved": arrays(1)},
        {"weights": arrays(2), "weights_again": arrays(2)},
    ],
    ids=["weights", "state", "config", "assigned rate", "never trained", "never continued"],
)
def test_a_training_that_is_not_the_uninterrupted_one_fails(changes):
    rule = Rule(optimizers.ADAM)
    assert serialization.continued(FakeLab(continued=a_training()), rule).status is Status.PASS
    assert serialization.continued(FakeLab(continued=a_training(**changes)), rule).status is Status.FAIL


def a_clone(**changes):
    config = {"layers": [1, 2]}
    return replace(Clone(arrays(1), arrays(2), arrays(1), arrays(2), config, dict(config)), **changes)


def test_a_clone_repeats_seeded_draws_and_redraws_unseeded_ones():
    fresh = a_clone(cloned=arrays(3))
    assert serialization.clones(FakeLab(clone=a_clone()), ("dense", True)).status is Status.PASS
    assert serialization.clones(FakeLab(clone=fresh), ("dense", False)).status is Status.PASS
    assert serialization.clones(FakeLab(clone=fresh), ("dense", True)).status is Status.FAIL
    assert serialization.clones(FakeLab(clone=a_clone()), ("dense", False)).status is Status.FAIL


@pytest.mark.parametrize("seeded", [True, False])
def test_a_clone_that_copies_or_shares_weights_fails(seeded):
    copied, shared = a_clone(cloned=arrays(2)), a_clone(kept=[0 * one for one in arrays(2)])
    for wrong in (copied, shared):
        assert serialization.clones(FakeLab(clone=wrong), ("dense", seeded)).status is Status.FAIL


def test_names_give_fresh_instances():
    right = Got("HeNormal", True, False, [*arrays(1, 1), *arrays(2, 1)], {})
    case = ("he_normal", "HeNormal")
    assert serialization.names(FakeLab(got_by_name=right), case).status is Status.PASS
    for wrong in (
        replace(right, fresh=False),
        replace(right, kind="HeUniform"),
        replace(right, draws=arrays(1, 1) * 2),
    ):
        assert serialization.names(FakeLab(got_by_name=wrong), case).status is Status.FAIL


def test_get_returns_its_argument_as_documented():
    config = {"mean": 0.25, "stddev": 0.5, "seed": 11}
    made = Got("RandomNormal", True, False, arrays(1, 1) * 2, config)
    handed = Got("RandomNormal", False, True, arrays(1, 1) * 2, config)
    assert serialization.forms(FakeLab(got=made), "serialized").status is Status.PASS
    assert serialization.forms(FakeLab(got=handed), "instance").status is Status.PASS
    assert serialization.forms(FakeLab(got=handed), "serialized").status is Status.FAIL
    assert serialization.forms(FakeLab(got=made), "instance").status is Status.FAIL
    lost = replace(made, config={**config, "stddev": 0.05})
    assert serialization.forms(FakeLab(got=lost), "class_name and config").status is Status.FAIL


PART = options.PARTS[0]


def test_a_part_that_loses_an_option_fails():
    right = ([trip(**PART.options)], PART.options)
    assert serialization.parts(FakeLab(part=right), PART).status is Status.PASS
    for lost in PART.options:
        kept = {key: value for key, value in PART.options.items() if key != lost}
        assert serialization.parts(FakeLab(part=([trip(**kept)], PART.options)), PART).status is Status.FAIL
    with pytest.raises(NotApplicable, match=f"has no {PART.name}"):
        serialization.parts(FakeLab(part=None), PART)


@pytest.mark.parametrize(
    "changes",
    [
        {"trained": True},
        {"compute_dtype": "float32"},
        {"name": "dense_1"},
        {"kernel_regularizer": None},
        {"kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}}},
        {"kernel_regularizer": {"class_name": "L1", "config": {"l2": 0.375}}},
    ],
    ids=["trained", "policy", "name", "no object", "its option", "its class"],
)
def test_a_layer_that_loses_an_option_fails(changes):
    layer = replace(options.LAYERS[0], policy="mixed_float16")
    given = {**layer.options, "name": "named", "trainable": False, "dtype": layer.policy}
    says = {**given, "trained": False, "compute_dtype": "float16", "variable_dtype": "float32"}
    assert serialization.layer_options(FakeLab(layer=(trip(**says), given)), layer).status is Status.PASS
    wrong = trip(**{**says, **changes})
    assert serialization.layer_options(FakeLab(layer=(wrong, given)), layer).status is Status.FAIL


def test_every_option_of_the_tables_is_one_that_single_precision_or_json_cannot_take_for_another():
    assert len({str(part) + part.module for part in options.PARTS}) == len(options.PARTS)
    assert len({str(layer) for layer in options.LAYERS}) == len(options.LAYERS)
    assert {layer.policy for layer in options.LAYERS} == set(options.POLICIES)


@pytest.mark.parametrize("wrong", [(0, None, None), (7, 7, 8), (None, 1, 1)])
def test_a_seed_that_does_not_come_back_fails(wrong):
    right = [(0, 0, 0), (2**32 - 1, 2**32 - 1, 2**32 - 1), (None, None, None)]
    row, noise = INITIALIZERS["he_normal"], options.LAYERS[-1]
    good = {"initializer_seeds": right, "layer_seeds": right, "unseeded": arrays(1)}
    for subject in (row, noise):
        assert serialization.seeds(FakeLab(**good), subject).status is Status.PASS
        bad = {**good, "initializer_seeds": [*right, wrong], "layer_seeds": [*right, wrong]}
        assert serialization.seeds(FakeLab(**bad), subject).status is Status.FAIL
    frozen = {**good, "unseeded": arrays(1, 1) * 3}
    assert serialization.seeds(FakeLab(**frozen), row).status is Status.FAIL


@pytest.mark.parametrize("judge", [serialization.special_values, serialization.legacy_files])
def test_files_must_keep_every_bit(judge):
    values = np.array([0.0, -0.0, 1e-40, np.nan], np.float32)
    right = RoundTrip("a file", {}, {}, [values], [values.copy()])
    flushed = replace(right, arrays_again=[np.where(np.abs(values) < 1e-38, 0, values).astype(np.float32)])
    name = {"special_values": "special_values", "legacy_files": "legacy_file"}[judge.__name__]
    assert judge(FakeLab(**{name: [right]}), "dense").status is Status.PASS
    assert judge(FakeLab(**{name: [flushed]}), "dense").status is Status.FAIL


WRITTEN = {"weights": "a", "optimizer": "b", "outputs": "[[1.0], [2.0]]"}


def on_another(**read):
    lab = FakeLab()
    lab.saving.other_backends = SimpleNamespace(read=lambda *_: ForeignFile(WRITTEN, read, 1e-6))
    return lab


def test_a_file_that_is_the_same_model_on_another_backend_passes(monkeypatch):
    monkeypatch.setattr(serialization, "installed_backends", lambda: BACKENDS)
    close = {**WRITTEN, "outputs": "[[1.0], [2.0000005]]"}
    for other in set(BACKENDS) - {backend_of(target())}:
        assert serialization.files_on_other_backends(on_another(**close), ("dense", other)).status is Status.PASS


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"weights": "c"}, "the weights of dense are others"),
        ({"optimizer": "c"}, "the optimizer of dense are others"),
        ({"outputs": "[[1.0], [2.000002]]"}, "off by 2e-06"),
        ({"outputs": "[[1.0], [NaN]]"}, "off by nan"),
        ({"outputs": "[[1.0]]"}, "off by inf"),
        ({"raised": "ValueError: no such layer"}, "does not read the file: ValueError: no such layer"),
    ],
)
def test_a_file_that_is_another_model_on_another_backend_fails(monkeypatch, changes, found):
    monkeypatch.setattr(serialization, "installed_backends", lambda: BACKENDS)
    other = next(name for name in BACKENDS if name != backend_of(target()))
    verdict = serialization.files_on_other_backends(on_another(**{**WRITTEN, **changes}), ("dense", other))
    assert verdict.status is Status.FAIL
    assert found in str(verdict)


def test_files_are_read_by_no_backend_that_is_not_there_nor_by_the_one_that_wrote_them(monkeypatch):
    own = backend_of(target())
    monkeypatch.setattr(serialization, "installed_backends", lambda: (own,))
    for name in BACKENDS:
        with pytest.raises(NotApplicable, match="the backend that writes" if name == own else "there is no Keras on"):
            serialization.files_on_other_backends(on_another(), ("dense", name))


@pytest.mark.slow
def test_a_fresh_process_reads_every_part_of_every_file():
    kinds, lab = saved_cases.PORTABLE_KINDS, Lab(5)
    read = [lab.saving.other_backends.read(kind, backend_of(target()), kinds) for kind in kinds]
    for file in read:
        assert file.read == file.written
        assert 0 < file.allowed < 1e-2 * np.ptp(file.outputs[0], axis=0).min()  # no output is saturated


def test_drawn_numbers_are_none_that_single_precision_holds():
    for name, (_, kinds) in saved_cases.ARGUMENTS.items():
        for config, _ in saved_cases.drawn_arguments(name, kinds):
            assert all(float(np.float32(value)) != value for value in config.values() if isinstance(value, float))


@pytest.mark.parametrize(
    ("name", "home"), [("SER01-he_normal", "initializers"), ("SER11-optimizers-SGD", "optimizers")]
)
def test_a_text_read_in_place_of_an_object_is_a_failure_and_no_crash(name, home, monkeypatch):
    monkeypatch.setattr(getattr(load_keras(), home), "deserialize", lambda config: str(config))
    cell = next(cell for cell in registry.cells(codes=[name[:5]]) if cell.name.startswith(name))
    verdict = registry.run_check(cell, Lab(3))
    assert verdict.status is Status.FAIL
    assert "deserialize(serialize()) gave str" in verdict.measured


CASE = resumptions.Resumption("a case", h5=True)
LAB = Lab(5)


def a_step(**changes):
    return replace(TrainedModel(arrays(1), arrays(2), 2, {"name": "adam", "learning_rate": 0.5}), **changes)


def resuming(got, first=None, lacking=""):
    first = first or a_step(state=arrays(3), steps=1)
    lab = FakeLab()
    lab.saving.resumptions = SimpleNamespace(
        lacking=lambda case: lacking,
        first_step=lambda case: first,
        second_step=lambda case, carrier=None: a_step() if carrier is None else got,
        read=lambda case: got,
    )
    return lab


def test_the_same_step_after_reloading_passes():
    for carrier in Carrier:
        assert serialization.resumptions(resuming(a_step()), (CASE, carrier)).status is Status.PASS
    with pytest.raises(NotApplicable, match="has no Muon"):
        serialization.resumptions(resuming(a_step(), lacking="Muon"), (CASE, Carrier.H5))


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 1},
        {"weights": spoiled_array(lambda: arrays(1))},
        {"state": spoiled_array(lambda: arrays(2))},
        {"state": arrays(2)[::-1]},
        {"config": {"name": "adam", "learning_rate": 0.25}},
    ],
    ids=["steps", "weights", "state", "order", "learning rate"],
)
def test_a_step_after_reloading_that_differs_fails(changes):
    for carrier in Carrier:
        verdict = serialization.resumptions(resuming(a_step(**changes)), (CASE, carrier))
        assert verdict.status is Status.FAIL


def test_a_second_step_that_changes_nothing_is_no_evidence():
    lab = resuming(a_step(), first=a_step())
    assert serialization.resumptions(lab, (CASE, Carrier.KERAS)).status is Status.FAIL


def test_an_optimizer_of_an_h5_file_that_loses_an_option_fails():
    assert serialization.optimizers_of_h5_files(resuming(a_step(), a_step()), CASE).status is Status.PASS
    for changes in ({"config": {"name": "adam"}}, {"weights": spoiled_array(lambda: arrays(1))}):
        lab = resuming(a_step(**changes), a_step())
        assert serialization.optimizers_of_h5_files(lab, CASE).status is Status.FAIL


def named(before, after, known=("mse", "nameless")):
    lab = FakeLab()
    lab.saving.compiled_names = SimpleNamespace(known=lambda kind: known, results=lambda *case: (before, after))
    return lab


def test_a_name_that_evaluates_otherwise_after_a_file_fails():
    case = ("losses", "mse", ".h5")
    assert serialization.compiled_names(named(arrays(), arrays()), case).status is Status.PASS
    for after in (spoiled_array(), arrays()[:2], list[np.ndarray]()):
        assert serialization.compiled_names(named(arrays(), after), case).status is Status.FAIL
    assert serialization.compiled_names(named([], []), case).status is Status.FAIL
    with pytest.raises(NotApplicable, match="knows no such losses"):
        serialization.compiled_names(named([], [], known=("mae",)), case)
    other = ("losses", compiled_names.EVERY_OTHER, ".h5")
    assert "1 names" in str(serialization.compiled_names(named(arrays(), arrays()), other))


@pytest.mark.parametrize(("written", "read"), [(0.25, 0.5), (0.5, 0.25), ("nothing", "nothing")])
def test_an_argument_that_is_not_written_or_not_read_fails(written, read):
    def judged(*kept):
        lab = FakeLab()
        lab.saving.arguments = SimpleNamespace(kept=lambda request: kept)
        return serialization.single_arguments(lab, LayerRequest("Dense")).status

    right = Kept("epsilon", 0.5, 0.5, 0.5)
    assert judged(right, right) is Status.PASS
    assert judged(right, Kept("epsilon", 0.5, written, read)) is Status.FAIL


def test_weights_that_are_exchanged_in_another_order_fail():
    def lab(actual):
        lab = FakeLab()
        lab.saving.exchanges = SimpleNamespace(exchanged=lambda name: actual)
        return lab

    assert serialization.exchanges(lab((arrays(), arrays())), "subclassed").status is Status.PASS
    for wrong in (arrays()[::-1], spoiled_array(), arrays()[:2]):
        assert serialization.exchanges(lab((arrays(), wrong)), "subclassed").status is Status.FAIL
    with pytest.raises(NotApplicable, match="does not offer"):
        serialization.exchanges(lab(None), "subclassed")


@pytest.mark.parametrize("name", ["frozen-first", "Adam"])
def test_the_first_step_is_counted_after_a_keras_file(name):
    """``Sequential([Dense(trainable=False), Dense()])``: an optimizer that is read at step 0 has lost its moments."""
    case = next(one for one in resumptions.RESUMPTIONS if one.name == name)
    assert LAB.saving.resumptions.first_step(case).steps == 1
    assert LAB.saving.resumptions.second_step(case, Carrier.KERAS).steps == 2


def test_exchanged_weights_are_not_those_that_were_there():
    """Each exchange compares weights of which no two are equal, so that an order that is lost shows."""
    exchanged = LAB.saving.exchanges.exchanged("functional-and-sequential-there")
    assert exchanged is not None
    values = np.concatenate([one.ravel() for one in exchanged[0] if one.dtype == np.float32][1:])
    assert len(set(values.tolist())) == values.size
