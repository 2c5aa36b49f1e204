"""The lines in docs/found.md that show what a library does: they print what stands beside them.

They are run where the library is installed. Where a release has corrected one, the test fails: the page and the known
issue's range are to be closed.
"""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "found.md"
SECTIONS = re.findall(r"^## (.+?)$(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
LIBRARIES = ("torch", "flax", "jax")


def snippets():
    """Name of a section, the library that it needs, and its lines."""
    for title, text in SECTIONS:
        for code in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            imported = re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)
            backend = re.search(r'"KERAS_BACKEND"\] = "(\w+)"', code)
            needed = backend[1] if backend else next((name for name in LIBRARIES if name in imported), None)
            if needed and (backend or "keras" not in imported):
                yield pytest.param(needed, code, id=re.sub(r"\W+", "-", title).strip("-"))


def said_in(code):
    """What stands beside what it prints."""
    return re.findall(r"^print\(.*\)  # (.+), should be .+$", code, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize(("needed", "code"), list(snippets()))
def test_the_lines_print_what_the_page_says(needed, code):
    if any(find_spec(name) is None for name in (needed, *(["keras"] if "keras" in code else []))):
        pytest.skip(f"needs what it imports, {needed} among them")
    said = said_in(code)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.split("\n")[:-1] == said, ran.stderr


@pytest.mark.parametrize(("_", "code"), list(snippets()))
def test_all_lines_say_what_they_print(_, code):
    assert len(said_in(code)) == code.count("print(") > 0


def test_the_page_has_lines_of_every_library():
    assert {snippet.values[0] for snippet in snippets()} == set(LIBRARIES)
