"""The catalogue of layers: it is complete, the only list of layers, and takes one more row."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import initcheck
from initcheck.catalog.activations import ACTIVATIONS
from initcheck.catalog.layers import LAYERS, LayerKind, Without, select
from initcheck.catalog.layers.kind import LAST
from initcheck.catalog.layers.traits import TRAITS
from initcheck.catalog.layers.traits.computing import LayerOptions
from initcheck.catalog.layers.traits.engines import Stackable, State
from initcheck.checks import registry
from initcheck.evidence.layers import Route
from initcheck.evidence.modes import Freezing, ModelRun
from initcheck.frameworks.keras import load_keras

PACKAGE = Path(initcheck.__file__).parent


@pytest.mark.parametrize("row", LAYERS.values(), ids=lambda row: row.name)
def test_a_row_has_every_trait_or_a_reason_why_not(row):
    for trait in TRAITS:
        refused = any(trait in one.traits for one in row.without)
        assert refused is False if row.select(trait) else row.reason_without(trait), trait.__name__
    assert all(one.layer == row.name for one in row.traits)


def test_a_row_without_a_reason_has_none():
    row = LayerKind("Novel", State(), Without("it is new", (Stackable,)))
    assert row.reason_without(Stackable) == "it is new"
    assert row.reason_without(LayerOptions) == ""


def test_rows_are_classes_of_keras_or_of_another_version_of_it():
    layers = load_keras().layers
    missing = {name for name in LAYERS if not hasattr(layers, name)}
    assert missing <= {
        *("RandomHeight", "RandomWidth"),  # Keras 2 has them
        *("GroupQueryAttention", "RMSNormalization", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "TFSMLayer"),
    }


def test_traits_that_state_no_order_come_last():
    orders = [trait.order for trait in select(LayerOptions)]
    assert orders == sorted(orders)
    assert max(orders) < LAST


# Words that are no lists of layers, though Keras has layers of these names.
ARGUMENTS = {"activation", "layer", "dropout", "average"}  # of layers and metrics; keras.random has a function dropout
INITIALIZERS = {"Identity", "identity"}
IN_MODULES = {
    "catalog/cases/saved_cases.py": {"dense", "bidirectional"},  # names of models
    "catalog/cases/trainings.py": {"embedding"},  # the name of a training
    "frameworks/public_names.py": {"Layer"},  # the base class
    "oracle/attention_formulas.py": {"dot"},  # a way to score
    "evidence/baseline/saved_files.py": {"dense", "embedding", "gru", "normalization"},  # names of layers in files
    "oracle/masked_formulas.py": {"gru", "lstm", "dot"},  # kinds of cells, and a way to score
    "reporting/documented_bounds.py": {"average "},  # of a score
    "checks/laws/samples.py": {"conv1d", "conv2d", "conv3d"},  # classes of kernels' shapes; seeds follow from them
}


def layers_named_in(tree, names):
    """The strings, except docstrings, that consist of layers' names in any casing."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            words = node.value.split()
            if words and all(word.replace("_", "").lower() in names for word in words):
                yield node.value


def test_nothing_else_lists_layers_by_name():
    layers = load_keras().layers
    classes = {name for name in dir(layers) if isinstance(getattr(layers, name), type)}
    names = {name.lower() for name in {*classes, *LAYERS}}
    listed, own = {}, 0
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        # Each fault breaks what it names; other libraries have layers of their own, by names that Keras has too.
        if module.startswith(("mutants/", "frameworks/libraries/")):
            continue
        named = set(layers_named_in(ast.parse(path.read_text(encoding="utf-8")), names))
        if module.startswith("catalog/layers/"):
            own += len(named)
            continue
        allowed = {*ARGUMENTS, *INITIALIZERS, *ACTIVATIONS, *IN_MODULES.get(module, ())}
        if named - allowed:
            listed[module] = named - allowed
    assert listed == {}
    assert own > 50


def _of_formula(name):
    policies = ("mixed_float16", "mixed_bfloat16", "bfloat16", "float64")
    return {
        *(f"ARI{number}-{name}" for number in (14, 16, 17, 22, 24, 29)),
        *(f"ARI21-{name}-{policy}" for policy in policies),
        *(f"SER16-{name}-{route.suffix}" for route in Route),
    }


ROWS = """

from initcheck.catalog.layers.kind import Without
from initcheck.catalog.layers.traits.computing import EqualUnits
from initcheck.catalog.layers.traits.noises import NoiseLaw, NoiseSource, SeededNoise, StepwiseNoise
from initcheck.catalog.layers.traits.weights import (
    ONES, Fanned, FannedKernel, GivenOptions, LayerDefaults, SavedInitializers, TypedWeights, UnseededKernel
)


def scaled(weights, x, times=2.0, **_):
    return times * x


SCALING = _shape(
    "Scaling",
    FormulaCase(name="scaling", shapes=(), input_shape=(3, 7, 2), formula=scaled),
    LayerOptions(options={"times": 0.3}, input_shape=(2, 3, 4)),
)
NOVEL = LayerKind(
    "Novel",
    FannedKernel(name="novel", make=lambda d: Fanned({}, (), d.few, d.few), quirks={"fan_in": 99}),
    LayerDefaults(initializers=(ONES,), shapes=((6,),)),
    GivenOptions(name="novel,strange", places=()),
    TypedWeights(name="novel", places=()),
    UnseededKernel(),
    SavedInitializers(initializers={}, input_shape=()),
    NoiseLaw(name="Novel(0.5)", arguments={}, kind="dropped", strength=0.5),
    NoiseSource(),
    SeededNoise(arguments={}),
    StepwiseNoise(arguments={}),
    FormulaCase(name="novel", shapes=((1,),), input_shape=(1,), formula=scaled),
    LayerOptions(options={"rate": 1}, input_shape=(1,), drawing=True),
    EqualUnits(input_shape=(), arguments={}),
    State(),
    Without("it is new"),
)
ROWS = (*ROWS, SCALING, NOVEL)
"""
PROGRAM = """
import json
from initcheck.checks import registry
from initcheck.evidence.lab import get_lab
from initcheck.frameworks.keras import load_keras

keras = load_keras()

@keras.utils.register_keras_serializable()
class Scaling(keras.layers.Layer):
    def __init__(self, times=2.0, **options):
        super().__init__(**options)
        self.times = times

    def call(self, inputs):
        return inputs * self.times

    def get_config(self):
        return {**super().get_config(), "times": self.times}

keras.layers.Scaling = Scaling
cells = list(registry.cells())
judged = [cell for cell in cells if cell.name.split("-", 1)[1] == "Scaling-times-float32" or "-scaling" in cell.name]
verdicts = {cell.name: registry.run_check(cell, get_lab(7)).status.value for cell in judged}
print(json.dumps([[cell.name for cell in cells], verdicts]))
"""


def test_one_more_row_in_one_file_is_picked_up_by_the_checks_that_select_by_its_traits(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "initcheck", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "initcheck/catalog/layers/shapes.py").open("a", encoding="utf-8") as group:
        group.write(ROWS)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    names, verdicts = json.loads(done.stdout.splitlines()[-1])
    before = [cell.name for cell in registry.cells()]
    new = set(names) - set(before)
    assert [name for name in names if name not in new] == before
    judged = {"SER12-Scaling-times-float32", *_of_formula("scaling")}
    assert verdicts == dict.fromkeys(judged, "pass")
    modes = {name for name in new if name.startswith("ARI23-")}
    assert len(modes) == 2 * (len(ModelRun) - 2)  # three ways are taken in turn
    assert modes < {f"ARI23-Novel-{mode}-{run.value}" for mode in ("training", "inference") for run in ModelRun}
    assert new - judged - modes == {
        *(f"{code}-novel-{mode}" for code in ("LAW12",) for mode in ("fan_in", "fan_out")),
        *("LAW13-novel-fan_in", "LAW14-novel", "LAW14-novel,strange", "LAW15-Novel", "LAW16-Novel(0.5)"),
        *(f"DET0{number}-{source}-Novel" for number in (6, 7, 8) for source in ("kernel", "mask")),
        *("DET19-Novel", "SEED11-Novel", "SEED12-Novel", "SER04-Novel", "SER12-Novel-float32", "SER13-Novel"),
        *("SYM10-Novel-0-SGD", "SYM10-Novel-0.25-Nesterov"),
        *("DET21-Novel", "DET21-Scaling", "LAW23-Novel", "LAW23-Novel-untrained"),
        *("SER21-Novel", "SER21-Scaling", "SER23-Novel"),
        *_of_formula("novel"),
        *(f"ARI26-Novel-{way.value}" for way in Freezing),
    }
