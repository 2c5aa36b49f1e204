"""Saved models in baselines: what the new environment makes of the old one's files, named by file and stage."""

import numpy as np
import pytest
from baselines import baseline
from click.testing import CliRunner

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import Section
from initcheck.baselines.recording.saved_models import record_files, with_loaded
from initcheck.baselines.records.file_records import FileStage, LoadedRecord, SavedRecord, digest_of
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.baselines.records.summary import stage_record
from initcheck.cli import app as cli
from initcheck.digests import digest
from initcheck.evidence.baseline import saved_files
from initcheck.frameworks.keras import load_keras
from initcheck.reporting.comparisons.sentences import describe

VALUES = np.linspace(0.1, 1, 12, dtype=np.float32)


def loaded(*, steps=1, moments=2, factor=1.0, following=True):
    return LoadedRecord(
        steps=steps,
        moments=tuple(sorted(digest([VALUES[:count]]) for count in range(1, moments + 1))),
        predictions=stage_record([VALUES * np.float32(factor)], 1e-7),
        following=stage_record([VALUES], None) if following else None,
    )


def compared(own, new):
    """The old baseline with one file, and the new one with what became of it."""
    files = {"frozen.keras": SavedRecord(content="AAAA", own=own)}
    old = baseline().model_copy(update={"files": files})
    return compare(
        old, baseline().model_copy(update={"loaded": {"frozen.keras": new}, "loaded_from": digest_of(files)})
    )


@pytest.mark.parametrize(
    ("new", "found", "stage"),
    [
        (loaded(), Class.IDENTICAL, None),
        (loaded(factor=1 + 1e-7), Class.WITHIN_TOLERANCE, FileStage.PREDICTIONS),
        (loaded(factor=1 + 3e-5), Class.CHANGED, FileStage.PREDICTIONS),
        (loaded(steps=0), Class.CHANGED, FileStage.STEPS),
        (loaded(moments=1), Class.CHANGED, FileStage.MOMENTS),
        (loaded(moments=3), Class.IDENTICAL, None),  # more than was saved is no loss
        (loaded(following=False), Class.CHANGED, FileStage.FOLLOWING),
        (LoadedRecord(refused="ValueError"), Class.CHANGED, FileStage.LOADED),
    ],
)
def test_what_became_of_a_file_is_named_at_its_stage(new, found, stage):
    comparison = compared(loaded(), new)
    (cell,) = comparison.of(Section.FILES)
    assert (cell.found, cell.stage) == (found, stage)
    named = any(
        one.startswith(f"OLD's files in the new environment: frozen.keras since '{stage}'")
        for one in describe(comparison)
    )
    assert named is (found is Class.CHANGED)


def test_a_file_that_the_old_environment_does_not_load_was_not_looked_at():
    comparison = compared(LoadedRecord(refused="ValueError"), loaded())
    assert not comparison.of(Section.FILES)
    assert "Not looked at: frozen.keras, which the old environment does not load." in describe(comparison)


def test_files_that_nobody_gave_to_the_new_environment_were_not_looked_at():
    old = baseline().model_copy(update={"files": {"a.keras": SavedRecord(content="AAAA", own=loaded())}})
    other = {"a.keras": SavedRecord(content="BBBB", own=loaded())}
    for new in (
        baseline(),
        old.model_copy(update={"files": other, "loaded": {"a.keras": loaded()}, "loaded_from": digest_of(other)}),
    ):
        comparison = compare(old, new)
        assert not comparison.of(Section.FILES)
        assert "Not looked at: OLD's saved models; record NEW with --files-of OLD." in describe(comparison)
    assert [cell.found for cell in compare(old, old).of(Section.FILES)] == [Class.IDENTICAL]


@pytest.fixture(scope="module")
def files():
    """Two models' files, as the installed framework writes and reads them."""
    with pytest.MonkeyPatch.context() as patch:
        models = {name: saved_files.MODELS[name] for name in ("frozen", "subclassed")}
        patch.setattr(saved_files, "MODELS", models)
        return record_files()


@pytest.mark.slow
def test_the_frameworks_own_files_come_back(files, tmp_path):
    assert set(files) == {"frozen.keras", "frozen.weights.h5", "frozen.h5", "subclassed.weights.h5"}
    assert (files["frozen.keras"].own.steps, files["frozen.keras"].own.refused) == (1, "")
    assert sum(len(file.content) for file in files.values()) < 20_000
    old = baseline().model_copy(update={"files": files})
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    for path, one in zip(paths, (old, baseline()), strict=True):
        path.write_text(write_baseline(one), encoding="utf-8")
    assert CliRunner().invoke(cli.cli, ["load-files", *map(str, paths)], catch_exceptions=False).exit_code == 0
    comparison = compare(old, load_baseline(paths[1]))
    assert {cell.found for cell in comparison.of(Section.FILES)} == {Class.IDENTICAL}


def no_optimizer(patch, keras):
    """Loading forgets the optimizer's variables."""
    patch.setattr(keras.optimizers.Optimizer, "load_own_variables", lambda self, store: None)


def rounded_weights(patch, keras):
    """Loading rounds kernels to half precision."""
    original = keras.layers.Dense.load_own_variables

    def load(self, store):
        original(self, store)
        self.set_weights([one.astype("float16") for one in self.get_weights()])

    patch.setattr(keras.layers.Dense, "load_own_variables", load)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "stage"), [(no_optimizer, FileStage.STEPS), (rounded_weights, FileStage.PREDICTIONS)]
)
def test_a_fault_of_loading_is_named_by_file_and_stage(files, monkeypatch, fault, stage):
    fault(monkeypatch, load_keras())
    old = baseline().model_copy(update={"files": files})
    comparison = compare(old, with_loaded(baseline(), files))
    changed = {cell.name: cell.stage for cell in comparison.of(Section.FILES) if cell.found is Class.CHANGED}
    assert changed["frozen.keras"] == stage
