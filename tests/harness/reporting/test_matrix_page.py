"""The page of a matrix: every cell leads to its evidence, and no text of a target steers it."""

import json
import re

import pytest
from judged_targets import CHECKS, UNCUT, cell, judged, keras, offered, torch
from markdown_it import MarkdownIt  # comes with rich
from page_tags import Tags

from initcheck.matrix.law_tables import make_matrix
from initcheck.records import Status
from initcheck.reporting.matrix_page import FILES, matrix_files, summary

HOSTILE = "</td><script>alert(1)</script>|`*_[x](http://evil.example)\n# @team\x1b]0;owned\x07\u202e"
KNOWN = {"issue": "because it does", "link": "https://example.org/1"}
FAIL = Status.FAIL


def matrix():
    """Every state, one target that could not be judged, and texts that would steer a page."""
    more = [
        cell("SEED13", "2^32", FAIL, measured=HOSTILE, expected=HOSTILE),
        cell("SEED13", "2^64"),
        cell("LAW11", "half"),
        cell("LAW28", HOSTILE, FAIL, **KNOWN),
    ]
    broken = judged(
        "keras:torch",
        [offered("he_normal", like="he_normal"), offered("lecun_normal", like="lecun_normal"), offered("odd", UNCUT)],
        [
            cell("LAW02", "he_normal", FAIL, effect=-0.0181, n=262144, p_value=1e-30, alpha=2e-6),
            cell("LAW03", "he_normal", FAIL),
            cell("LAW02", "lecun_normal", Status.INCONCLUSIVE),
            cell("LAW02", "odd", Status.NOT_APPLICABLE),
        ],
    )
    records = {one.target: one for one in (keras(), broken, torch(*more))}
    return make_matrix(7, [*records, "flax"], records, {"flax": f"its process ended: {HOSTILE}"})


@pytest.fixture(scope="module")
def files():
    return {name: "".join(parts) for name, parts in matrix_files(matrix()).items()}


def test_the_page_needs_no_network_and_no_script(files):
    page = files["matrix.html"]
    tags = Tags(page).tags
    assert not [tag for tag, _ in tags if tag in {"script", "link", "img", "iframe", "object", "embed", "form"}]
    for _, attributes in tags:
        assert not {name for name in attributes if name in {"src", "srcset"} or name.startswith("on")}
    outside = {one["href"] for _, one in tags if not one.get("href", "#").startswith("#")}
    assert outside == {*(check.url for check in CHECKS.values()), KNOWN["link"]}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", page)


def test_every_cell_that_was_judged_leads_to_its_evidence_and_no_id_is_there_twice(files):
    tags = Tags(files["matrix.html"]).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    inside = [one["href"][1:] for _, one in tags if one.get("href", "").startswith("#")]
    assert len(ids) == len(set(ids))
    assert set(inside) <= set(ids)
    summaries = [attributes["id"] for tag, attributes in tags if tag == "summary"]
    judged_entries = sum(
        bool(one.cells) for lines in matrix().tables.values() for line in lines for one in line.entries
    )
    assert len(summaries) == judged_entries
    assert set(summaries) <= set(inside)


def test_evidence_has_every_verdict_with_its_numbers_and_the_command_that_repeats_it(files):
    text = " ".join(" ".join(Tags(files["matrix.html"]).text).split())
    for words in ("262,144", "1e-30", "2e-06", "a mean off by 0.017 σ", "Documented by: the page of he_normal"):
        assert words in text
    assert "initcheck check LAW02 LAW03 --subject he_normal --target keras:torch --seed 7" in text
    assert "initcheck check SEED13 --target torch --seed 7" in text
    assert "pip install initcheck torch==2.13.0+cpu numpy==2.4.6" in text
    entries = [entry for lines in matrix().tables.values() for line in lines for entry in line.entries]
    assert files["matrix.html"].count('<td data-title="verdict">') == sum(len(entry.cells) for entry in entries)
    judged_cells = {(record.target, one) for record in matrix().records.values() for one in record.cells}
    assert judged_cells == {(entry.target, one) for entry in entries for one in entry.cells}


def test_cells_say_by_how_much_which_law_and_what_is_known(files):
    text = " ".join(" ".join(Tags(files["matrix.html"]).text).split())
    assert "LAW02: effect -0.0181, n = 262,144" in text
    assert f"documented: {UNCUT}" in text
    assert "as kaiming_normal_" in text
    assert "1 of 2: 2^32" in text
    assert "refuted (known)" in text
    assert "because it does" in text
    assert "was not judged: its process ended" in text


def test_the_summary_counts_and_names_what_is_not_known():
    first, *others = summary(matrix())
    assert first.startswith("3 targets, ")
    assert "refuted (1 of them known)" in first
    beginnings = ("keras:torch LAW02 on he_normal and 1 more", "keras:torch LAW03 on he_normal", "torch SEED13 on 2^32")
    assert len(others) == len(beginnings)
    for line, beginning in zip(others, beginnings, strict=True):
        assert line.startswith(f"REFUTED {beginning}: ")
    assert not any("LAW28" in line for line in others)


def test_a_known_issue_that_no_longer_fails_is_said_wherever_the_exit_code_is_explained():
    record = torch(**KNOWN)
    made = make_matrix(7, ["torch"], {"torch": record}, {})
    sentence = "NO LONGER FAILS torch LAW02 on kaiming_normal_, a known issue: because it does"
    assert summary(made)[1:] == [sentence]
    files = {name: "".join(parts) for name, parts in matrix_files(made).items()}
    assert sentence in files["matrix.html"]
    assert "NO LONGER FAILS" in files["matrix.md"]


def test_markdown_has_the_same_tables_and_nothing_in_it_is_markup_of_a_target(files):
    page = MarkdownIt("commonmark").enable("table").render(files["matrix.md"])
    assert "<script" not in page
    assert "<a " not in page
    tables = re.findall(r"<table>.*?</table>", page, re.DOTALL)
    made = matrix()
    counts, *tables = tables
    assert counts.count("<tr>") == 1 + len(made.records)
    assert [table.count("<tr>") - 1 for table in tables] == [len(lines) for lines in made.tables.values()]
    for table in tables:
        assert table.count("<th>") == 2 + len(made.targets)
    assert "flax (not judged)" in page


def test_json_has_the_tables_and_every_verdict(files):
    body = json.loads(files["matrix.json"])
    assert list(files) == list(FILES)
    (first, *_) = body["tables"]["laws"]
    assert first["cells"]["torch"]["state"] == "other law"
    assert first["cells"]["keras:torch"]["refuted_by"] == [["LAW02", "he_normal"], ["LAW03", "he_normal"]]
    assert set(body["records"]) == {"keras:tensorflow", "keras:torch", "torch"}
    assert body["records"]["keras:torch"]["cells"][0]["p_value"] == 1e-30
    assert list(body["not_judged"]) == ["flax"]
