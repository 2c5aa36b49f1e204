"""Texts that a store keeps, such as the parts of a baseline, are made once, and are whole or absent."""

import json
import threading
import time
from typing import Any

import pytest
from runs import ENVIRONMENT

from initcheck.errors import InitcheckError, StoreError
from initcheck.store.folder import Store
from initcheck.store.kept_texts import KeptTexts, gathered
from initcheck.store.owners import ProcessOwner
from initcheck.store.sweep_questions import SweepQuestion
from initcheck.store.upkeep import clean, holdings, merge, mistakes_in

NAMES = ["draws-1", "fans-2", "problems_iris-3"]


def folder_in(root, **changes):
    trained = {"problem": "baseline", "engine": "record", **changes}
    return Store.open(root).answers(SweepQuestion.of(trained, seed=1, score=None, environment=ENVIRONMENT))


class Makers(dict[str, Any]):
    """Makes a text for each name, and notes which."""

    def __init__(self, names=NAMES, seconds=0.0):
        super().__init__({name: lambda name=name: self.make(name) for name in names})
        self.seconds = seconds
        self.made = []

    def make(self, name):
        self.made.append(name)
        time.sleep(self.seconds)
        return f"{name} é\n"


TEXTS = {name: f"{name} é\n" for name in NAMES}


def test_each_is_made_once_and_given_again(tmp_path):
    first, second = Makers(), Makers()
    assert dict(KeptTexts(folder_in(tmp_path)).gather(first)) == TEXTS
    again = KeptTexts(folder_in(tmp_path))
    assert dict(again.gather(second)) == TEXTS
    assert (first.made, second.made, again.found) == (NAMES, [], 3)


def test_without_a_store_each_is_made():
    makers = Makers()
    assert dict(gathered(None, makers)) == TEXTS
    assert makers.made == NAMES


def test_those_that_are_there_come_first_and_those_that_are_left_are_made(tmp_path):
    dict(KeptTexts(folder_in(tmp_path)).gather(Makers(NAMES[1:2])))
    makers = Makers()
    assert [name for name, _ in KeptTexts(folder_in(tmp_path)).gather(makers)] == [NAMES[1], NAMES[0], NAMES[2]]
    assert makers.made == [NAMES[0], NAMES[2]]


def test_what_was_made_before_an_error_is_kept(tmp_path):
    def failing():
        raise InitcheckError("a mistake")

    with pytest.raises(InitcheckError, match="a mistake"):
        dict(KeptTexts(folder_in(tmp_path)).gather({**Makers(), NAMES[2]: failing}))
    makers = Makers()
    assert dict(KeptTexts(folder_in(tmp_path)).gather(makers)) == TEXTS
    assert makers.made == NAMES[2:]
    assert list((folder_in(tmp_path).path / "claims").iterdir()) == []


def test_another_question_has_texts_of_its_own(tmp_path):
    dict(KeptTexts(folder_in(tmp_path)).gather(Makers()))
    makers = Makers()
    dict(KeptTexts(folder_in(tmp_path, engine="doctor")).gather(makers))
    assert makers.made == NAMES


def test_two_at_once_share_the_work(tmp_path):
    names = [f"part-{number}" for number in range(12)]
    makers = [Makers(names, 0.02), Makers(names, 0.02)]
    found = []
    threads = [
        threading.Thread(target=lambda one=one: found.append(dict(KeptTexts(folder_in(tmp_path)).gather(one))))
        for one in makers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{name: f"{name} é\n" for name in names}] * 2
    assert sorted(makers[0].made + makers[1].made) == sorted(names)
    assert all(one.made for one in makers)


def test_one_that_a_killed_process_had_begun_is_made_again(tmp_path):
    claims = folder_in(tmp_path).path / "claims"
    claims.mkdir()
    ended = ProcessOwner(ProcessOwner.this_process().host, 999_999_999, "1")
    (claims / f"{NAMES[0]}.o0-1.r0-1.claim").write_text(json.dumps(ended.as_body()))
    assert dict(KeptTexts(folder_in(tmp_path)).gather(Makers())) == TEXTS


def test_a_damaged_one_is_seen_set_aside_and_made_again(tmp_path):
    dict(KeptTexts(folder_in(tmp_path)).gather(Makers()))
    path = folder_in(tmp_path).texts()[0]
    path.write_text("half")
    assert [line.split(" is damaged")[0] for line in mistakes_in(Store(tmp_path))] == [str(path)]
    makers = Makers()
    assert dict(KeptTexts(folder_in(tmp_path)).gather(makers)) == TEXTS
    assert makers.made == [NAMES[0]]
    assert list(mistakes_in(Store(tmp_path))) == []
    assert clean(Store(tmp_path))["damaged"] == 1
    assert len(folder_in(tmp_path).texts()) == 3


def test_a_full_disk_is_an_error_of_the_store_and_what_was_there_stays(tmp_path, monkeypatch):
    dict(KeptTexts(folder_in(tmp_path)).gather(Makers(NAMES[:1])))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("initcheck.store.folder.os.fsync", full)
    with pytest.raises(StoreError, match=r"cannot be written to \(No space left on device\)"):
        dict(KeptTexts(folder_in(tmp_path)).gather(Makers()))
    monkeypatch.undo()
    assert len(folder_in(tmp_path).texts()) == 1
    assert dict(KeptTexts(folder_in(tmp_path)).gather(Makers())) == TEXTS


def test_they_are_shown_and_merged_and_are_no_sweep(tmp_path):
    for number, names in enumerate((NAMES[:2], NAMES[1:])):
        dict(KeptTexts(folder_in(tmp_path / str(number))).gather(Makers(names)))
    sources = [Store(tmp_path / str(number)) for number in (0, 1)]
    target = Store.open(tmp_path / "all")
    assert list(merge(sources, target).values()) == [3]
    makers = Makers()
    assert dict(KeptTexts(folder_in(target.root)).gather(makers)) == TEXTS
    assert makers.made == []
    (one,) = holdings(target)
    assert (one.problem, one.engine, one.texts, one.parts, one.runs) == ("baseline", "record", 3, 0, {})
    assert list(target.all_answers()) == []


def test_a_store_that_several_make_at_once_is_one(tmp_path):
    errors = []

    def open_all(barrier):
        for number in range(100):
            barrier.wait()
            try:
                Store.open(tmp_path / str(number))
            except InitcheckError as error:
                errors.append(str(error))

    together = threading.Barrier(4)
    threads = [threading.Thread(target=open_all, args=(together,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
