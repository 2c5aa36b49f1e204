import re
import subprocess
import sys
from pathlib import Path

import initcheck

ROOT = Path(__file__).parents[2]


def test_every_public_name_exists_and_is_described():
    for name in initcheck.__all__:
        public = getattr(initcheck, name)
        assert not callable(public) or (public.__doc__ or "").strip().count(" ") > 2, name
    assert set(dir(initcheck)) == set(initcheck.__all__)


def test_the_documented_names_are_the_public_ones():
    documented = set(re.findall(r"`initcheck\.(\w+)`", (ROOT / "docs" / "own_problems.md").read_text()))
    assert documented == set(initcheck.__all__)


def test_importing_loads_no_framework_and_no_heavy_library():
    code = "import sys, initcheck; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "initcheck" in loaded
    assert not {"tensorflow", "keras", "numpy", "pandas", "scipy", "sklearn", "matplotlib"} & set(loaded)
