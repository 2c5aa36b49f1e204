"""Does weight initialization, and everything seeded, behave as documented on the framework you have installed?

Importing this loads no framework; ``sweep`` does when it is first called.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initcheck.api import sweep
    from initcheck.catalog.initializers import INITIALIZERS, Initializer
    from initcheck.catalog.problems import PROBLEMS, Problem
    from initcheck.catalog.tables import split
    from initcheck.comparing_runs.verdicts import RunsComparison, RunsRow, RunsVerdict
    from initcheck.errors import InitcheckError
    from initcheck.frameworks.libraries.library import DefaultWeight, Library, LibraryLayer, LibraryStreams
    from initcheck.plugin.checks import parametrize_with_baseline, parametrize_with_checks
    from initcheck.records import Data, Environment, Run, Runs, Score
    from initcheck.reporting.diagnosis_report import DiagnosisReport, doctor
    from initcheck.reporting.results import Sweep
    from initcheck.reporting.runs_report import RunsReport, compare_runs
    from initcheck.reporting.saved_runs import load
    from initcheck.reporting.stored_sweeps import load_stored

_HOMES = {
    "sweep": "initcheck.api",
    "INITIALIZERS": "initcheck.catalog.initializers",
    "Initializer": "initcheck.catalog.initializers",
    "PROBLEMS": "initcheck.catalog.problems",
    "Problem": "initcheck.catalog.problems",
    "split": "initcheck.catalog.tables",
    "InitcheckError": "initcheck.errors",
    "DefaultWeight": "initcheck.frameworks.libraries.library",
    "Library": "initcheck.frameworks.libraries.library",
    "LibraryLayer": "initcheck.frameworks.libraries.library",
    "LibraryStreams": "initcheck.frameworks.libraries.library",
    "parametrize_with_baseline": "initcheck.plugin.checks",
    "parametrize_with_checks": "initcheck.plugin.checks",
    "Data": "initcheck.records",
    "Environment": "initcheck.records",
    "Run": "initcheck.records",
    "Runs": "initcheck.records",
    "Score": "initcheck.records",
    "DiagnosisReport": "initcheck.reporting.diagnosis_report",
    "doctor": "initcheck.reporting.diagnosis_report",
    "Sweep": "initcheck.reporting.results",
    "RunsComparison": "initcheck.comparing_runs.verdicts",
    "RunsRow": "initcheck.comparing_runs.verdicts",
    "RunsVerdict": "initcheck.comparing_runs.verdicts",
    "RunsReport": "initcheck.reporting.runs_report",
    "compare_runs": "initcheck.reporting.runs_report",
    "load": "initcheck.reporting.saved_runs",
    "load_stored": "initcheck.reporting.stored_sweeps",
}

__all__ = [
    "INITIALIZERS",
    "PROBLEMS",
    "Data",
    "DefaultWeight",
    "DiagnosisReport",
    "Environment",
    "InitcheckError",
    "Initializer",
    "Library",
    "LibraryLayer",
    "LibraryStreams",
    "Problem",
    "Run",
    "Runs",
    "RunsComparison",
    "RunsReport",
    "RunsRow",
    "RunsVerdict",
    "Score",
    "Sweep",
    "compare_runs",
    "doctor",
    "load",
    "load_stored",
    "parametrize_with_baseline",
    "parametrize_with_checks",
    "split",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'initcheck' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
