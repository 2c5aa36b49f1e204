"""Which version is imported and what gave it, under whatever name it was installed."""

import sys
from dataclasses import replace
from importlib import metadata
from types import SimpleNamespace

import pytest
from runs import ENVIRONMENT

from initcheck import installed
from initcheck.baselines.records.schema import EnvironmentRecord
from initcheck.catalog.known_issues import find_known_issue
from initcheck.frameworks import environment as recorded
from initcheck.installed import distribution_of, is_within, version_of


@pytest.fixture
def packages(monkeypatch):
    """Lets other distributions be installed, and other packages be imported."""

    def install(distributions, imported):
        versions = {name.replace("_", "-"): version for name, (version, _) in distributions.items()}

        def version(name):
            name = name.replace("_", "-")  # as pip takes both
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        holders: dict[str, list[str]] = {}
        for name, (_, package) in distributions.items():
            holders.setdefault(package, []).append(name)
        monkeypatch.setattr(metadata, "version", version)
        monkeypatch.setattr(metadata, "packages_distributions", lambda: holders)
        for package in ("tensorflow", "keras"):
            monkeypatch.delitem(sys.modules, package, raising=False)
        for package, number in imported.items():
            monkeypatch.setitem(sys.modules, package, SimpleNamespace(__version__=number))
        installed._distribution.cache_clear()

    yield install
    installed._distribution.cache_clear()


@pytest.mark.parametrize(
    ("distributions", "imported", "version", "distribution"),
    [
        ({"tensorflow": ("2.21.0", "tensorflow")}, {}, "2.21.0", "tensorflow"),
        ({"tensorflow": ("2.21.0", "tensorflow")}, {"tensorflow": "2.21.0"}, "2.21.0", "tensorflow"),
        ({"tensorflow_cpu": ("2.21.0", "tensorflow")}, {}, "2.21.0", "tensorflow-cpu"),
        ({"tensorflow_cpu": ("2.21.0", "tensorflow")}, {"tensorflow": "2.21.0"}, "2.21.0", "tensorflow-cpu"),
        ({"tf_nightly": ("2.22.0.dev20261101", "tensorflow")}, {}, "2.22.0.dev20261101", "tf-nightly"),
        (
            {"tensorflow": ("2.20.0", "tensorflow"), "tf_nightly": ("2.22.0.dev1", "tensorflow")},
            {"tensorflow": "2.22.0-dev1"},
            "2.22.0-dev1",
            "tf-nightly",
        ),
        ({}, {"tensorflow": "2.21.0"}, "2.21.0", None),
        ({}, {}, None, None),
    ],
    ids=["unloaded", "plain", "cpu-unloaded", "cpu", "nightly", "two", "no-distribution", "nothing"],
)
def test_the_imported_version_counts_and_its_distribution_is_named_separately(
    packages, distributions, imported, version, distribution
):
    packages(distributions, imported)
    assert version_of("tensorflow") == version
    assert distribution_of("tensorflow") == distribution


@pytest.mark.parametrize("name", ["tensorflow_cpu", "tf_nightly", "tensorflow_macos", "intel_tensorflow"])
def test_known_issues_apply_under_every_name_that_tensorflow_is_installed_by(packages, name):
    packages({name: ("2.21.0", "tensorflow"), "keras": ("3.15.1", "keras")}, {})
    assert find_known_issue("LAW11", "bfloat16")
    assert find_known_issue("LAW13", "gru-fan_out")


def test_a_version_that_cannot_be_compared_is_within_nothing(packages):
    packages({}, {"tensorflow": "built by hand"})
    assert not is_within("tensorflow", ">=2.15")
    assert not is_within("keras", ">=2.15")


def test_the_header_names_the_distribution_where_it_has_another_name(packages):
    packages({"tensorflow_cpu": ("2.21.0", "tensorflow"), "keras": ("3.15.1", "keras")}, {})
    shown = recorded.settings()
    assert shown["tensorflow"] == "2.21.0 (tensorflow-cpu)"
    assert shown["keras"] == "3.15.1"


def test_an_environment_shows_and_keeps_its_distributions():
    cpu = replace(ENVIRONMENT, distributions={"tensorflow": "tensorflow-cpu"})
    assert ("tensorflow is from", "tensorflow-cpu") in cpu.rows()
    record = EnvironmentRecord(**vars(cpu))
    assert EnvironmentRecord.model_validate_json(record.model_dump_json()).environment == cpu


@pytest.mark.parametrize(
    ("keras_json", "switches"),
    [
        ({}, {}),
        ({"image_data_format": "channels_first"}, {"image_data_format": "channels_first"}),
        ({"floatx": "float64"}, {"floatx": "float64"}),
    ],
)
def test_global_settings_of_keras_are_recorded_where_they_are_not_the_defaults(keras_json, switches):
    values = {"image_data_format": "channels_last", "floatx": "float32", **keras_json}
    keras = SimpleNamespace(
        backend=SimpleNamespace(**{name: lambda value=value: value for name, value in values.items()}),
        mixed_precision=SimpleNamespace(
            dtype_policy=lambda: SimpleNamespace(name=values["floatx"]), set_dtype_policy=lambda policy: None
        ),
    )
    assert recorded._keras_settings(keras) == switches


def test_another_global_dtype_policy_is_recorded():
    keras = SimpleNamespace(
        backend=SimpleNamespace(floatx=lambda: "float32", image_data_format=lambda: "channels_last"),
        mixed_precision=SimpleNamespace(
            global_policy=lambda: SimpleNamespace(name="mixed_bfloat16"), set_global_policy=lambda policy: None
        ),
    )
    assert recorded._keras_settings(keras) == {"dtype policy": "mixed_bfloat16"}
