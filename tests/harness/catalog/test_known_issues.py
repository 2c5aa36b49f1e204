import fnmatch

import pytest

from initcheck.catalog import known_issues as module
from initcheck.catalog.known_issues import KnownIssue, find_known_issue, known_issues
from initcheck.checks.registry import all_checks
from initcheck.targets import target


@pytest.mark.parametrize(
    "issue", known_issues(), ids=lambda issue: f"{issue.check}-{issue.subject}-{issue.versions}-{issue.target}"
)
def test_every_row_names_a_check_gives_a_reason_and_a_link(issue):
    (check,) = [check for check in all_checks() if check.code == issue.check]
    # Subjects of another target are known where it is the target.
    assert issue.target != target() or any(fnmatch.fnmatchcase(one.name, issue.subject) for one in check.subjects)
    assert len(issue.reason.split()) > 5
    assert issue.link.startswith("https://")
    assert issue.versions


@pytest.mark.parametrize(
    ("versions", "subject", "expected"),
    [
        ({"keras": ">=3.0,<3.2"}, "he_normal", True),
        ({"keras": ">=3.0,<3.1"}, "he_normal", False),
        ({"keras": ">=3.0", "tensorflow": "<2.16"}, "he_normal", False),
        ({"keras": ">=3.0"}, "zeros", False),
        ({"absent": ">=0"}, "he_normal", False),
    ],
)
def test_a_row_applies_within_all_its_versions_and_to_its_subjects(monkeypatch, versions, subject, expected):
    installed = {"keras": "3.1.0", "tensorflow": "2.16.2"}

    monkeypatch.setattr("initcheck.installed.version_of", installed.get)
    row = KnownIssue("LAW02", "*normal", "", "", versions)
    monkeypatch.setattr(module, "rows_by_check", lambda: {"LAW02": [row]})
    assert (find_known_issue("LAW02", subject) is not None) is expected
    assert find_known_issue("LAW03", subject) is None


@pytest.mark.parametrize(
    ("features", "variables", "expected"),
    [
        ({"avx2", "amx_bf16"}, {}, True),
        ({"avx2"}, {}, False),
        ({"amx_bf16"}, {"TF_ENABLE_ONEDNN_OPTS": "0"}, False),
        ({"amx_bf16"}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, False),
    ],
)
def test_a_row_of_a_processor_applies_where_its_kernels_are_chosen(monkeypatch, features, variables, expected):
    for name in ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("initcheck.processor.platform.machine", lambda: "x86_64")
    monkeypatch.setattr("initcheck.processor.processor_features", lambda: features)
    monkeypatch.setattr("initcheck.installed.version_of", {"tensorflow": "2.21.0"}.get)
    row = KnownIssue("ARI21", "*", "", "", {"tensorflow": ">=2.21"}, processor="amx_bf16")
    assert row.applies() is expected
