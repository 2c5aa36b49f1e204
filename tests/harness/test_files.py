"""One way to write a file and one to read: what a user, a full disk, a second writer or an attacker can do to it."""

import errno
import os
import secrets
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from initcheck import files
from initcheck.errors import InitcheckError
from initcheck.files import alone_in, read_bounded, require_writable, scratch_folder, write_whole

ROOT = os.geteuid() == 0


def names(folder):
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, ["new", " text\n"])
    assert path.read_bytes() == b"new text\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(tmp_path) == ["a.csv"]


def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", ["x"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO], ids=["full", "quota", "broken"])
def test_a_disk_that_takes_no_more_keeps_the_old_file_and_leaves_nothing_else(number, tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("old")

    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InitcheckError, match=rf"a.csv cannot be written \({os.strerror(number)}\).*another place"):
        write_whole(path, ["new"])
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_a_writer_that_fails_half_way_leaves_nothing_behind(tmp_path):
    def parts():
        yield "half"
        raise MemoryError

    with pytest.raises(MemoryError):
        write_whole(tmp_path / "a", parts())
    assert names(tmp_path) == []


def test_a_link_stays_a_link_and_the_file_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("made")
    write_whole(tmp_path / "link", ["new"])
    write_whole(tmp_path / "dangling", ["newer"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "dangling").is_symlink()
    assert (tmp_path / "target").read_text() == "new"
    assert (tmp_path / "made").read_text() == "newer"


def test_a_link_to_itself_and_a_socket_are_refused(tmp_path):
    import socket

    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        for name in ("loop", "s"):
            with pytest.raises(InitcheckError, match=f"{name} cannot be written"):
                write_whole(tmp_path / name, ["x"])
            with pytest.raises(InitcheckError, match=f"--out .*{name} cannot be written"):
                require_writable(tmp_path / name, "--out")
        assert stat.S_ISSOCK((tmp_path / "s").stat().st_mode)


def test_a_device_is_written_to_and_stays_a_device():
    require_writable(Path(os.devnull), "--json")
    write_whole(Path(os.devnull), ["x"])
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_pipe_is_written_to_and_one_without_a_reader_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InitcheckError, match="pipe cannot be written"):
        write_whole(tmp_path / "pipe", ["x"])
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    deadline = time.monotonic() + 20
    while reader.is_alive() and time.monotonic() < deadline:
        try:
            write_whole(tmp_path / "pipe", ["text"])
            break
        except InitcheckError:  # the reader has not opened it yet
            time.sleep(0.01)
    reader.join(20)
    assert read == ["text"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_pipe_is_refused_before_long_work_as_it_may_have_no_reader_after_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InitcheckError, match="pipe, which may have no reader by then; name a file"):
        require_writable(tmp_path / "pipe", "FILE", after_work=True)
    require_writable(Path(os.devnull), "FILE", after_work=True)


def test_two_who_add_to_one_file_lose_nothing(tmp_path):
    path = tmp_path / "counts"
    path.write_text("")

    def add(name):
        for _ in range(20):
            with alone_in(path):
                text = path.read_text()
                time.sleep(0.001)
                write_whole(path, [text, name])

    writers = [threading.Thread(target=add, args=[name]) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(path.read_text()) == ["a"] * 20 + ["b"] * 20
    assert names(tmp_path) == ["counts"]


@pytest.mark.parametrize("shell", ["cat", "cat > file; cat file"], ids=["pipe", "file"])
def test_dev_stdout_is_written_in_order_with_what_is_printed(shell, tmp_path):
    code = (
        "from pathlib import Path; from initcheck.files import *; path = Path('/dev/stdout')\n"
        "print('before'); require_writable(path, '--json'); write_whole(path, ['text\\n']); print('after')"
    )
    if shell == "cat":
        command = f'"{sys.executable}" -c "$CODE" | cat'
    else:
        command = f'"{sys.executable}" -c "$CODE" > file; cat file'
    done = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "CODE": code},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "before\ntext\nafter\n"


def test_a_name_that_somebody_has_prepared_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / f".initcheck-{'00' * 8}.partial").symlink_to("victim")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "00" * 8)
    with pytest.raises(InitcheckError, match="File exists"):
        write_whole(tmp_path / "a", ["x"])
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "a").exists()


def test_what_a_killed_writer_left_is_swept_after_a_while(tmp_path):
    old, new = tmp_path / ".initcheck-aa.partial", tmp_path / ".initcheck-bb.partial"
    for path in (old, new):
        path.touch()
    os.utime(old, (1, 1))
    write_whole(tmp_path / "a", ["x"])
    assert not old.exists()
    assert new.exists()


WRITE_MANY = """
import sys
from pathlib import Path
from initcheck.files import write_whole
for _ in range(100):
    write_whole(Path(sys.argv[1]), [sys.argv[2] * 50_000])
"""


def test_of_several_writers_every_reader_sees_one_whole_text(tmp_path):
    path = tmp_path / "a"
    write_whole(path, ["a" * 50_000])
    writers = [subprocess.Popen([sys.executable, "-c", WRITE_MANY, path, letter]) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        text = path.read_text()
        assert len(text) == 50_000
        assert len(set(text)) == 1
    for writer in writers:
        assert writer.wait() == 0
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["x" * 300, "x" * 255, "ü" * 140])
def test_a_name_too_long_is_refused_in_one_line(name, tmp_path):
    if len(name.encode()) <= 255:
        write_whole(tmp_path / name, ["x"])
        assert (tmp_path / name).read_text() == "x"
        return
    with pytest.raises(InitcheckError, match="File name too long"):
        require_writable(tmp_path / name, "--out")
    with pytest.raises(InitcheckError, match="File name too long"):
        write_whole(tmp_path / name, ["x"])


def test_no_name_at_all_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InitcheckError, match="is a folder"):
        require_writable(Path(), "--out")


@pytest.mark.skipif(ROOT, reason="root may write to what is read-only")
def test_a_read_only_file_is_refused_before_the_work(tmp_path):
    (tmp_path / "a").touch(mode=0o444)
    with pytest.raises(InitcheckError, match="read-only"):
        require_writable(tmp_path / "a", "--out")
    with pytest.raises(InitcheckError, match="read-only"):
        write_whole(tmp_path / "a", ["x"])


def test_a_text_with_half_a_letter_is_written_all_the_same(tmp_path):
    write_whole(tmp_path / "a", ["file \udcff.csv"])
    assert (tmp_path / "a").read_text() == "file \\udcff.csv"


def test_a_file_is_read_up_to_its_size_and_no_further(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bounded(tmp_path / "a", 5) == b"12345"
    with pytest.raises(InitcheckError, match=r"a is larger than a baseline may be \(4e-06 MB\)"):
        read_bounded(tmp_path / "a", 4, "a baseline")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty0"])
def test_a_device_is_no_file_to_read(path):
    if not Path(path).exists():
        pytest.skip(f"{path} is not here")
    with pytest.raises(InitcheckError, match=r"is a device|cannot be read"):
        read_bounded(Path(path), 100)


def test_an_endless_pipe_is_read_up_to_the_size(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = subprocess.Popen(["sh", "-c", f"yes > '{tmp_path}/pipe'"], stderr=subprocess.DEVNULL)
    try:
        with pytest.raises(InitcheckError, match="larger than"):
            read_bounded(tmp_path / "pipe", 10**6)
    finally:
        writer.kill()
        writer.wait()


def test_a_pipe_that_nobody_writes_to_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.3)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InitcheckError, match="gave no end within"):
        read_bounded(tmp_path / "pipe", 100)


def test_a_pipe_is_read_to_its_end(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text("x" * 200_000))
    writer.start()
    assert read_bounded(tmp_path / "pipe", 10**6) == b"x" * 200_000
    writer.join()


def test_a_scratch_folder_goes_with_its_block_and_one_without_an_owner_is_swept(tmp_path):
    left = tmp_path / "initcheck-scratch-left"
    left.mkdir()
    (left / "old.json").touch()
    os.utime(left, (1, 1))
    with scratch_folder(tmp_path) as mine:
        (mine / "x").touch()
        os.utime(mine, (1, 1))
        assert not left.exists()
        with scratch_folder(tmp_path) as other:  # mine is old, but has an owner
            assert mine.exists()
            assert other != mine
        assert not other.exists()
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_place_of_a_file_of_a_set_is_refused_before_the_work(tmp_path):
    files.require_replaceable(tmp_path / "new.csv", "--out")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "null").symlink_to(os.devnull)
    for name in ("folder", "pipe", "loop", "null"):
        with pytest.raises(InitcheckError, match="--out"):
            files.require_replaceable(tmp_path / name, "--out")
