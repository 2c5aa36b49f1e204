import csv
import io
import itertools
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import initcheck
from initcheck.__main__ import main
from initcheck.catalog import tables
from initcheck.catalog.csv_tables import Reading, columns, encoding, read_table
from initcheck.catalog.csv_tables.reading import SEPARATORS
from initcheck.catalog.problems import PROBLEMS, banknotes_from_csv, from_csv
from initcheck.catalog.tables import split
from initcheck.cli.table_options import TableOptions
from initcheck.errors import DataError, InitcheckError

HEADER = "a,b,class\n"
ROWS = "".join(f"{i * 1.25},{i * 3 % 7},{i % 2}\n" for i in range(40))
GOOD = HEADER + ROWS
SEMICOLONS = GOOD.replace(",", ";")
EUROPEAN = SEMICOLONS.replace(".", ",")


def write(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(tmp_path, text, **reading):
    return read_table(write(tmp_path, text), Reading(**reading))


def refusal(tmp_path, text, **reading):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as raised:
        from_csv(path, Reading(**reading))
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()  # so it is one line
    return message


def table(*cells, header=HEADER, rows=40):
    """A table with one row for each number: ``{i}`` in a cell stands for it."""
    return header + "".join(",".join(cell(i) for cell in cells) + "\n" for i in range(rows))


def number(i):
    return str(i * 7 % 40)


def parity(i):
    return str(i % 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (HEADER, "no row"),
        ("a\n1\n2\n", "needs a feature and a target column, but the first line has one cell, 'a'"),
        (GOOD.replace(",", " "), "has one cell, 'a b class'"),
        (GOOD + "1,2\n", "line 42 has 2 cells, the header has 3"),
        (GOOD + "1,2,3,4\n", "line 42 has 4 cells, the header has 3"),
        (GOOD + '"1,2,0\n3,4,1\n', "line 42: the row that begins there cannot be read"),
        (HEADER + '"x\ny",2,0\n' + ROWS, "line 2, column 'a': the cell goes on over a line break"),
        (GOOD + '1,"2\n1,2,0\n3,4",1\n', "line 42, column 'b': the cell goes on over a line break; fix the quotation"),
        (GOOD + '\n\n1,2,"0\n1,2,1\n"\n', "line 44, column 'class': the cell goes on over a line break"),
        (GOOD + '1,2,0\n"1\n2",1\n', "line 43 has 2 cells"),
        (GOOD.replace("\n", "\n\n") + "1,2\n", "line 83 has 2 cells"),
        ("sep=;\n" + SEMICOLONS + "1;2\n", "line 43 has 2 cells"),
        ("a,a,class\n" + ROWS, "two columns have the same name, 'a'"),
        ("a, a ,class\n" + ROWS, "two columns have the same name, 'a'"),
        ("a,,class\n" + ROWS, "column 2 has no name; name it in the header line, or leave it out with --drop column_2"),
        (HEADER + "1,2,0\n2,3,1\n", "2 rows are too few"),
        (b"a,b,class\n\xff\xfe,1,0\n", "line 2 is not text in UTF-8"),
        (GOOD.replace("a,b", "\xe4,b").encode("latin-1"), "line 1 is not text in UTF-8"),
        (GOOD.encode("utf-16-le"), "line 1 holds a NUL byte"),
        (GOOD + "1\0,2,0\n", "line 42 holds a NUL byte"),
        (b"PK\x03\x04...", "an Excel workbook"),
        (b"\x1f\x8b...", "compressed by gzip"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_line_that_names_file_and_line(tmp_path, text, message):
    assert message in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("x", "'x' is not a number; fix the cell"),
        ("1e", "'1e' is not a number"),
        ("0x1F", "'0x1F' is not a number"),
        ("12:30", "'12:30' is not a number"),
        ("1 234", "without thousands separators"),
        ('"1,234"', "'1,234' is not a number; write numbers in digits without thousands separators"),
        ('"1,234,567.5"', "without thousands separators"),
        ("1_000", "without thousands separators"),
        ("$5", "without thousands separators and units"),
        ("5 %", "without thousands separators and units"),
        ("\N{MINUS SIGN}5", "is not a number"),
        ("\N{ARABIC-INDIC DIGIT THREE}", "is not a number"),
        ("\x1b[31mx", "is not a number"),
        ("1e300", "'1e300' is not a finite number in float32"),
        ("-1e39", "'-1e39' is not a finite number in float32"),
        ("1e400", "'1e400' is not a finite number in float32"),
        ("inf", "'inf' is not a finite number"),
        ("-Infinity", "'-Infinity' is not a finite number"),
        *((cell, f"the value is missing ('{cell}'); fill it in") for cell in ("NaN", "NA", "n/a", "?", "-", "null")),
        ("", "the value is missing; fill it in, remove the row, or give --missing median"),
        ('" "', "the value is missing; fill it in"),
    ],
)
def test_a_cell_that_is_no_number_is_refused_by_line_and_column(tmp_path, cell, message):
    text = refusal(tmp_path, f"{GOOD}{cell},2,1\n3,4,0\n")
    assert "line 42, column 'a': " in text
    assert message in text


@pytest.mark.parametrize("cell", ["7", " 7 ", '"7"', "7.", "+7", "7e0", ".7E+1", "0007"])
def test_every_plain_notation_of_a_number_is_read_exactly(tmp_path, cell):
    assert np.array_equal(
        read(tmp_path, f"{GOOD}{cell},2,1\n").data.x_train, read(tmp_path, f"{GOOD}7.0,2,1\n").data.x_train
    )


def test_numbers_are_the_ones_that_python_reads_however_large_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "_CELLS_AT_ONCE", 9)  # chunks of three rows
    numbers = np.random.RandomState(1).normal(size=(40, 2)) * 10.0 ** np.arange(-3, 5, 4)
    text = HEADER + "".join(f"{a!r},{b!r},{i % 2}\n" for i, (a, b) in enumerate(numbers.tolist()))
    data, expected = read(tmp_path, text).data, split(numbers, np.arange(40) % 2)
    for name in ("x_train", "y_train", "x_test", "y_test"):
        assert np.array_equal(getattr(data, name), getattr(expected, name))


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        (GOOD, "UTF-8, cells separated by comma, decimal point"),
        (SEMICOLONS, "UTF-8, cells separated by semicolon, decimal point"),
        (EUROPEAN, "UTF-8, cells separated by semicolon, decimal comma"),
        (GOOD.replace(",", "\t"), "UTF-8, cells separated by tab, decimal point"),
        (EUROPEAN.replace(";", "\t"), "UTF-8, cells separated by tab, decimal comma"),
        (GOOD.replace(",", "|"), "UTF-8, cells separated by pipe, decimal point"),
        ("sep=;\n" + EUROPEAN, "UTF-8, cells separated by semicolon, decimal comma"),
        ("sep=\t\n" + EUROPEAN.replace(";", "\t"), "UTF-8, cells separated by tab, decimal comma"),
        ("sep=\t\r\n" + EUROPEAN.replace(";", "\t"), "UTF-8, cells separated by tab, decimal comma"),
        (GOOD.replace("\n", "\r\n"), "UTF-8, cells separated by comma"),
        (GOOD.replace("\n", "\r"), "UTF-8, cells separated by comma"),
        (GOOD.replace("\n", "\n\n"), "UTF-8, cells separated by comma"),
        (GOOD + ",,\n,,\n", "UTF-8, cells separated by comma"),
        (GOOD.removesuffix("\n"), "UTF-8, cells separated by comma"),
        ("\ufeff" + GOOD, "UTF-8, cells separated by comma"),
        (GOOD.encode("utf-16"), "UTF-16, cells separated by comma"),
        (GOOD.encode("utf-32"), "UTF-32, cells separated by comma"),
        (GOOD.replace("\n", ",\n"), "UTF-8, cells separated by comma"),
        (HEADER + ROWS.replace("\n", ",\n"), "UTF-8, cells separated by comma"),
        ("a,b,class,\n" + ROWS, "UTF-8, cells separated by comma"),
        ('"' + GOOD.replace(",", '","').replace("\n", '"\n"').removesuffix('"'), "UTF-8, cells separated by comma"),
    ],
)
def test_one_table_gives_the_same_numbers_however_it_is_laid_out(tmp_path, text, read_as):
    actual, plain = read(tmp_path, text), read(tmp_path, GOOD)
    assert dict(actual.about)["read as"].startswith(read_as)
    assert np.array_equal(actual.data.x_train, plain.data.x_train)
    assert np.array_equal(actual.data.y_test, plain.data.y_test)


@pytest.mark.parametrize(
    ("text", "message", "answer"),
    [
        (
            "a,x;b,y;class\n" + "p,q;r,s;t\np,q;r,u;v\np,q;r,u;t\n" * 20,
            "may be separated by comma or by semicolon; say which with --separator",
            {"separator": "semicolon"},
        ),
        (
            table(lambda i: f'"{i % 9 + 1},{i + 100}"', number, parity),
            "'1,100' may be 1.100 or 1100; give --decimal comma if",
            {"decimal": "comma"},
        ),
        (
            table(lambda i: f"{i % 9 + 1}.{i + 100}", number, parity).replace(",", ";"),
            "'1.100' may be 1.100 or 1100; give --decimal point if",
            {"decimal": "point"},
        ),
        (
            table(lambda i: f'"{i},5"' if i else "0.5", number, parity),
            "both '0.5' and '1,5' occur; say with --decimal point or --decimal comma",
            None,
        ),
    ],
)
def test_what_is_ambiguous_is_refused_and_the_option_named_decides(tmp_path, text, message, answer):
    assert message in refusal(tmp_path, text)
    if answer:
        assert len(read(tmp_path, text, **answer).data.x_train) == 0.7 * (text.count("\n") - 1)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("rows_before", [0, 1, 1500])
def test_numbers_that_may_have_thousands_separators_are_refused_wherever_they_begin(tmp_path, separator, rows_before):
    rows = [f"{100 + i % 9}{separator}{i % 2}\n" for i in range(rows_before)]
    rows += [f"{cell}{separator}{i % 2}\n" for i, cell in enumerate(["1.099", "12.345", "123.456"] * 8)]
    text = f"a{separator}class\n" + "".join(rows)
    assert "'1.099' may be 1.099 or 1099; give --decimal point if" in refusal(tmp_path, text)
    expected = [float(row.split(separator)[0]) for row in rows]
    data = split(np.array(expected).reshape(-1, 1), [int(row[-2]) for row in rows])
    assert np.array_equal(read(tmp_path, text, decimal="point").data.x_train, data.x_train)
    shown = read(tmp_path, f"{text}0.123{separator}1\n")  # no separator of thousands stands behind a zero
    assert "decimal point" in dict(shown.about)["read as"]
    assert "'1.099' is not a number" in refusal(tmp_path, f"{text}1,5{separator}1\n")


@pytest.mark.parametrize("cells", [["0.123", "0.456"], ["12.345", "67.891"], ["1.234", "100"]])
def test_a_point_between_commas_is_the_decimal_mark(tmp_path, cells):
    actual = read(tmp_path, table(lambda i: cells[i // 3 % 2], number, parity))
    expected = split(np.array([[float(cells[i // 3 % 2]), i * 7 % 40] for i in range(40)]), np.arange(40) % 2)
    assert np.array_equal(actual.data.x_train, expected.x_train)


@pytest.mark.parametrize("decimal", ["point", "comma"])
def test_whichever_decimal_mark_is_given_a_cell_with_the_other_one_is_named(tmp_path, decimal):
    text = table(lambda i: f'"{i},5"' if i else "0.5", number, parity)
    line, cell, other = (3, "1,5", "comma") if decimal == "point" else (2, "0.5", "point")
    message = refusal(tmp_path, text, decimal=decimal)
    assert f"line {line}, column 'a': {cell!r} is not a number; give --decimal {other}" in message


@pytest.mark.parametrize("cell", ["5cm", "$5", "1 200", "n/k"])
def test_a_first_row_of_which_one_cell_cannot_be_read_is_not_lost_as_names(tmp_path, cell):
    text = f"{cell},x\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(40))
    assert "the first line may be data, not names: 'x' occurs again in its column" in refusal(tmp_path, text)


@pytest.mark.parametrize("cell", ["1\u200b00", "\u202e120", "120\u200e"])
def test_a_number_with_invisible_characters_is_not_read(tmp_path, cell):
    message = refusal(tmp_path, GOOD + f"{cell},2,0\n")
    assert "line 42, column 'a'" in message
    assert "write it without invisible characters" in message


def test_a_row_of_empty_cells_is_one_unless_it_ends_the_file(tmp_path):
    assert "line 42, column 'a'" in refusal(tmp_path, GOOD + ",,\n1,2,0\n")
    assert len(read(tmp_path, GOOD + ",,\n , ,\n\n").data.x_train) == len(read(tmp_path, GOOD).data.x_train)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ROWS, "every cell of it is a number"),
        (ROWS.replace(",", ";").replace(".", ","), "every cell of it is a number"),
        ("".join(f"{i},{i % 7},{'xy'[i % 2]}\n" for i in range(40)), "'0' stands above a column of numbers"),
        ("?" + "".join(f"{i},{i % 7},{'xy'[i % 2]}\n" for i in range(40)), "'0' stands above a column of numbers"),
        ("".join(f"{'rst'[i % 3]},{'abc'[i % 3]},{'xy'[i % 2]}\n" for i in range(40)), "occurs again in its column"),
    ],
)
def test_a_first_line_that_looks_like_data_is_questioned_and_never_lost(tmp_path, text, reason):
    text = text.removeprefix("?0")  # the first cell may be a gap
    message = refusal(tmp_path, text, missing="median")
    assert "the first line may be data" in message
    assert reason in message
    assert "--header no" in message
    actual = read(tmp_path, text, header="no", missing="median")
    assert len(actual.data.x_train) + len(actual.data.x_test) == 40
    assert actual.target == "column_3"
    assert "no header line" in dict(actual.about)["read as"]


def test_numbers_are_names_if_the_user_says_so(tmp_path):
    text = "n,2019,2020,class\n" + "".join(f"{i},{i % 3},{i % 4},{i % 2}\n" for i in range(40))
    assert "'2019' stands above a column of numbers" in refusal(tmp_path, text)
    assert "n, 2019, 2020;" in dict(read(tmp_path, text, header="yes").about)["features"]


def test_columns_without_a_header_are_counted_and_may_be_named_so(tmp_path):
    actual = read(tmp_path, ROWS, header="no", target="column_2", drop=("column_1",))
    assert (actual.target, actual.features, len(actual.classes)) == ("column_2", 1, 7)
    assert "give --target one of: column_1, column_2, column_3" in refusal(tmp_path, ROWS, header="no", target="class")


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"target": "klass"}, "no column is named 'klass'; give --target one of: a, b, class"),
        ({"drop": ("b", "k\x1b")}, "no column is named 'k '; give --drop one of: a, b, class"),
        ({"target": "a", "drop": ("a",)}, "'a' is the target and cannot be left out"),
        ({"drop": ("a", "b")}, "--drop leaves no feature and target"),
    ],
)
def test_a_column_that_is_not_there_is_answered_with_those_that_are(tmp_path, reading, message):
    assert message in refusal(tmp_path, GOOD, **reading)


def test_a_dropped_column_may_hold_anything(tmp_path):
    text = "id,a,class\n" + "".join(f"u{i},{i},{'no' if i % 2 else 'yes'}\n" for i in range(40))
    assert "column 'id' has more different words (such as 'u0') than the 20 categories" in refusal(tmp_path, text)
    actual = read(tmp_path, text, drop=("id",))
    assert actual.data.input_shape == (1,)
    assert dict(actual.about)["left out"] == "id"
    broken = read(tmp_path, text.replace("u7", '"u\n7"'), drop=("id",))
    assert np.array_equal(broken.data.x_train, actual.data.x_train)
    actual = read(tmp_path, text.replace("id,", ",", 1), drop=("column_1",))  # an index, as pandas writes it
    assert actual.data.input_shape == (1,)


NOTED = "a,note,b,y\n", [f"{i},n{i},{i * 7 % 40},{i % 2}\n" for i in range(40)]


@pytest.mark.parametrize("last", [11, 12, 30])
@pytest.mark.parametrize("target", ["y", "a"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", ";\n", ",\n"])
def test_rows_that_a_quotation_mark_swallows_in_a_dropped_column_are_refused(tmp_path, last, target, ends):
    header, rows = NOTED
    rows = (
        list(rows) if target == "y" else [row.replace(row.split(",")[0], str(i % 3), 1) for i, row in enumerate(rows)]
    )
    rows[10] = rows[10].replace("n10", '"5 inch')
    rows[last] = rows[last].replace(f"n{last}", '6 inch"')
    text = header + "".join(rows)
    text = text.replace(",", ";") if ends == ";\n" else text
    message = refusal(tmp_path, text.replace("\n", ends), drop=("note",), target=target)
    assert "line 12, column 'note': the cell goes on over line breaks and holds other rows" in message


@pytest.mark.parametrize(
    "note", ["5 inch\n6 inch", "good, cheap, small\n", "one, two, three\none, two", "a\nb, c, d, e\nf", "x,1,2\n\n3,y"]
)
def test_a_note_of_several_lines_in_a_dropped_column_is_taken(tmp_path, note):
    header, rows = NOTED
    plain = read(tmp_path, header + "".join(rows), drop=("note",))
    text = header + "".join(rows).replace("n7", f'"{note}"')
    assert np.array_equal(read(tmp_path, text, drop=("note",)).data.x_train, plain.data.x_train)


LABELS = [
    (lambda i: str(i % 3 + 1), ("1", "2", "3")),
    (lambda i: f"{i % 2}.0", ("0.0", "1.0")),
    (lambda i: ["0", "1", "0.0", "1.00"][i % 4], ("0", "1")),
    (lambda i: ["9", "10"][i % 2], ("9", "10")),
    (lambda i: ["yes", "no"][i % 2], ("no", "yes")),
    (lambda i: "+-"[i % 2], ("+", "-")),
    (lambda i: ["none", "some"][i % 2], ("none", "some")),
    (lambda i: f"class {i % 12:02d}", tuple(f"class {i:02d}" for i in range(12))),
]


@pytest.mark.parametrize(("label", "classes"), LABELS, ids=[classes[0] for _, classes in LABELS])
def test_labels_may_be_numbers_or_words(tmp_path, label, classes):
    text = table(number, number, label, rows=240)
    actual = read(tmp_path, text)
    assert actual.classes == classes
    expected = split(np.zeros((240, 1)), [_number(classes, label(i)) for i in range(240)], classes=len(classes))
    assert np.array_equal(actual.data.y_train, expected.y_train)
    assert actual.data.y_train.dtype == (np.float32 if len(classes) == 2 else np.int32)
    assert dict(actual.about).get("counts as 1") == (classes[1] if len(classes) == 2 else None)


SPELLINGS = {
    "white space": (["very good", "very  good", "bad", "bad "], ("bad", "very good")),
    "Unicode": (["\xe9t\xe9", "e\u0301te\u0301", "hiver", "hi\u200bver"], ("hiver", "\xe9t\xe9")),
    "words": (["one", "one", "other", "oth\N{SOFT HYPHEN}er"], ("one", "other")),
    "a fraction of zeros": (["1", "1.00", "2.", "2"], ("1", "2.")),
    "a plus sign": (["1", "+1", "-2", "-2.0"], ("-2", "1")),
    "an exponent": (["10", "1e1", "0", "0E0"], ("0", "10")),
    "an exponent of a fraction": (["0.5", "5e-1", "2", "20e-1"], ("0.5", "2")),
    "zeros behind a fraction": (["0.5", "0.50", "0.7", "0.700"], ("0.5", "0.7")),
}


@pytest.mark.parametrize(("labels", "classes"), SPELLINGS.values(), ids=SPELLINGS)
def test_one_class_in_several_spellings_is_one_class(tmp_path, labels, classes):
    actual = read(tmp_path, table(number, number, lambda i: labels[i % 4]))
    assert actual.classes == classes
    one = read(tmp_path, table(number, number, lambda i: labels[i % 4 // 2 * 2]))
    assert np.array_equal(actual.data.y_train, one.data.y_train)


@pytest.mark.parametrize(
    ("labels", "both"),
    [
        (["100000000000000001", "100000000000000002"], "'100000000000000001' and '100000000000000002'"),
        (["0.1", "0.10000000000000000001"], "'0.1' and '0.10000000000000000001'"),
        (["01", "1", "2"], "'01' and '1'"),
        (["2", "007", "7"], "'007' and '7'"),
        (["0", "00", "1"], "'0' and '00'"),
        ([".5", "0.5", "1"], "'.5' and '0.5'"),
        (["0", "-0", "1"], "'0' and '-0'"),
        (["1e0", "01e0", "2"], "'1e0' and '01e0'"),
        (["0.1", "1e-1", "2"], "'0.1' and '1e-1'"),
        (["3.1", "3.10", "3.11", "3.9.1"], "'3.1' and '3.10'"),
        (["3.1", "3.10", "3.11"], "'3.1' and '3.10'"),
        (["3.8", "3.9", "3.10", "3.1"], "'3.10' and '3.1'"),
        (["1", "1.0", "other"], "'1' and '1.0'"),
        (["1", "01", "A1"], "'1' and '01'"),
    ],
)
def test_labels_that_are_one_number_but_may_be_two_classes_are_refused_by_name(tmp_path, labels, both):
    message = refusal(tmp_path, table(number, number, lambda i: labels[i % len(labels)], rows=120))
    assert f"the target column 'class' has both {both}, which " in message
    assert "write them in one way if they are one class, or put a letter before them if they are codes" in message


@pytest.mark.parametrize(
    "labels",
    [["01", "02"], ["3.1", "3.9.1", "3.11"], ["1", "1.5", "2"], ["1e99", "1e98"], ["1e400", "x"], ["0", "1e-9"]],
)
def test_labels_that_differ_as_numbers_or_words_are_classes_of_their_own(tmp_path, labels):
    actual = read(tmp_path, table(number, number, lambda i: labels[i % len(labels)], rows=120))
    assert sorted(actual.classes) == sorted(labels)


def test_spellings_that_were_read_as_one_class_are_named_on_the_page(tmp_path):
    labels = ["1", "2", "1.0", "+1"]
    facts = dict(read(tmp_path, table(number, number, lambda i: labels[i % 4])).about)
    assert facts["classes"] == "1 (also written 1.0, +1): 30 rows (75.0%), 2: 10 rows (25.0%)"


def test_one_category_in_several_spellings_is_one_category(tmp_path):
    words = ["very good", "very  good", "\xe9t\xe9", "e\u0301te\u0301", "no", "no\u200b"]
    actual = read(tmp_path, table(lambda i: words[i % 6], number, lambda i: str(i // 2 % 2)))
    assert dict(actual.about)["categories"] == "a (no, very good, \xe9t\xe9; one-hot, 3 inputs)"


@pytest.mark.parametrize("words", [("no", "True", "true"), ("x", "yes", "Yes"), ("1", "STRASSE", "stra\xdfe")])
def test_classes_and_categories_that_differ_only_in_case_are_refused_by_name(tmp_path, words):
    message = refusal(tmp_path, table(number, number, lambda i: words[i % 3]))
    assert "the target column 'class' has both" in message
    assert f"{words[1]!r} and {words[2]!r}" in message
    words = ("one", *words[1:])
    message = refusal(tmp_path, table(number, lambda i: words[i % 3], parity))
    assert "column 'b' has both" in message
    assert all(repr(word) in message for word in words[1:])


def _number(classes, label):
    return classes.index(label) if label in classes else [float(one) for one in classes].index(float(label))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "1,2,\n", "line 42: the target column 'class' has no value; remove that row"),
        (GOOD + "1,2,NaN\n", "line 42: the target column 'class' has no value ('NaN')"),
        (GOOD + "1,2,?\n", "line 42: the target column 'class' has no value ('?')"),
        (GOOD + "1,2,7\n", "line 42 is the only row of class '7'"),
        (HEADER + "1,2,0\n" * 20, "has 1 class, '0', but two are needed"),
        (
            table(number, number, lambda i: f"{i * 1.5}"),
            "has 40 different numbers in 40 rows, which looks like regress",
        ),
        (table(number, number, lambda i: str(i * 7 % 37)), "looks like regression"),
        (table(number, number, lambda i: str(i % 12 + 0.5), rows=400), "has 12 different numbers in 400 rows, which"),
        (table(number, number, lambda i: f"w{i % 60}", rows=240), "has 60 different words in 240 rows, but at most 50"),
        (GOOD + "1,2,9\n9,9,9\n", "no row of class '9' is among the training rows"),
    ],
)
def test_a_target_that_is_not_a_class_for_each_row_is_refused(tmp_path, text, message):
    if "training rows" in message:  # the two last of 42 rows: put them where the split holds out
        held = sorted(set(range(42)) - set(split(np.arange(42.0), np.zeros(42), standardize=False).x_train.astype(int)))
        lines = GOOD.splitlines(keepends=True)
        for place in held[:2]:
            lines.insert(1 + place, "1,2,9\n")
        text = "".join(lines)
    assert message in refusal(tmp_path, text)


def test_words_become_an_input_for_each_category(tmp_path):
    words = ["red", "blue", "green"]
    actual = read(tmp_path, "a,color,class\n" + "".join(f"{i},{words[i % 3]},{i % 2}\n" for i in range(40)))
    hot = np.array([[word == words[i % 3] for word in sorted(words)] for i in range(40)], float)
    expected = split(np.column_stack([np.arange(40.0), hot]), np.arange(40) % 2)
    assert np.array_equal(actual.data.x_train, expected.x_train)
    assert dict(actual.about)["categories"] == "color (blue, green, red; one-hot, 3 inputs)"


def test_words_far_down_in_a_column_of_numbers_are_found_whatever_the_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "_CELLS_AT_ONCE", 30)
    text = "code,b,class\n" + "".join(f"{i % 4 if i < 15 else 'AB'[i % 2]},{i},{i % 2}\n" for i in range(40))
    assert "line 2, column 'code': '0' is a number among words such as 'B'" in refusal(tmp_path, text)
    assert "line 32, column 'a': 'x' is not a number" in refusal(
        tmp_path, "".join([HEADER, *ROWS.splitlines(keepends=True)[:30], "x,1,1\n", ROWS])
    )


UNITS = [
    lambda i: f"{60 + i % 10} kg",
    lambda i: f"{i % 3}mm",
    lambda i: f"<{i % 3}",
    lambda i: f"> {i % 3}.5",
    lambda i: f"1/{i % 3}",
    lambda i: f"0x{i % 3}",
    lambda i: f"{i % 3}.0D+01",
    lambda i: f"2020-01-0{i % 3 + 1}",
    lambda i: f"{i % 3}:30",
    lambda i: f"{i % 3}0-{i % 3}9",
    lambda i: f"\N{VULGAR FRACTION ONE HALF}{'abc'[i % 3]}",
    lambda i: ["5mm", "6 mm", "unknown"][i % 3],
]


@pytest.mark.parametrize("cell", UNITS, ids=[cell(1) for cell in UNITS])
def test_numbers_with_units_dates_and_the_like_are_no_categories(tmp_path, cell):
    message = refusal(tmp_path, table(cell, number, parity))
    assert f"line 2, column 'a': {cell(0)!r} begins with a number, as most of the column's different words" in message
    assert "without thousands separators and units" in message
    assert "--drop" in message


@pytest.mark.parametrize(
    ("cells", "line", "first"),
    [
        (["n/k", "5.5", "n/k", "6.5", "n/k"], 3, "5.5"),
        (["missing", "missing", "missing", "1", "2.0"], 5, "1"),
        (["low", "low", "high", "high", "$5"], 6, "$5"),
        (["u", "v", "w", "1.0", "01"], 5, "1.0"),
    ],
)
def test_a_number_among_words_is_no_category(tmp_path, cells, line, first):
    message = refusal(tmp_path, table(lambda i: cells[i % 5], number, parity))
    assert f"line {line}, column 'a': {first!r} is a number among words such as {cells[0]!r}" in message
    assert "a missing value as an empty cell" in message


@pytest.mark.parametrize("words", ["A1 B2 C3", "type-3 type-4 type-5", "4wd fwd rwd", "Q1 Q2 Q3", "IV VI IX"])
def test_words_and_codes_with_digits_behind_letters_are_categories(tmp_path, words):
    actual = read(tmp_path, table(lambda i: words.split()[i % 3], number, parity))
    assert actual.data.input_shape == (4,)


BEHIND = [
    lambda i: f"EUR {i % 8}.50",
    lambda i: f"EUR{i % 8}.50",
    lambda i: f"EUR -{i % 8}.50",
    lambda i: f"eur {60 + i % 8}",
    lambda i: f"Rs. {i % 8}",
    lambda i: f"kg {60 + i % 8}",
    lambda i: f"approx. {i % 8}",
    lambda i: f"Temp {36 + i % 5}.{i % 9}",
    lambda i: f"weight: {[12, 30, 47, 55, 83][i % 5]} kg",
    lambda i: f"Boeing {[707, 727, 737, 747, 787][i % 5]}",
    lambda i: ["EUR 5.50", "EUR 7.25", "free"][i % 3],
]


@pytest.mark.parametrize("cell", BEHIND, ids=[cell(1) for cell in BEHIND])
def test_numbers_with_a_unit_before_them_are_no_categories(tmp_path, cell):
    message = refusal(tmp_path, table(cell, number, parity))
    assert (
        f"line 2, column 'a': {cell(0)!r} is a number with a unit, as most of the column's different words" in message
    )
    assert "write the number alone, put a hyphen before codes (type-3), or leave the column out with --drop" in message


def test_amounts_in_a_decimal_comma_are_no_categories(tmp_path):
    text = "a;b;class\n" + "".join(f"EUR {i % 8},50;{i * 7 % 40};{i % 2}\n" for i in range(40))
    assert "line 2, column 'a': 'EUR 0,50' is a number with a unit" in refusal(tmp_path, text)


CODES = [
    lambda i: f"grade {i % 8}",
    lambda i: f"v1.{i % 8}",
    lambda i: f"A{[300, 320, 330, 350, 380][i % 5]}",
    lambda i: f"Boeing-{[707, 727, 737, 747, 787][i % 5]}",
    lambda i: f"EUR-{i % 8}",
    lambda i: ["EUR 5.50", "free", "unknown"][i % 3],
    lambda i: f"{'abcd'[i % 4]} {i % 4}.5",
]


@pytest.mark.parametrize("cell", CODES, ids=[cell(1) for cell in CODES])
def test_codes_that_count_on_or_have_no_unit_in_common_are_categories(tmp_path, cell):
    actual = read(tmp_path, table(cell, number, parity))
    assert actual.data.input_shape == (1 + len({cell(i) for i in range(40)}),)


AMOUNTS = [lambda i: f"EUR {i % 20}.50", lambda i: f"{i % 20}.50 EUR", lambda i: f"{i % 40} kg"]


@pytest.mark.parametrize("label", AMOUNTS, ids=[label(1) for label in AMOUNTS])
def test_a_target_of_amounts_is_a_regression(tmp_path, label):
    message = refusal(tmp_path, table(number, lambda i: str(i), label, rows=200))
    assert "different numbers with a unit, such as " in message
    assert "looks like regression" in message


def test_classes_with_numbers_in_their_names_are_taken(tmp_path):
    actual = read(tmp_path, table(number, lambda i: str(i), lambda i: f"{i % 5 + 1} stars", rows=200))
    assert len(actual.classes) == 5


NFC, NFD = "Gr\u00f6\u00dfe", "Gro\u0308\u00dfe"


@pytest.mark.parametrize(("written", "given"), [(NFC, NFD), (NFD, NFC), (f"{NFC}\u200b", NFD), ("a  b", " a b ")])
def test_names_of_columns_are_the_same_however_unicode_and_spaces_are_written(tmp_path, written, given):
    dropped = read(tmp_path, GOOD.replace("a,b,class", f"{written},b,class"), drop=(given,))
    assert dropped.features == 1
    targeted = read(tmp_path, GOOD.replace("a,b,class", f"a,b,{written}"), target=given)
    assert targeted.features == 2
    twins = refusal(tmp_path, GOOD.replace("a,b,class", f"{written},{given},class"))
    assert "two columns have the same name" in twins


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('a"x,b,class', 'a"x'),
        ('a,b"x,class', 'b"x'),
        ('a,b,class"', 'class"'),
        ('"a,1,0\n2,b",x,class', "a,1,0 2,b"),
        ('a,"b"",class', None),
        ('"a,b,class', None),
        ('"a"x,b,class', None),
    ],
)
def test_a_stray_quotation_mark_in_the_header_is_one_line_that_names_it(tmp_path, header, name):
    message = refusal(tmp_path, f"{header}\n{ROWS}")
    if name is None:  # no row is separated from the next
        assert "line 1: the row that begins there cannot be read" in message
        assert "fix its quotation marks" in message
    else:
        assert f"the header line 1 has a stray quotation mark, at the column {name!r}; remove it" in message


@pytest.mark.parametrize("header", ['"a ""x""",b,class', '"a\n(kg)",b,class', '"5"" pipe",b,class', '"a","b","class"'])
def test_quotation_marks_that_fit_in_the_header_are_taken(tmp_path, header):
    assert read(tmp_path, f"{header}\n{ROWS}").features == 2


def test_numbers_with_thousands_separators_never_become_categories(tmp_path):
    text = table(lambda i: f'"{i % 3 + 1},000,000"', number, parity)
    assert "line 2, column 'a': '1,000,000' is not a number" in refusal(tmp_path, text)


def test_missing_values_become_the_median_or_a_category_of_their_own(tmp_path):
    text = "a,color,class\n" + "".join(
        f"{'NA' if i == 3 else i},{['red', 'blue', '?'][i % 3]},{i % 2}\n" for i in range(40)
    )
    assert "line 5, column 'a': the value is missing ('NA')" in refusal(tmp_path, text)
    assert "line 4, column 'color': the value is missing ('?')" in refusal(tmp_path, text.replace("NA,", "3,"))
    actual = read(tmp_path, text, missing="median")
    a = np.arange(40.0)
    a[3] = np.median(np.delete(a, 3))
    hot = np.array([[i % 3 == 1, i % 3 == 0, i % 3 == 2] for i in range(40)], float)
    assert np.array_equal(actual.data.x_train, split(np.column_stack([a, hot]), np.arange(40) % 2).x_train)
    assert (
        dict(actual.about)["missing values"]
        == "1 in a: the column's median over all rows, 13 in color: a category of its own"
    )
    empty = table(lambda i: "", number, parity)
    assert "column 'a' holds no value at all; leave it out with --drop" in refusal(tmp_path, empty, missing="median")


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (lambda i: str(10**18 + i), "column 'a' varies from 1e+18 to 1e+18, of which floating point keeps too few"),
        (lambda i: f"{10**12}.{i:04d}", "floating point keeps too few digits"),
        (lambda i: f"{i}e-200", "column 'a' varies too little"),
    ],
)
def test_a_column_whose_differences_rounding_swallows_is_refused(tmp_path, first, message):
    assert message in refusal(tmp_path, table(first, number, parity))


@pytest.mark.parametrize("value", ["1", "0.1", "1e30", "-3e38", str(10**18)])
def test_a_constant_column_is_an_input_of_zeros_and_is_named(tmp_path, value):
    actual = read(tmp_path, table(lambda i: value, number, parity))
    assert dict(actual.about)["never varies"] == "a"
    assert not actual.data.x_train[:, 0].any()
    assert "every feature has the same value" in refusal(tmp_path, table(lambda i: value, lambda i: "2", parity))


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e15, 1e30, 8e36])
def test_whatever_is_taken_is_finite_and_standardised_in_float32(tmp_path, scale):
    data = read(tmp_path, table(lambda i: repr(i * scale), number, parity)).data
    both = np.concatenate([data.x_train, data.x_test]).astype(float)
    assert np.isfinite(both).all()
    assert np.allclose(both.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(both.std(axis=0), 1, atol=1e-6)


def test_a_table_of_two_columns_and_one_of_thousands_are_taken(tmp_path):
    assert read(tmp_path, "a,class\n" + "".join(f"{i},{i % 2}\n" for i in range(40))).data.input_shape == (1,)
    names = ",".join(f"f{n}" for n in range(3000))
    cells = [",".join(str((i * n) % 11) for n in range(3000)) for i in range(20)]
    wide = f"{names},class\n" + "".join(f"{row},{i % 2}\n" for i, row in enumerate(cells))
    actual = read(tmp_path, wide)
    assert actual.data.input_shape == (3000,)
    assert len(dict(actual.about)["features"]) < 200


COUNTS = [
    lambda i: str(i + 1),
    lambda i: str(10 * i),
    lambda i: str(500 - 3 * i),
    lambda i: f"{0.1 * i:.1f}",
    lambda i: str(1000 + 5 * (i * 7 % 40)),
]


@pytest.mark.parametrize("cell", COUNTS, ids=[cell(1) for cell in COUNTS])
def test_a_column_that_numbers_the_rows_is_named(tmp_path, cell):
    actual = read(tmp_path, table(cell, lambda i: str(i * i % 11), parity))
    assert dict(actual.about)["numbers the rows"].startswith("a: trained on; ")


@pytest.mark.parametrize(
    "cell",
    [lambda i: "5", lambda i: str(i * i), lambda i: str(i // 2), lambda i: str(i * 1.5**i)],
    ids=["constant", "squares", "pairs", "growth"],
)
def test_a_column_that_does_not_number_the_rows_is_not_named_so(tmp_path, cell):
    assert "numbers the rows" not in dict(read(tmp_path, table(cell, lambda i: str(i * i % 11), parity)).about)


@pytest.mark.parametrize(
    "cell",
    [lambda i: str(i % 3), lambda i: str(7.5 - i % 3), lambda i: "xyz"[i % 3]],
    ids=["same", "numbers", "words"],
)
@pytest.mark.parametrize("gap", [None, 5])
def test_a_feature_that_is_a_copy_of_the_target_is_refused_by_name(tmp_path, cell, gap):
    text = table(number, lambda i: "" if i == gap else cell(i), lambda i: "abc"[i % 3])
    message = refusal(tmp_path, text, missing="median")
    assert "column 'b' has one value for each class of the target column 'class'" in message
    assert "leave it out with --drop" in message
    assert read(tmp_path, text, drop=("b",)).features == 1


@pytest.mark.parametrize(
    "cell",
    [lambda i: str(i % 6), lambda i: str(int(i == 7)), lambda i: "1" if i < 9 else ""],
    ids=["six", "one row", "gaps"],
)
def test_a_feature_that_only_helps_is_no_copy_of_the_target(tmp_path, cell):
    text = table(number, cell, lambda i: "abc"[i % 3])
    assert read(tmp_path, text, missing="median").features == 2


def test_a_feature_whose_gaps_stand_for_a_class_is_refused(tmp_path):
    text = table(number, lambda i: ["x", ""][i % 2], parity)
    assert "column 'b' has one value for each class" in refusal(tmp_path, text, missing="median")


def test_held_out_rows_that_are_training_rows_too_are_counted(tmp_path):
    assert "repeated rows" not in dict(read(tmp_path, GOOD).about)
    lines = ROWS.splitlines(keepends=True)
    for text, copies in ((GOOD + lines[3] * 2 + lines[5], 3), (GOOD + ROWS, 40), (GOOD + "3.75,2,0\n", 0)):
        actual = read(tmp_path, text)
        trained, held_out = (
            [(*row, label) for row, label in zip(x.tolist(), y.ravel().tolist(), strict=True)]
            for x, y in ((actual.data.x_train, actual.data.y_train), (actual.data.x_test, actual.data.y_test))
        )
        shared = sum(row in trained for row in held_out)
        repeated = dict(actual.about).get("repeated rows", "0 of")
        assert repeated.startswith(f"{shared} of" + f" {len(held_out)} held-out rows (" * bool(shared))
        assert bool(shared) == bool(copies)


def test_rows_that_stand_twice_on_one_side_of_the_split_are_not_counted(tmp_path):
    trained = read(tmp_path, table(number, lambda i: str(i), parity)).data.x_train
    assert len(trained) == 28
    order = np.random.RandomState(42).permutation(40)[12:]  # as scikit-learn splits: the first are held out
    twice = {int(order[0]): int(order[1])}  # one training row is a copy of another
    text = table(lambda i: number(twice.get(i, i)), lambda i: str(twice.get(i, i)), lambda i: parity(twice.get(i, i)))
    assert "repeated rows" not in dict(read(tmp_path, text).about)


def test_more_than_the_most_bytes_or_numbers_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "MOST_NUMBERS", 79)
    assert "more than 79 numbers in 2 features; leave rows out, or columns with --drop" in refusal(tmp_path, GOOD)
    monkeypatch.setattr(encoding, "MOST_BYTES", 100)
    with pytest.raises(InitcheckError, match=r"larger than a table may be \(0.0001 MB\)"):
        read(tmp_path, GOOD)


def test_a_missing_file_a_folder_or_a_device_is_refused(tmp_path):
    for path, message in (
        (tmp_path / "none.csv", "No such file"),
        (tmp_path, "is a folder"),
        (Path("/dev/zero"), "is a device"),
    ):
        with pytest.raises(InitcheckError, match=message):
            from_csv(path)


def test_a_pipe_is_read_to_its_end(tmp_path):
    os.mkfifo(path := tmp_path / "pipe.csv")
    writer = threading.Thread(target=path.write_text, args=(GOOD,))
    writer.start()
    assert from_csv(path).name == "pipe.csv"
    writer.join()


def test_the_table_is_described_and_not_taken_for_the_lectures(tmp_path):
    problem = from_csv(write(tmp_path, GOOD, "mine.csv"))
    assert problem.name == "mine.csv"
    assert problem.title == "2 classes of 'class' from 2 features: 2-1, sigmoid"
    about = dict(problem.about)
    assert about["file"] == "mine.csv"
    assert about["sha256"][:16] in problem.source
    assert about["table"] == "40 rows of 2 features and a target"
    assert about["classes"] == "0: 20 rows (50.0%), 1: 20 rows (50.0%)"
    assert about["missing values"] == "none"
    assert "anknotes" not in f"{problem.title}{problem.source}{problem.about}"


def test_a_file_is_named_the_same_wherever_it_lies_and_never_as_a_row_of_the_catalogue(tmp_path):
    (tmp_path / "folder").mkdir()
    here, there = write(tmp_path, GOOD, "mine.csv"), write(tmp_path / "folder", GOOD, "mine.csv")
    assert from_csv(here).name == from_csv(there).name
    assert from_csv(write(tmp_path, GOOD, "iris")).name not in PROBLEMS
    composed, decomposed = write(tmp_path, GOOD, "\xe4.csv"), write(tmp_path / "folder", GOOD, "a\u0308.csv")
    assert from_csv(composed).name == from_csv(decomposed).name == "\xe4.csv"
    assert from_csv(write(tmp_path, GOOD, "\x1b[31m.csv")).name.isprintable()


def test_names_from_the_file_are_printable_in_every_fact(tmp_path):
    text = f"a\x1b[31m{'x' * 500},b\u202e,class\n" + ROWS.replace(",1\n", ",\x1b[1m\n")
    problem = from_csv(write(tmp_path, text))
    for name, value in (*problem.about, ("title", problem.title)):
        assert value.isprintable(), name
        assert len(value) < 300, name


@pytest.mark.parametrize(("rare", "target"), [(20, 0.9), (8, 0.9), (2, None)])
def test_the_target_is_nine_tenths_or_halfway_from_chance_to_all(tmp_path, rare, target):
    problem = from_csv(write(tmp_path, table(number, number, lambda i: str(int(i < rare)))))
    share = np.bincount(problem.data().y_train.ravel().astype(int)).max() / 28
    assert problem.chance == pytest.approx(share)
    assert problem.target == (target or pytest.approx((1 + share) / 2))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"hidden": (8, 0)}, "--hidden 8,0: give up to"),
        ({"hidden": (8,) * 101}, "give up to 100 layers"),
        ({"hidden": (10**9,)}, "give up to 100 layers of 1 to 100,000 units"),
        ({"batch_size": 0}, "--batch-size 0: it may be from 1 to the number of training rows"),
        ({"batch_size": 29}, "--batch-size 29: it may be from 1 to the number of training rows, 28"),
        ({"learning_rate": 0.0}, "--learning-rate 0: it may be from"),
        ({"learning_rate": float("nan")}, "--learning-rate nan: it may be from"),
        ({"learning_rate": 1e300}, "--learning-rate 1e+300: it may be from"),
        ({"learning_rate": "0.1"}, "--learning-rate is '0.1' (a str); give a number"),
        ({"batch_size": "16"}, "--batch-size is '16' (a str); give a whole number"),
        ({"target_accuracy": "0.8"}, "--target-accuracy is '0.8' (a str); give a number"),
        ({"target_accuracy": 0.0}, "--target-accuracy 0: it may be above 0 and up to 1"),
        ({"target_accuracy": 1.01}, "--target-accuracy 1.01: it may be above 0 and up to 1"),
        ({"target_accuracy": float("nan")}, "--target-accuracy nan: it may be above 0 and up to 1"),
    ],
)
def test_a_model_that_cannot_be_trained_is_refused(tmp_path, model, message):
    with pytest.raises(InitcheckError) as raised:
        from_csv(write(tmp_path, GOOD), **model)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "model", [{"hidden": (0,)}, {"hidden": (2.5,)}, {"batch_size": 0}, {"learning_rate": float("nan")}]
)
def test_unusable_settings_are_refused_before_a_table_is_read(tmp_path, model):
    option = f"--{next(iter(model)).replace('_', '-')}"
    with pytest.raises(InitcheckError, match=option):
        from_csv(tmp_path / "none.csv", **model)


def test_the_lectures_file_gives_the_lectures_protocol(banknotes):
    frame = pd.read_csv(banknotes)
    expected = split(frame.iloc[:, :4], frame["class"])
    own, lecture, row = from_csv(banknotes), banknotes_from_csv(banknotes), PROBLEMS["banknotes"]
    for problem in (own, lecture):
        data = problem.data()
        assert (len(data.x_train), len(data.x_test)) == (960, 412)
        assert np.array_equal(data.x_train, expected.x_train)
        assert np.array_equal(data.y_test, expected.y_test)
        assert problem.chance == pytest.approx(0.5552, abs=1e-4)
        assert (problem.batch_size, problem.epochs, problem.loss) == (row.batch_size, row.epochs, row.loss)
        assert problem.target == row.target
    assert (own.name, lecture.name) == ("banknotes.csv", "banknotes")  # the streams of the lecture's stay
    assert (lecture.model, lecture.optimizer) == (row.model, row.optimizer)


def test_the_lectures_protocol_is_for_two_classes(tmp_path):
    with pytest.raises(InitcheckError, match=r"has 3 classes.*leave --problem banknotes out"):
        banknotes_from_csv(write(tmp_path, table(number, number, lambda i: str(i % 3))))


_X, _Y = np.arange(40.0).reshape(20, 2) ** 1.5, np.arange(20) % 2


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (
            _X,
            np.array(["no", "yes"])[_Y],
            {},
            "y holds 'no', no number; give class numbers: np.unique(y, ",
        ),
        (_X, np.array(["no", "yes"], object)[_Y].tolist(), {}, "y holds 'no', no number; "),
        (_X, pd.Series(pd.Categorical(_Y > 0)).astype(str), {}, "y holds 'False', no number; "),
        (_X, np.eye(2)[_Y], {}, "y is one-hot, shape (20, 2); give class numbers: y.argmax(axis=1)"),
        (_X, np.eye(3)[_Y], {"classes": 3}, "y is one-hot, shape (20, 3); give class numbers: y.argmax(axis=1)"),
        (_X, _X, {}, "y has several numbers a row, shape (20, 2); give class numbers: one for each row"),
        (_X, _Y / 2, {}, "y holds real numbers such as 0.5, a regression; "),
        (_X, 2 * _Y - 1, {}, "y has the class -1; number the classes from 0 on: (y + 1) / 2"),
        (_X, _Y + 1, {}, "y has the class 2, but classes=2; give classes=3, or number the classes from 0 on: "),
        (_X, _Y * np.nan, {}, "y has NaN or infinity, the first in row 0; "),
        (_X, _Y + 0j, {}, "y is complex128; give class numbers: "),
        (_X, None, {}, "y is None; give class numbers: "),
        (_X, _Y[:-1], {}, "x has 20 rows and y 19; give a class for every row"),
        (_X, _Y, {"classes": 1}, "classes is 1; at least 2 is needed"),
        (_X, _Y, {"classes": "2"}, "classes is '2' (a str); give a whole number"),
        ([*_X.astype(str).tolist(), ["a", "b"]], [0] * 21, {}, "x holds "),
        (
            np.full((20, 2), "red"),
            _Y,
            {},
            "x holds 'red', no number; give numbers, and code words as",
        ),
        (np.where(_X > 100, np.inf, _X), _Y, {}, "x has NaN or infinity, the first in row 11; leave those rows out"),
        (_X[:, 0], _Y, {}, "x has the shape (20,); a table has rows and columns: give x.reshape(len(x), -1)"),
        (
            _X.reshape(10, 2, 2),
            _Y[:10],
            {},
            "x has the shape (10, 2, 2); a table has rows and columns: give stand",
        ),
        (_X * 1e300, _Y, {}, "column 0 of x, from 0 to 2.34248e+302, cannot be standardised in floating point; "),
        (_X * 1e-300, _Y, {}, "column 0 of x, from 0 to 2.34248e-298, cannot be standardised in floating point; "),
        (_X * 1e300, _Y, {"standardize": False}, "x has numbers beyond float32's 3.4e+38; divide them"),
        (_X[:1], _Y[:1], {}, "x has 1 row; give 2 at least, to train on and to hold out"),
        (_X[:0], _Y[:0], {}, "x has the shape (0, 2); give rows, each of one number or more"),
        ([[1], [2, 3]], [0, 1], {}, "x holds "),
    ],
)
def test_unusable_arrays_are_refused_in_one_line_with_the_fix(x, y, options, message):
    with pytest.raises(InitcheckError) as raised:
        split(x, y, **options)
    text = str(raised.value)
    assert text.startswith(f"split: {message}")
    assert text.isprintable()


@pytest.mark.parametrize(
    "y",
    [_Y.tolist(), _Y > 0, _Y.astype(str), _Y[:, None], pd.Series(_Y), _Y.astype(object), _Y.astype("longdouble")],
    ids=["list", "bool", "digits", "column", "series", "objects", "long double"],
)
def test_class_numbers_are_taken_in_any_form(y):
    actual, expected = split(_X, y), split(_X, _Y)
    assert actual.y_train.dtype == np.float32
    assert actual.y_train.tobytes() == expected.y_train.tobytes()
    assert actual.x_test.tobytes() == expected.x_test.tobytes()


def test_without_network_both_ways_are_named(monkeypatch):
    def unreachable(**_):
        raise OSError("no route")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", unreachable)
    with pytest.raises(DataError, match=r"connect to the network, or give the table .* --data FILE.csv"):
        tables.fetch_banknotes()


@pytest.fixture
def run(monkeypatch, capfd, tmp_path):
    """Runs ``initcheck run`` in this process, in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["initcheck", "run", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capfd.readouterr()
        return stopped.value.code or 0, out, err

    return run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "class"], "--target names a column of --data FILE.csv, which is not given"),
        *(
            ([option, value], f"{option} is about the table of --data FILE.csv, which is not given")
            for option, value in [
                ("--drop", "a"),
                ("--separator", ";"),
                ("--decimal", ","),
                ("--header", "no"),
                ("--missing", "median"),
                ("--hidden", "8"),
                ("--batch-size", "8"),
                ("--learning-rate", "0.1"),
            ]
        ),
        (["--data", "t.csv", "--problem", "iris"], "--problem iris has data of its own"),
        (["--data", "t.csv", "--problem", "banknotes", "--hidden", "8"], "--hidden changes the lecture's protocol"),
        (["--data", "t.csv", "--separator", "x"], "'x' is none of comma, semicolon, tab, pipe"),
        (["--data", "t.csv", "--hidden", "8;8"], "'8;8' is no list of whole numbers such as 8,8"),
        (["--data", "t.csv", "--hidden", ""], "'' is no list of whole numbers"),
        (["--data", "t.csv", "--target", "k"], "give --target one of: a, b, class"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(run, tmp_path, words, message):
    write(tmp_path, GOOD)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.slow
def test_a_table_of_three_classes_with_words_and_gaps_is_trained_and_the_command_repeats_it(run, tmp_path):
    rows = [
        f"{i};{i % 3 + i % 5 / 10};{['red', 'blue'][i % 2]};{'' if i == 7 else i * 7 % 11};{'abc'[i % 3]}"
        for i in range(90)
    ]
    write(tmp_path, "id;x;color;y;kind\n" + "\n".join(rows).replace(".", ","), "mine.csv")
    words = ["--data", "mine.csv", "--target", "kind", "--drop", "id", "--separator", ";", "--decimal", ",", "--header"]
    words += ["yes", "--missing", "median", "--hidden", "8,4", "--batch-size", "9", "--learning-rate", "0.02"]
    words += ["--epochs", "30", "--initializers", "he_normal", "--reseeds", "3"]
    code, _, err = run(*words)
    assert code == 0, err
    runs = pd.read_csv("initcheck-results/runs.csv")
    assert set(runs.problem) == {"mine.csv"}
    assert set(runs.train_total) == {63}
    assert (runs.train_accuracy > 0.9).all()  # x tells the classes apart; chance is a third
    report = Path("initcheck-results/report.html").read_text()
    assert "3 classes of" in report
    assert "anknotes" not in report
    command = initcheck_command(report)
    assert [word for word in words if word not in command] == [";", ","]  # written as semicolon and comma
    assert run(*command, "--out", "again")[0] == 0
    assert Path("again/runs.csv").read_bytes() == Path("initcheck-results/runs.csv").read_bytes()


def initcheck_command(report):
    import html
    import re
    import shlex

    (line,) = set(re.findall(r"initcheck run [^<]+", report))
    return shlex.split(html.unescape(line))[2:]


@pytest.mark.slow
def test_every_layer_of_a_table_s_model_gets_the_initializer_by_a_name_of_its_own(tmp_path):
    keras = pytest.importorskip("keras")
    problem = from_csv(write(tmp_path, table(number, number, lambda i: str(i % 3))), hidden=(8, 4))
    asked = []

    def initializer(name):
        asked.append(name)
        return "zeros"

    model = problem.model(keras, initializer, problem.data().input_shape)
    assert asked == ["hidden_1", "hidden_2", "output"]
    assert [layer.units for layer in model.layers] == [8, 4, 3]
    assert [layer.activation.__name__ for layer in model.layers] == ["relu", "relu", "softmax"]


@pytest.mark.slow
def test_one_file_in_two_folders_gives_the_same_runs(tmp_path):
    (tmp_path / "folder").mkdir()
    frames = [
        initcheck.sweep(from_csv(write(folder, GOOD)), initializers=["he_normal"], reseeds=2).to_frame()
        for folder in (tmp_path, tmp_path / "folder")
    ]
    assert frames[0].equals(frames[1])


ADVICE = "put a letter before codes to make them categories"


@pytest.mark.parametrize("cell", ["13.01.2020", "1/2/2020", "2020-01-01", "192.168.0.1", "5 kg", "1.000.000"])
@pytest.mark.parametrize("share", [1, 40], ids=["all", "one"])
def test_whatever_begins_with_a_number_and_is_none_gets_the_same_advice(tmp_path, cell, share):
    message = refusal(tmp_path, table(lambda i: number(i) if i % share else cell, number, parity))
    assert f"line 2, column 'a': '{cell}' " in message
    assert ADVICE in message
    assert "without thousands separators and units" in message
    assert message.endswith("or leave the column (dates, addresses, ids) out with --drop")


def test_a_word_among_codes_is_answered_with_how_to_make_categories(tmp_path):
    message = refusal(tmp_path, table(lambda i: "M" if i == 9 else str(38 + 2 * (i % 3)), number, parity))
    assert "line 11, column 'a': 'M' is not a number; fix the cell, remove the row, " in message
    assert f"{ADVICE}, or leave the column out with --drop" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("a,b,", "a,"), "line 1, the first, has 2 cells, but most rows have 3; give each column one name"),
        (GOOD.replace("a,b,", "a,b,c,"), "line 1, the first, has 4 cells, but most rows have 3; give each column"),
        ("\n" + GOOD.replace("a,b,", "a,") + "1,2\n", "line 2, the first, has 2 cells, but most rows have 3"),
        ("# exported 2024\n" + GOOD, "line 1, '# exported 2024', is no part of the table below it; remove that line"),
        ("Our table\n\n" + SEMICOLONS, "line 1, 'Our table', is no part of the table below it; remove that line"),
        ("# by me; for you\n" + GOOD, "line 1, '# by me; for you', is no part of the table"),
        ("# by me, for you\n" + GOOD, "line 1, '# by me, for you', is no part of the table"),
        ("sep=;\n# exported\n" + SEMICOLONS, "line 2, '# exported', is no part of the table"),
        (
            GOOD + "1,2,\n3,4,NA\n5,6,\n",
            "line 42: the target column 'class' has no value, the first of 3 such rows",
        ),
    ],
)
def test_the_line_at_fault_is_the_one_that_is_named(tmp_path, text, message):
    assert message in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "given", "fits"),
    [
        (EUROPEAN, "comma", "semicolon"),
        (EUROPEAN.replace(";", "\t"), "comma", "tab"),
        (SEMICOLONS, "comma", "semicolon"),
        (GOOD, "pipe", "comma"),
        ("sep=;\n" + EUROPEAN, "comma", "semicolon"),
        (SEMICOLONS.replace("a;b", "a, of 1;b"), "comma", "semicolon"),
    ],
)
def test_a_given_separator_that_does_not_fit_is_answered_with_the_one_that_does(tmp_path, text, given, fits):
    assert refusal(tmp_path, text, separator=given).endswith(f"; give --separator {fits}")
    read(tmp_path, text, separator=fits)


def test_a_hash_in_the_name_of_a_column_is_no_comment(tmp_path):
    assert read(tmp_path, "#" + GOOD).data.input_shape == (2,)
    assert read(tmp_path, GOOD.replace("\n", ",\n").replace("class,", "class")).data.input_shape == (2,)


@pytest.mark.parametrize("cells", ["01234 56789", "1 02", "007 008", "00 1", "'' 012"])
def test_numbers_with_leading_zeros_are_questioned_as_codes(tmp_path, monkeypatch, cells):
    monkeypatch.setattr(columns, "_CELLS_AT_ONCE", 9)  # chunks of three rows
    first, last = cells.replace("'", "").split(" ")
    row = 2 if first[:2].isdigit() and first[0] == "0" else 32
    message = refusal(
        tmp_path, table(lambda i: first if i < 30 else last, number, parity), missing=None if first else "median"
    )
    assert f"line {row}, column 'a': '{first if row == 2 else last}' has a leading zero, as codes have" in message
    assert "put a letter before the codes to make them categories, write numbers without leading zeros, or" in message
    assert message.endswith("out with --drop")


@pytest.mark.parametrize(
    "cell",
    [lambda i: f"0{i}.5", lambda i: f"0{i}.0", lambda i: str(i * i % 7), lambda i: "0e1"],
    ids=["fractions", "points", "zero", "exponent"],
)
def test_a_leading_zero_of_a_fraction_and_zero_itself_are_numbers(tmp_path, cell):
    assert read(tmp_path, table(cell, number, parity)).data.input_shape == (2,)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (lambda i: str(4_000_000_000 + i * i * 9_999_991), "long whole numbers, all different"),
        (lambda i: "" if i == 3 else str(1_234_567_890 + i**3), "long whole numbers, all different"),
        (lambda i: str(10**18 + i * i * 10**15), "whole numbers beyond 2⁵³, which lose their last digits"),
    ],
    ids=["accounts", "a gap", "beyond"],
)
def test_long_whole_numbers_that_all_differ_are_named(tmp_path, cell, words):
    about = dict(read(tmp_path, table(cell, number, parity), missing="median").about)
    assert about["may identify the rows"] == f"a ({words})"


@pytest.mark.parametrize(
    "cell",
    [
        lambda i: f"{4_000_000_000 + i * i * 9_999_991}.5",
        lambda i: f"{i * i + 1}e20",
        lambda i: str(4_000_000_000 + i * i % 11),
        lambda i: str(100_000_000 + i * i),
        lambda i: str(4_000_000_000 + i),
    ],
    ids=["fractions", "exponents", "repeated", "nine digits", "numbers the rows"],
)
def test_large_numbers_that_are_no_ids_are_not_named_so(tmp_path, cell):
    assert "may identify the rows" not in dict(read(tmp_path, table(cell, number, parity)).about)


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        (["-999"], "-999 in a (1 row), far from its other values"),
        (["9999", "9999.0"], "9999 in a (2 rows), far from its other values"),
        (["-99", "999"], "-99 in a (1 row), far from its other values, 999 in a (1 row), far from its other values"),
        (["-998"], None),
        (["99"], None),
    ],
)
def test_an_extreme_that_looks_like_a_mark_for_missing_is_named_on_the_page(tmp_path, marks, words):
    text = table(lambda i: marks[i] if i < len(marks) else str(i * i % 17 / 4), number, parity)
    assert dict(read(tmp_path, text).about).get("may stand for a missing value") == words


@pytest.mark.parametrize("scale", [30, 25])
def test_a_number_that_continues_its_column_is_no_mark_for_missing(tmp_path, scale):
    text = table(lambda i: "999" if i == 3 else str(i * scale % 1000), number, parity)
    assert "may stand for a missing value" not in dict(read(tmp_path, text).about)


@pytest.mark.parametrize("y", [_Y, _Y[:, None]], ids=["rows", "column"])
def test_two_classes_may_be_integers_for_a_softmax_over_two_units(y):
    actual, usual = split(_X, y, labels="int"), split(_X, y)
    assert actual.y_train.dtype == actual.y_test.dtype == np.int32
    assert np.array_equal(actual.y_train, usual.y_train.ravel())
    assert np.array_equal(actual.y_test, usual.y_test.ravel())
    assert actual.x_train.tobytes() == usual.x_train.tobytes()
    three = np.arange(20) % 3
    both = split(_X, three, classes=3, labels="int"), split(_X, three, classes=3)
    assert both[0].y_train.dtype == both[1].y_train.dtype == np.int32
    assert np.array_equal(both[0].y_train, both[1].y_train)
    with pytest.raises(InitcheckError, match=r"split: labels is 'integer' \(a str\), none of 'auto', 'int'; did you"):
        split(_X, y, labels="integer")


@pytest.mark.parametrize(("given", "target"), [(None, 0.9), (0.75, 0.75), (1.0, 1.0)])
def test_the_target_accuracy_is_the_lectures_unless_given(tmp_path, given, target):
    path = write(tmp_path, table(number, number, lambda i: str(i % 3)))
    assert from_csv(path, target_accuracy=given).target == target


def test_the_target_accuracy_is_in_the_command_that_repeats_the_run():
    options: dict[str, Any] = {one.name: None for one in fields(TableOptions)} | {"data": Path("mine.csv"), "drop": ()}
    assert TableOptions(**{**options, "target_accuracy": 0.75}).words() == [
        "--data", "mine.csv", "--target-accuracy", "0.75"
    ]  # fmt: skip
    assert TableOptions(**options).words() == ["--data", "mine.csv"]


def test_the_target_accuracy_is_refused_without_a_table_and_under_the_lectures_protocol():
    options: dict[str, Any] = {one.name: None for one in fields(TableOptions)} | {"drop": (), "target_accuracy": 0.75}
    with pytest.raises(InitcheckError, match="--target-accuracy is about the table of --data"):
        TableOptions(**options).choose(None)
    with pytest.raises(InitcheckError, match="--target-accuracy changes the lecture's protocol"):
        TableOptions(**{**options, "data": Path("mine.csv")}).choose("banknotes")


def test_one_input_of_one_feature_is_in_the_singular(tmp_path):
    text = "".join(f"{i},{i % 2}\n" for i in [*range(19), 30])
    problem = from_csv(write(tmp_path, "b,kind\n" + text))
    about = dict(problem.about)
    assert about["features"] == "b; 1 input"
    assert about["table"] == "20 rows of 1 feature and a target"
    assert ": 1 input, 1 sigmoid output" in banknotes_from_csv(write(tmp_path, "b,kind\n" + text)).title


WORDS = st.text("abcxyzäß ,;|'\"", min_size=1, max_size=8).map(lambda word: " ".join(word.split())).filter(bool)


@given(st.data())
@settings(max_examples=10)
def test_any_table_is_read_the_same_through_any_separator_quotes_and_line_ends(data):
    classes = data.draw(st.lists(WORDS, min_size=2, max_size=2, unique_by=str.casefold))
    numbers = st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 6)), min_size=24, max_size=24, unique=True)
    columns = [data.draw(numbers) for _ in range(data.draw(st.integers(1, 3)))]
    rows = [[*row, classes[place % 2]] for place, row in enumerate(zip(*columns, strict=True))]
    header = [f"x{place}" for place in range(len(columns))] + ["label"]
    tables = []
    quotings: Iterator[Literal[0, 1]] = itertools.cycle((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    ends = itertools.cycle(("\n", "\r\n", "\r\n"))
    for separator, quoting, end in zip(",;|\t,;", quotings, ends, strict=False):
        text = io.StringIO()
        csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end).writerows([header, *rows])
        tables.append((separator, text.getvalue()))
    with tempfile.TemporaryDirectory() as folder:
        read_back = [
            read(Path(folder), text, separator=next(name for name, sign in SEPARATORS.items() if sign == separator))
            for separator, text in tables
        ]
    first = read_back[0]
    assert set(first.classes) == set(classes)
    for other in read_back[1:]:
        assert other.classes == first.classes
        for name in ("x_train", "y_train", "x_test", "y_test"):
            assert np.array_equal(getattr(other.data, name), getattr(first.data, name))
