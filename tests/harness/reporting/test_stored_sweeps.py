"""A sweep whose histories lie in files gives what one in memory gives, and takes no memory for them."""

import tracemalloc
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from runs import ENVIRONMENT
from stand_in import ROWS, answers_in

import initcheck
from initcheck.catalog.problems import PROBLEMS
from initcheck.records import METRICS, Runs
from initcheck.reporting.curves import curves_of
from initcheck.reporting.results import Sweep
from initcheck.reporting.saved_tables import history_csv
from initcheck.reporting.stored_sweeps import note_ask
from initcheck.statistics.answers import is_one_run
from initcheck.statistics.outcomes import outcomes
from initcheck.store.array_files import ArrayFile

KEYS = list(ROWS)
PROBLEM = PROBLEMS["iris"]


def many_runs(initializer, *, orders=1, reseeds=60, epochs=16):
    """Runs that learn, are stuck, or diverge."""
    stream = np.random.RandomState(len(initializer))
    count = orders * reseeds
    luck = stream.uniform(size=(count, 1, 1))
    loss = np.where(luck < 0.3, 1.0, np.exp(-luck * np.arange(1, epochs + 1)[:, None] / 4))
    history = np.concatenate([loss, 1.1 - loss, 1.05 * loss, 1 - loss], axis=2) + 0.001 * stream.normal(
        size=(count, epochs, len(METRICS))
    )
    history[3, -1, 0], history[5, 4, 2], history[7, :, 0] = np.nan, np.inf, np.nan
    return Runs(
        problem="iris",
        initializer=initializer,
        reseeds=np.tile(np.arange(reseeds), orders),
        orders=np.repeat(np.arange(orders), reseeds),
        seeds=np.arange(count),
        train_score=np.rint(105 * luck[:, 0, 0]) / 105,
        train_total=105,
        test_score=np.rint(45 * luck[:, 0, 0]) / 45,
        test_total=45,
        history=history,
    )


def sweep_of(groups):
    return Sweep(PROBLEM, tuple(groups), 1, ENVIRONMENT, "a command", "none", sum(map(len, groups)))


def stored(root, groups):
    """A store with those runs in parts that overlap and are in no order, and what was asked."""
    answers = answers_in(root)
    for key, runs in zip(KEYS, groups, strict=True):
        places = np.arange(len(runs))
        for some in (places[40:], places[:50], places[45:48]):
            answers.write(key, runs.at(some))
    note_ask(answers, replace(sweep_of([]), planned=sum(map(len, groups))), list(ROWS.values()),
             orders=range(groups[0].orders.max() + 1), reseeds=range(groups[0].reseeds.max() + 1))  # fmt: skip


@pytest.fixture(params=[1, 3])
def both(request, tmp_path, monkeypatch):
    """A sweep in memory, and the same from a store whose histories lie in files and are worked on in pieces."""
    groups = [many_runs(row.name, orders=request.param) for row in ROWS.values()]
    mine = sweep_of(groups)
    expected = {"answers": repr(mine.answers), "frame": mine.to_frame(), "epochs": mine.epochs_frame()}
    stored(tmp_path, groups)
    monkeypatch.setattr("initcheck.store.grid_reading.MOST_IN_MEMORY", 0)
    monkeypatch.setattr("initcheck.store.array_files._AT_ONCE", 7)
    monkeypatch.setattr("initcheck.records._MOST_ROWS", 16 * 11)
    return mine, initcheck.load_stored(tmp_path), expected


def test_runs_answers_frames_and_curves_are_the_same_to_the_bit(both):
    mine, loaded, expected = both
    for one, other in zip(mine.groups, loaded.groups, strict=True):
        assert isinstance(other.history, ArrayFile)
        for name in ("reseeds", "orders", "seeds", "train_score", "test_score", "history"):
            assert np.asarray(getattr(one, name)).tobytes() == np.asarray(getattr(other, name)).tobytes(), name
        assert repr(one[4]) == repr(other[4])
        ends = outcomes(one, 0.9), outcomes(other, 0.9)
        for field in fields(ends[0]):
            assert np.array_equal(*(getattr(end, field.name) for end in ends)), field.name
    assert repr(loaded.answers) == expected["answers"]
    pd.testing.assert_frame_equal(loaded.to_frame(), expected["frame"], check_exact=True)
    pd.testing.assert_frame_equal(loaded.epochs_frame(), expected["epochs"], check_exact=True)
    for metric in ("loss", "accuracy"):
        for one, other in zip(*(curves_of(sweep.groups, metric).curves for sweep in (mine, loaded)), strict=True):
            assert (one.diverged, one.runs) == (other.diverged, other.runs)
            for part in one.bands:
                for line, same in zip(one.bands[part].lines, other.bands[part].lines, strict=True):
                    assert np.array_equal(line, same)


def test_the_means_by_epoch_are_those_of_the_frame_of_epochs(both):
    mine, loaded, expected = both
    means = expected["epochs"].groupby(["initializer", "epoch"])[list(METRICS)].agg(lambda one: one.mean(skipna=False))
    for sweep in (mine, loaded):
        history = sweep.history()
        for name in ("zeros", "he_normal"):
            pd.testing.assert_frame_equal(history[name], means.loc[name], check_names=False, rtol=1e-14)
    assert loaded.history(reseeds=True).shape == (16, 2 * 4 * 60)


def test_the_history_s_text_is_that_of_pandas():
    groups = [many_runs("zeros", orders=2), replace(many_runs("he_normal"), initializer='a "b", c')]
    rare = [-0.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 5e-324, -np.inf, np.nan, 3.0, float(np.float32(0.1))]
    groups[1].history[0].flat[: len(rare)] = rare
    groups = [replace(runs, metrics=("loss", 'a, "b"', "val_loss", "val")) for runs in groups]
    assert "".join(history_csv(groups)) == sweep_of(groups).epochs_frame().to_csv(index=False, lineterminator="\n")
    assert not list(history_csv([]))


def test_one_run_repeated_is_seen_in_pieces():
    runs = replace(many_runs("zeros"), test_score=np.full(60, 0.5), train_score=np.full(60, 0.5))
    same = np.repeat(runs.history[:1], 60, axis=0)
    array = ArrayFile(same.shape)
    array.put(0, same)
    assert is_one_run(replace(runs, history=array))
    same[37, 3, 1] += 1e-12
    other = ArrayFile(same.shape)
    other.put(0, same)
    assert not is_one_run(replace(runs, history=other))


def test_what_a_report_needs_of_histories_is_made_a_part_at_a_time(tmp_path, monkeypatch):
    groups = [many_runs(row.name, reseeds=1500, epochs=120) for row in ROWS.values()]
    stored(tmp_path, groups)
    size = sum(runs.history.nbytes for runs in groups)
    monkeypatch.setattr("initcheck.store.grid_reading.MOST_IN_MEMORY", 0)
    monkeypatch.setattr("initcheck.records._MOST_ROWS", 10_000)
    tracemalloc.start()
    try:
        sweep = initcheck.load_stored(tmp_path)
        tracemalloc.reset_peak()
        for metric in ("loss", "accuracy"):
            curves_of(sweep.groups, metric)
        assert sum(len(outcomes(runs, 0.9).stuck) for runs in sweep.groups) == 3000
        assert sum(len(part.epochs_frame()) for part in sweep.parts()) == 3000 * 120
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 4
