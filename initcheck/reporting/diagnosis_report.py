"""``initcheck.doctor`` and what it returns, which prints as tables and shows in a notebook; its page, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from initcheck.arguments import path_of
from initcheck.models.diagnosis import FALSE_ALARM_RATE, Diagnosis, ModelFinding, WeightFacts
from initcheck.models.examination import DEFAULT_RESEEDS, examine
from initcheck.reporting.comparisons.json_text import as_jsonable
from initcheck.reporting.diagnosis_sections import (
    SEEDS_WORDS,
    SIGNAL_WORDS,
    describe_score,
    loss_table,
    print_sections,
    seeds_table,
    signal_figure,
    signal_table,
)
from initcheck.reporting.format import format_count
from initcheck.reporting.screen import Column, Screen, printed
from initcheck.reporting.templating import templates
from initcheck.seeding import DEFAULT_SEED
from initcheck.store.folder import Store

NOT_LOOKED_AT = (
    "Of the learning rate, and of the data and the loss beyond their scale, nothing is said. Scripts as black boxes: "
    "initcheck doctor --command."
)
RATES = (
    f"Scales, signal and first loss are each tested at a false-alarm rate of {FALSE_ALARM_RATE:g} a model; all else "
    "bit by bit, or within the tolerance that is stated. Brackets hold 95 % intervals."
)
OF_SCRIPTS = (
    "Artifacts are compared by field: weights and arrays bit by bit, numbers exactly, texts by line, else bytes; times "
    "in zip, gzip and HDF5 containers do not count. What the script writes elsewhere is not looked at, nor the model "
    "in it: initcheck doctor package.module:build does that."
)


@dataclass(frozen=True, repr=False)
class DiagnosisReport:
    """What the doctor says of a model, which prints and shows in a notebook as tables.

    Attributes:
        diagnosis: All of it, with the table of weights.
    """

    diagnosis: Diagnosis

    @property
    def findings(self) -> tuple[ModelFinding, ...]:
        """What is wrong; empty where nothing is."""
        return self.diagnosis.findings

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return self.diagnosis.healthy

    def __repr__(self) -> str:
        return f"<DiagnosisReport: {describe_diagnosis(self.diagnosis)}>"

    def __str__(self) -> str:
        return printed(lambda console: print_diagnosis(self.diagnosis, console))

    def _repr_html_(self) -> str:
        return render_diagnosis(self.diagnosis, "diagnosis_tables.html.j2")


def doctor(
    build: Callable[..., Any] | str,
    data: Callable[[], Any] | str | None = None,
    *,
    epochs: int = 2,
    batch_size: int | None = None,
    loss: str | None = None,
    optimizer: str | None = None,
    seed: int = DEFAULT_SEED,
    fresh_processes: bool = True,
    reseeds: int = DEFAULT_RESEEDS,
    store: str | Path | None = None,
) -> DiagnosisReport:
    """Examines a Keras model as it is: its weights, its signal, its inference, and whether its training repeats.

    Args:
        build: ``build()`` or ``build(keras)`` returns the model, compiled or not; or ``"package.module:build"``.
        data: ``data()`` returns what ``fit`` takes: ``(x, y)``, ``(x, y, sample_weight)`` of arrays, lists or dicts of
            arrays with one row an example, a ``tf.data.Dataset`` or a ``PyDataset``; or a pair ``(train, held_out)``
            of these. Without it only the weights are looked at.
        epochs: Passes over the data; a training ends after 20 steps all the same.
        batch_size: Rows of a step; by default Keras's.
        loss: The name of a loss; by default that of the compiled model.
        optimizer: The name of an optimizer; by default that of the compiled model, or adam.
        seed: The seed of every training that is to repeat.
        fresh_processes: Whether fresh processes train the model too; they must be able to import it.
        reseeds: Trainings over which the spread of the score is measured, 3 or more; none where it is 0.
        store: A folder that keeps these trainings, where the data are arrays: what it has is not trained again, and
            more reseeds train those that are missing.

    Returns:
        What is wrong, each with its evidence and what to do; and the table of weights.

    Raises:
        InitcheckError: A mistake in the model or its data, or an argument that cannot be used.
    """
    return DiagnosisReport(
        examine(
            build,
            data,
            epochs=epochs,
            batch_size=batch_size,
            loss=loss,
            optimizer=optimizer,
            seed=seed,
            fresh_processes=fresh_processes,
            reseeds=reseeds,
            store=None if store is None else Store.open(path_of("store", store)),
        )
    )


def describe_diagnosis(diagnosis: Diagnosis) -> str:
    """The outcome in a line."""
    if diagnosis.healthy:
        return "nothing wrong was found"
    kinds = dict.fromkeys(one.what for one in diagnosis.findings)
    return f"{format_count(len(diagnosis.findings), 'finding')}: {'; '.join(kinds)}"


def closing_words(diagnosis: Diagnosis) -> tuple[str, ...]:
    """How it was compared, and what was not looked at."""
    if diagnosis.of_script:
        return (OF_SCRIPTS,)
    return NOT_LOOKED_AT, RATES


def weight_cells(weight: WeightFacts) -> dict[str, str]:
    """The cells of one weight: column title → text."""
    return {
        "weight": weight.path,
        "shape": " × ".join(f"{size:,}" for size in weight.shape) or "scalar",
        "initializer": weight.initializer,
        "law": weight.law,
        "fans": weight.fans,
        "documented": "" if weight.expected is None else f"{weight.expected:.4g}",
        "measured": f"{weight.actual:.4g}",
        "seeding": weight.seeding,
        "note": weight.note,
    }


def weight_rows(diagnosis: Diagnosis) -> list[dict[str, str]]:
    """The cells of all weights, without the notes' column where there is none."""
    rows = [weight_cells(weight) for weight in diagnosis.weights]
    noted = any(row["note"] for row in rows)
    return [{title: cell for title, cell in row.items() if noted or title != "note"} for row in rows]


COLUMN_WORDS = {
    "fans": "fan-in → fan-out, by Keras's documentation",
    "documented, measured": "the law's standard deviation, or its constant, and that of all builds",
    "seeding": "reseeds: follows the global seed; fixed: the same in every build; unseeded: differs under one seed",
}


def print_diagnosis(diagnosis: Diagnosis, console: Console | None = None) -> None:
    """Prints the weights, the findings, the notes, what was looked at and what was not, and the outcome."""
    screen = Screen(console)
    if diagnosis.weights:
        cells = weight_rows(diagnosis)
        columns = [Column(title, prose=title in ("weight", "law", "initializer", "note")) for title in cells[0]]
        screen.table("Initial weights", columns, [tuple(row.values()) for row in cells])
        for title, meaning in COLUMN_WORDS.items():
            screen.line((title, "bold"), f": {meaning}")
        screen.gap()
    if diagnosis.findings:
        rows = [(one.what, one.where, one.effect, one.remedy) for one in diagnosis.findings]
        titles = ("what is wrong", "where", "evidence", "what to do")
        screen.table("Findings", [Column(title, prose=True) for title in titles], rows, lines=True)
    print_sections(diagnosis, screen)
    for note in (*diagnosis.notes, f"Looked at: {'; '.join(diagnosis.looked_at)}.", *closing_words(diagnosis)):
        screen.line(note)
    screen.line(
        (f"initcheck doctor: {diagnosis.examined}: {describe_diagnosis(diagnosis)}", "bold"),
        f"; seed {diagnosis.seed}, {diagnosis.seconds:.0f} s",
    )


_PAGE = "diagnosis.html.j2"


def render_diagnosis(diagnosis: Diagnosis, template: str = _PAGE) -> str:
    """A self-contained page that needs no network and no JavaScript; or its tables, as a fragment for notebooks."""
    return (
        templates()
        .get_template(template)
        .render(
            diagnosis=diagnosis,
            outcome=describe_diagnosis(diagnosis),
            weights=weight_rows(diagnosis),
            words=COLUMN_WORDS,
            closing=closing_words(diagnosis),
            environment=diagnosis.environment.rows() if diagnosis.environment else [],
            **(_sections(diagnosis) if template == _PAGE else {}),
        )
    )


def _sections(diagnosis: Diagnosis) -> dict[str, Any]:
    """The context of the sections' template."""
    return {
        "figure": signal_figure(diagnosis.signal),
        "signal": signal_table(diagnosis.signal),
        "signal_words": SIGNAL_WORDS,
        "losses": loss_table(diagnosis.first_losses),
        "seeds": [(seeds_table(score), describe_score(score)) for score in diagnosis.scores],
        "seeds_words": SEEDS_WORDS,
    }


def diagnosis_json(diagnosis: Diagnosis) -> str:
    """All of it as JSON; infinity and NaN are words."""
    body = {
        "format": "initcheck diagnosis",
        "healthy": diagnosis.healthy,
        "false_alarm_rate": FALSE_ALARM_RATE,
        **as_jsonable(diagnosis),
    }
    return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
