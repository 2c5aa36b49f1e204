"""The page and the comment of a comparison: a colleague can decide from them, and no text of a file steers them."""

import html
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from baselines import ORDERS, baseline, changed, cpu_seconds_of_children, curves, trace
from click.testing import CliRunner
from markdown_it import MarkdownIt  # comes with rich
from page_tags import Tags

from initcheck import InitcheckError
from initcheck.baselines.comparing.classes import Class, allowed
from initcheck.baselines.comparing.compare import compare
from initcheck.baselines.comparing.comparison import ALL_STAGES
from initcheck.baselines.records.store import load_baseline, write_baseline
from initcheck.baselines.records.summary import curves_record, stage_record
from initcheck.baselines.records.training_records import STAGES, AccuraciesRecord, BandRecord
from initcheck.cli import app as cli
from initcheck.records import Runs
from initcheck.reporting.comparisons import compared_problems as comparison_problems
from initcheck.reporting.comparisons import words as comparison_words
from initcheck.reporting.comparisons.advice import advise
from initcheck.reporting.comparisons.cell_changes import changes
from initcheck.reporting.comparisons.compared_trainings import TrainingMetric, fitted_loss, training_of
from initcheck.reporting.comparisons.comparison_page import render_comparison
from initcheck.reporting.comparisons.markdown import render_comment
from initcheck.reporting.comparisons.sentences import SECTIONS
from initcheck.texts import for_drawing, for_markdown

pytestmark = pytest.mark.slow

OLD = baseline()
DEFAULT = allowed([])
MARKDOWN = MarkdownIt("commonmark").enable("table")
HOSTILE = "</td><script>alert(1)</script>|`*_[x](http://evil.example)\n# @team $1$\x1b]0;owned\x07\u202e"


def bits(record=OLD):
    return changed(record, "final weights", lambda values: np.nextafter(values, np.float32(9)))


def worse(before=OLD):
    new = before.model_copy(deep=True)
    record = new.problems["iris"].accuracies["he_normal"]
    lower = record.model_copy(update={"correct": tuple(count - 3 for count in record.correct)})
    new.problems["iris"].accuracies["he_normal"] = lower
    return new


def without_reseeds():
    new = OLD.model_copy(deep=True)
    del new.problems["iris"].accuracies["he_normal"]
    return new


def page(new, old=OLD, good=DEFAULT, drawn=0):
    """The page, with the curves of so many problems: they take their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison_problems, "MOST_DRAWN", drawn)
        return render_comparison(compare(old, new, good))


def comment(new, old=OLD, good=DEFAULT):
    return render_comment(compare(old, new, good))


def advice(new, *named):
    return advise(compare(OLD, new, allowed(named)))


@pytest.mark.parametrize(
    ("new", "named", "answer", "passes"),
    [
        (OLD, (), "Yes", True),
        (bits(), (), "Yes", True),
        (bits(), (Class.IDENTICAL,), "Yes", False),
        (baseline(draw_seed=1), (), "Yes, with new numbers", False),
        (baseline(draw_seed=1), (Class.SAME_DISTRIBUTION,), "Yes, with new numbers", True),
        (baseline(draw_seed=1, scale=1.05), (), "After a look", False),
        (worse(), (), "No", False),
        (worse(), (Class.CHANGED,), "Yes, as you allow it", True),
        (without_reseeds(), (), "Not yet", False),
        (baseline(orders=[ORDERS[0]] * 2), (), "After a look", False),
    ],
)
def test_the_advice_follows_from_the_verdicts(new, named, answer, passes):
    advised = advice(new, *named)
    assert (advised.answer, advised.passes) == (answer, passes)
    assert advised.reason in html.unescape(page(new, good=allowed(named)))


def test_a_change_whose_effect_on_accuracy_is_unknown_is_not_waved_through():
    new = without_reseeds()
    new.fans["dense"] = new.fans["dense"].model_copy(update={"fan_in": 5.0})
    assert advice(new).answer == "Not without a look"


@pytest.fixture(scope="module")
def full():
    """A page with all its figures: another order, and worse accuracies."""
    return page(worse(baseline(orders=[ORDERS[0]] * 2)), drawn=1)


def test_the_page_needs_no_network_and_no_script(full):
    tags = Tags(full).tags
    assert not [tag for tag, _ in tags if tag in {"script", "link", "img", "iframe", "object", "embed", "form"}]
    for _, attributes in tags:
        for name, value in attributes.items():
            assert name not in {"src", "srcset"}
            assert not name.startswith("on")
            assert name != "href" or value.startswith("#")
    assert "@import" not in full
    assert "url(" not in re.sub(r"url\(#", "", full)


def test_every_link_and_label_leads_somewhere_and_no_id_is_there_twice(full):
    tags = Tags(full).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes["href"][1:] for _, attributes in tags if "href" in attributes]
    labels = [attributes["for"] for tag, attributes in tags if tag == "label"]
    assert {*targets, *labels} <= set(ids)


def test_all_cells_are_in_the_table_and_the_filters_count_them():
    new = worse(bits())
    comparison = compare(OLD, new)
    text = page(new)
    tags = Tags(text).tags
    rows = [attributes["class"].split() for tag, attributes in tags if tag == "tr" and "class" in attributes]
    assert len(rows) == len(comparison.cells)
    for kind in Class:
        key = kind.value.replace(" ", "-")
        count = sum(cell.found is kind for cell in comparison.cells)
        assert sum(key in row for row in rows) == count
        assert f"{kind.value} ({count})" in text
        assert f"#class-{key}:checked ~ .scroll tbody tr:not(.{key})" in text
    assert rows[0][0] == "changed"


def test_the_ladder_marks_the_first_stage_that_differs():
    text = page(changed(OLD, "first gradient", lambda values: values * np.float32(1.01)))
    ladder = text[text.index('<table class="ladder cards">') : text.index("Held-out accuracy over reseeds")]
    assert [name for name in STAGES if f">{name}</th>" in ladder] == list(STAGES)
    (first,) = re.findall(r'<span class="rung ([\w-]+) first" title="([^"]+)">', ladder)
    assert first[0] == "changed"
    assert "ulps" in first[1]
    assert "<strong>first gradient</strong>" in ladder


def test_curves_and_accuracies_of_both_sides_are_drawn(full):
    figures = [attributes["aria-label"] for tag, attributes in Tags(full).tags if tag == "svg"]
    for words in (
        "old training loss of iris",
        "new training loss of iris",
        "old held-out accuracy of iris",
        "new held-out accuracy of iris",
        "Held-out accuracies of iris over reseeds, old and new",
    ):
        assert any(words in figure and "he_normal" in figure for figure in figures)
    assert "Training losses of iris in fit's own order, old and new" in figures
    assert "trained in another order; last training loss" in full


def test_curves_are_drawn_for_the_problems_that_differ_most():
    new = worse()
    new.problems["digits"] = OLD.problems["iris"]
    old = OLD.model_copy(update={"problems": {**OLD.problems, "digits": OLD.problems["iris"]}})
    text = page(new, old=old, drawn=1)
    assert "own order, old and new" not in text  # nothing of it differs
    assert text.index("loss of iris") < text.index("<h2>Problem digits</h2>") < text.index("are left out")
    assert "loss of digits" not in text


@pytest.mark.parametrize("sides", [(OLD, without_reseeds()), (without_reseeds(), OLD)])
def test_where_one_side_has_no_reseeds_both_show_their_seeded_runs(sides):
    text = page(sides[1], old=sides[0], drawn=1)
    assert "not both environments have reseeds" in text
    assert "band: where 8 in 10" not in text
    assert "only the" in text


def test_on_a_phone_every_cell_names_its_column():
    new = worse(baseline(orders=[ORDERS[0]] * 2))
    where = new.environment.model_copy(update={"cpu": "another"})
    text = page(new.model_copy(update={"environment": where}))
    tables = re.findall(r'<table class="[^"]*cards">.*?</table>', text, re.DOTALL)
    assert len(tables) == text.count("<table") - text.count('<table class="pairs">') == 5
    for table in tables:
        heads = re.findall(r'<th scope="col">(.*?)</th>', table, re.DOTALL)
        for row in re.findall(r"<tr.*?</tr>", table[table.index("<tbody>") :], re.DOTALL):
            assert re.findall(r'<td data-title="([^"]*)"', row) == heads[1:]
            assert row.count("<td") == len(heads) - 1


def test_what_changed_is_reported_with_whom_it_concerns():
    shown = list(changes(compare(OLD, worse(baseline(draw_seed=1, orders=[ORDERS[0]] * 2)))))
    assert [(one.found, one.what) for one in shown] == [
        (Class.CHANGED, "2 of 2 orders of fit"),
        (Class.CHANGED, "1 of 1 trainings, since batch order"),
        (Class.CHANGED, "1 of 1 trainings in fit's own order, since batch order"),
        (Class.CHANGED, "1 of 1 accuracies over reseeds"),
        (Class.SAME_DISTRIBUTION, "1 of 1 draws"),
    ]
    assert all(one.concerns and one.note for one in shown)
    assert not list(changes(compare(OLD, without_reseeds())))
    assert set(SECTIONS) == set(comparison_words.SECTIONS)
    assert set(STAGES) == set(comparison_words.STAGES)
    assert set(ALL_STAGES) == set(comparison_words.STAGE_CONCERNS)


def test_what_was_not_compared_is_reported_with_its_reason():
    new = OLD.model_copy(update={"fans": {}})
    where = new.environment.model_copy(update={"cpu": "another"})
    text = Tags(page(new.model_copy(update={"environment": where}))).text
    shown = " ".join(" ".join(text).split())
    shown = shown[shown.index("What was not compared, and why", shown.index("All ")) :]
    assert "cpu a processor × 2 → another: equal bits are not promised there" in shown
    assert "fans of layers: dense only in the old baseline" in shown
    assert "Everything that was recorded was compared" in page(OLD)


def test_only_what_differs_of_the_environments_is_shown():
    where = OLD.environment.model_copy(update={"versions": {**OLD.environment.versions, "tensorflow": "2.22.0"}})
    text = page(OLD.model_copy(update={"environment": where}))
    shown = text[text.index('id="environment"') : text.index('id="problem0"')]
    assert "2.22.0" in shown
    assert "3.15.1" not in shown
    assert "tensorflow 2.21.0 → 2.22.0, keras 3.15.1" in text


def hostile():
    new = OLD.model_copy(deep=True)
    record = new.problems.pop("iris")
    name = HOSTILE
    new.problems[name] = record.model_copy(
        update={
            "traces": {name: record.traces["he_normal"]},
            "fits": {name: record.fits["he_normal"]},
            "accuracies": {name: record.accuracies["he_normal"]},
        }
    )
    new.fans[name] = OLD.fans["dense"]
    new.defaults[name] = OLD.defaults["Dense"]
    where = new.environment.model_copy(update={"versions": {"tensorflow": name, name: name}, "cpu": name})
    return new.model_copy(update={"environment": where})


@pytest.mark.parametrize("sides", [(OLD, hostile()), (hostile(), hostile())])
def test_hostile_texts_are_shown_and_do_nothing(sides):
    text = page(sides[1], old=sides[0], drawn=1)
    tags = Tags(text).tags
    assert not [tag for tag, _ in tags if tag in {"script", "img"}]
    assert all(attributes["href"].startswith("#") for tag, attributes in tags if tag == "a")
    assert "<script" not in text
    assert "alert(1)" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)


@pytest.mark.parametrize("sides", [(OLD, hostile()), (hostile(), OLD)])
def test_hostile_texts_neither_break_the_comment_nor_mention_anybody(sides):
    text = comment(sides[1], old=sides[0])
    assert not re.search(r"<(?!/?(details|summary)>)", text)
    assert all(letter.isprintable() or letter in "\n\N{ZERO WIDTH SPACE}" for letter in text)
    rendered = MARKDOWN.render(text)
    shown = Tags(rendered)
    assert not {tag for tag, _ in shown.tags} & {"a", "em", "code", "img", "script"}
    assert not re.search(r"@\w|#\d|://", "".join(shown.text))
    for table in rendered.split("<table>")[1:]:
        rows = re.findall("<tr>(.*?)</tr>", table.partition("</table>")[0], re.DOTALL)
        assert len({len(re.findall("<t[hd]", row)) for row in rows}) == 1
    name = for_drawing(HOSTILE)
    assert name in "".join(shown.text).replace("\N{ZERO WIDTH SPACE}", "")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("he_normal float32", "he_normal float32"),
        ("__init__", "&#95;&#95;init&#95;&#95;"),
        ("a|b", "a&#124;b"),
        ("<b>", "&#60;b&#62;"),
        ("two\nlines\u0000", "two lines\N{REPLACEMENT CHARACTER}"),
        ("@me", "@\N{ZERO WIDTH SPACE}me"),
        ("fixes #12", "fixes &#35;\N{ZERO WIDTH SPACE}12"),
        ("https://x", "https:\N{ZERO WIDTH SPACE}//x"),
        ("|" * 100, "&#124;" * 5 + "…"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text, escaped):
    assert for_markdown(text, 30) == escaped


def test_the_comment_tells_the_verdict_what_changed_and_the_environments():
    where = OLD.environment.model_copy(update={"versions": {**OLD.environment.versions, "keras": "3.16.0"}})
    text = comment(worse().model_copy(update={"environment": where}))
    before, folded = text.split("<details>")
    for words in ("merged? No", "keras 3.15.1 → 3.16.0", "CHANGED", "iris he_normal", "| keras | 3.15.1 | 3.16.0 |"):
        assert words in before
    assert "What the words mean" in folded
    assert folded.rstrip().endswith("</details>")
    assert "Beyond what is allowed" not in comment(OLD)


def large(fans, *, name="layer"):
    many = {f"{name} {number}": OLD.fans["dense"] for number in range(fans)}
    return OLD.model_copy(update={"fans": many})


def test_a_large_comment_stays_within_what_github_takes():
    old, new = large(1000, name="|" * 150), large(1000, name="<" * 150)
    text = comment(new, old=old)
    assert len(text) < 65_536
    assert re.search(r"and \d+ more, which did not fit", text)
    assert text.rstrip().endswith("</details>")


def stored(folder, record, name):
    path = folder / name
    path.write_text(write_baseline(record), encoding="utf-8")
    return path


def test_a_thousand_cells_take_seconds_and_no_framework(tmp_path):
    old = large(1000)
    new = old.model_copy(
        update={"fans": {name: one.model_copy(update={"fan_in": 5.0}) for name, one in old.fans.items()}}
    )
    paths = [stored(tmp_path, old, "old.json"), stored(tmp_path, new, "new.json")]
    code = """
import atexit, sys
from initcheck.cli.app import cli
atexit.register(lambda: print("loaded", {"tensorflow", "keras", "h5py", "sklearn"} & set(sys.modules)))
cli.main(["compare", *sys.argv[1:]], standalone_mode=False)
"""
    files = [tmp_path / "page.html", tmp_path / "comment.md"]
    command = [sys.executable, "-c", code, *paths, "--html", files[0], "--markdown", files[1]]
    start = cpu_seconds_of_children()
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert cpu_seconds_of_children() - start < 10  # of 5; not of the clock, which other work delays
    assert done.returncode == 1, done.stderr
    assert "loaded set()" in done.stdout
    assert files[0].read_text().count('class="changed fans"') == 1000


def run(*arguments):
    return CliRunner().invoke(cli.cli, ["compare", *map(str, arguments)])


@pytest.mark.parametrize("option", ["--html", "--markdown", "--json"])
def test_nothing_is_written_on_failure_and_no_baseline_is_overwritten(tmp_path, option):
    old, bad, out = stored(tmp_path, OLD, "old.json"), tmp_path / "bad.json", tmp_path / "out"
    bad.write_text("{")
    out.write_text("kept")
    assert isinstance(run(old, bad, option, out).exception, InitcheckError)
    assert out.read_text() == "kept"
    before = old.read_text()
    error = run(old, old, option, old).exception
    assert isinstance(error, InitcheckError)
    assert "OLD's file" in str(error) or "NEW's file" in str(error)
    assert old.read_text() == before
    assert isinstance(run(old, old, option, tmp_path / "none" / "out").exception, InitcheckError)


def test_two_options_do_not_write_one_file(tmp_path):
    old, out = stored(tmp_path, OLD, "old.json"), tmp_path / "out"
    assert "--markdown's file" in str(run(old, old, "--html", out, "--markdown", out).exception)
    assert not out.exists()


def test_the_page_and_the_comment_are_the_same_each_time():
    assert page(worse(bits()), drawn=1) == page(worse(bits()), drawn=1)
    assert comment(worse(bits())) == comment(worse(bits()))


def runs(losses):
    losses = np.asarray(losses, dtype=np.float64)
    count, epochs = losses.shape
    numbers = np.arange(count)
    history = np.stack([losses, losses, losses, np.full((count, epochs), 0.5)], axis=-1)
    return Runs("iris", "zeros", numbers, numbers, numbers, numbers / 10, 10, numbers / 10, 10, history)


def test_bands_are_order_statistics_and_a_diverged_run_counts_as_above():
    losses = [[1.0 + number, float("nan") if number == 9 else 0.123456789] for number in range(10)]
    curves = curves_record(runs(losses))
    assert curves.epochs == (1, 2)
    assert curves.loss.low == (1.0, 0.12346)
    assert curves.loss.median == (5.0, 0.12346)
    assert curves.loss.high == (9.0, 0.12346)
    assert curves_record(runs([[float("nan")]])).loss.median == ("inf",)


def test_long_trainings_are_thinned():
    curves = curves_record(runs(np.ones((2, 5000))))
    assert (curves.epochs[0], curves.epochs[-1], len(curves.epochs)) == (1, 5000, 100)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": (1, 1)},
        {"epochs": (1, 2, 3)},
        {"loss": BandRecord(low=(1.0,), median=(1.0, 1.0), high=(1.0, 1.0))},
    ],
)
def test_curves_that_contradict_themselves_are_no_baseline(wrong):
    with pytest.raises(ValueError, match=r"epochs|bands"):
        type(curves(2)).model_validate({**dict(curves(2)), **wrong})


def test_initializers_of_one_problem_share_their_epochs(tmp_path):
    path = stored(tmp_path, OLD, "old.json")
    body = json.loads(path.read_text())
    other = {"engine": "ensemble", "correct": [1], "curves": json.loads(curves(3).model_dump_json())}
    body["problems"]["iris"]["accuracies"]["zeros"] = other
    path.write_text(json.dumps(body))
    with pytest.raises(InitcheckError, match="trained over"):
        load_baseline(path)


@pytest.mark.parametrize("epochs", [1, 15, 32, 40, 300])
def test_the_epochs_of_a_seeded_run_are_read_back_as_far_as_they_were_kept(epochs):
    losses = np.stack([np.arange(1, epochs + 1), -np.arange(1, epochs + 1)]).astype(np.float32)
    record = OLD.problems["iris"].model_copy(update={"traces": {"he_normal": trace(**{"epoch losses": losses})}})
    curves = training_of(record, TrainingMetric.LOSS, reseeds=False)
    assert curves.epochs.tolist() == curves.bands["he_normal"].median.tolist()
    assert curves.epochs[0] == 1
    assert len(curves.epochs) == min(epochs, 32)
    fitted = trace(("initial weights", "epoch losses"), **{"epoch losses": losses[0]})
    both = fitted_loss(fitted)
    assert both is not None
    assert both[0].tolist() == both[1].tolist()


@pytest.mark.parametrize(
    "losses",
    [
        np.full((15, 2), np.nan),
        np.full((15, 2), np.inf),
        np.full((15, 2), 3e38),
        np.zeros((15, 2)),
        np.full((15, 2), -1),
    ],
)
def test_losses_that_left_all_bounds_are_drawn_all_the_same(losses):
    stage = stage_record([losses.astype(np.float32)], None)
    new = without_reseeds()
    record = new.problems["iris"].traces["he_normal"]
    new.problems["iris"].traces["he_normal"] = record.model_copy(
        update={"stages": {**record.stages, "epoch losses": stage}}
    )
    assert page(new, old=new, drawn=1).count("<svg") == 4


def test_bands_beyond_every_axis_are_drawn_all_the_same():
    band = BandRecord(low=(1e308, -1e308), median=("nan", "inf"), high=("inf", 5e-324))
    new = OLD.model_copy(deep=True)
    one = curves(2).model_copy(update={"loss": band, "accuracy": band})
    new.problems["iris"].accuracies["he_normal"] = AccuraciesRecord(engine="ensemble", correct=(1,), curves=one)
    assert page(new, old=new, drawn=1).count("<svg") == 5


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium to lay the page out")
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_reaches_beyond_the_window(tmp_path, width):
    probe = """<script>
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument, inner = page.documentElement;
  const scrolls = [...page.querySelectorAll(".scroll")].filter(one => one.scrollWidth > one.clientWidth).length;
  document.title = `${inner.scrollWidth} of ${inner.clientWidth}, ${scrolls}`;
});
</script>"""
    text = html.escape(page(hostile(), drawn=1))
    frame = tmp_path / "frame.html"
    frame.write_text(f'<iframe style="border:0;width:{width}px;height:900px" srcdoc="{text}"></iframe>{probe}')
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=2000", "--window-size=1400,1000", "--dump-dom", frame.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    inner, outer, scrolls = map(int, re.search(r"<title>(\d+) of (\d+), (\d+)</title>", shown).groups())
    assert inner <= outer <= width
    assert width > 600 or not scrolls  # on a phone tables become cards, and nothing scrolls sideways
