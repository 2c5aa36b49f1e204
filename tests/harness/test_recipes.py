"""The recipes of CONTRIBUTING.md, followed as they are written in a copy of the tree."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPES = dict(
    re.findall(r"^### ([^\n]+)\n(.*?)(?=^### |\Z)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
)
# Runs every command in one process, so that the framework is imported once, and writes what each of them said.
TRY = """
import contextlib, io, json, runpy, shlex, sys
from pathlib import Path
import initcheck
assert Path(initcheck.__file__).is_relative_to(Path.cwd()), initcheck.__file__
import pytest
from initcheck.cli.app import cli

def run(program, *words):
    if program == "pytest":
        return pytest.main([*words, "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"])
    if program == "python":
        _, module = words
        return runpy.run_module(module, run_name="__main__")
    return cli.main(words, standalone_mode=False)

outputs = {}
for line in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        run(*shlex.split(line))
    outputs[line] = out.getvalue()
Path(sys.argv[2]).write_text(json.dumps(outputs))
"""


def blocks(recipe, *languages):
    return re.findall(rf"```(?:{'|'.join(languages)})\n(.*?)```", RECIPES[recipe], re.DOTALL)


def commands(recipe):
    """Each command with what it says."""
    return [line.split("  # ") for block in blocks(recipe, "sh") for line in block.splitlines()]


def follow(recipe, tree):
    """Puts the recipe's blocks where they say that they go."""
    for block in blocks(recipe, "python", "markdown", "ini", "toml"):
        heading, _, new = block.partition("\n")
        path, how, mark = re.fullmatch(r"# (\S+), (in|before|after|at the end) ?(.*):", heading).groups()
        lines = (tree / path).read_text().splitlines(keepends=True)
        if how == "at the end":
            place = len(lines)
        else:
            (place,) = (number for number, line in enumerate(lines) if line.startswith(mark))
        if how == "after":
            place += 1
        if how == "in":
            place = next(number for number in range(place, len(lines)) if lines[number][0] in ")]}")
        (tree / path).write_text("".join([*lines[:place], new, *lines[place:]]))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What every command of the recipes says in a tree where all of them were followed."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("initcheck", "tests", "docs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml", "tox.ini", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, tree)
    for recipe in RECIPES:
        follow(recipe, tree)
    lines = [line for recipe in RECIPES for line, _ in commands(recipe)]
    variables = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"}
    words = [sys.executable, "-c", TRY, json.dumps(lines), "outputs.json"]
    done = subprocess.run(words, cwd=tree, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((tree / "outputs.json").read_text())


def test_there_is_a_recipe_for_everything_that_is_one_row_or_one_file():
    assert list(RECIPES) == [
        "An initializer",
        "A problem",
        "A check",
        "A fault",
        "A layer kind",
        "An optimizer",
        "A framework",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_does_what_it_says(recipe, outputs):
    assert commands(recipe)
    for line, expected in commands(recipe):
        assert expected in outputs[line], outputs[line]
