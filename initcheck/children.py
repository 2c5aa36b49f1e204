"""Processes that end with the one that started them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# Asks the kernel (prctl, PR_SET_PDEATHSIG) for SIGKILL when the parent ends, then becomes the command.
_LEASH = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    sys.exit(137)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def leashed(command: Sequence[str]) -> list[str]:
    """The command in a form that is ended as soon as this process is, even by ``kill -9``.

    The thread that starts it has to live as long as the command. Linux alone can do this; elsewhere the command is
    returned as it is.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()), *command]
