"""A store gives back what was finished, trains the rest, and never mixes."""

import hashlib
import io
import json
import os
import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stand_in import NAMES, ROWS, Trainer, answers_in, resumed, runs_of, text_of, undivided

from initcheck.errors import InitcheckError
from initcheck.records import ACCURACY
from initcheck.store.blocks import CellBlock
from initcheck.store.claims import Claims
from initcheck.store.folder import Store
from initcheck.store.owners import ProcessOwner
from initcheck.store.part_texts import decode_runs, encode_runs, joined_in_order

KEYS = list(ROWS)


def test_runs_are_read_as_they_were_written_nan_and_infinity_included():
    runs = runs_of("he_normal", 0, list(range(20)))
    text = encode_runs(runs)
    again = decode_runs(text, ACCURACY)
    assert again.history.tobytes() == runs.history.tobytes()
    assert encode_runs(again) == text
    assert np.isnan(again.history).any()
    assert np.isinf(again.history).any()


def test_a_part_is_read_by_pandas(tmp_path):
    list(resumed(tmp_path, Trainer()).runs())
    part = answers_in(tmp_path).parts()[0].path
    frame = pd.read_json(io.StringIO(part.read_text()), lines=True)
    assert list(frame.columns[:4]) == ["problem", "initializer", "reseed", "order"]
    assert set(frame.history[0]) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_the_second_time_nothing_is_trained_and_the_runs_are_the_same(tmp_path):
    first, second = Trainer(), Trainer()
    assert text_of(resumed(tmp_path, first).runs()) == undivided()
    again = resumed(tmp_path, second)
    assert text_of(again.runs()) == undivided()
    assert (len(first.trained), second.trained, again.found) == (80, [], 80)


def test_more_reseeds_go_on_from_those_there_are(tmp_path):
    list(resumed(tmp_path, Trainer(), reseeds=13).runs())
    trainer = Trainer()
    assert text_of(resumed(tmp_path, trainer, reseeds=40).runs()) == undivided()
    assert sorted(trainer.trained) == sorted((name, 0, reseed) for name in NAMES for reseed in range(13, 40))
    fewer = resumed(tmp_path, Trainer(), reseeds=5)
    assert text_of(fewer.runs()) == undivided(5)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 60])
@pytest.mark.parametrize("group", [1, 16])
def test_shares_together_are_the_undivided_sweep(count, group, tmp_path):
    trainer = Trainer()
    for number in range(1, count + 1):
        list(resumed(tmp_path, trainer, share=f"{number}/{count}", group=group).runs())
    assert len(trainer.trained) == len(set(trainer.trained)) == 80
    last = Trainer()
    assert text_of(resumed(tmp_path, last).runs()) == undivided()
    assert last.trained == []


def test_orders_are_shared_and_resumed_like_reseeds(tmp_path):
    orders = range(1, 38)
    list(resumed(tmp_path, Trainer(), reseeds=2, orders=range(1, 20)).runs())
    for number in (1, 2, 3):
        list(resumed(tmp_path, Trainer(), reseeds=2, orders=orders, share=f"{number}/3", group=4).runs())
    last = Trainer()
    assert text_of(resumed(tmp_path, last, reseeds=2, orders=orders).runs()) == undivided(2, orders)
    assert last.trained == []


def test_what_was_left_in_the_middle_is_kept(tmp_path):
    trainer = Trainer()
    sweep = resumed(tmp_path, trainer)
    assert len(list(islice(sweep.runs(), 11))) == 11
    sweep.close()
    last = Trainer()
    assert text_of(resumed(tmp_path, last).runs()) == undivided()
    assert len(last.trained) == 80 - 11


def test_an_error_of_the_training_is_given_and_what_was_finished_is_kept(tmp_path):
    def failing(groups):
        yield from islice(Trainer()(groups), 5)
        raise RuntimeError("of the training")

    with pytest.raises(RuntimeError, match="of the training"):
        list(resumed(tmp_path, failing).runs())
    assert sum(len(part.block) for part in answers_in(tmp_path).parts()) == 5


def test_an_engine_that_gives_too_few_runs_is_an_error_not_a_wait(tmp_path):
    with pytest.raises(InitcheckError, match="80 runs were neither trained nor found"):
        list(resumed(tmp_path, lambda groups: (list(groups), iter(()))[1]).runs())


def test_other_questions_are_kept_apart(tmp_path):
    list(resumed(tmp_path, Trainer()).runs())
    for changes in ({"data": "other"}, {"engine": "fit"}):
        other = Trainer()
        list(resumed(tmp_path, other, **changes).runs())
        assert len(other.trained) == 80
    assert len(list(Store(tmp_path).all_answers())) == 3


def test_two_at_once_do_nothing_twice(tmp_path):
    trainers = [Trainer(0.002), Trainer(0.002)]
    texts = []
    threads = [
        threading.Thread(target=lambda one=one: texts.append(text_of(resumed(tmp_path, one, pause=0.05).runs())))
        for one in trainers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [undivided()] * 2
    trained = [run for one in trainers for run in one.trained]
    assert len(trained) == len(set(trained)) == 80
    assert all(one.trained for one in trainers)


def test_a_damaged_part_is_set_aside_and_its_runs_are_trained_again(tmp_path):
    list(resumed(tmp_path, Trainer()).runs())
    part = answers_in(tmp_path).parts()[0]
    part.path.write_bytes(part.path.read_bytes()[:-40])
    trainer = Trainer()
    again = resumed(tmp_path, trainer)
    assert text_of(again.runs()) == undivided()
    assert len(trainer.trained) == len(part.block)
    assert again.damaged == [part.path.name]


def test_unlike_results_of_one_run_are_refused(tmp_path):
    answers = answers_in(tmp_path)
    runs = runs_of(NAMES[0], 0, [0, 1, 2])
    answers.write(KEYS[0], runs)
    runs.history[1, 0, 0] += 1e-12
    answers.write(KEYS[0], runs)
    parts = [part.read(ACCURACY) for part in answers.parts()]
    assert len(parts) == 2
    with pytest.raises(InitcheckError, match=r"reseed 1, is in the store twice with other bits: .* does not repeat"):
        joined_in_order(parts)


def test_half_written_files_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path):
    answers = answers_in(tmp_path)
    list(resumed(tmp_path, Trainer()).runs())
    partial = answers.path / "partial"
    owner = ProcessOwner.this_process()
    sign = hashlib.blake2b(owner.host.encode(), digest_size=4).hexdigest()
    dead, alive = (partial / f"{sign}-{pid}-aaaaaaaaaaaa" for pid in (999999999, owner.pid))
    for path in (dead, alive):
        path.write_text("half")
    list(resumed(tmp_path, Trainer()).runs())
    assert not dead.exists()
    assert alive.exists()


def test_a_claim_of_a_process_that_ended_is_taken_over(tmp_path):
    block = CellBlock(KEYS[0], range(1), range(8))
    ended = ProcessOwner(ProcessOwner.this_process().host, 999_999_999, "1")
    reborn = ProcessOwner(ProcessOwner.this_process().host, ProcessOwner.this_process().pid, "1")
    with Claims(tmp_path) as claims:
        for owner in (ended, reborn):
            (tmp_path / f"{block.name}.claim").write_text(json.dumps(owner.as_body()))
            assert claims.take(block)
            claims.release([block])
        assert list(tmp_path.iterdir()) == []


def test_a_claim_of_another_machine_is_respected_while_it_is_touched(tmp_path):
    block = CellBlock(KEYS[0], range(1), range(8))
    path = tmp_path / f"{block.name}.claim"
    path.write_text(json.dumps(ProcessOwner("elsewhere", 1, "1").as_body()))
    with Claims(tmp_path, patience=0.0) as claims:
        assert not claims.take(block)  # the first look can say nothing of its age, whatever a clock says
        path.touch()
        assert not claims.take(block)
        assert claims.holders() == ["process 1 on elsewhere"]
        assert claims.take(block)


def test_a_claim_whose_process_was_killed_as_it_wrote_it_is_taken_over_soon(tmp_path, monkeypatch):
    block = CellBlock("a", range(1), range(8))
    with Claims(tmp_path) as claims:
        (tmp_path / f"{block.name}.claim").touch()
        assert not claims.take(block)
        assert not claims.take(block)
        monkeypatch.setattr("initcheck.store.claims._UNSIGNED", 0.0)
        assert claims.take(block)


def test_claims_that_overlap_exclude_each_other(tmp_path):
    with Claims(tmp_path) as one, Claims(tmp_path) as other:
        assert one.take(CellBlock("a", range(1), range(8)))
        assert not other.take(CellBlock("a", range(1), range(4, 12)))
        assert other.take(CellBlock("a", range(1), range(8, 12)))
        assert other.take(CellBlock("b", range(1), range(8)))


def test_very_many_claims_are_looked_at_now_and_then(tmp_path, monkeypatch):
    looks = []

    def slow(folder, names=os.listdir):
        looks.append(folder)
        time.sleep(0.3)
        return names(folder)

    monkeypatch.setattr("initcheck.store.claims._MANY", 0)
    monkeypatch.setattr(os, "listdir", slow)
    with Claims(tmp_path) as one, Claims(tmp_path) as other:
        assert all(one.take(CellBlock("a", range(1), range(8 * place, 8 * place + 8))) for place in range(20))
        assert len(looks) == 1
        assert not other.take(CellBlock("a", range(1), range(4, 12)))  # its own first look
        one._look_again = 0.0
        assert other.take(CellBlock("b", range(1), range(8)))
        assert not one.take(CellBlock("b", range(1), range(4, 12)))
        assert len(looks) == 3


def marked(text):
    """Makes a folder whose mark has that text."""

    def make(path):
        path.mkdir()
        (path / "initcheck-store.json").write_text(text)

    return make


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("x"), "cannot be used as a store"),
        (lambda path: (path.mkdir(), (path / "mine.txt").write_text("x")), "is no store: it holds mine.txt"),
        (marked("{}"), "is no store of initcheck's"),
        (marked("{"), "is damaged"),
        (marked('{"format": "initcheck store", "schema": 9}'), "another initcheck"),
    ],
)
def test_what_is_no_store_is_refused_in_one_line(make, words, tmp_path):
    path = tmp_path / "store"
    make(path)
    with pytest.raises(InitcheckError, match=words) as refused:
        Store.open(path)
    assert "\n" not in str(refused.value)


def test_a_store_that_cannot_be_written_to_any_more_is_an_error_that_names_it(tmp_path, monkeypatch):
    sweep = resumed(tmp_path, Trainer(), pause=0.0)
    runs = sweep.runs()
    next(runs)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("initcheck.store.folder.os.fsync", full)
    with pytest.raises(InitcheckError, match=r"cannot be written to \(No space left on device\).*kept"):
        list(runs)
    monkeypatch.undo()
    assert list(Path(answers_in(tmp_path).path / "partial").iterdir()) == []
    assert text_of(resumed(tmp_path, Trainer()).runs()) == undivided()
