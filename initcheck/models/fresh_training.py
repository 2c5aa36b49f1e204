"""The same training in a process that has just started, with string hashes of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from initcheck.children import fresh_variables, run_child
from initcheck.engines.own_models import OwnModel, TrainingOptions
from initcheck.engines.own_trainings import OwnTrace, TraceTaker
from initcheck.engines.pinned_sources import SEEDS, SOURCES, ChanceSource, pinned
from initcheck.engines.process_sources import seeded_draws_noted
from initcheck.engines.replacing import uses_noted
from initcheck.errors import InitcheckError
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.own import import_own
from initcheck.frameworks.quiet import quiet
from initcheck.texts import for_terminal

HASHES_OF = {"first": "20011", "second": "20012"}
_PATIENCE = 600  # seconds
_MARK = "initcheck training: "
_MOST_NOTES = 300  # characters of what a process that failed wrote last


@dataclass(frozen=True)
class FreshTrace:
    """A training in a fresh process.

    Attributes:
        trace: The training by stage.
        used: The sources of chance, by name, that the import of the user's modules was seen to use.
        used_later: Those that the training was seen to use.
    """

    trace: OwnTrace
    used: list[str]
    used_later: list[str]


@dataclass(frozen=True)
class FreshTraining:
    """What a fresh process is asked for.

    Attributes:
        build: The name of the function that builds the model, ``package.module:attribute``.
        data: That of the function that makes the data; None where there is none.
        options: What else ``compile`` and ``fit`` are given.
        seed: Of whatever is pinned.
        threads: TensorFlow's threads within and between operations.
    """

    build: str
    data: str | None
    options: TrainingOptions
    seed: int
    threads: tuple[int, int]

    def take(
        self, sources: Collection[ChanceSource], hashes: str, at_import: Collection[ChanceSource] = ()
    ) -> FreshTrace:
        """The training in a process that is started for it.

        Args:
            sources: What is pinned.
            hashes: Its string hashes, ``first`` or ``second``.
            at_import: What is pinned while the user's modules are imported.

        Raises:
            InitcheckError: The process failed.
        """
        within, between = map(str, self.threads)
        variables = {
            **fresh_variables(HASHES_OF[hashes]),
            "TF_NUM_INTRAOP_THREADS": within,
            "TF_NUM_INTEROP_THREADS": between,
        }
        question = {
            **asdict(self),
            "sources": [source.name for source in sources],
            "at_import": [source.name for source in at_import],
        }
        command = [sys.executable, "-m", "initcheck.models.fresh_training"]
        done = run_child(command, variables=variables, seconds=_PATIENCE, question=json.dumps(question))
        if done.code is None:
            raise InitcheckError(f"a fresh process did not train the model within {_PATIENCE} s")
        line = done.answer(_MARK)
        if line is None:
            notes = for_terminal(" ".join(done.notes.split()))[-_MOST_NOTES:]
            raise InitcheckError(f"a fresh process that trains the model ended with {done.code}: {notes}")
        answer = json.loads(line)
        if "refused" in answer:
            raise InitcheckError(f"in a fresh process: {answer['refused']}")
        return FreshTrace(OwnTrace(**answer["trace"]), answer["used"], answer["used_later"])


def main() -> None:
    """Reads a question in JSON from stdin, writes one line: the trace, or why the model cannot be trained."""
    question = json.load(sys.stdin)
    try:
        answer: dict[str, Any] = asdict(_trained(question))
    except InitcheckError as error:
        answer = {"refused": str(error)}
    sys.stdout.write(f"\n{_MARK}{json.dumps(answer)}\n")


def _trained(question: dict[str, Any]) -> FreshTrace:
    keras = load_target_keras()
    sources, seed = [SOURCES[name] for name in question["sources"]], question["seed"]
    at_import = pinned(keras, [SOURCES[name] for name in question["at_import"]], seed)
    with quiet(), at_import, uses_noted() as used, seeded_draws_noted() as drawn:
        build = import_own(question["build"], "MODEL")
        data = import_own(question["data"], "--data") if question["data"] else None
    own = OwnModel(build, data, TrainingOptions(**question["options"]))
    with quiet(), uses_noted() as used_later:
        trace = TraceTaker(keras, own, seed).take(sources or SEEDS).trace
    return FreshTrace(trace, [*drawn, *used], [*used_later])


if __name__ == "__main__":
    main()
