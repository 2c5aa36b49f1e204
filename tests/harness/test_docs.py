"""What README and docs claim is true of the program."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from initcheck.checks.registry import all_checks
from initcheck.cli import app as cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_check_has_its_section_and_every_section_its_check():
    text = (ROOT / "docs" / "checks.md").read_text()
    assert re.findall(r"^## (\w+): (.+)$", text, re.MULTILINE) == [(one.code, one.title) for one in all_checks()]


def test_ci_runs_the_readme_s_test_command_as_it_is_written():
    extract = re.search(r'sh -c "\$\((sed .*?)\)"', (ROOT / ".ci" / "run").read_text()).group(1)
    command = subprocess.run(["sh", "-c", extract], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert command == "pip install -e '.[tensorflow,test]' && pytest -n auto\n"


def commands():
    lines = [line.partition("#")[0].strip() for line in README.splitlines()]
    return [line for line in lines if line.startswith("initcheck ")]


@pytest.mark.parametrize("line", commands())
def test_every_command_of_the_readme_is_one_that_the_program_takes(line):
    command: click.Command = cli.cli
    name, *words = shlex.split(line)
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    command.make_context(name, words)


def test_the_readme_names_commands():
    assert len(commands()) >= 6


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
def test_links_within_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
