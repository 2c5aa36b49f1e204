"""Verdicts on a target that a store keeps: a matrix that was stopped goes on, and another question is another one."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ended_processes import ended_processes
from judged_targets import cell
from runs import ENVIRONMENT

from initcheck.matrix import kept_verdicts as module
from initcheck.matrix.kept_verdicts import judged_or_found, kept_verdicts
from initcheck.store.folder import Store
from initcheck.store.upkeep import mistakes_in
from initcheck.targets import VARIABLE

LIBRARY = """
import time, pathlib
import numpy as np
from initcheck import Initializer, Library
from initcheck.catalog.laws import ElementLaw, Elementwise

WIDTH = 0.05

def draw(row, shape, seed, dtype):
    while pathlib.Path("gate").exists() and len(list(pathlib.Path("store").glob("*/texts/*"))) >= 3:
        pathlib.Path("waiting").touch()
        time.sleep(0.02)
    return np.random.default_rng(seed).normal(0.0, WIDTH, shape).astype(dtype)

ROWS = (Initializer("normal", "normal", Elementwise(ElementLaw("normal", 0.0, 0.05)), "our wiki"),)
LIBRARY = Library(name="mine", packages=("numpy",), rows=ROWS, draw=draw)
"""
CODES = ("LAW02", "LAW03", "SEED13")


class Judge:
    """Judges checks, and notes which."""

    def __init__(self, **verdicts):
        self.verdicts = verdicts
        self.judged = []

    def __call__(self, code):
        self.judged.append(code)
        verdict = self.verdicts.get(code, [cell(code, "he_normal"), cell(code, "ones", p_value=0.1 + 0.2)])
        if isinstance(verdict, BaseException):
            raise verdict
        return verdict


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """The verdicts on a target that a store keeps."""
    monkeypatch.setattr(module, "target_environment", lambda: ENVIRONMENT)
    monkeypatch.setenv(VARIABLE, "torch")
    Store.open(tmp_path)

    def kept_(seed=7, target="torch"):
        monkeypatch.setenv(VARIABLE, target)
        return kept_verdicts(tmp_path, seed)

    return kept_


def test_what_was_judged_before_a_matrix_was_stopped_is_not_judged_again(kept):
    first, second = Judge(LAW03=KeyboardInterrupt()), Judge()
    with pytest.raises(KeyboardInterrupt):
        list(judged_or_found(kept(), CODES, first))
    undisturbed = list(judged_or_found(None, CODES, Judge()))
    gone_on = list(judged_or_found(kept(), CODES, second))
    assert (first.judged, second.judged) == (["LAW02", "LAW03"], ["LAW03", "SEED13"])
    assert [(code, cells) for code, cells, _ in gone_on] == [(code, cells) for code, cells, _ in undisturbed]
    assert [found for _, _, found in gone_on] == [True, False, False]


def test_what_initcheck_itself_failed_in_is_judged_again(kept):
    list(judged_or_found(kept(), CODES, Judge(LAW03=[cell("LAW03", "he_normal", None)])))
    again = Judge()
    found = {code: (cells, found) for code, cells, found in judged_or_found(kept(), CODES, again)}
    assert again.judged == ["LAW03"]
    assert found["LAW03"] == (Judge()("LAW03"), False)


@pytest.mark.parametrize("other", [{"seed": 8}, {"target": "jax"}])
def test_another_seed_and_another_target_are_other_questions(other, kept):
    list(judged_or_found(kept(), CODES, Judge()))
    again = Judge()
    list(judged_or_found(kept(**other), CODES, again))
    assert again.judged == [*CODES]


def test_another_environment_is_another_question(kept, monkeypatch):
    list(judged_or_found(kept(), CODES, Judge()))
    newer = {**vars(ENVIRONMENT), "versions": {**ENVIRONMENT.versions, "torch": "99"}}
    monkeypatch.setattr(module, "target_environment", lambda: type(ENVIRONMENT)(**newer))
    again = Judge()
    list(judged_or_found(kept(), CODES, again))
    assert again.judged == [*CODES]


@pytest.mark.slow
def test_a_target_whose_process_was_killed_goes_on_to_the_same_record(tmp_path):
    (tmp_path / "mine.py").write_text(LIBRARY)
    Store.open(tmp_path / "store")
    (tmp_path / "gate").touch()
    with ended_processes() as started:
        started.append(judging(tmp_path, "store"))
        wait_for((tmp_path / "waiting").exists)
    assert len(list((tmp_path / "store").glob("*/texts/*"))) >= 3
    (tmp_path / "gate").unlink()
    gone_on, steps = record_of(tmp_path, "store")
    assert gone_on == record_of(tmp_path, None)[0]
    assert {step.split()[-1] for step in steps[:3]} <= set(gone_on["checks"])  # found: checks, not their subjects
    assert list(mistakes_in(Store(tmp_path / "store"))) == []

    (tmp_path / "mine.py").write_text(LIBRARY.replace("WIDTH = 0.05", "WIDTH = 0.06"))
    other, _ = record_of(tmp_path, "store")
    assert len(list((tmp_path / "store").glob("matrix_mine_LIBRARY-*"))) == 2
    assert {one["status"] for one in other["cells"] if one["check"] == "LAW03"} == {"fail"}


def judging(folder, store):
    """A process that judges the library in that folder."""
    words = [] if store is None else ["--store", store]
    return subprocess.Popen(
        [sys.executable, "-m", "initcheck", "judge-target", "record.json", *words],
        cwd=folder,
        env={**os.environ, VARIABLE: "mine:LIBRARY"},
        stdout=subprocess.PIPE,
        text=True,
    )


def record_of(folder, store):
    """The record that it writes, but for how long it took, and its lines."""
    with ended_processes() as started:
        started.append(judging(folder, store))
        out, _ = started[0].communicate(timeout=120)
    record = json.loads(Path(folder / "record.json").read_text())
    del record["seconds"]
    return record, out.splitlines()


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
