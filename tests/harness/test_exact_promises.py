"""A property that fails arrives shrunk, in the words of the check."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BREAKING = """
from initcheck.frameworks.keras import load_keras
from initcheck.mutants.mutant import apply_mutant

def pytest_sessionstart(session):
    load_keras()
    apply_mutant({fault!r})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "test", "code", "smallest"),
    [
        # One hidden layer of the least width, of the first activation, loss and optimizer there are.
        ("dense-unit-scale", "test_any_net_of_zeros", "SYM01", "widths=(16,), activation='sigmoid', optimizer='SGD'"),
        # The fault is in dense layers of four units or more.
        ("dense-leaks-unit", "test_permuted_units", "SYM07", "widths=(4,), activation='sigmoid', optimizer='SGD'"),
    ],
)
def test_a_failure_is_shrunk_to_the_smallest_architecture(tmp_path, fault, test, code, smallest):
    (tmp_path / "breaking.py").write_text(BREAKING.format(fault=fault))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n0", "-p", "breaking", "-p", "no:cacheprovider"),
            *("tests/reproducibility/test_symmetry.py", "-k", test),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join(line.removeprefix("E").strip() for line in done.stdout.splitlines())
    assert "1 failed" in said
    assert f"AssertionError: {code} " in said
    assert f"case=Net({smallest}" in said
    assert f"repeat: pytest tests/reproducibility/test_symmetry.py::{test}" in said
