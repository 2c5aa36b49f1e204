"""The catalogue of optimizers: its formulas against numbers worked out by hand, its traits, and how a row is added."""

import ast
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import initcheck
from initcheck.catalog import optimizers
from initcheck.catalog.cases import nets
from initcheck.catalog.optimizers import OPTIMIZERS, Rule
from initcheck.errors import InitcheckError

PACKAGE = Path(initcheck.__file__).parent
JUDGED = [row for row in OPTIMIZERS if row.formula]


def steps_of(rule, gradients, start=1.0):
    optimizer, weights, seen = rule.stepper(float), [np.array([start])], []
    for gradient in gradients:
        weights = optimizer.step(weights, [np.array([gradient])])
        seen.append(float(weights[0][0]))
    return seen


@pytest.mark.parametrize(
    ("rule", "gradients", "expected"),
    [
        (Rule(optimizers.SGD, {"learning_rate": 0.1}), [1.0, 2.0], [0.9, 0.7]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "momentum": 0.5}), [1.0, 2.0], [0.9, 0.65]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "momentum": 0.5, "nesterov": True}), [1.0, 2.0], [0.85, 0.525]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "clipvalue": 0.5}), [3.0], [0.95]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "clipnorm": 2.0}), [-3.0], [1.2]),
        (Rule(optimizers.SGD, {"learning_rate": 0.1, "weight_decay": 0.5}), [1.0], [0.85]),
        (Rule(optimizers.RMSPROP, {"learning_rate": 0.1, "rho": 0.75, "epsilon": 0.0}), [2.0], [0.8]),
        (Rule(optimizers.RMSPROP, {"learning_rate": 0.1, "rho": 0.75, "epsilon": 3.0}), [2.0], [0.9]),
        # Adam's first step is the learning rate, whatever the gradient and the betas.
        (Rule(optimizers.ADAM, {"learning_rate": 0.1, "epsilon": 0.0}), [7.0], [0.9]),
        (Rule(optimizers.ADAM, {"learning_rate": 0.1, "epsilon": 0.0}), [7.0, 7.0], [0.9, 0.8]),
        (Rule(optimizers.ADAMW, {"learning_rate": 0.1, "epsilon": 0.0, "weight_decay": 0.5}), [7.0], [0.85]),
        (Rule(optimizers.ADAMAX, {"learning_rate": 0.1, "epsilon": 0.0}), [7.0], [0.9]),
        (
            Rule(optimizers.ADAGRAD, {"learning_rate": 0.1, "epsilon": 0.0, "initial_accumulator_value": 0.0}),
            [2.0, 2.0],
            [0.9, 0.9 - 0.1 / np.sqrt(2)],
        ),
        (Rule(optimizers.ADADELTA, {"learning_rate": 1.0, "rho": 0.75, "epsilon": 3.0}), [6.0], [1.0 - 3.0]),
        (Rule(optimizers.NADAM, {"learning_rate": 0.1, "beta_1": 0.0, "epsilon": 0.0}), [7.0], [0.9]),
        # Momenta ½·(1 − ½·0.96) = 0.26 now and ½·(1 − ½·0.96²) = 0.2696 next; their product is 0.070096.
        (
            Rule(optimizers.NADAM, {"learning_rate": 0.1, "beta_1": 0.5, "epsilon": 0.0}),
            [7.0],
            [0.9 - 0.1 * 0.2696 * 0.5 / (1 - 0.070096)],
        ),
        (Rule(optimizers.LION, {"learning_rate": 0.1}), [1.0, -0.05, -7.0], [0.9, 0.8, 0.9]),
        # Without regularization, Ftrl is Adagrad.
        (
            Rule(optimizers.FTRL, {"learning_rate": 0.1, "initial_accumulator_value": 0.0}),
            [2.0, 2.0],
            [0.9, 0.9 - 0.05 * 2**0.5],
        ),
        (
            Rule(
                optimizers.FTRL,
                {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "l1_regularization_strength": 3.0},
            ),
            [2.0],
            [(18.0 - 3.0) / 20.0],
        ),
        # The step is the rate times the size of the weight; then, between the weight 0.8 and its average.
        (Rule(optimizers.ADAFACTOR, {"learning_rate": 0.1, "clip_threshold": 2.0}), [7.0], [0.9]),
        (Rule(optimizers.LAMB, {"learning_rate": 0.1, "epsilon": 0.0}), [7.0, 7.0], [0.9, 0.81]),
        (Rule(optimizers.SCHEDULE_FREE, {"learning_rate": 0.1, "epsilon": 0.0}), [7.0, 7.0], [0.9, 0.845]),
        # After many steps, the correction of Adam's bias is over: its mean is a tenth of the gradient.
        (
            Rule(optimizers.ADAM, {"learning_rate": 0.1, "beta_2": 0.9, "epsilon": 0.0}, start=1000),
            [4.0],
            [1 - 0.1 * 0.1**0.5],
        ),
    ],
    ids=str,
)
def test_optimizers_take_known_steps(rule, gradients, expected):
    np.testing.assert_allclose(steps_of(rule, gradients), expected, rtol=1e-12)


@pytest.mark.parametrize("row", JUDGED, ids=lambda row: row.name)
def test_traits_match_the_formula(row):
    """With its defaults, over gradients of several sizes in one weight; each trait both ways."""
    stream = np.random.RandomState(5)
    start, gradients = stream.normal(size=(4, 1)), stream.normal(size=(3, 4, 1))

    def trained(start, gradients, first=0):
        stepper, weights = Rule(row, start=first).stepper(float), [start]
        for gradient in gradients:
            weights = stepper.step(weights, [gradient])
        return weights[0], stepper

    def moved(gradients, first=0):
        return trained(start[:, 0], gradients[..., 0], first)[0] - start[:, 0]

    after, stepper = trained(start, gradients)
    assert bool(stepper.slots[0]) == row.stateful
    assert (moved(gradients) != moved(gradients, 1000)).any() == row.counts_steps
    halves = [trained(start[part], gradients[:, part])[0] for part in (slice(2), slice(2, 4))]
    assert np.array_equal(after, np.concatenate(halves)) == row.elementwise
    if row.smooth:  # what is not adaptive moves by so much of its gradient
        in_proportion = np.allclose(moved(2 * gradients[:1]), 2 * moved(gradients[:1]), rtol=1e-12, atol=0)
        assert in_proportion != row.adaptive
    assert all(value is None or np.float32(value) == value for value in (row.exact or {}).values())


def test_a_row_gives_a_reason_for_each_missing_trait_and_no_other():
    with pytest.raises(InitcheckError, match=r"optimizer Lion: give a reason .* for no other: resettable"):
        replace(optimizers.LION, resettable=True)
    with pytest.raises(InitcheckError, match=r"optimizer Adam: give a reason .* for no other: drawn, smooth"):
        replace(optimizers.ADAM, smooth=(), drawn=False)
    lacking = replace(optimizers.FTRL, formula=None, without={**optimizers.FTRL.without, "formula": "untried"})
    with pytest.raises(InitcheckError, match="optimizer Ftrl has no formula: untried"):
        Rule(lacking).stepper()


def test_samples_of_nets_are_numbered_without_gaps():
    assert [net.optimizer for net in nets.constant_nets()] == ["SGD", "Nesterov", "Adam", "RMSprop", "Adagrad"]
    assert [net.optimizer for net in nets.random_nets()] == ["SGD", "Momentum", "Adam", "RMSprop", "Nadam", "Adagrad"]


# A fault is put into one class on purpose.
MAY_NAME_OPTIMIZERS = ("catalog/optimizers.py", "mutants/")


def names_of_optimizers(tree):
    """String constants that consist of optimizers' names in any casing; and displays of several rows."""
    names = {row.identifier for row in OPTIMIZERS}
    kinds = (optimizers.Optimizer, optimizers.Variant)
    rows = {name for name, value in vars(optimizers).items() if isinstance(value, kinds)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = re.findall(r"\w+", node.value.lower())
            if words and names.issuperset(words):
                yield node.value
        elif isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
            parts = node.keys if isinstance(node, ast.Dict) else node.elts
            listed = [getattr(one, "attr", getattr(one, "id", None)) for one in parts]
            if len(rows.intersection(listed)) > 1:
                yield ast.unparse(node)


def test_nothing_else_in_the_package_lists_optimizers():
    listed = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if not place.startswith(MAY_NAME_OPTIMIZERS):
            listed[place] = list(names_of_optimizers(ast.parse(path.read_text())))
    assert "checks/symmetry.py" in listed
    assert {place: names for place, names in listed.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        'optimizer = "SGD"',
        'by_name = "rmsprop"',
        'names = "SGD RMSprop, Adam"',
        'rates = {"Lion": 0.1}',
        "rows = (optimizers.SGD, optimizers.ADAM)",
        "rates = {PLAIN: 0.1, NESTEROV: 0.05}",
    ],
)
def test_a_list_of_optimizers_is_detected(line):
    assert list(names_of_optimizers(ast.parse(line)))


NEW_ROW = """
def _halver(step: WeightStep) -> Array:
    return step.weight - 0.5 * step.rate * step.gradient


HALVER = Optimizer(
    "Halver",
    "a test",
    saved={},
    defaults={"learning_rate": 0.01},
    formula=_halver,
    options=({"learning_rate": 0.25},),
    stateful=False,
    adaptive=False,
    continued={"learning_rate": 0.05},
    smooth=(Variant("Halver", 0.1),),
    elementwise=True,
    without={"exact": _NO_CELL, "drawn": _NOT_DRAWN, "resettable": _UNTRIED},
)

"""
HALVER_CELLS = {
    "ARI04-Halver()",
    "ARI04-Halver() from step 10000",
    "ARI04-Halver(learning_rate=0.25)",
    "ARI04-Halver(learning_rate=ExponentialDecay)",
    "ARI12-halver",
    "ARI13-Halver()-once",
    "ARI13-Halver()-repeated",
    *(f"ARI36-{row}-Halver" for row in ("accumulated", "averaged", "decayed", "rates")),
    *(f"ARI36-{row}-Halver" for row in ("resting", "types", "coarse", "names", "told", "state", "refusals")),
    "SER07-Halver(learning_rate=0.05)",
    "SER11-optimizers-Halver-global_clipnorm",
    *(f"SER17-Halver-{carrier}" for carrier in ("keras", "weights", "h5")),
    "SER18-Halver",
}


@pytest.fixture
def with_halver(tmp_path):
    """Runs a program with a copy of the package, to which the recipe for an optimizer has been applied."""
    shutil.copytree(PACKAGE, tmp_path / "initcheck", ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "initcheck/catalog/optimizers.py"
    text = table.read_text()
    assert text.count("\nOPTIMIZERS = ") == 1
    table.write_text(text.replace("\nOPTIMIZERS = ", f"{NEW_ROW}\nOPTIMIZERS = "))

    def run(program):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        program = f"import initcheck; assert initcheck.__file__.startswith({str(tmp_path)!r})\n{program}"
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


LIST_CELLS = "from initcheck.checks import registry\nfor cell in registry.cells(): print(cell.name)"


def test_one_more_row_is_picked_up_by_the_checks_that_select_by_trait(with_halver):
    from initcheck.checks import registry

    before, after = {cell.name for cell in registry.cells()}, with_halver(LIST_CELLS)
    new = set(after) - before
    assert before < set(after)
    assert {name for name in new if not name.startswith("SYM01")} == HALVER_CELLS
    (net,) = (name for name in new if name.startswith("SYM01"))
    assert "-Halver-" in net


JUDGE_NEW_CELLS = """
from initcheck.checks import registry
from initcheck.evidence.lab import Lab
from initcheck.frameworks.keras import load_keras

keras = load_keras()

class Halver(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, SHARE * learning_rate)

keras.optimizers.Halver = Halver
for cell in registry.cells(codes=["ARI04", "ARI13", "SYM01"]):
    if "Halver" in cell.name:
        print(cell.name, cell.check.judge(Lab(1), cell.subject.value).status.name)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("share", "arithmetic"), [(0.5, "PASS"), (0.5005, "FAIL")])
def test_the_new_row_is_judged_by_its_formula(with_halver, share, arithmetic):
    verdicts = dict(line.rsplit(" ", 1) for line in with_halver(JUDGE_NEW_CELLS.replace("SHARE", str(share))))
    assert len(verdicts) == 7
    for name, status in verdicts.items():
        # Units stay equal at any rate.
        assert status == ("PASS" if name.startswith("SYM01") else arithmetic), name
