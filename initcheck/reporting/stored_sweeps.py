"""What was asked of a store, and the sweep that answers it, without the framework."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initcheck.arguments import path_of
from initcheck.catalog.initializers import Initializer
from initcheck.errors import InitcheckError, UnknownNameError
from initcheck.record_files import first_mistake
from initcheck.reporting.results import Sweep
from initcheck.store.blocks import CellGrid
from initcheck.store.folder import AnswerFolder, Store
from initcheck.store.grid_reading import read_grid
from initcheck.store.sweep_questions import initializer_key

if TYPE_CHECKING:
    from initcheck.reporting.stored_schema import AskRecord


def note_ask(
    answers: AnswerFolder, sweep: Sweep, rows: Sequence[Initializer], *, orders: range, reseeds: range
) -> None:
    """Writes down beside the runs what was asked: by it, ``load_stored`` gives the sweep.

    Args:
        answers: The folder of the runs.
        sweep: The sweep, still without runs.
        rows: Its initializers.
        orders: Numbers of its batch orders.
        reseeds: Numbers of its repetitions.

    Raises:
        InitcheckError: It cannot be written.
    """
    body = {
        "initializers": [[initializer_key(row), row.name] for row in rows],
        "orders": [orders.start, orders.stop],
        "reseeds": [reseeds.start, reseeds.stop],
        "problem": dataclasses.asdict(sweep.facts),
        "seed": sweep.seed,
        "command": sweep.command,
        "planned": sweep.planned,
        "environment": dataclasses.asdict(sweep.environment),
        "trained": sweep.trained,
    }
    answers.note_ask(body, engine=sweep.engine)


def load_stored(folder: str | Path, question: str | None = None, *, scratch: str | Path | None = None) -> Sweep:
    """The largest sweep that was asked of a store of ``--store`` or ``store=``, with the runs that are there.

    However many runs there are, no history is kept in memory where all of them are larger than 64 MB: they lie in files
    without a name, and frames, plots and reports read what they need of them.

    Args:
        folder: The store.
        question: The name of a folder in it; may be left out where there is one.
        scratch: A folder for these files, whose size is 8 bytes for each metric of each epoch of each run; by default
            the system's for temporary files.

    Raises:
        InitcheckError: It is no store, or there is no question in it, or several; or what was asked or a part is
            damaged; or the files cannot be written.
    """
    store = Store(path_of("the store", folder))
    folders = {folder.path.name: folder for folder in store.all_answers()}
    if question is None:
        if len(folders) != 1:
            listed = ", ".join(folders) or "nothing"
            raise InitcheckError(f"{store.root} has {len(folders)} questions ({listed}); name one: --question NAME")
        question = next(iter(folders))
    if question not in folders:
        raise UnknownNameError("question of this store", question, folders)
    return _load_answers(folders[question], None if scratch is None else path_of("scratch", scratch))


def _load_answers(folder: AnswerFolder, scratch: Path | None) -> Sweep:
    """The largest sweep that was asked, with the runs that are there; the latest of several.

    Raises:
        InitcheckError: Nothing was asked, or it is damaged.
    """
    asks = [_ask_of(folder, body) for body in folder.asks()]
    if not asks:
        raise InitcheckError(f"{folder.path} does not say what was asked of it; run the same command with this --store")
    ask = max(enumerate(asks), key=lambda one: (one[1].planned, one[0]))[1]
    keys = dict(ask.initializers)
    grid = CellGrid(tuple(keys), range(*ask.orders), range(*ask.reseeds))
    groups = tuple(read_grid(folder, grid, scratch))
    return Sweep(
        problem=ask.problem.facts,
        groups=groups,
        seed=ask.seed,
        environment=ask.environment.environment,
        command=ask.command,
        engine=ask.engine,
        planned=ask.planned,
        trained=ask.trained,
    )


def _ask_of(folder: AnswerFolder, body: dict[str, Any]) -> AskRecord:
    from pydantic import ValidationError

    from initcheck.reporting.stored_schema import AskRecord

    try:
        return AskRecord.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise InitcheckError(
            f"what was asked of {folder.path} is damaged ({first_mistake(error)}); run the same command with this "
            "--store"
        ) from None
