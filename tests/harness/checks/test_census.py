"""The census: every public name of the newest Keras has something that is looked at, or a reason."""

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from packaging.version import Version

from initcheck.catalog.layers import select, unexamined
from initcheck.catalog.layers.traits.computing import Outputs
from initcheck.catalog.unlooked import REASONS
from initcheck.checks import census
from initcheck.checks.census import CONFIGURATION, summary, take_census
from initcheck.checks.registry import all_checks, cells
from initcheck.evidence.lab import Lab
from initcheck.frameworks import public_names as names
from initcheck.frameworks.keras import load_keras
from initcheck.installed import version_of
from initcheck.records import Status
from initcheck.reporting.coverage_page import PAGE, coverage_page

ROOT = Path(__file__).parents[3]
NEWEST = "3.15"
newest_alone = pytest.mark.skipif(
    Version(version_of("keras") or "0") < Version(NEWEST), reason=f"the names are those of Keras {NEWEST} and later"
)


@newest_alone
def test_every_public_name_is_looked_at_or_has_a_reason():
    assert [entry.public for entry in take_census() if not entry.looked_at and not entry.reason] == []


@newest_alone
def test_reasons_are_given_for_what_is_not_looked_at_and_for_nothing_else():
    given = {(kind, name) for kind, reasons in REASONS.items() for listed in reasons.values() for name in listed}
    unlooked = {(entry.public.kind, entry.public.name) for entry in take_census() if not entry.looked_at}
    assert given == {(kind, name) for kind, name in unlooked if kind != "layers"}
    layers = {name for kind, name in unlooked if kind == "layers"}
    assert {row.name for row in unexamined.ROWS} <= layers


@newest_alone
def test_the_page_is_that_of_the_newest_release():
    if not (page := (ROOT / PAGE).read_text(encoding="utf-8")).startswith(coverage_page()[:80]):
        pytest.skip(f"the page is of another version: {page.splitlines()[2][:60]}")
    assert page == coverage_page(), "rewrite it: python -m initcheck.reporting.coverage_page"


@pytest.mark.parametrize(
    ("kind", "name", "aspects", "varied"),
    [
        ("layers", "Dense", {"initial weights", "formula", CONFIGURATION}, {"units", "kernel_initializer"}),
        ("initializers", "RandomUniform", {"draws", CONFIGURATION}, {"minval", "maxval", "seed"}),
        ("optimizers", "Adam", {"steps", CONFIGURATION}, {"beta_1", "amsgrad", "clipnorm"}),
        ("losses", "Huber", {"formula", CONFIGURATION}, {"delta", "reduction"}),
        ("callbacks", "EarlyStopping", {"hooks"}, {"patience", "baseline"}),
        ("callbacks", "TensorBoard", set(), set()),
    ],
)
def test_what_is_looked_at_follows_from_the_rows(kind, name, aspects, varied):
    (entry,) = (one for one in take_census() if (one.public.kind, one.public.name) == (kind, name))
    assert entry.aspects >= aspects
    assert entry.varied >= varied
    assert entry.looked_at is bool(aspects - {CONFIGURATION})


@newest_alone
@pytest.mark.parametrize("trait", select(Outputs), ids=lambda trait: trait.layer)
def test_each_row_that_is_said_to_look_at_a_layer_notices_other_outputs(trait, monkeypatch):
    kind = getattr(load_keras().layers, trait.layer)
    real = kind.call

    @functools.wraps(real)
    def nothing(self, *args, **kwargs):
        return tf.nest.map_structure(tf.zeros_like, real(self, *args, **kwargs))

    monkeypatch.setattr(kind, "call", nothing)
    lab = Lab(1)
    for row in trait.rows:
        (cell,) = (one for one in cells() if one.name == f"ARI32-{row}")
        assert cell.check.judge(lab, cell.subject.value).status is Status.FAIL


def test_a_name_that_is_new_shows_up_by_itself_under_one_of_its_names(monkeypatch):
    keras = load_keras()
    layer: Any = keras.layers.Layer

    class Novel(layer):
        def __init__(self, depth, **kwargs):
            super().__init__(**kwargs)

    before = take_census()
    for alias in ("Novel", "ANovelAlias"):
        monkeypatch.setattr(keras.layers, alias, Novel, raising=False)
    for cached in (names.public_names, census.take_census):
        monkeypatch.setattr(census if cached is census.take_census else names, cached.__name__, cached.__wrapped__)
    monkeypatch.setattr(census, "public_names", names.public_names)
    (entry,) = {entry.public.name: entry for entry in census.take_census() if entry not in before}.values()
    assert entry.public == names.PublicName("layers", "Novel", ("depth",))
    assert (entry.aspects, entry.reason, entry.looked_at) == (frozenset(), "", False)


def test_the_summary_counts_what_is_looked_at_of_each_kind():
    public = [names.PublicName(kind, "X", ()) for kind in ("losses", "layers", "layers")]
    looks = [frozenset({CONFIGURATION}), frozenset({"noise"}), frozenset()]
    entries = [census.Entry(one, aspects, frozenset(), "") for one, aspects in zip(public, looks, strict=True)]
    assert summary(entries) == "layers 1 of 2, losses 0 of 1"


def test_what_was_left_alone_is_said_to_be_looked_at_by_checks_that_there_are():
    (text,) = re.findall("## What was left alone.*", (ROOT / PAGE).read_text(encoding="utf-8"), re.DOTALL)
    named = set(re.findall(r"\b[A-Z]{3,4}\d\d\b", text))
    assert {"ARI36", "ARI38"} <= named <= {check.code for check in all_checks()}
