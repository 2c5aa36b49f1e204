"""The same evidence from a fresh process: one process for all questions that are known beforehand."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.recipes import Feed, Recipe
from initcheck.children import fresh_variables, run_child
from initcheck.errors import InitcheckError
from initcheck.evidence.fresh_process.questions import (
    Answers,
    Question,
    draw_question,
    order_question,
    source_question,
    trace_question,
)
from initcheck.evidence.fresh_process.worker import MARK
from initcheck.evidence.order import feed_seed
from initcheck.evidence.session import Session
from initcheck.targets import variables_of

_PATIENCE = 600  # seconds; starting TensorFlow takes ten, or sixty on a machine with no bytecode cached
_HASH_SEEDS = ("20011", "20012")  # of Python's string hashes, which are another source of chance between processes


class Processes:
    """Answers from a fresh process.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def answers(self, question: Question, together: Sequence[Question]) -> Answers:
        """A fresh process's answers to a question.

        Args:
            question: The question.
            together: All questions for one fresh process; if the question is not among them, it is asked alone.
        """
        questions = tuple(together) if question in together else (question,)
        key = tuple(sorted(one.name for one in questions))
        answers: dict[str, Answers] = self._session.once(("fresh process", key), lambda: ask(questions))
        return answers[question.name]

    def about_draws(self, row: Initializer, requests: Sequence[tuple[str, tuple[int, ...]]]) -> Question | None:
        """A question about draws of that row, of those dtypes and shapes; None if no other process can import it."""
        made_by = row.made_by
        if not isinstance(made_by, str) and (made_by.__module__ == "__main__" or "<locals>" in made_by.__qualname__):
            return None
        return draw_question(row, self._session.stream("repeated draws", row.name), requests)

    def about_source(self, name: str) -> Question:
        """A question about that source of randomness under a global seed."""
        return source_question(name, self._session.stream("source", name))

    def about_trace(self, recipe: Recipe) -> Question:
        """A question about the trace of that recipe."""
        return trace_question(recipe, self._session.stream("recipe", recipe.name, 0))

    def about_order(self, feed: Feed) -> Question:
        """A question about the order in which ``fit`` takes that feed's rows."""
        return order_question(feed, feed_seed(self._session, feed))


def ask(questions: Sequence[Question], on: str = "") -> dict[str, Answers]:
    """Starts a process for the questions, and ends it.

    Args:
        questions: The questions.
        on: The target of that process; by default this one's.

    Raises:
        InitcheckError: The process ended without answers.
    """
    hashes = _HASH_SEEDS[os.environ.get("PYTHONHASHSEED") == _HASH_SEEDS[0]]
    done = run_child(
        [sys.executable, "-m", "initcheck.evidence.fresh_process.worker"],
        variables={**fresh_variables(hashes), **(variables_of(on) if on else {})},
        seconds=_PATIENCE,
        question=json.dumps([asdict(question) for question in questions]),
    )
    answer = done.answer(MARK)
    if done.code is None:
        raise InitcheckError(f"a fresh process gave no answer within {_PATIENCE} s")
    if done.code != 0 or answer is None:
        raise InitcheckError(f"a fresh process ended with {done.code}: {done.notes.strip()[-300:]}")
    answers: dict[str, Answers] = json.loads(answer)
    return answers
