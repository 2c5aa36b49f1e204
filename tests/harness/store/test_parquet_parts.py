"""A store of Parquet files is one of JSON lines, but for its files."""

import pandas as pd
import pytest
from stand_in import NAMES, ROWS, Trainer, answers_in, resumed, runs_of, text_of, undivided

from initcheck.errors import InitcheckError
from initcheck.records import ACCURACY
from initcheck.store.folder import Store
from initcheck.store.part_formats import PartFormat
from initcheck.store.upkeep import clean, merge, mistakes_in

PARQUET, JSON_LINES = PartFormat.PARQUET, PartFormat.JSON_LINES
COLUMNS = ("reseeds", "orders", "seeds", "train_score", "test_score", "history")

pytest.importorskip("pyarrow", reason="the extra parquet is not installed")


def test_the_same_bits_are_read_from_both_formats_nan_infinity_and_signs_of_zero_included():
    runs = runs_of("he_normal", 3, list(range(20)))
    runs.history[0, 0, :3] = -0.0, 5e-324, 0.1
    read = [form.decode(form.encode(runs), ACCURACY) for form in PartFormat]
    for again in read:
        for name in COLUMNS:
            assert getattr(again, name).tobytes() == getattr(runs, name).tobytes()
            assert getattr(again, name).dtype == getattr(runs, name).dtype
        assert (again.problem, again.initializer, again.metrics) == (runs.problem, runs.initializer, runs.metrics)
        assert (again.train_total, again.test_total) == (105, 45)
    assert PARQUET.encode(read[1]) == PARQUET.encode(runs)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 1000])
def test_what_is_no_such_part_is_refused(content):
    with pytest.raises(ValueError, match=r"\w"):
        PARQUET.decode(content, ACCURACY)


def test_parts_of_other_rows_are_refused():
    import pyarrow as pa
    from pyarrow import parquet

    def decoded(**columns):
        written = pa.BufferOutputStream()
        parquet.write_table(pa.table(columns), written)
        return PARQUET.decode(bytes(written.getvalue()), ACCURACY)

    same = {"train_total": [105, 105], "test_total": [45, 45]}
    with pytest.raises(ValueError, match="no runs as initcheck writes them"):
        decoded(reseed=[1, 2])
    with pytest.raises(ValueError, match="not of one problem"):
        decoded(problem=["iris", "xor"], initializer=["a", "a"], **same)
    columns = {name: [1, 2] for name in ("reseed", "order", "seed", "train_score", "test_score")}
    history = [{"loss": [1.0]}, {"loss": [1.0, 2.0]}]
    with pytest.raises(ValueError, match="differ in length"):
        decoded(problem=["a", "a"], initializer=["a", "a"], history=history, **columns, **same)


def test_pandas_and_duckdb_read_both_formats_by_one_query(tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="it is in the extra test")
    for form in PartFormat:
        list(resumed(tmp_path / form.value, Trainer(), form=form).runs())
        query = (
            "select initializer, count(*), avg(test_score), max(history.accuracy[-1]) "
            f"from '{tmp_path}/{form.value}/*/runs/*.{form.value}' group by 1 order by 1"
        )
        rows = duckdb.sql(query).fetchall()
        assert [row[:2] for row in rows] == [(name, 40) for name in sorted(NAMES)]
        one = max(runs_of("he_normal", 0, list(range(40))).metric("accuracy")[:, -1])
        assert rows[0][3] == one
    (path, _) = sorted((tmp_path / "parquet").glob("*/runs/*"))
    frame = pd.read_parquet(path)
    assert list(frame) == [
        "problem", "initializer", "reseed", "order", "seed", "train_score", "train_total", "test_score", "test_total",
        "history",
    ]  # fmt: skip
    assert len(frame.history[0]["val_loss"]) == 3


def test_it_is_resumed_cleaned_and_verified_like_one_of_lines(tmp_path):
    for reseeds in (3, 9, 14, 40):
        list(resumed(tmp_path, Trainer(), reseeds=reseeds, form=PARQUET).runs())
    assert clean(Store(tmp_path))["joined"] == 6
    assert {part.form for part in answers_in(tmp_path).parts()} == {PARQUET}
    trainer = Trainer()
    assert text_of(resumed(tmp_path, trainer).runs()) == undivided()
    assert trainer.trained == []
    assert list(mistakes_in(Store(tmp_path))) == []
    damaged = answers_in(tmp_path).parts()[0]
    damaged.path.write_bytes(damaged.path.read_bytes()[:-1])
    (line,) = mistakes_in(Store(tmp_path))
    assert f"{damaged.path.name} is damaged" in line
    again = resumed(tmp_path, trainer)
    assert text_of(again.runs()) == undivided()
    assert (len(trainer.trained), again.damaged) == (40, [damaged.path.name])


@pytest.mark.parametrize("form", list(PartFormat))
def test_merging_takes_shares_of_any_format_into_the_targets(form, tmp_path):
    for number, of in ((1, PARQUET), (2, JSON_LINES), (3, PARQUET)):
        list(resumed(tmp_path / str(number), Trainer(), share=f"{number}/3", form=of).runs())
    shares = [Store(tmp_path / str(number)) for number in (1, 2, 3)]
    target = Store.open(tmp_path / "all", form)
    assert list(merge(shares, target).values()) == [80]
    assert list(merge(shares, target).values()) == [80]
    assert {part.form for part in answers_in(target.root).parts()} == {form}
    assert text_of(resumed(target.root, Trainer()).runs()) == undivided()


def test_merging_unlike_runs_of_another_format_is_refused(tmp_path):
    runs = runs_of(NAMES[0], 0, list(range(8)))
    answers_in(tmp_path / "a", PARQUET).write(next(iter(ROWS)), runs)
    runs.history[3] += 1.0
    answers_in(tmp_path / "b").write(next(iter(ROWS)), runs)
    with pytest.raises(InitcheckError, match="other results of the same runs"):
        merge([Store(tmp_path / "b")], Store(tmp_path / "a"))


def test_a_store_keeps_its_format_and_says_so(tmp_path):
    root = tmp_path / "store"
    list(resumed(root, Trainer(), form=PARQUET).runs())
    assert Store(root).form is PARQUET
    assert Store.open(tmp_path / "other", default=PARQUET).form is PARQUET
    assert Store.open(tmp_path / "other").form is PARQUET
    assert Store.open(root, PARQUET).form is PARQUET
    with pytest.raises(
        InitcheckError, match=r"keeps its runs as parquet; leave the format out, .*--store-format jsonl"
    ):
        Store.open(root, JSON_LINES)
    mark = root / "initcheck-store.json"
    mark.write_text(mark.read_text().replace("parquet", "feather"))
    with pytest.raises(InitcheckError, match=r"another initcheck \(its parts are feather"):
        Store(root)


def test_without_the_extra_one_line_names_it_and_nothing_is_set_aside(tmp_path, monkeypatch):
    list(resumed(tmp_path / "s", Trainer(), form=PARQUET).runs())
    monkeypatch.setattr("initcheck.store.parquet_parts.find_spec", lambda _: None)
    for use in (
        lambda: Store.open(tmp_path / "new", PARQUET),
        lambda: Store.open(tmp_path / "s"),
        lambda: list(mistakes_in(Store(tmp_path / "s"))),
        lambda: clean(Store(tmp_path / "s")),
        lambda: merge([Store(tmp_path / "s")], Store.open(tmp_path / "lines")),
    ):
        with pytest.raises(InitcheckError, match=r"pip install 'initcheck\[parquet\]'") as refused:
            use()
        assert "\n" not in str(refused.value)
    assert not (tmp_path / "new").exists()
    assert not list((tmp_path / "s").glob("*/damaged/*"))
