"""Round trips of configs, weights, models and optimizers, compared bit by bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases.compiled_names import EVERY_OTHER, NAMES_OF
from initcheck.catalog.cases.formulas import FORMULAS, GALLERY_OF, INFERRED, exactly
from initcheck.catalog.cases.options import LAYERS, PARTS, POLICIES, SavedPart
from initcheck.catalog.cases.resumptions import RESUMPTIONS, Resumption
from initcheck.catalog.cases.saved_cases import (
    ARGUMENTS,
    CONTINUED,
    FILED_KINDS,
    FORMS,
    KINDS,
    LAYER_SEEDS,
    NAMES,
    NOT_RANDOM,
    PORTABLE_KINDS,
    SAVED_LAYERS,
    SEEDS,
    drawn_arguments,
)
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Shape
from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.traits.computing import FormulaCase, LayerOptions
from initcheck.catalog.layers.traits.weights import LayerDefaults, SavedInitializers
from initcheck.catalog.optimizers import Rule
from initcheck.catalog.recipes import Recipe
from initcheck.checks.bits import differing_entries, first_difference, judge_trips
from initcheck.checks.promised import judge_promises
from initcheck.checks.registry import NotApplicable, Subject, check, over_initializers, require, require_dtype
from initcheck.checks.within_rounding import verdict
from initcheck.evidence.composition.exact_files import EXACT
from initcheck.evidence.composition.kept_files import BUILT, KEPT
from initcheck.evidence.composition.promises import Row
from initcheck.evidence.composition.restored_parts import RESTORED
from initcheck.evidence.layers import INFERENCE, Route
from initcheck.evidence.serialization.exchanges import EXCHANGES
from initcheck.evidence.serialization.models import DOUBLES
from initcheck.evidence.serialization.resumed_trainings import Carrier, carriers
from initcheck.frameworks.backends import installed_backends
from initcheck.oracle.rounding import Rounded
from initcheck.records import Verdict, failed, passed
from initcheck.targets import BACKENDS, KERAS, NAMES_OF_BACKENDS, backend_of, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_SHAPES: tuple[Shape, ...] = ((4, 3), (2, 2, 3, 4), (5,))


@check(
    "SER01",
    "An initializer rebuilt from its configuration draws the same bits.",
    on=KERAS,
    subjects=over_initializers(),
    takes="initializer",
)
def initializers(lab: Lab, row: Initializer) -> Verdict:
    """By get_config and from_config, serialize and deserialize, and get, with JSON between."""
    seed = lab.stream("round trip", row.name)
    given = {**row.config, **({"seed": seed} if row.law.random else {})}
    return judge_trips(lab.saving.initializer(row, seed, _shapes(row)), given)


@check(
    "SER02",
    "No argument is lost: value, gain, mean, stddev, minval, maxval, scale, mode, distribution, seed.",
    on=KERAS,
    subjects=[Subject(name, name) for name in ARGUMENTS],
)
def arguments(lab: Lab, name: str) -> Verdict:
    """For drawn numbers, none of them the default, and every mode with every distribution."""
    law, kinds = ARGUMENTS[name]
    trips = 0
    for config, seed in drawn_arguments(name, kinds):
        row = Initializer(name, name, law, "", config)
        given = {**config, **({"seed": seed} if law.random else {})}
        verdict = judge_trips(lab.saving.initializer(row, seed, _shapes(row)), given)
        if verdict.status.value != "pass":
            return verdict
        trips += 1
    return passed(f"{trips} sets of arguments kept by every route")


@check(
    "SER03",
    "An initializer whose seed is a SeedGenerator is rebuilt with one.",
    on=KERAS,
    subjects=over_initializers(random=True),
)
def generators(lab: Lab, row: Initializer) -> Verdict:
    """The rebuilt one begins with the generator's first state."""
    seed = lab.stream("generator", row.name)
    trips = lab.saving.advancing_initializer(row, seed, _shapes(row))
    if trips is None:
        raise NotApplicable("this Keras has no SeedGenerator")
    for trip in trips:
        written = trip.config["seed"]
        if lost := differing_entries({"seed": seed, "name": "named"}, written["config"]):
            return failed(f"the generator is written as {written}", f"the {' and '.join(lost)} given: {seed}, named")
    return judge_trips(trips, row.config)


@check(
    "SER04",
    "A layer rebuilt from its configuration has the initializers that it was given, and draws the same weights.",
    on=KERAS,
    subjects=[Subject(case.layer, case) for case in SAVED_LAYERS],
)
def layers(lab: Lab, case: SavedInitializers) -> Verdict:
    """Every initializer argument of the common layers, each with arguments of its own."""
    trip = lab.saving.layer(case)
    for argument, given in case.initializers.items():
        for label, config in (("the config", trip.config), ("the rebuilt config", trip.config_again)):
            kept = _inner(config)[argument] if case.wraps else config[argument]
            lost = differing_entries(given["config"], kept["config"])
            if _class(kept["class_name"]) != given["class_name"] or lost:
                return failed(f"{label} has {argument} {kept['class_name']} with {kept['config']}", f"{given}")
    return judge_trips([trip], {})


@check(
    "SER05",
    "A model rebuilt from its configuration, a JSON text or a file draws the same initial weights.",
    on=KERAS,
    subjects=[Subject(kind, kind) for kind in FILED_KINDS],
)
def rebuilt_models(lab: Lab, kind: str | Recipe) -> Verdict:
    """With a seed of its own for each initializer; the file was written when the weights had long changed."""
    _require_precision(kind)
    return judge_trips(lab.saving.rebuilt_model(kind), {})


@check(
    "SER06",
    "A model read from a file has the weights that were saved, and the same outputs.",
    on=KERAS,
    subjects=[Subject(kind, kind) for kind in FILED_KINDS],
)
def saved_models(lab: Lab, kind: str | Recipe) -> Verdict:
    """Through .keras files, and .weights.h5 files into a model with other weights; moving statistics too."""
    _require_precision(kind)
    trips, first = lab.saving.saved_model(kind)
    if any(np.array_equal(a, b) for a, b in zip(first, trips[0].arrays, strict=False)):
        return failed("set_weights left a weight as it was", "every weight replaced before saving")
    return judge_trips(trips, {})


@check(
    "SER07",
    "Training continued from a .keras file is the training that was not interrupted.",
    on=KERAS,
    subjects=[Subject(str(rule), rule) for rule in CONTINUED],
)
def continued(lab: Lab, rule: Rule) -> Verdict:
    """The optimizer's arguments, its state and its count of steps survive; bit by bit."""
    trace = lab.saving.continued(rule)
    for label, one, other in (
        ("the first steps", trace.initial, trace.saved),
        ("the later steps", trace.saved, trace.weights),
    ):
        if any(np.array_equal(a, b) for a, b in zip(one, other, strict=True)):
            return failed(f"{label} left a weight where it was", "every weight trained")
    assigned = {} if trace.assigned is None else {"learning_rate": trace.assigned}
    lost = differing_entries(assigned, trace.config) or differing_entries(trace.config, trace.config_again)
    if lost:
        return failed(f"the optimizer read from the file has other {lost}", f"{trace.config}")
    wrong = first_difference(trace.weights, trace.weights_again)
    if wrong:
        return failed(f"weights after six steps differ: {wrong}", "the same bits with and without the file")
    wrong = first_difference(_sorted(trace.state), _sorted(trace.state_again))
    if wrong:
        return failed(f"the optimizer's state after six steps differs: {wrong}", "the same bits")
    return passed("three steps after the file are those without it, weights and optimizer state")


@check(
    "SER08",
    "clone_model makes new weights of its own: int-seeded initializers repeat, unseeded ones draw anew.",
    on=KERAS,
    subjects=[Subject(f"{kind}-{how}", (kind, how == "seeded")) for kind in KINDS for how in ("seeded", "unseeded")],
)
def clones(lab: Lab, case: tuple[str, bool]) -> Verdict:
    """The trained weights are not copied, and the clone shares none of them."""
    kind, seeded = case
    _require_precision(kind)
    clone = lab.saving.clone(kind, seeded)
    if clone.config.get("layers") is None or len(clone.config["layers"]) != len(clone.config_again.get("layers", [])):
        return failed("the clone has other layers", "the same layers")
    if first_difference(clone.trained, clone.kept):
        return failed("overwriting the clone's weights changed the model's", "weights of its own")
    shapes = [(one.shape, one.dtype) for one in clone.initial]
    if shapes != [(one.shape, one.dtype) for one in clone.cloned]:
        return failed(f"the clone's weights are {[one.shape for one in clone.cloned]}", f"{shapes}")
    if seeded:
        wrong = first_difference(clone.initial, clone.cloned)
        if wrong:
            return failed(f"the clone's initial weights differ: {wrong}", "those of the model, whose seeds it has")
        return passed(f"{len(shapes)} initial weights repeated")
    # A vector may vary without being random: the biases of an LSTM begin with zeros and ones.
    random = [k for k, one in enumerate(clone.initial) if one.ndim > 1 and np.ptp(one) > 0]
    repeated = [k for k in random if np.array_equal(clone.initial[k], clone.cloned[k])]
    copied = [k for k, one in enumerate(clone.cloned) if np.array_equal(one, clone.trained[k])]
    if repeated or copied or not random:
        return failed(f"weights {repeated} repeat and {copied} are copied, of {len(shapes)}", "all drawn anew")
    return passed(f"{len(random)} random weights drawn anew")


@check(
    "SER09",
    "initializers.get knows every initializer by its names, and gives a fresh instance each time.",
    on=KERAS,
    subjects=[Subject(name, (name, kind)) for kind, names in NAMES.items() for name in (kind, *names.split())],
)
def names(lab: Lab, case: tuple[str, str]) -> Verdict:
    """The class's name, its name in small letters with underscores, and the documented short ones."""
    name, kind = case
    got = lab.saving.got_by_name(name)
    if _class(got.kind) != kind:
        return failed(f"get({name!r}) gave {got.kind}", kind)
    if not got.fresh:
        return failed(f"get({name!r}) gave one instance twice", "a fresh instance each time")
    if np.array_equal(got.draws[0], got.draws[1]) is not (kind in NOT_RANDOM):
        return failed("two answers draw the same", "unseeded instances that draw differently")
    return passed(f"two fresh {kind}s")


@check(
    "SER10",
    "initializers.get takes classes, instances, configurations, functions and None.",
    on=KERAS,
    subjects=[Subject(form.replace(" ", "_"), form) for form in FORMS],
)
def forms(lab: Lab, form: str) -> Verdict:
    """An instance or function is returned as it is; a class or configuration gives fresh instances."""
    got = lab.saving.got(form)
    if form == "nothing":
        return passed("None") if got.same else failed(f"get(None) gave {got.kind}", "None")
    if form in ("instance", "function"):
        return passed("the same object") if got.same else failed(f"get gave a {got.kind}", "the object given")
    if not got.fresh or got.same:
        return failed(f"get gave one {got.kind} twice", "a fresh instance each time")
    if form == "class":
        good = got.kind == "HeNormal" and not np.array_equal(got.draws[0], got.draws[1])
        return passed("fresh HeNormals") if good else failed(f"get(HeNormal) gave {got.kind}", "unseeded HeNormals")
    lost = differing_entries({"mean": 0.25, "stddev": 0.5, "seed": 11}, got.config)
    if got.kind != "RandomNormal" or lost or not np.array_equal(got.draws[0], got.draws[1]):
        return failed(f"get gave {got.kind} with {got.config}", "RandomNormal with mean 0.25, stddev 0.5, seed 11")
    return passed("RandomNormals with all arguments")


@check(
    "SER11",
    "No option of an optimizer, a schedule, a loss, a metric, a regularizer or a constraint is lost.",
    on=KERAS,
    subjects=[Subject(f"{part.module.rpartition('.')[2]}-{part}", part) for part in PARTS],
)
def parts(lab: Lab, part: SavedPart) -> Verdict:
    """Every documented option has a value that is not its default; the rebuilt object is also used."""
    trips_and_options = lab.saving.parts.part(part.module, part.name, part.options)
    if trips_and_options is None:
        raise NotApplicable(f"this version of Keras has no {part.name}")
    return judge_trips(*trips_and_options)


@check(
    "SER12",
    "No option of a layer is lost: its arguments, its name, its seed, its dtypes, and whether it is trained.",
    on=KERAS,
    subjects=[Subject(str(layer), layer) for layer in LAYERS],
)
def layer_options(lab: Lab, layer: LayerOptions) -> Verdict:
    """Layers that draw must draw the same, right after the global generators were seeded."""
    require(lab.saving.parts.lacking(layer.layer))
    seed = lab.stream("layer options", str(layer))
    options = {**layer.options, "name": "named", "trainable": False, "dtype": layer.policy}
    if layer.drawing:
        options["seed"] = seed
    trip, given = lab.saving.parts.layer(layer.layer, options, layer.input_shape, seed, called=layer.drawing)
    expected: dict[str, Any] = {}
    for option, value in given.items():
        if isinstance(value, dict):  # a regularizer or constraint, whose configuration may have more in it
            for config in (trip.config, trip.config_again):
                kept = config[option] or {"class_name": None, "config": {}}
                lost = differing_entries(value["config"], kept["config"])
                if kept["class_name"] != value["class_name"] or lost:
                    return failed(f"{layer.layer}: {option} is {kept}", f"{value}")
        elif option != "dtype":
            expected[option] = value
    expected["compute_dtype"], expected["variable_dtype"] = POLICIES[layer.policy]
    expected["trained"] = given.get("trainable", True)
    return judge_trips([trip], expected)


@check(
    "SER13",
    "Every seed comes back from a configuration as it was, and no seed as none.",
    on=KERAS,
    subjects=[
        *over_initializers(random=True),
        *(Subject(name, layer) for name, layer in {one.layer: one for one in LAYERS if one.drawing}.items()),
    ],
)
def seeds(lab: Lab, subject: Initializer | LayerOptions) -> Verdict:
    """At the bounds of every integer width; a rebuilt unseeded initializer draws anew each time."""
    parts = lab.saving.parts
    if isinstance(subject, LayerOptions):
        name = subject.layer
        require(parts.lacking(name))
        kept = parts.layer_seeds(name, subject.options, LAYER_SEEDS)
        if not kept:
            raise NotApplicable(f"this version of {name} takes no seed")
    else:
        name = subject.name
        kept = parts.initializer_seeds(subject, SEEDS)
    for seed, written, read in kept:
        if (written, read) != (seed, seed):
            return failed(f"{name}: seed {seed} is written as {written} and read as {read}", "the seed given")
    if isinstance(subject, Initializer):
        draws = parts.unseeded(subject)
        if len({draw.tobytes() for draw in draws}) < len(draws):
            return failed(f"{name}: two unseeded ones draw the same", "draws of their own")
    return passed(f"{name}: {len(kept)} seeds kept")


@check(
    "SER14",
    "Weights of every kind come back from a file: subnormal and largest numbers, signed zeros, infinities, NaN.",
    on=KERAS,
    subjects=[Subject(kind, kind) for kind in KINDS],
)
def special_values(lab: Lab, kind: str) -> Verdict:
    """Through .keras and .weights.h5 files, every weight of the models of SER06."""
    _require_precision(kind)
    return judge_trips(lab.saving.special_values(kind), {})


@check(
    "SER15",
    "A model read from an .h5 file has the weights that were saved, and the same outputs.",
    on=KERAS,
    subjects=[Subject(kind, kind) for kind in FILED_KINDS],
)
def legacy_files(lab: Lab, kind: str) -> Verdict:
    """The older format, for whole models; weights of every kind too."""
    _require_precision(kind)
    return judge_trips(lab.saving.legacy_file(kind), {})


@check(
    "SER16",
    "A layer that comes back from a configuration, a clone or a file has its options and weights: the same outputs.",
    on=KERAS,
    subjects=[
        Subject(f"{case.name}-{route.suffix}", (case, route), evidence=f"gallery {GALLERY_OF[case.name]}")
        for case in INFERRED
        for route in Route
    ],
)
def layers_along_routes(lab: Lab, case_and_route: tuple[FormulaCase, Route]) -> Verdict:
    """Layers are branches of a model, which takes each route once."""
    case, route = case_and_route
    require(lab.layers.lacking(case))
    before, after = lab.layers.shown(case), lab.layers.shown(case, route)
    if wrong := first_difference(before.weights, after.weights):
        return failed(f"weights through {route.value}: {wrong}", "the same bits")
    weights, inputs = lab.layers.given(case)
    error, output = case.output(*exactly(case, weights, inputs)).error, before.outputs[INFERENCE]
    known = error if error.shape == output.shape else 0.0
    return verdict([(f"output through {route.value}", after.output, Rounded(output, known))])


@check(
    "SER17",
    "The step after reloading is the step without it: weights, moments, count of steps, learning rate.",
    on=KERAS,
    subjects=[
        Subject(f"{case.name}-{carrier.suffix}", (case, carrier), evidence=f"resumption of {case.name}")
        for case in RESUMPTIONS
        for carrier in carriers(case)
    ],
)
def resumptions(lab: Lab, case_and_carrier: tuple[Resumption, Carrier]) -> Verdict:
    """Every optimizer, saved after one step: by .keras, .weights.h5 and .h5 files; frozen layers too."""
    case, carrier = case_and_carrier
    resumed = lab.saving.resumptions
    require(resumed.lacking(case))
    first, want, got = resumed.first_step(case), resumed.second_step(case), resumed.second_step(case, carrier)
    if not first_difference(first.state, want.state):
        return failed("the second step changed nothing", "a step")
    through = f"the step after {carrier.value}"
    if got.steps != want.steps:
        return failed(f"{through} is counted as {got.steps}", f"{want.steps}")
    # A file of weights is read by a model whose optimizer has a name of its own.
    rate = {"learning_rate": want.config["learning_rate"]} if "learning_rate" in want.config else {}
    expected = want.config if carrier in (Carrier.KERAS, Carrier.H5) else rate
    if lost := differing_entries(expected, got.config):
        return failed(f"{through} has another {lost} of the optimizer", f"{dict(expected)}")
    if wrong := first_difference([*want.weights, *want.state], [*got.weights, *got.state]):
        return failed(f"{through}: {wrong}", "the same bits of weights and optimizer state")
    return passed(f"{len(want.weights)} weights and {len(want.state)} variables of the optimizer bitwise equal")


@check(
    "SER18",
    "The optimizer of a compiled .h5 file has its class and all its options.",
    on=KERAS,
    subjects=[Subject(case.name, case, evidence=f"resumption of {case.name}") for case in RESUMPTIONS if case.h5],
)
def optimizers_of_h5_files(lab: Lab, case: Resumption) -> Verdict:
    """And the model its weights; whether its state comes back too is for SER17."""
    resumed = lab.saving.resumptions
    require(resumed.lacking(case))
    saved, read = resumed.first_step(case), resumed.read(case)
    if lost := differing_entries(saved.config, read.config):
        return failed(f"the optimizer read from the file has another {lost}: {dict(read.config)}", f"{saved.config}")
    if wrong := first_difference(saved.weights, read.weights):
        return failed(f"weights read from the file: {wrong}", "the same bits")
    return passed(f"{len(saved.config)} options of {case.optimizer} kept")


@check(
    "SER19",
    "A model compiled with a loss or metric by name is read from a file, and evaluates as before.",
    on=KERAS,
    subjects=[
        Subject(f"{kind}-{name.replace(' ', '_')}{suffix.replace('.', '-')}", (kind, name, suffix), evidence="names")
        for kind, names in NAMES_OF.items()
        for name in (*names, EVERY_OTHER)
        for suffix in (".keras", ".h5")
    ],
)
def compiled_names(lab: Lab, case: tuple[str, str, str]) -> Verdict:
    """The documented names, and every other one that the installed Keras knows: numbers and their names."""
    kind, given, suffix = case
    compiled = lab.saving.compiled_names
    known = compiled.known(kind)
    names = sorted(set(known) - set(NAMES_OF[kind])) if given == EVERY_OTHER else [given]
    if not names or not set(names) <= set(known):
        raise NotApplicable(f"the installed Keras knows no such {kind}")
    before, after = compiled.results(kind, given, suffix)
    if not before:
        return failed("evaluate reports nothing", "a value")
    if wrong := first_difference(before, after):
        return failed(f"evaluate of what is read from a {suffix} file: {wrong}", "the same bits")
    return passed(f"{len(names)} names evaluate to the same bits after a {suffix} file")


@check(
    "SER20",
    "Models of the same layers exchange weights, through memory and files, in their order.",
    on=KERAS,
    subjects=[Subject(name, name) for name in EXCHANGES],
)
def exchanges(lab: Lab, name: str) -> Verdict:
    """Plain and subclassed models, layers in lists, nested and shared ones, by name and in half precision."""
    exchanged = lab.saving.exchanges.exchanged(name)
    if exchanged is None:
        raise NotApplicable("the installed Keras does not offer this")
    expected, actual = exchanged
    if wrong := first_difference(expected, actual):
        return failed(wrong, "the same bits of output and weights")
    return passed(f"{len(actual)} arrays bitwise equal")


_MADE = {
    **{case.layer: LayerRequest(case.layer, case.config) for case in reversed(FORMULAS)},
    **{case.layer: case.request for case in reversed(select(LayerDefaults))},
}


@check(
    "SER21",
    "Every flag, number, word, seed, initializer, regularizer and constraint that a layer is given comes back from its "
    "configuration.",
    on=KERAS,
    subjects=[Subject(layer, request) for layer, request in sorted(_MADE.items())],
)
def single_arguments(lab: Lab, request: LayerRequest) -> Verdict:
    """One argument at a time, at a value that is not its default."""
    require(lab.saving.parts.lacking(request.layer))
    kept = lab.saving.arguments.kept(request)
    for one in kept:
        if (one.written, one.read) != (one.given, one.given):
            found = f"{one.argument} is written as {one.written} and read as {one.read}"
            return failed(f"{request.layer}: {found}", f"{one.given}")
    return passed(f"{len(kept)} arguments kept, one at a time")


@check(
    "SER22",
    "Files, checkpoints and configurations keep what they should, and who writes or reads them is obeyed.",
    on=KERAS,
    subjects=[Subject(name, row) for name, row in {**KEPT, **RESTORED, **EXACT}.items()],
)
def kept_files(lab: Lab, row: Row) -> Verdict:
    """Each row writes and reads a few models, or parts of them."""
    return judge_promises(lab, row)


@check(
    "SER23",
    "A layer is built by its input's shape, and built again by its build configuration with all its weights.",
    on=KERAS,
    subjects=[Subject(layer, row) for layer, row in BUILT.items()],
)
def build_configurations(lab: Lab, row: Row) -> Verdict:
    """By keyword; a summary has its name too."""
    return judge_promises(lab, row)


@check(
    "SER24",
    "A .keras file that one backend has written is the same model on every other: weights, optimizer and outputs.",
    on=KERAS,
    subjects=[
        Subject(f"{kind}-on-{backend}", (kind, backend), evidence=f"files on {backend}")
        for backend in BACKENDS
        for kind in PORTABLE_KINDS
    ],
)
def files_on_other_backends(lab: Lab, case: tuple[str, str]) -> Verdict:
    """A fresh process of this environment reads the files on the other backend."""
    kind, backend = case
    name = NAMES_OF_BACKENDS[backend]
    if backend == backend_of(target()):
        raise NotApplicable(f"{name} is the backend that writes the file; SER06 reads it there")
    if backend not in installed_backends():
        raise NotApplicable(f"there is no Keras on {name} in this environment")
    file = lab.saving.other_backends.read(kind, backend, PORTABLE_KINDS)
    if raised := file.read.get("raised"):
        return failed(f"{name} does not read the file: {raised}", "the model")
    for part in ("weights", "optimizer"):
        if file.read[part] != file.written[part]:
            return failed(f"read on {name}, the {part} of {kind} are others", "the same bits")
    one, other = file.outputs
    error = np.abs(one - other).max() if one.shape == other.shape else np.inf
    if not error <= file.allowed:
        return failed(f"read on {name}, an output of {kind} is off by {error:.2g}", f"{file.allowed:.2g} at most")
    return passed(f"weights and optimizer bitwise equal on {name}, outputs within {error:.1g}")


def _require_precision(kind: str | Recipe) -> None:
    if kind in DOUBLES:
        require_dtype("float64")


def _class(name: str) -> str:
    """The documented name of a class: Keras has called Orthogonal and Identity OrthogonalInitializer and so on, too."""
    return name.removesuffix("Initializer")


def _shapes(row: Initializer) -> list[Shape]:
    return [shape for shape in _SHAPES if row.law.allows(shape)]


def _inner(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration of the layer that a wrapper wraps."""
    inner: Mapping[str, Any] = config["layer"]["config"]
    return inner


def _sorted(state: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The variables of an optimizer in an order that does not depend on how they are listed."""
    return sorted(state, key=lambda one: (one.shape, one.tobytes()))
