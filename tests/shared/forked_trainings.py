"""Fresh processes that need not start TensorFlow: forks of one that has imported it, for each order of string hashes.

A fork has random states of its own, imports the user's module itself, and has the environment and the folder of whoever
asks; what it shares with its like are addresses in memory.
"""

import contextlib
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.children import EndedChild

_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


class ForkedTrainings:
    """In place of ``run_child`` in ``initcheck.models.fresh_training``."""

    def __init__(self) -> None:
        self._servers: dict[str, Any] = {}

    def run_child(
        self, _command: Sequence[str], *, variables: Mapping[str, str], seconds: float, question: str = ""
    ) -> EndedChild:
        """Answers the question in a fork of the process with those string hashes."""
        hashes = variables["PYTHONHASHSEED"]
        if hashes not in self._servers:
            self._servers[hashes] = subprocess.Popen(
                [sys.executable, __file__],
                env=dict(variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        server = self._servers[hashes]
        asked = {
            "question": question,
            "folder": os.getcwd(),  # noqa: PTH109 # a fork's own
            "path": sys.path,
            "variables": {name: variables[name] for name in _THREADS},
            "seconds": seconds,
        }
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        return EndedChild(**json.loads(server.stdout.readline()))

    def close(self) -> None:
        """Ends the processes."""
        for server in self._servers.values():
            server.stdin.close()
            server.wait()
            server.stdout.close()


def main() -> None:
    """Answers each line of standard input from a fork."""
    from initcheck.frameworks.keras import load_keras
    from initcheck.models import fresh_training

    load_keras()
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        here, there = os.pipe()
        process = os.fork()
        if not process:
            with os.fdopen(there, "w") as answer:
                answer.write(_answer(fresh_training, asked))
            os._exit(0)
        os.close(there)
        with os.fdopen(here) as answer:
            text = answer.read()
        _, status = os.waitpid(process, 0)
        answers.write(json.dumps({"code": os.waitstatus_to_exitcode(status), "output": text, "notes": ""}) + "\n")
        answers.flush()


def _answer(fresh_training: Any, asked: dict[str, Any]) -> str:
    os.chdir(asked["folder"])
    os.environ.update(asked["variables"])
    sys.path[:] = asked["path"]
    random.seed()
    np.random.seed()
    sys.stdin = io.StringIO(asked["question"])
    with contextlib.redirect_stdout(io.StringIO()) as output:
        fresh_training.main()
    return output.getvalue()


if __name__ == "__main__":
    main()
