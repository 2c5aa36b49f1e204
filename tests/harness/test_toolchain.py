"""CI, tox and the workflows name what there is."""

import itertools
import re
import tomllib
from configparser import RawConfigParser
from pathlib import Path

import yaml

from initcheck.frameworks.keras import TOO_OLD

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text()) for file in (ROOT / ".github" / "workflows").glob("*.yml")}


def expanded(text):
    """The environments of tox's list: ``py3{11,12}-tf221`` is two."""
    for name in re.findall(r"(?:[^,{}\s]|\{[^}]*\})+", text):
        parts = [part.strip("{}").split(",") for part in re.split(r"(\{[^}]*\})", name)]
        yield from map("".join, itertools.product(*parts))


def environments():
    config = RawConfigParser()
    config.read(ROOT / "tox.ini")
    return {*expanded(config["tox"]["env_list"])} | {
        name for section in config.sections() for name in expanded(section.removeprefix("testenv:"))
    }


def test_workflows_run_environments_that_tox_has():
    matrix = WORKFLOWS["ci"]["jobs"]["environments"]["strategy"]["matrix"]["include"]
    assert {"lowest", "pytest8", "py313-tf221"} <= {row["env"] for row in matrix} <= environments()
    assert any(row.get("os", "").startswith("macos") for row in matrix)
    assert "nightly" in environments()


def test_ci_and_tox_hold_the_oldest_frameworks_that_are_supported():
    config = RawConfigParser()
    config.read(ROOT / "tox.ini")
    factors = [line.strip().partition(": ") for line in config["testenv"]["deps"].strip().splitlines()]
    pins = [(factor, pin.partition("==")) for factor, _, pin in factors]
    run = {row["env"] for row in WORKFLOWS["ci"]["jobs"]["environments"]["strategy"]["matrix"]["include"]}
    readme = (ROOT / "README.md").read_text()
    for package, _, oldest in TOO_OLD:
        # TensorFlow 2.15 brings Keras 2.15.
        named = "tensorflow" if oldest == "2.15" else package
        factor = next(factor for factor, (name, _, pin) in pins if name == named and f"{pin}.".startswith(f"{oldest}."))
        assert f"py311-{factor}" in run & environments()
    assert f"tensorflow>={TOO_OLD[0][2]}" in PROJECT["optional-dependencies"]["tensorflow"]
    oldest = "TensorFlow {}, Keras {} and, of Keras 3, {}".format(*(oldest for *_, oldest in TOO_OLD))
    assert f"The oldest that are supported are {oldest}; older ones are refused." in readme


def test_every_job_of_ci_must_be_green_for_the_last_one():
    jobs = WORKFLOWS["ci"]["jobs"]
    assert jobs["green"]["if"] == "always()"
    assert {*jobs["green"]["needs"]} == {*jobs} - {"green"}
    assert jobs["green"]["steps"][0]["run"].count("success") == len(jobs["green"]["needs"])


def test_actions_are_named_by_commit_and_none_keeps_credentials():
    steps = [step for flow in WORKFLOWS.values() for job in flow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_ci_tries_the_wheel_before_the_checkout_is_installed():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    wheel = lines.index("bash .ci/wheel")
    assert not any("-e" in line.split() for line in lines[:wheel] if line.startswith("pip install"))
    assert any("-e" in line.split() for line in lines[wheel:] if line.startswith("pip install"))


def test_the_pythons_of_the_classifiers_are_those_that_tox_runs():
    prefix = "Programming Language :: Python :: 3."
    stated = {one.removeprefix(prefix) for one in PROJECT["classifiers"] if one.startswith(prefix)}
    assert stated == {name[3:5] for name in environments() if re.match(r"py3\d\d-", name)}
