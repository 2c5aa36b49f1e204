"""What README and docs claim is true of the program."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from initcheck.checks.registry import DOCS, DOCS_VARIABLE, all_checks
from initcheck.cli import app as cli
from initcheck.errors import UnknownNameError
from initcheck.reporting.check_page import with_frames

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGE = ROOT / "docs" / "checks.md"
SECTIONS = dict(
    re.findall(r"^## ([A-Z]+\d+)\n(.*?)(?=^##? |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
)


def test_every_check_has_its_section_and_every_section_its_check():
    assert list(SECTIONS) == [one.code for one in all_checks()]


def test_a_section_has_its_frame_and_then_method_source_and_advice():
    for code, text in SECTIONS.items():
        frame, end, by_hand = text.partition(f"<!-- /{code} -->\n")
        assert end, code
        assert frame.startswith(f"\n<!-- {code} -->\n"), code
        assert re.findall(r"^\*\*(.+?)\.\*\*", by_hand, re.MULTILINE) == ["Method", "Source", "If it fails"], code


def test_the_source_of_a_section_is_a_page_or_a_paper():
    for code, text in SECTIONS.items():
        source = text.partition("**Source.**")[2].partition("**If it fails.**")[0]
        assert re.search(r"https://|\b(19|20)\d\d\b", source), f"{code}:{source}"


def test_the_frames_of_the_sections_are_those_of_the_registry():
    text = PAGE.read_text(encoding="utf-8")
    assert with_frames(text) == text, f"{PAGE.name} is out of date: python -m initcheck.reporting.check_page"


def test_a_frame_that_is_out_of_date_is_written_anew():
    ours = PAGE.read_text(encoding="utf-8")
    other = re.sub(r"(?<=<!-- LAW03 -->\n).*?(?=<!-- /LAW03 -->)", "", ours, flags=re.DOTALL)
    assert other != ours
    assert with_frames(other) == ours


def test_markers_of_no_check_are_refused():
    with pytest.raises(UnknownNameError, match="no check is named 'LAW0'; did you mean"):
        with_frames("<!-- LAW0 -->\n<!-- /LAW0 -->\n")


def test_a_check_names_its_section_in_the_docs_of_the_project(monkeypatch):
    monkeypatch.delenv(DOCS_VARIABLE, raising=False)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["urls"]["Documentation"].replace("/tree/", "/blob/") == DOCS  # a folder, and the files in it
    assert {f"{DOCS}/checks.md#{heading.lower()}" for heading in SECTIONS} == {one.url for one in all_checks()}


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
