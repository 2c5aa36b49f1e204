"""The doctor's questions about a user's own model, as tests: one examination, shared by all of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from initcheck.plugin.groups import group_of
from initcheck.plugin.lab_argument import require_lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _pytest.mark import ParameterSet

    from initcheck.catalog.own_problems import OwnProblem
    from initcheck.evidence.lab import Lab
    from initcheck.models.diagnosis import Diagnosis, ModelQuestion


@dataclass(frozen=True)
class ModelCheck:
    """One of the doctor's questions about a model; called with the lab, it examines the model unless that was done.

    Attributes:
        problem: The model.
        question: The question.
    """

    problem: OwnProblem
    question: ModelQuestion

    def __call__(self, lab: Lab | None = None) -> None:
        """Judges; returns where nothing is wrong.

        Raises:
            AssertionError: Something is wrong.
            InitcheckError: A mistake in the model or its data.
        """
        __tracebackhide__ = True
        diagnosis = examined(self.problem, require_lab(lab, "check(initcheck_lab)").seed)
        findings = [one for one in diagnosis.findings if one.question is self.question]
        if findings:
            lines = [f"{one.what}, {one.where}: {one.effect}\n  what to do: {one.remedy}" for one in findings]
            raise AssertionError("\n".join([f"{self.problem.name}:", *lines]))
        if self.question not in diagnosis.asked:
            pytest.skip(f"not looked at: {self.question}; {' '.join(diagnosis.notes)}")


@functools.cache
def examined(problem: OwnProblem, seed: int) -> Diagnosis:
    """The examination of a model, once in each process."""
    from initcheck.models.examination import examine

    return examine(
        problem.build,
        problem.data,
        epochs=problem.epochs,
        batch_size=problem.batch_size,
        loss=problem.loss,
        optimizer=problem.optimizer,
        seed=seed,
        reseeds=0,
    )


def model_checks(problem: OwnProblem, expected: Mapping[str, str]) -> Iterator[ParameterSet]:
    """The parameters of a test, one for each question.

    Args:
        problem: The model.
        expected: ModelQuestion that is expected to fail → the reason.
    """
    from initcheck.models.diagnosis import ModelQuestion

    for question in ModelQuestion:
        marks = [group_of(f"model {problem.name}")]
        if reason := expected.get(question.value):
            marks.append(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))
        yield pytest.param(ModelCheck(problem, question), id=f"{question.value}-{problem.name}", marks=marks)
