"""A user's own problems and initializers, by name or as they are: in ``run``, ``sweep``, ``check`` and tests."""

import importlib
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from fakes import FakeLab

import initcheck
from initcheck.catalog.initializers import INITIALIZERS, as_row
from initcheck.catalog.known_issues import KnownIssue
from initcheck.catalog.laws import Constant, Unstated, VarianceScaled
from initcheck.checks import registry
from initcheck.cli.app import cli
from initcheck.engines.own_initializers import Asked, require_seeded
from initcheck.errors import FrameworkError, InitcheckError
from initcheck.evidence.laws.draws import Draws
from initcheck.frameworks import keras as framework
from initcheck.frameworks import own
from initcheck.frameworks.own import find_initializers, find_problem, import_own, origin_of
from initcheck.records import Status

run_check: Any = registry.run_check  # fakes stand for its lab

MINE = """
import initcheck

class Scaled:
    def __init__(self, scale=1.0, seed=None):
        self.scale, self.seed = scale, seed
    def __call__(self, shape, dtype=None):
        raise NotImplementedError
    def get_config(self):
        return {"scale": self.scale, "seed": self.seed}

class Half:
    def __call__(self, shape, dtype=None):
        raise NotImplementedError
    def get_config(self):
        return {}

class Layer:
    def __call__(self, *args, **kwargs):
        raise NotImplementedError
    def get_config(self):
        return {}

class Outer:
    Inner = Scaled

twice = Scaled(2.0)
row = initcheck.Initializer("mine", Scaled, initcheck.catalog.laws.Constant(0.0), "our wiki", {"scale": 3.0})
problem = initcheck.PROBLEMS["iris"]
number = 3
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module of the user's in the current folder; loading the framework costs nothing."""
    (tmp_path / "mine.py").write_text("import initcheck.catalog.laws\n" + MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(own, "load_target_keras", lambda: None)
    yield tmp_path
    for name in ("mine", "broken"):
        sys.modules.pop(name, None)


def loaded():
    """The user's module, imported."""
    import_own("mine:Scaled", "--subject")
    return sys.modules["mine"]


def test_a_class_an_instance_and_a_row_are_initializers(mine):
    (kind,), (instance,) = find_initializers(["mine:Scaled"]), find_initializers(["mine:twice"])
    row, half = find_initializers(["mine:row", "mine:Half"])
    module = sys.modules["mine"]
    assert (kind.name, kind.made_by, dict(kind.config), kind.law) == ("Scaled", module.Scaled, {}, Unstated())
    assert (instance.made_by, dict(instance.config)) == (module.Scaled, {"scale": 2.0})
    assert row is module.row
    assert not half.law.random


def test_names_rows_classes_and_instances_mix_and_keep_their_order(mine):
    module = loaded()
    rows = find_initializers(["zeros", "mine:Scaled", module.Half, INITIALIZERS["ones"]])
    assert [row.name for row in rows] == ["zeros", "Scaled", "Half", "ones"]
    assert [row.name for row in find_initializers(["all", "zeros"])] == list(INITIALIZERS)
    assert import_own("mine:Outer.Inner", "--subject") is module.Scaled


def test_two_initializers_of_one_name_are_refused(mine):
    with pytest.raises(InitcheckError, match="two initializers are named 'Scaled'; give yours a name of its own"):
        find_initializers(["mine:Scaled", "mine:twice"])
    zeros = initcheck.Initializer("zeros", "Ones", Constant(1.0), "a mistake")
    with pytest.raises(InitcheckError, match="two initializers are named 'zeros'"):
        find_initializers([zeros])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "mine:Layer",
            "--initializers mine:Layer: Layer is a class, not an initializer; give a class",
        ),
        ("mine:number", "--initializers mine:number: it is 3 (an int), not an initializer; give"),
        ("mine:absent", "mine has nothing named 'absent'"),
        ("mine.py:Scaled", "without .py or folders"),
        ("./mine:Scaled", "without .py or folders"),
        ("mine:", "without .py or folders"),
        (":Scaled", "without .py or folders"),
        ("nowhere_at_all:Scaled", "no such module"),
        ("nowhere.at.all:Scaled", "importing 'nowhere.at.all' failed"),
    ],
)
def test_what_is_no_initializer_is_one_line(mine, name, words):
    with pytest.raises(InitcheckError, match="--initializers") as raised:
        find_initializers([name], "--initializers")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "source",
    [
        "1 / 0",
        "raise SystemExit(0)",
        "import sys; sys.exit()",
        "def",
        "raise BaseException('\\x1b]0;\\x07')",
        "import x_y_z",
    ],
)
def test_a_module_that_does_not_import_is_one_line_that_names_it(mine, source):
    Path("broken.py").write_text(source)
    with pytest.raises(InitcheckError, match="--problem broken:p: importing 'broken' failed") as raised:
        find_problem("broken:p")
    assert str(raised.value).isprintable()


def test_a_problem_is_imported_and_anything_else_is_refused(mine):
    assert find_problem("mine:problem") is initcheck.PROBLEMS["iris"]
    for name, words in (("mine:number", "is of type int"), ("mine:Scaled", "is a class, Scaled")):
        with pytest.raises(InitcheckError, match=words):
            find_problem(name)


def test_what_a_module_names_can_be_named_by_a_command(mine):
    module = loaded()
    assert origin_of(module.Scaled) == "mine:Scaled"
    assert origin_of(module.row) == "mine:row"
    assert origin_of(type("Local", (), {})) == ""
    assert origin_of(object()) == ""


def test_a_known_issue_of_the_framework_excuses_an_own_object_and_does_not_go_stale(monkeypatch):
    issue = KnownIssue("SEED02", "*", "seeds are aliased", "", {})
    narrow = KnownIssue("LAW02", "he_*", "another law", "", {})
    rows = {"SEED02": [issue], "LAW02": [narrow]}
    monkeypatch.setattr(sys.modules["initcheck.catalog.known_issues"], "rows_by_check", lambda: rows)
    row = initcheck.Initializer("he_mine", "HeNormal", Unstated(), "")
    (cell,) = registry.cells(codes=["SEED02"], own=[registry.as_subject(row)])
    assert cell.known_issue is issue
    (cell,) = registry.cells(codes=["LAW02"], own=[registry.as_subject(row)])
    assert cell.known_issue is None
    mark: Any = initcheck.parametrize_with_checks(row, codes=["SEED02"])
    (parameter,) = mark.args[1]
    assert [one.kwargs["strict"] for one in parameter.marks if one.name == "xfail"] == [False]


@pytest.mark.parametrize(
    ("variables", "keras_json", "words"),
    [
        ({"KERAS_BACKEND": "jax"}, None, "'jax' by the variable KERAS_BACKEND; set KERAS_BACKEND=tensorflow"),
        ({"KERAS_BACKEND": "nonsense"}, None, "'nonsense' by the variable"),
        ({}, {"backend": "torch"}, r"'torch' by .*keras.json; set KERAS_BACKEND=tensorflow"),
        ({"KERAS_BACKEND": "tensorflow"}, {"backend": "torch"}, ""),
        ({}, {"backend": "tensorflow"}, ""),
        ({}, ["no", "settings"], "keras.json, which Keras reads when it is imported, holds no JSON object; remove it"),
        ({}, "[" * 100_000, "is nested too deeply; remove it"),
        ({}, " " * 1_000_001, "cannot be used .*larger"),
        ({}, "no JSON", ""),
        ({}, "", ""),
        ({}, None, ""),
    ],
)
def test_what_keras_would_not_import_with_is_named_before(variables, keras_json, words, tmp_path, monkeypatch):
    monkeypatch.setattr(framework, "is_within", lambda *_: True)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if keras_json is not None:
        (tmp_path / "keras.json").write_text(keras_json if isinstance(keras_json, str) else json.dumps(keras_json))
    if not words:
        framework._require_settings()
        return
    with pytest.raises(FrameworkError, match=words):
        framework._require_settings()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_settings_that_are_no_file_are_not_waited_for(make, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    make(tmp_path / "keras.json")
    with pytest.raises(FrameworkError, match=r"keras.json, .* is no file; remove it"):
        framework._require_settings()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["XLA_FLAGS", "TF_XLA_FLAGS"])
def test_flags_that_tensorflow_ends_at_are_named(name, monkeypatch):
    """It would end the process with exit code 1, which is that of a failed check."""
    monkeypatch.delenv("INITCHECK_TRIED_FLAGS", raising=False)
    monkeypatch.setenv(name, "--no_such_flag=1")
    with pytest.raises(
        FrameworkError, match=rf"does not start with {name}='--no_such_flag=1' \(Unknown flag.*\); correct"
    ):
        framework._require_flags()


@pytest.mark.parametrize(("ends", "tried"), [((0, b""), 1), ((1, b"No module named tensorflow"), 1)])
def test_other_flags_are_tried_once_and_a_broken_framework_is_reported_elsewhere(ends, tried, monkeypatch):
    calls = []

    def run(*_, **__):
        calls.append(ends)
        return SimpleNamespace(returncode=ends[0], stderr=ends[1])

    monkeypatch.setenv("INITCHECK_TRIED_FLAGS", "")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    monkeypatch.setattr(subprocess, "run", run)
    for _ in range(2):
        framework._require_flags()
    assert len(calls) == tried


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("libx.so: failed to map segment from shared object"), "too little memory"),
        (MemoryError(), "too little memory"),
        (OSError(12, "Cannot allocate memory"), "too little memory"),
        (ImportError("DLL load failed"), "DLL load failed"),
    ],
)
def test_the_true_reason_is_given_where_the_framework_does_not_import(error, words, monkeypatch):
    def fail(_):
        raise error

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(FrameworkError, match=f"does not import.*{words}|{words}.*"):
        framework.import_framework("tensorflow")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"floatx": "float128", "epsilon": 1e-7}, r"keras.json asks for floatx 'float128': correct that"),
        ({"floatx": "float32", "backend": "tensorflow"}, "see to that, or reinstall it"),
        (None, "see to that, or reinstall it"),
    ],
)
def test_settings_are_named_where_they_may_be_the_cause(settings, words, tmp_path, monkeypatch):
    def fail(_):
        raise ValueError("invalid literal")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if settings is not None:
        (tmp_path / "keras.json").write_text(json.dumps(settings))
    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(FrameworkError, match=rf"^tensorflow .* \(ValueError: invalid literal\); .*{words}"):
        framework.import_framework("tensorflow")


def test_an_instance_is_rebuilt_by_what_reads_its_configuration(mine):
    module = loaded()
    assert not as_row(module.twice).serialized
    module.Scaled.from_config = classmethod(lambda cls, config: cls(**config))
    assert as_row(module.twice).serialized
    assert hash(as_row(module.twice)) != hash(as_row(module.Half))


SEEDS = """
import numpy as np

class Base:
    def __init__(self, seed=None): self.seed = seed
    def get_config(self): return {"seed": self.seed}

class Right(Base):
    def __call__(self, shape, dtype=None): return np.random.RandomState(self.seed).normal(size=shape)

class Flat(Base):
    def __call__(self, shape, dtype=None): return np.ones(shape)

class Unseeded(Base):
    def __call__(self, shape, dtype=None): return np.random.normal(size=shape)

class Counting(Base):
    calls = 0
    def __call__(self, shape, dtype=None):
        Counting.calls += 1
        return np.full(shape, Counting.calls)

class OtherName:
    def __init__(self, random_state=None): self.random_state = random_state
    def __call__(self, shape, dtype=None): return np.random.RandomState(self.random_state).normal(size=shape)
    def get_config(self): return {"random_state": self.random_state}

class Turned(Base):
    def __call__(self, shape, dtype=None): return np.ones(shape[::-1])

class Square(Base):
    def __call__(self, shape, dtype=None): raise ValueError("only square shapes")
"""


def test_an_own_initializer_has_to_follow_its_seed(mine):
    (mine / "mine.py").write_text(SEEDS)
    keras, asked = SimpleNamespace(), [Asked((4, 3))]
    rows = {name: find_initializers([f"mine:{name}"])[0] for name in ("Right", "Flat", "Square")}
    assert require_seeded(keras, rows["Right"], asked) is rows["Right"]
    assert require_seeded(keras, rows["Square"], []) is rows["Square"]
    with pytest.raises(InitcheckError, match=r"'Square' cannot draw the shape \(4, 3\) .* only square shapes"):
        require_seeded(keras, rows["Square"], asked)
    with pytest.warns(UserWarning, match="'Flat' draws the same under every seed"):
        assert not require_seeded(keras, rows["Flat"], asked).law.random
    for name in ("Unseeded", "Counting", "OtherName"):
        (row,) = find_initializers([f"mine:{name}"])
        with pytest.raises(InitcheckError, match=f"the initializer '{name}' draws differently under one seed"):
            require_seeded(keras, row, asked)
    (row,) = find_initializers(["mine:Turned"])
    with pytest.raises(InitcheckError, match=r"gives the shape \(3, 4\) where \(4, 3\) is asked for"):
        require_seeded(keras, row, asked)


def initializer(draw, seeded="seed=None"):
    """A class of initializers that draw so, ``draw(seed, shape, dtype)``; ``seeded`` is its constructor's argument."""
    from initcheck.frameworks.keras import load_keras

    names = {"draw": staticmethod(draw)}
    exec(
        f"""
def __init__(self, {seeded}): self.seed = seed
def __call__(self, shape, dtype=None): return self.draw(self.seed, tuple(shape), dtype)
def get_config(self): return {{"seed": self.seed}}
""",
        names,
    )
    base = load_keras().initializers.Initializer  # Keras 2 warns of any other
    return type("Mine", (base,), {name: names[name] for name in ("__init__", "__call__", "get_config", "draw")})


def normal(seed, shape, dtype):
    return np.random.RandomState(seed).normal(size=shape)


def refused(own):
    with pytest.raises(InitcheckError) as raised:
        initcheck.sweep("iris", initializers=["he_normal", own], reseeds=1, epochs=1)
    return str(raised.value)


def test_an_initializer_is_seen_at_the_shapes_and_dtypes_that_the_model_asks_for():
    from initcheck.engines.own_initializers import asked_of
    from initcheck.frameworks.keras import load_keras

    assert asked_of(load_keras(), initcheck.PROBLEMS["iris"]) == [Asked((4, 1), "float32")]
    shapes = {one.shape for one in asked_of(load_keras(), initcheck.PROBLEMS["xor"])}
    assert len(shapes) > 1


def other_entropy(seed, shape, dtype):
    return np.frombuffer(os.urandom(4 * int(np.prod(shape))), np.uint32).reshape(shape) / 2.0**32


@pytest.mark.parametrize("unseeded", [lambda seed, shape, dtype: np.random.normal(size=shape), other_entropy])
def test_an_initializer_that_is_unseeded_only_at_the_models_shapes_is_refused(unseeded):
    own = initializer(lambda *asked: (normal if asked[1] == (4, 3) else unseeded)(*asked))
    assert refused(own).startswith("the initializer 'Mine' draws differently under one seed, so that no run could be ")
    own = initializer(lambda *asked: (normal if asked[2] is None else unseeded)(*asked))
    assert "draws differently under one seed" in refused(own)


def test_an_initializer_that_cannot_draw_what_the_model_asks_for_is_one_line_that_names_it():
    from initcheck.frameworks.keras import load_keras

    empty = type("Empty", (load_keras().initializers.Initializer,), {})
    message = refused(empty)
    assert message.startswith(
        "the initializer 'Empty' cannot draw the shape (4, 1) that the problem's model asks for ("
    )
    assert "NotImplementedError" in message

    def at_times(seed, shape, dtype):
        if shape != (4, 3):
            raise ValueError("only 4 × 3")
        return normal(seed, shape, dtype)

    assert "'Mine' cannot draw the shape (4, 1) that the problem's model asks for (ValueError: only 4 × 3); fix" in (
        refused(initializer(at_times))
    )


def test_an_initializer_of_another_shape_or_of_complex_numbers_is_named():
    message = refused(initializer(lambda seed, shape, dtype: normal(seed, (4, 3), dtype)))
    assert message.startswith("the initializer 'Mine' gives the shape (4, 3) where (4, 1) is asked for; ")
    message = refused(initializer(lambda seed, shape, dtype: normal(seed, shape, dtype) * 1j))
    assert message == "the initializer 'Mine' draws complex numbers; let its __call__ return real numbers"
    fits_only = initializer(lambda seed, shape, dtype: normal(seed, (4, 1), dtype))
    assert initcheck.sweep("iris", initializers=[fits_only], reseeds=1, epochs=1).finished == 1


@pytest.mark.parametrize(
    "convert", [np.asarray, np.ndarray.tolist, lambda drawn: drawn.astype("float16")], ids=["float64", "list", "half"]
)
def test_draws_of_another_dtype_are_cast_as_keras_does_and_trained_side_by_side(convert):
    from initcheck.engines.ensemble import EnsembleEngine
    from initcheck.frameworks.instances import LayerInitializers
    from initcheck.frameworks.keras import load_keras

    if load_keras().__version__.startswith("2."):
        pytest.skip("the ensemble engine has no Keras 2")
    own = as_row(initializer(lambda *asked: convert(normal(*asked))))
    problem = initcheck.PROBLEMS["iris"]
    built = problem.model(load_keras(), LayerInitializers(own, 5), (4,)).get_weights()
    drawn = EnsembleEngine(problem, [own]).initial_weights(own, [4, 5])
    for one, weight in zip(drawn, built, strict=True):
        assert one.dtype == weight.dtype == np.float32
        assert np.array_equal(one[..., 1], weight)


@pytest.mark.parametrize("value", [1.0, np.nan])
def test_an_initializer_that_needs_a_seed_gets_one_though_it_draws_the_same_under_all(value):
    own = initializer(lambda seed, shape, dtype: np.full(shape, value), seeded="seed")
    with pytest.warns(UserWarning, match="the initializer 'Mine' draws the same under every seed"):
        sweep = initcheck.sweep("iris", initializers=[own], reseeds=2, epochs=1)
    assert sweep.finished == 2


def test_draws_of_few_values_are_not_taken_for_the_same_under_every_seed():
    row = as_row(initializer(lambda seed, shape, dtype: np.full(shape, 1.0 if seed < 9 else -1.0)))
    assert require_seeded(SimpleNamespace(), row, [Asked((1, 1))]).law.random


@pytest.mark.parametrize("error", [SystemExit(3), type("Outside", (BaseException,), {})("x")], ids=["exit", "outside"])
@pytest.mark.parametrize("method", ["__call__", "get_config"])
def test_an_own_initializer_that_raises_what_nothing_catches_is_one_line(method, error):
    def fail(self, shape=None, dtype=None):
        raise error

    def config(self):
        return {}

    right = {"__call__": _zeros, "get_config": config}
    own = type("Mine", (), right | {method: fail})
    with pytest.raises(initcheck.InitcheckError, match=f"Mine.*{type(error).__name__}: {error}.*; ") as raised:
        initcheck.sweep("iris", initializers=[own()], reseeds=1, epochs=1)
    assert str(raised.value).isprintable()


def _zeros(self, shape, dtype=None):
    return np.zeros(shape, dtype)


UNSTATED_CODES = ["LAW01", "LAW02", "LAW03", "LAW04", "LAW05", "LAW06", "LAW07", "LAW08", "LAW09", "LAW17", "LAW31"]


@pytest.mark.parametrize("code", [*UNSTATED_CODES, "SEED06"])
def test_a_class_that_states_no_law_is_said_to_state_none(mine, code):
    (cell,) = registry.cells(codes=[code], own=[registry.as_subject(loaded().Scaled)])
    verdict = run_check(cell, FakeLab(lambda row, shape, seed, dtype: np.zeros(shape, dtype)))
    assert verdict.status is Status.NOT_APPLICABLE
    assert verdict.measured == "Scaled states no law; give an initcheck.Initializer row (docs/own_models.md)"


def test_a_stated_law_that_does_not_fit_the_check_is_still_said_so(mine):
    row = initcheck.Initializer("zero", loaded().Scaled, Constant(0.0), "our wiki")
    chosen = registry.cells(codes=["LAW03", "LAW08"], own=[registry.as_subject(row)])
    reasons = [run_check(cell, FakeLab()).measured for cell in chosen]
    assert reasons == ["zero has no independent random elements", "zero is not orthogonal"]


def test_a_class_without_a_seed_is_not_said_to_be_unrandom(mine):
    (cell,) = registry.cells(codes=["SYM06"], own=[registry.as_subject(loaded().Half)])
    assert run_check(cell, FakeLab()).measured == "Half takes no seed"


def test_the_last_line_of_check_counts_what_ran(mine):
    result = CliRunner().invoke(cli, ["check", "LAW03", "LAW07", "--subject", "mine:Scaled", "--seed", "7"])
    assert isinstance(result.exception, InitcheckError)  # exit code 2: a green build would say that something held
    assert str(result.exception) == "nothing was judged: 2 checks not applicable, as said above; choose others; seed 7"
    result = CliRunner().invoke(cli, ["check", "LAW03", "SER01", "--subject", "mine:row", "--seed", "7"])
    # Before what TensorFlow deprecates on Python 3.13, or Keras 2 anywhere.
    *_, last = (line for line in result.output.splitlines() if "deprecation warning" not in line)
    assert last.startswith("initcheck: 1 check ran, ")
    assert last.endswith(" failed, 1 not applicable; seed 7")


def _by_first_axis(row, shape, seed, dtype):
    """A fan from ``shape[0]``, as own initializers often have it."""
    return np.random.RandomState(seed).normal(size=shape).astype(dtype) / np.float32(max(1, shape[0]))


def test_an_own_initializer_need_not_draw_a_scalar_unless_its_law_promises_one(mine):
    def judge(own):
        (cell,) = registry.cells(codes=["LAW10"], own=[registry.as_subject(own)])
        return run_check(cell, SimpleNamespace(draws=draws, stream=FakeLab().stream))

    fake = FakeLab(_by_first_axis).draws
    draws = SimpleNamespace(draw=fake.draw, attempt=_attempt(fake.draw))
    kind = loaded().Scaled
    verdict = judge(kind)
    assert (verdict.status, verdict.measured) == (
        Status.NOT_APPLICABLE,
        "Scaled does not draw the shape () (IndexError), and states no law that promises it; the other tiny shapes are "
        "right",
    )
    stated = judge(initcheck.Initializer("mine", kind, VarianceScaled(1.0, "fan_in", "normal"), "our wiki"))
    assert (stated.status, stated.measured) == (Status.FAIL, "raised IndexError: tuple index out of range")
    draws = SimpleNamespace(draw=lambda *_, **__: np.zeros(3, np.float32), attempt=lambda *_, **__: np.zeros(3))
    assert judge(kind).status is Status.FAIL


def _attempt(draw):
    def attempt(row, shape, *, seed):
        try:
            return draw(row, shape, seed=seed)
        except Exception as error:  # noqa: BLE001 - as the package's own attempt
            return type(error).__name__

    return attempt


def test_a_failure_of_a_users_code_is_shown_where_it_is_and_not_in_ours(mine):
    (cell,) = registry.cells(codes=["SEED03"], own=[registry.as_subject(loaded().Scaled)])
    session: Any = SimpleNamespace()
    lab = SimpleNamespace(draws=Draws(session), stream=FakeLab().stream)
    cause = run_check(cell, lab).cause
    assert isinstance(cause, NotImplementedError)
    assert [frame.name for frame in traceback.extract_tb(cause.__traceback__)] == ["__call__"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (_zeros, "_zeros is a function"),
        (lambda shape: shape, "<lambda> is a function"),
        (SimpleNamespace(), "it is a SimpleNamespace"),
        (print, "print is a function"),
        (type("\x1b[31m", (), {}), " [31m is a class"),
        (type("\x1b[31m", (), {})(), "it is a  [31m"),
    ],
    ids=["function", "lambda", "object", "built-in", "colored class", "colored instance"],
)
def test_what_is_given_in_place_of_an_initializer_is_named(given, words):
    for ask, what in (
        (lambda: initcheck.sweep("iris", initializers=[given]), "initializers"),
        (lambda: registry.as_subject(given), "the object to check"),
    ):
        with pytest.raises(InitcheckError) as raised:
            ask()
        assert str(raised.value).startswith(f"{what}: {words}, not an initializer; give a class or an instance with ")
        assert str(raised.value).isprintable()
