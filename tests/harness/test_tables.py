import numpy as np
import pytest

from initcheck.catalog import tables
from initcheck.catalog.problems import from_csv
from initcheck.catalog.tables import read_csv
from initcheck.errors import DataError

GOOD = "a,b,class\n" + "".join(f"{i},{i % 5},{i % 2}\n" for i in range(40))


def write(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("a,b,class\n", "no row"),
        (GOOD + "1,2\n", "line 42 has 2 cells, the header has 3"),
        (GOOD + "1,2,3,4\n", "line 42 has 4 cells"),
        (GOOD + "x,2,1\n", "line 42, column 'a': 'x' is no number"),
        (GOOD + ",2,1\n", "line 42, column 'a': nothing is no number"),
        (GOOD + "nan,2,1\n", "line 42, column 'a': nan is not a finite number"),
        (GOOD + "inf,2,1\n", "not a finite number"),
        (GOOD + "1,2,\n", "the target column 'class' has gaps"),
        (GOOD + "1,2,NaN\n", "the target column 'class' has gaps"),
        (GOOD + "1,2,7\n", "has 3 classes, but two are needed"),
        ("a,b,class\n" + "1,2,0\n" * 20, "has 1 class, but two are needed"),
        ("a,b,class\n1,2,0\n2,3,1\n", "too few"),
        ("a\n1\n2\n", "needs a feature and a target column"),
        ("a,a,class\n1,2,0\n", "same name"),
        (b"a,b,class\n\xff\xfe,1,0\n", "not a CSV file in UTF-8"),
    ],
)
def test_a_bad_table_is_told_in_one_line_that_names_the_file(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as raised:
        read_csv(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_or_a_folder_is_told_in_one_line(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(DataError, match="Is a directory"):
        read_csv(tmp_path)


def test_a_missing_column_is_told_with_the_ones_there_are(tmp_path):
    with pytest.raises(DataError, match=r"no column is named 'klass'; name one with --target: a, b, class"):
        read_csv(write(tmp_path, GOOD), target="klass")


def test_any_column_may_be_the_target_and_labels_may_be_words(tmp_path):
    text = "class,a,b\n" + "".join(f"{'no' if i % 2 else 'yes'},{i},{i % 7}\n" for i in range(40))
    data = read_csv(write(tmp_path, text), target="class")
    assert data.x_train.shape == (28, 2)
    assert sorted(np.unique(data.y_train)) == [0.0, 1.0]
    both = np.concatenate([data.x_train, data.x_test])
    assert np.allclose(both.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(both.std(axis=0), 1, atol=1e-6)


def test_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path):
    assert read_csv(write(tmp_path, "\ufeff" + GOOD.replace("\n", "\n\n"))).input_shape == (2,)


def test_the_lectures_file_gives_the_lectures_split(banknotes):
    problem = from_csv(banknotes)
    data = problem.data()
    assert (len(data.x_train), len(data.x_test)) == (960, 412)
    assert problem.chance == pytest.approx(0.555, abs=0.01)


def test_without_network_both_ways_are_named(monkeypatch):
    def unreachable(**_):
        raise OSError("no route")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", unreachable)
    with pytest.raises(DataError, match=r"connect to the network, or give the table .* --data FILE.csv"):
        tables.fetch_banknotes()
