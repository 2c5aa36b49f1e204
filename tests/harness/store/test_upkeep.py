"""Stores are shown, verified, cleaned, merged and reported."""

import shutil

import pytest
from runs import ENVIRONMENT
from stand_in import NAMES, ROWS, Trainer, answers_in, resumed, runs_of, text_of, undivided

import initcheck
from initcheck.catalog.problems import PROBLEMS
from initcheck.errors import InitcheckError
from initcheck.reporting.results import Sweep
from initcheck.reporting.stored_sweeps import load_stored, note_ask
from initcheck.store.folder import AnswerFolder, Store
from initcheck.store.part_formats import PartFormat
from initcheck.store.part_texts import joined_in_order
from initcheck.store.upkeep import clean, holdings, merge, mistakes_in

KEYS = list(ROWS)
place = AnswerFolder.place


@pytest.fixture
def shares(tmp_path):
    """Stores of three shares."""
    for number in (1, 2, 3):
        list(resumed(tmp_path / str(number), Trainer(), share=f"{number}/3").runs())
    return [Store(tmp_path / str(number)) for number in (1, 2, 3)]


def test_merged_shares_are_the_undivided_sweep(shares, tmp_path):
    target = Store.open(tmp_path / "all")
    (runs,) = merge(shares, target).values()
    assert runs == 80
    trainer = Trainer()
    assert text_of(resumed(target.root, trainer).runs()) == undivided()
    assert trainer.trained == []
    assert merge([*shares, target], target) == merge(shares, target)


def test_merging_damaged_or_unlike_runs_is_refused(shares, tmp_path):
    target = Store.open(tmp_path / "all")
    answers = answers_in(shares[0].root)
    part = answers.parts()[0]
    runs = part.read(answers.question.score)
    runs.history[0] += 1.0
    answers_in(target.root).write(part.block.initializer, runs)
    with pytest.raises(InitcheckError, match="other results of the same runs"):
        merge(shares, target)
    part = answers_in(shares[1].root).parts()[0]
    part.path.write_bytes(b"x")
    with pytest.raises(InitcheckError, match="is damaged"):
        merge(shares[1:], target)


def test_what_a_store_has_is_counted_each_run_once(shares):
    (one,) = holdings(shares[0])
    assert (one.problem, one.seed, one.runs) == ("iris", 1, dict.fromkeys(NAMES, 13))
    answers_in(shares[0].root).write(KEYS[0], runs_of(NAMES[0], 0, list(range(5, 20))))
    (one,) = holdings(shares[0])
    assert one.runs == {NAMES[0]: 20, NAMES[1]: 13}


def test_runs_of_overlapping_parts_of_several_orders_are_counted_once(tmp_path):
    answers = answers_in(tmp_path)
    cells = set()
    for orders, reseeds in (
        (range(2), range(9)),
        (range(1, 4), range(5, 12)),
        (range(3, 4), range(20, 22)),
        (range(2), range(9)),
    ):
        parts = [runs_of(NAMES[0], order, list(reseeds)) for order in orders]
        answers.write(KEYS[0], joined_in_order(parts))
        cells |= {(order, reseed) for order in orders for reseed in reseeds}
    (one,) = holdings(Store(tmp_path))
    assert one.runs == {NAMES[0]: len(cells)}
    assert list(mistakes_in(Store(tmp_path))) == []


def test_copying_and_joining_take_few_parts_at_a_time(shares, tmp_path, monkeypatch):
    together = []
    monkeypatch.setattr("initcheck.store.upkeep._BYTES_AT_ONCE", 8000)  # about 16 runs

    def counted(folder, contents):
        together.append(len(contents))
        place(folder, contents)

    monkeypatch.setattr(AnswerFolder, "place", counted)
    (runs,) = merge(shares, Store.open(tmp_path / "all")).values()
    assert runs == 80
    assert max(together) <= 2
    clean(Store(tmp_path / "all"))
    assert len(answers_in(tmp_path / "all").parts()) > 2
    assert text_of(resumed(tmp_path / "all", Trainer()).runs()) == undivided()


def test_verify_names_what_is_damaged_foreign_or_unlike(shares):
    store = shares[0]
    assert list(mistakes_in(store)) == []
    answers = answers_in(store.root)
    runs = runs_of(NAMES[0], 0, [0, 1])
    runs.history[0] += 1.0
    answers.write(KEYS[0], runs)
    (answers.path / "runs" / "notes.txt").write_text("mine")
    (store.root / "more").mkdir()
    damaged = next(part for part in answers.parts() if part.block.initializer == KEYS[1])
    damaged.path.write_bytes(damaged.path.read_bytes().replace(b"1", b"2"))
    lines = "\n".join(mistakes_in(store))
    assert len(lines.splitlines()) == 4
    for words in (
        "more is none of",
        "notes.txt is none of",
        f"{damaged.path.name} is damaged",
        "unlike results of one run",
    ):
        assert words in lines


def test_cleaning_joins_small_parts_and_loses_no_run(tmp_path):
    for reseeds in (3, 9, 14, 40):
        list(resumed(tmp_path, Trainer(), reseeds=reseeds).runs())
    answers_in(tmp_path, data="nothing")
    answers = answers_in(tmp_path)
    assert len(answers.parts()) == 8
    (answers.path / "damaged").mkdir()
    (answers.path / "damaged" / "one").write_text("x")
    gone = clean(Store(tmp_path))
    assert gone == {"half-written": 0, "damaged": 1, "joined": 6, "empty questions": 1}
    assert len(answers.parts()) == 2
    trainer = Trainer()
    assert text_of(resumed(tmp_path, trainer).runs()) == undivided()
    assert trainer.trained == []
    assert set(clean(Store(tmp_path)).values()) == {0}
    answers.parts()[0].path.write_bytes(b"x")
    answers.write(answers.parts()[0].block.initializer, runs_of("he_normal", 0, [41]))
    assert clean(Store(tmp_path))["damaged"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("form", [None, "parquet"])
@pytest.mark.parametrize("most", [10**9, 0])
def test_a_sweep_comes_from_a_store_alone_from_memory_or_from_files(most, form, tmp_path, monkeypatch):
    if form is not None:
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    monkeypatch.setattr("initcheck.store.grid_reading.MOST_IN_MEMORY", most)
    problem = PROBLEMS["iris"]
    groups = tuple(runs_of(name, 0, list(range(12))) for name in NAMES)
    sweep = Sweep(problem, groups, 1, ENVIRONMENT, "initcheck run", "none", 24, trained=(("model", "Dense(1)"),))
    list(resumed(tmp_path / "s", Trainer(), reseeds=12, form=form and PartFormat(form)).runs())
    answers = answers_in(tmp_path / "s")
    for asked in (5, 12):
        note_ask(answers, Sweep(problem, (), 1, ENVIRONMENT, "initcheck run", "none", 2 * asked, trained=sweep.trained),
                 list(ROWS.values()), orders=range(1), reseeds=range(asked))  # fmt: skip
    loaded = load_stored(tmp_path / "s")
    for name, one in (("a", sweep), ("b", loaded)):
        one.save(tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    assert initcheck.load(tmp_path / "b").planned == 24


def test_a_store_of_several_questions_asks_for_one(tmp_path):
    list(resumed(tmp_path, Trainer()).runs())
    list(resumed(tmp_path, Trainer(), data="other").runs())
    with pytest.raises(InitcheckError, match="2 questions"):
        load_stored(tmp_path)
    with pytest.raises(InitcheckError, match="no question of this store"):
        load_stored(tmp_path, "none")


def test_an_edited_question_is_refused(tmp_path):
    answers = answers_in(tmp_path)
    path = answers.path / "question.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(InitcheckError, match="edited or moved"):
        list(holdings(Store(tmp_path)))
    with pytest.raises(InitcheckError, match="damaged"):
        answers_in(tmp_path)
    shutil.rmtree(answers.path)
    assert list(holdings(Store(tmp_path))) == []
