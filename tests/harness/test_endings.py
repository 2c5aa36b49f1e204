"""However a command ends, what is finished is there, the last line says so, and the exit code means what it says."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("heard_signals")

# A command of several steps, each of which takes a while: what ends it is up to the test.
SCRIPT = """
import sys, time, pathlib
from initcheck.endings import *
from initcheck.errors import InitcheckError
import click

def work():
    with leaving("the notes are kept"):
        pathlib.Path("started").touch()
        time.sleep(60)

def steps():
    done = 0
    try:
        with interrupted_between_steps() as finished:
            for _ in range(600):
                time.sleep(0.02)
                done += 1
                pathlib.Path("started").touch()
                finished()
    except KeyboardInterrupt:
        raise Interrupted(f"{done} steps are kept")

def write():
    with leaving("both files are there"):
        with uninterrupted():
            pathlib.Path("started").touch()
            time.sleep(1)
            pathlib.Path("written").touch()
        time.sleep(60)

def several():
    with leaving("nothing was written"):
        with uninterrupted("a and b are there"):
            pathlib.Path("started").touch()
            time.sleep(1)
            pathlib.Path("written").touch()

def lines():
    for number in range(100_000):
        say(f"line {number}")
    pathlib.Path("written").touch()

def narrow():
    say("0.5 \\u2013 0.6 \\u03c3")

def changed():
    lines()
    return 1

def lost():
    with leaving("nothing is lost"):
        with interrupted_even_if_lost():
            try:
                work()
            except BaseException as error:
                if {error}:
                    raise {error}
        pathlib.Path("written").touch()

def fails():
    raise {error}

end_with({command})
"""


def run(command, folder, *, error="None", **options):
    """Runs that command of the script to its end."""
    code = SCRIPT.replace("{command}", command).replace("{error}", error)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, **options
    )


def interrupt(command, folder, *numbers, error="None"):
    """Sends it those signals once it has started; gives exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("{command}", command).replace("{error}", error)],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (folder / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.2)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("command", "words"), [("work", "the notes are kept"), ("steps", "steps are kept")])
def test_every_signal_that_asks_to_stop_keeps_what_is_finished(command, words, number, tmp_path):
    code, err = interrupt(command, tmp_path, number)
    assert code == 128 + number
    assert err.startswith("initcheck: interrupted: ")
    assert err.endswith(f"{words}\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT], ids=["nohup", "background"])
def test_a_signal_that_the_caller_ignores_stays_ignored(number, tmp_path):
    signal.signal(number, signal.SIG_IGN)
    code, err = interrupt("steps", tmp_path, number, signal.SIGTERM)
    assert code == 128 + signal.SIGTERM
    assert err.endswith("steps are kept\n")


@pytest.mark.parametrize("error", ["None", "ImportError('damaged')"])
def test_an_interruption_that_an_import_loses_or_renames_takes_effect_after_it(error, tmp_path):
    code, err = interrupt("lost", tmp_path, signal.SIGTERM, error=error)
    assert (code, err) == (143, "initcheck: interrupted: nothing is lost\n")
    assert not (tmp_path / "written").exists()


def test_an_error_of_a_block_that_nobody_interrupted_stays_one(tmp_path):
    code = "with interrupted_even_if_lost(): raise InitcheckError('damaged')"
    done = run(f"lambda: exec({code!r}, globals())", tmp_path)
    assert (done.returncode, done.stderr) == (2, "initcheck: damaged\n")


@pytest.mark.parametrize("module", ["numpy", "pydantic"])
@pytest.mark.parametrize("raised", ["{raise_}", "exec('{raise_}')"], ids=["imported", "executed"])
def test_ctrl_c_while_the_command_line_is_imported_is_one_line(raised, module, tmp_path):
    signalled = raised.format(raise_="signal.raise_signal(signal.SIGINT)")
    (tmp_path / "sitecustomize.py").write_text(STOPPED.format(module=module, signalled=signalled))
    done = subprocess.run(
        [sys.executable, "-m", "initcheck", "list"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "initcheck: interrupted: nothing was written\n"


# Ctrl-C comes when the module is imported, or in what that executes, as dataclasses do.
STOPPED = """
import signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            sys.meta_path.remove(self)
            {signalled}
sys.meta_path.insert(0, Finder())
"""


def test_files_that_belong_together_are_all_written_before_a_signal_takes_effect(tmp_path):
    code, err = interrupt("write", tmp_path, signal.SIGTERM)
    assert code == 143
    assert err.endswith("both files are there\n")
    assert (tmp_path / "written").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_written_before_a_signal_took_effect_is_what_the_last_line_says(number, tmp_path):
    code, err = interrupt("several", tmp_path, number)
    assert code == 128 + number
    assert err.endswith("initcheck: interrupted: a and b are there\n")
    assert (tmp_path / "written").exists()


def test_a_second_signal_is_not_put_off(tmp_path):
    code, _ = interrupt("write", tmp_path, signal.SIGINT, signal.SIGINT)
    assert code == 130
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        ("InitcheckError('no such\\nthing; name another')", 2, "initcheck: no such thing; name another\n"),
        ("InitcheckError('\\x1b]0;owned\\x07 \\u202e')", 2, "initcheck:  ]0;owned   \n"),
        ("click.UsageError('No such option')", 2, "initcheck: No such option\n"),
        ("MemoryError()", 2, "memory ran out"),
        ("OSError(28, 'No space left on device', 'here')", 2, "initcheck: No space left on device (here)"),
        ("RuntimeError('broken')", 2, "RuntimeError in initcheck itself; please report it"),
        ("BaseException('broken')", 2, "BaseException in initcheck itself; please report it"),
        ("SystemExit(1)", 1, ""),
        ("SystemExit('words')", 2, ""),
    ],
)
def test_what_could_not_be_done_is_exit_code_2_and_never_1(error, code, words, tmp_path):
    done = run("fails", tmp_path, error=error)
    assert done.returncode == code
    assert words in done.stderr
    assert bool(words) is bool(done.stderr)
    assert "\x1b" not in done.stderr
    assert ("Traceback" in done.stderr) is ("broken" in error)


@pytest.mark.parametrize(("command", "code"), [("lines", 0), ("changed", 1)])
def test_a_reader_that_goes_away_changes_neither_the_work_nor_the_exit_code(command, code, tmp_path):
    script = SCRIPT.replace("{command}", command).replace("{error}", "None")
    shell = f'"{sys.executable}" -c "$CODE" | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(
        ["bash", "-c", shell],
        env={**os.environ, "CODE": script},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "line 0\n"
    assert done.stderr == ""
    assert done.returncode == code
    assert (tmp_path / "written").exists()


def test_a_full_output_loses_no_file_and_is_exit_code_2(tmp_path):
    script = SCRIPT.replace("{command}", "lines").replace("{error}", "None")
    shell = f'"{sys.executable}" -c "$CODE" > /dev/full'
    done = subprocess.run(
        ["bash", "-c", shell],
        env={**os.environ, "CODE": script},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("initcheck: the output could not be written (No space left on device)")
    assert (tmp_path / "written").exists()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_closed_streams_do_no_harm(closed, tmp_path):
    script = SCRIPT.replace("{command}", "lines").replace("{error}", "None")
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "$CODE" {closed} | cat > /dev/null; exit ${{PIPESTATUS[0]}}'],
        env={**os.environ, "CODE": script},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert (tmp_path / "written").exists()


def test_an_encoding_too_narrow_loses_a_sign_and_nothing_else(tmp_path):
    narrow = {**os.environ, "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    narrow.pop("PYTHONIOENCODING", None)  # which tox sets
    done = run("narrow", tmp_path, env=narrow)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0.5 ? 0.6 ?\n", "")


def test_a_child_ends_with_its_parent_even_where_that_is_killed():
    if sys.platform != "linux":
        pytest.skip("Linux alone can promise it")
    code = (
        "import subprocess, sys, time; from initcheck.children import leashed\n"
        "child = subprocess.Popen(leashed(['sleep', '60'])); print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    deadline = time.monotonic() + 30
    while not _command(child).startswith(b"sleep"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    parent.kill()
    parent.communicate()
    while _command(child).startswith(b"sleep"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _command(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_leashed_command_gets_its_words_and_gives_its_exit_code():
    from initcheck.children import leashed

    done = subprocess.run(leashed(["sh", "-c", 'echo "$0 $1"; exit 7', "a b", "c"]), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (7, b"a b c\n")
