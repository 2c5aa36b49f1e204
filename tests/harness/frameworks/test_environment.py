"""What is recorded of an environment: everything that decides bits, and nothing that is not there."""

import os
import subprocess
import sys
from dataclasses import fields, replace

import pytest
from baselines import baseline
from runs import ENVIRONMENT

from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.records.schema import EnvironmentRecord
from initcheck.frameworks import environment as recorded
from initcheck.frameworks.keras import threads
from initcheck.records import DECIDE_BITS


def test_what_is_not_there_takes_no_row():
    shown = dict(ENVIRONMENT.rows())
    assert "switches" not in shown
    assert "cpu features" not in shown
    full = replace(ENVIRONMENT, cpu_features=("avx2", "fma"), switches={"XLA_FLAGS": "--a=b"})
    assert dict(full.rows()) == {**shown, "cpu features": "avx2, fma", "switches": "XLA_FLAGS=--a=b"}


def test_every_field_takes_rows_of_its_own_and_those_that_decide_bits_are_fields():
    full = replace(ENVIRONMENT, cpu_features=("fma",), switches={"a": "b"}, distributions={"keras": "my-keras"})
    names = [field.name for field in fields(full)]
    rows = [row for name in names for row in full.rows([name])]
    assert all(full.rows([name]) for name in names)
    assert sorted(rows) == sorted(full.rows())
    assert set(names) - set(DECIDE_BITS) == {"versions", "distributions", "python"}
    assert set(DECIDE_BITS) < set(names)


def test_an_environment_is_the_same_after_it_was_a_record():
    full = replace(ENVIRONMENT, cpu_features=("avx2",), switches={"floatx": "float64"})
    record = EnvironmentRecord(**vars(full))
    assert EnvironmentRecord.model_validate_json(record.model_dump_json()).environment == full


@pytest.mark.parametrize(
    ("cpuinfo", "features"),
    [
        ("model name : A\nflags : fpu sse avx2 fma ht\n\nmodel name : A\nflags : fpu", ("fma", "avx2")),
        ("processor : 0\nFeatures : fp asimd sve2 crc32", ("asimd", "sve2")),
        ("", ()),
    ],
    ids=["x86", "ARM", "neither"],
)
def test_features_are_those_that_kernels_are_chosen_by(cpuinfo, features, tmp_path, monkeypatch):
    info = tmp_path / "cpuinfo"
    info.write_text(cpuinfo)
    monkeypatch.setattr("initcheck.processor.Path", lambda _: info)
    assert recorded._cpu_features() == features


def test_switches_are_those_that_are_set(monkeypatch):
    for name in recorded._SWITCHES:
        monkeypatch.delenv(name, raising=False)
    assert recorded._switches() == {}
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    assert recorded._switches() == {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}
    assert recorded.settings()["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=true"


@pytest.mark.parametrize(
    ("asked", "expected", "shown"),
    [("", (1, 1), "1"), ("4", (4, 1), "4/1"), ("0", (0, 1), "0/1"), ("1024", (1024, 1), "1024/1")],
)
def test_tensorflow_s_own_variables_decide_its_threads(asked, expected, shown, monkeypatch):
    monkeypatch.delenv("TF_NUM_INTEROP_THREADS", raising=False)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", asked)
    assert threads() == expected
    assert recorded.settings()["threads"] == shown


@pytest.mark.parametrize("name", ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"])
@pytest.mark.parametrize(
    "asked", ["abc", "-3", "1025", "1000000", "99999999999", "9" * 5000, "2.0", " ", "\u0663", "\x1b[31m"]
)
def test_what_is_no_number_of_threads_is_refused_before_tensorflow_is_imported(name, asked):
    program = (
        "import sys; from initcheck.errors import FrameworkError; from initcheck.frameworks import keras as framework\n"
    )
    program += "try: framework.load_keras()\nexcept FrameworkError as error: print(error, 'tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, name: asked}, capture_output=True, text=True, check=True
    )
    message = done.stdout.removesuffix("\n")
    assert message.isprintable()
    assert message.startswith(f"{name}=")
    assert "set it to a whole number from 0 (TensorFlow's choice) to 1,024, or unset it" in message
    assert message.endswith(" False")


@pytest.mark.parametrize(
    "changed",
    [{"cpu_features": ("avx2",)}, {"switches": {"XLA_FLAGS": "--a=b"}}, {"threads": (2, 1)}, {"onednn": False}],
    ids=["features", "switches", "threads", "oneDNN"],
)
def test_another_environment_makes_no_claim_about_bits(changed):
    old = baseline()
    new = old.model_copy(update={"environment": old.environment.model_copy(update=changed)})
    assert compare(old, new).refused
    assert not compare(old, old).refused
