"""The command ``initcheck doctor``."""

from __future__ import annotations

from pathlib import Path

import click

from initcheck.cli.comparison_options import asked_files, what_is_there, write_files
from initcheck.cli.path_option import PATH
from initcheck.cli.seed_option import seed_option
from initcheck.endings import uninterrupted


@click.command("doctor")
@click.argument("model")
@click.option("--data", help="What makes the data: package.module:data.  [default: the weights alone are looked at]")
@click.option("--epochs", type=int, default=2, show_default=True, help="Passes over the data, in 20 steps at most.")
@click.option("--batch-size", type=int, help="Rows of a step.  [default: Keras's]")
@click.option("--loss", help="Name of a loss.  [default: that of the compiled model]")
@click.option("--optimizer", help="Name of an optimizer.  [default: that of the compiled model, or adam]")
@click.option(
    "--reseeds",
    type=int,
    default=8,
    show_default=True,
    help="Trainings over which the spread of the score is measured; 0 for none.",
)
@seed_option
@click.option("--html", type=PATH, help="Write a page here, too.")
@click.option("--json", "json_file", type=PATH, help="Write everything here as JSON, too.")
def doctor(
    model: str,
    data: str | None,
    epochs: int,
    batch_size: int | None,
    loss: str | None,
    optimizer: str | None,
    reseeds: int,
    seed: int,
    html: Path | None,
    json_file: Path | None,
) -> None:
    """Examine a Keras model of yours, as it is: its weights, signal, inference, and whether its training repeats.

    MODEL is package.module:build, a function that returns the model; nothing of initcheck is needed in it. Exit code 0
    where nothing is wrong, 1 where something is, 2 where it could not be examined.
    """
    from initcheck.models.examination import examine
    from initcheck.reporting.diagnosis_report import diagnosis_json, print_diagnosis, render_diagnosis

    files = asked_files({"--html": html, "--json": json_file}, {})
    diagnosis = examine(
        model,
        data,
        epochs=epochs,
        batch_size=batch_size,
        loss=loss,
        optimizer=optimizer,
        seed=seed,
        reseeds=reseeds,
    )
    with uninterrupted(what_is_there(files)):
        write_files(files, {"--html": lambda: render_diagnosis(diagnosis), "--json": lambda: diagnosis_json(diagnosis)})
        print_diagnosis(diagnosis)
    raise SystemExit(0 if diagnosis.healthy else 1)
