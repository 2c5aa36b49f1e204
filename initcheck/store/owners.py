"""Which process something belongs to, and whether that has ended: told across processes, not across machines."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_START = 19  # the field of /proc/PID/stat after the name in brackets that says when a process began


@dataclass(frozen=True)
class ProcessOwner:
    """A process.

    Attributes:
        host: Its machine, this start of it, and its name space of process numbers.
        pid: Its number.
        began: When it began, in ticks since the machine's start; empty where that is unknown.
    """

    host: str
    pid: int
    began: str

    @classmethod
    def this_process(cls) -> ProcessOwner:
        """The process that asks."""
        return cls(_host(), os.getpid(), _began(os.getpid()))

    @classmethod
    def of(cls, body: Any) -> ProcessOwner | None:
        """The owner that a file holds; None where it holds none."""
        if isinstance(body, dict) and all(
            isinstance(body.get(name), kind) for name, kind in (("host", str), ("pid", int), ("began", str))
        ):
            return cls(body["host"], body["pid"], body["began"])
        return None

    def as_body(self) -> dict[str, Any]:
        """The owner as JSON."""
        return asdict(self)

    @property
    def has_ended(self) -> bool | None:
        """Whether it has ended; None where that cannot be seen from this machine."""
        if self.host != _host():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # another user's
            return False
        return bool(self.began) and self.began != _began(self.pid)


@functools.cache
def _host() -> str:
    boot, space = "", ""
    with contextlib.suppress(OSError):
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()[:8]
    with contextlib.suppress(OSError):
        space = os.readlink(_PROC / "self/ns/pid")  # noqa: PTH115 - no path: pid:[4026531836]
    return " ".join(filter(None, (socket.gethostname(), boot, space)))


def _began(pid: int) -> str:
    with contextlib.suppress(OSError, IndexError):
        stat = (_PROC / str(pid) / "stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[_START]  # a zombie has ended, though it has a number still
    return ""
