import pandas as pd
import pytest
from runs import ENVIRONMENT, make_run

import initcheck
from initcheck.records import group_runs


@pytest.fixture
def sweep():
    runs = [
        make_run(initializer=name, reseed=reseed, losses=(0.7 + reseed, 0.5), accuracies=(0.5, 0.96 - 0.1 * reseed))
        for name in ("zeros", "he_normal")
        for reseed in range(2)
    ]
    return initcheck.Sweep(
        initcheck.PROBLEMS["iris"], group_runs(runs), 1, ENVIRONMENT, "initcheck run", "an engine", 4
    )


def test_the_frame_has_a_row_for_each_run_and_the_stated_columns(sweep):
    frame = sweep.to_frame()
    assert list(frame) == [
        "problem", "initializer", "reseed", "order", "seed",
        "train_correct", "train_total", "test_correct", "test_total", "train_accuracy", "test_accuracy",
        "loss", "stuck", "epochs_to_target",
    ]  # fmt: skip
    assert len(frame) == 4
    assert list(frame.epochs_to_target) == [2, pd.NA, 2, pd.NA]
    assert frame.train_accuracy[0] == 0.7
    assert list(frame.stuck) == [False, pd.NA, False, pd.NA]  # unknown after two epochs
    assert frame[["reseed", "stuck"]].to_csv(index=False).split() == ["reseed,stuck", "0,False", "1,", "0,False", "1,"]


def test_the_history_is_the_lectures_frame(sweep):
    history = sweep.history()
    assert history.columns.names == ["initializer", "metric"]
    assert list(history.index) == [1, 2]
    assert list(history.columns.unique("initializer")) == ["zeros", "he_normal"]
    assert list(history["zeros"]) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history["zeros"]["loss"][1] == pytest.approx(1.2)
    assert history["he_normal"]["accuracy"][2] == pytest.approx(0.91)


def test_the_history_has_a_reseed_level_when_asked(sweep):
    history = sweep.history(reseeds=True)
    assert history.columns.names == ["initializer", "metric", "reseed"]
    assert history["zeros"]["loss"][1][1] == pytest.approx(1.7)
    assert history.shape == (2, 2 * 4 * 2)


def test_the_epochs_frame_has_a_row_for_each_run_and_epoch(sweep):
    frame = sweep.epochs_frame()
    columns = ["problem", "initializer", "reseed", "order", "epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(frame) == columns
    assert list(frame.epoch) == [1, 2] * 4


def test_plot_and_html_are_made_from_the_sweep(sweep):
    assert len(sweep.plot().axes) == 2
    assert "he_normal" in sweep._repr_html_()
