"""The fresh process: reads questions in JSON from stdin, answers them in JSON on stdout."""

from __future__ import annotations

import json
import os
import sys

from initcheck.evidence.fresh_process.questions import Question, answer
from initcheck.frameworks.backends import load_target, load_target_keras
from initcheck.mutants.mutant import apply_mutant
from initcheck.targets import backend_of, target
from initcheck.texts import reason_of

MARK = "initcheck answers: "


def main() -> None:
    """Reads a list of questions, and writes one line: the answers to each question, or the exception raised."""
    questions = [Question(**one) for one in json.load(sys.stdin)]
    load_target()
    keras = load_target_keras() if backend_of(target()) else None
    if name := os.environ.get("INITCHECK_MUTANT"):
        apply_mutant(name)
    answers: dict[str, dict[str, str]] = {}
    for question in questions:
        try:
            answers[question.name] = answer(keras, question)
        except Exception as error:  # noqa: BLE001 - one failure must not take the other answers with it
            answers[question.name] = {"raised": reason_of(error)}
    sys.stdout.write(f"\n{MARK}{json.dumps(answers)}\n")


if __name__ == "__main__":
    main()
