"""What is said of the work while it is under way, where there is no terminal."""

import time

import pytest
from rich.progress import Progress

from initcheck.reporting import progress
from initcheck.reporting.progress import format_seconds, progress_bar, progress_of_each


@pytest.fixture
def quick(monkeypatch):
    """Lines follow one another faster."""
    monkeypatch.setattr(progress, "FIRST", 0.05)
    monkeypatch.setattr(progress, "PAUSE", 0.1)


def test_a_line_at_the_start_and_one_now_and_then_say_how_far_it_is(quick, capsys):
    with progress_bar("training runs", 200, usual="a minute") as advance:
        time.sleep(0.1)
        advance("he_normal", 50)
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "initcheck: training runs: 0 of 200 steps done (loading the framework), a minute"
    assert lines[1].startswith("initcheck: training runs: 50 of 200 steps done (he_normal), about ")
    assert lines[1].endswith(" s left")
    assert 3 <= len(lines) <= 6


def test_the_time_left_follows_from_what_was_done_and_not_from_what_was_found(quick, capsys):
    with progress_bar("training runs", 1000) as advance:
        advance("he_normal", 900, found=True)
        time.sleep(0.1)
        advance("he_normal", 1)
        time.sleep(0.1)
    line = capsys.readouterr().err.splitlines()[-1]
    left = int(line.rpartition("about ")[2].split()[0])
    assert left >= 9, line  # 99 of 0.1 s, and not the hundredth part of it


def test_a_bar_measures_its_speed_from_what_was_done(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal
    made: list[Progress] = []

    class Noted(Progress):
        def __init__(self, *columns, **options):
            made.append(self)
            super().__init__(*columns, **options)

    monkeypatch.setattr(progress, "Progress", Noted)
    with progress_bar("training runs", 1000) as advance:
        advance("he_normal", 900, found=True)
        (task,) = made[0].tasks
        assert (task.completed, task.speed) == (900, None)
        advance("he_normal", 1)
        time.sleep(0.1)
        advance("he_normal", 1)
        left = made[0].tasks[0].time_remaining
    assert left is not None
    assert left > 5


def test_what_is_over_at_once_says_nothing(capsys):
    with progress_bar("training runs", 200) as advance:
        advance("zeros", 200)
    assert capsys.readouterr().err == ""


def test_no_line_comes_after_the_end(quick, capsys):
    with pytest.raises(ValueError, match="broken"), progress_bar("training runs", 200):
        raise ValueError("broken")
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_each_of_several_says_what_it_begins_and_now_and_then_how_far_it_is(quick, capsys):
    with progress_of_each(["old", "new"]) as show:
        show("old", "installing\x1b[2J", 0, 0)
        show("old", "draws", 1, 10)
        time.sleep(0.15)
        show("old", "fans", 2, 10)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["initcheck: old: installing [2J", "initcheck: old: fans (2 of 10 steps done)"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (99, "99 s"), (100, "2 min"), (7200, "2.0 h"), (1e6, "12 days"), (1e12, "11,574,074 days")],
)
def test_a_time_is_given_in_the_unit_that_people_use(seconds, shown):
    assert format_seconds(seconds) == shown
