"""A function's name changes with what it does, and with nothing else."""

import functools
import os
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest

from initcheck.store.code_digests import code_digest

BASE = """
import functools
import numpy as np
RATE = 0.5
TABLE = np.arange(3.0)
class Layer:
    units = 4
    def call(self, x):
        return x * 2
def helper(x):
    return Layer().call(x) + RATE
def data():
    return helper(TABLE)
{cache}
def build(size=3, *, bias=True):
    def inner():
        return helper(size)
    return [inner() for _ in range(2)]
"""


def module(text=BASE, **changes):
    for old, new in changes.pop("replace", {}).items():
        assert old in text
        text = text.replace(old, new)
    made = types.ModuleType("mine")
    made.__dict__["__name__"] = "mine"
    exec(compile(textwrap.dedent(text.format(cache=changes.get("cache", ""))), "mine.py", "exec"), made.__dict__)
    return made


def digests(one):
    return code_digest(one.build, one.data)


def test_the_same_code_has_one_name_wherever_it_lies():
    longer = BASE.replace("def helper", "\n\n# a comment\ndef helper")
    assert digests(module()) == digests(module()) == digests(module(longer))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RATE = 0.5", "RATE = 0.25"),
        ("np.arange(3.0)", "np.arange(4.0)"),
        ("return x * 2", "return x * 3"),
        ("return x * 2", "return x + 2"),
        ("units = 4", "units = 5"),
        ("size=3", "size=4"),
        ("bias=True", "bias=False"),
        ("range(2)", "range(3)"),
    ],
)
def test_whatever_it_calls_or_reads_gives_it_another_name(old, new):
    assert digests(module()) != digests(module(replace={old: new}))


def test_cached_and_partial_functions_are_looked_into():
    cached, other = (
        module(cache="@functools.cache"),
        module(cache="@functools.cache", replace={"RATE = 0.5": "RATE = 1"}),
    )
    assert code_digest(cached.build) != code_digest(other.build)
    assert code_digest(functools.partial(module().build, 3)) != code_digest(functools.partial(module().build, 4))
    assert code_digest(np.zeros(3)) != code_digest(np.zeros(3, np.float32))


def test_functions_that_call_each_other_come_to_an_end():
    text = "def build():\n    return data()\ndef data():\n    return build()\n"
    assert digests(module(text)) == digests(module(text))


def test_another_process_gives_the_same_name(tmp_path):
    (tmp_path / "mine.py").write_text(BASE.format(cache=""))
    code = (
        "import mine; from initcheck.store.code_digests import code_digest; print(code_digest(mine.build, mine.data))"
    )
    command = [sys.executable, "-c", code]
    names = [
        subprocess.run(
            command,
            cwd=tmp_path,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert names[0] == names[1]
    assert len(names[0]) == 25


@pytest.mark.slow
def test_a_model_of_keras_s_classes_has_one_name_in_every_process():
    code = (
        "from examples.models import transformer as own; from initcheck.store.code_digests import code_digest as name; "
        "print(name(own.build, own.data), own.build() and name(own.build, own.data))"
    )
    names = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        names |= {*subprocess.run(command, env=environment, capture_output=True, check=True).stdout.split()}
    assert len(names) == 1
