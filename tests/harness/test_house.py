"""The package as a house: each name once, and only the port and what trains touch a framework."""

import ast
import collections
import functools
from pathlib import Path

import initcheck
from initcheck.checks.registry import FAMILIES

PACKAGE = Path(initcheck.__file__).parent
TOUCH_A_FRAMEWORK = ("frameworks", "engines", "evidence", "mutants")


@functools.cache
def modules():
    return {path.relative_to(PACKAGE): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def test_no_class_name_is_used_twice():
    places = collections.defaultdict(list)
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path))
    assert places["Session"] == ["evidence/session.py"]
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_no_file_name_is_used_twice_but_that_of_a_family_in_each_wing():
    places = collections.defaultdict(list)
    for path in modules():
        if not path.stem.startswith("__"):
            places[path.stem].append(path.parts[0])
    twice = {name: wings for name, wings in places.items() if len(wings) > 1}
    assert set(twice) <= set(FAMILIES)
    assert all(len(set(wings)) == len(wings) for wings in twice.values())
    assert {"checks", "mutants"} <= set(twice["seeds"])


def test_only_the_port_engines_evidence_and_mutants_import_a_framework():
    touching = set()
    for path, tree in modules().items():
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.split(".")[0] in ("tensorflow", "keras", "tf_keras") for name in names):
                touching.add(path.parts[0])
    assert touching <= set(TOUCH_A_FRAMEWORK)
    assert "engines" in touching
