"""The command ``initcheck doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from initcheck.cli.comparison_options import asked_files, what_is_there, write_files
from initcheck.cli.path_option import PATH
from initcheck.cli.seed_option import seed_option
from initcheck.cli.store_options import store_option
from initcheck.cli.target_option import keras_target_option
from initcheck.endings import uninterrupted
from initcheck.store.folder import Store

if TYPE_CHECKING:
    from initcheck.models.diagnosis import Diagnosis


@click.command("doctor")
@click.argument("model", required=False)
@click.option("--command", help="A script in place of a model: 'python train.py --seed 1'. No shell reads it.")
@click.option(
    "--artifact", "artifacts", multiple=True, help="A file that the script writes, from its folder; repeatable."
)
@click.option("--folder", type=PATH, help="The script's folder, of which each run gets a copy.  [default: this one]")
@click.option("--runs", type=int, help="Runs of the script that are to be equal.  [default: 2]")
@click.option("--timeout", type=int, help="Seconds for each run of the script.  [default: 3600]")
@click.option(
    "--ignore", "ignored", multiple=True, help="A field that may differ, as 'metrics.json:seconds*'; repeatable."
)
@click.option("--data", help="What makes the data: package.module:data.  [default: the weights alone are looked at]")
@click.option("--epochs", type=int, help="Passes over the data, in 20 steps at most.  [default: 2]")
@click.option("--batch-size", type=int, help="Rows of a step.  [default: Keras's]")
@click.option("--loss", help="Name of a loss.  [default: that of the compiled model]")
@click.option("--optimizer", help="Name of an optimizer.  [default: that of the compiled model, or adam]")
@click.option(
    "--reseeds",
    type=int,
    help="Trainings over which the spread of the score is measured; 0 for none.  [default: 8]",
)
@seed_option
@store_option
@keras_target_option
@click.option("--html", type=PATH, help="Write a page here, too.")
@click.option("--json", "json_file", type=PATH, help="Write everything here as JSON, too.")
def doctor(
    model: str | None,
    command: str | None,
    artifacts: tuple[str, ...],
    folder: Path | None,
    runs: int | None,
    timeout: int | None,
    ignored: tuple[str, ...],
    data: str | None,
    epochs: int | None,
    batch_size: int | None,
    loss: str | None,
    optimizer: str | None,
    reseeds: int | None,
    seed: int,
    store: Path | None,
    html: Path | None,
    json_file: Path | None,
) -> None:
    """Examine a Keras model of yours, as it is: its weights, signal, inference, and whether its training repeats.

    MODEL is package.module:build, a function that returns the model; nothing of initcheck is needed in it. With
    --command in its place, a script is run again and again, and the files that it writes are compared. Exit code 0
    where nothing is wrong, 1 where something is, 2 where it could not be examined.
    """
    from initcheck.reporting.diagnosis_report import diagnosis_json, print_diagnosis, render_diagnosis

    files = asked_files({"--html": html, "--json": json_file}, {})
    trained = {"data": data, "epochs": epochs, "batch_size": batch_size, "loss": loss, "optimizer": optimizer}
    of_model = _given(**trained, reseeds=reseeds, store=store)
    of_script = _given(artifact=artifacts, folder=folder, runs=runs, timeout=timeout, ignore=ignored)
    diagnosis = _diagnosed(model, command, of_model, of_script, seed)
    with uninterrupted(what_is_there(files)):
        write_files(files, {"--html": lambda: render_diagnosis(diagnosis), "--json": lambda: diagnosis_json(diagnosis)})
        print_diagnosis(diagnosis)
    raise SystemExit(0 if diagnosis.healthy else 1)


def _given(**options: Any) -> dict[str, Any]:
    """Those options that were given."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def _diagnosed(
    model: str | None, command: str | None, of_model: dict[str, Any], of_script: dict[str, Any], seed: int
) -> Diagnosis:
    if (model is None) == (command is None):
        raise click.UsageError("give a MODEL, package.module:build, or a script with --command; one of them")
    foreign = of_script if command is None else of_model
    if foreign:
        option = f"--{next(iter(foreign)).replace('_', '-')}"
        wanted = "belongs to a script; give --command, too" if command is None else "belongs to a model, not a script"
        raise click.UsageError(f"{option} {wanted}; or leave it out")
    if command is None:
        from initcheck.models.examination import examine

        if "store" in of_model:
            of_model["store"] = Store.open(of_model["store"])
        return examine(str(model), **of_model, seed=seed)
    from initcheck.models.script_examination import examine_script

    renamed = {"artifact": "artifacts", "ignore": "ignored"}
    arguments = {renamed.get(name, name): value for name, value in of_script.items()}
    return examine_script(command, arguments.pop("artifacts", ()), **arguments, seed=seed)
