"""The doctor's self-test: every planted cause is named, and nothing is found in a healthy model."""

import os
import re
import sys
from pathlib import Path

import pytest
from forked_trainings import ForkedTrainings
from planted_models import HEALTHY, PLANTED, PlantedModel

import initcheck
from initcheck.models import fresh_training

FAST = {"equal seeds in two layers", "all kernels zero", "a RandomState without a seed", "a missing value"}
FAST_HEALTHY = {"global draws in the data"}


# It starts processes of its own, as users' do; of the others each is a fork of one that has imported TensorFlow.
OF_THEIR_OWN = {"a vocabulary from a set"}


@pytest.fixture(scope="module")
def forks():
    made = ForkedTrainings()
    yield made
    made.close()


@pytest.fixture
def examined(tmp_path, monkeypatch, forks):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    imported = []

    def examine(name: str, row: PlantedModel):
        module = "own_" + re.sub(r"\W+", "_", name).lower()
        imported.append(module)
        if row.fresh and name not in OF_THEIR_OWN and hasattr(os, "fork"):
            monkeypatch.setattr(fresh_training, "run_child", forks.run_child)
        Path(f"{module}.py").write_text(row.module)
        return initcheck.doctor(f"{module}:build", f"{module}:data", fresh_processes=row.fresh, reseeds=0)

    yield examine
    for module in imported:
        sys.modules.pop(module, None)


def marked(rows, fast):
    return [pytest.param(name, marks=[pytest.mark.slow] * (name not in fast)) for name in rows]


@pytest.mark.parametrize("name", marked(PLANTED, FAST))
def test_the_planted_cause_is_named(name, examined):
    row = PLANTED[name]
    findings = examined(name, row).findings
    assert row.finding in {one.what for one in findings}, findings
    assert {one.what for one in findings} <= {row.finding, *row.also}, findings
    said = " ".join(" ".join((one.where, one.effect, one.remedy)) for one in findings if one.what == row.finding)
    assert not [words for words in row.words if words not in said], findings


@pytest.mark.parametrize("name", marked(HEALTHY, FAST_HEALTHY))
def test_nothing_is_found_in_a_healthy_model(name, examined):
    findings = examined(name, HEALTHY[name]).findings
    assert not findings, findings


def test_there_are_as_many_as_promised():
    assert len(PLANTED) >= 40
    assert len(HEALTHY) >= 15
