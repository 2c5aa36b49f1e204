"""The example of a library of one's own, Equinox: described, found by its name, and as its source says."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from initcheck.checks.laws.library_defaults import library_defaults
from initcheck.checks.seeds import places_apart
from initcheck.evidence.lab import get_lab
from initcheck.frameworks.backends import load_library
from initcheck.records import Status
from initcheck.targets import target

pytestmark = pytest.mark.skipif(target() not in ("jax", "flax"), reason="needs the target jax or flax")
ROOT = Path(__file__).parents[3]
NAME = "examples.equinox_library"


@pytest.fixture
def example(monkeypatch):
    pytest.importorskip("equinox")
    load_library("jax")
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module(NAME)


def test_its_layers_draw_what_its_source_says(example):
    assert len(example.LAYERS) >= 7
    for layer in example.LAYERS:
        verdict = library_defaults(get_lab(3), layer, 1e-4)
        assert verdict.status is Status.PASS, verdict


def test_its_layers_do_not_share_streams(example):
    for streams in example.LIBRARY.streams:
        verdict = places_apart(get_lab(3), streams, 1e-4)
        assert verdict.status is Status.PASS, verdict


@pytest.mark.slow
def test_it_is_judged_as_a_target(example):
    command = [sys.executable, "-m", "pytest", "-q", "--initcheck-target", f"{NAME}:LIBRARY", "-p", "no:cacheprovider"]
    command += ["tests/reproducibility/test_laws.py", "-k", "LayerNorm or Embedding"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr
