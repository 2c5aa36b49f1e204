"""Digests of everything seeded in a process: the same questions go to this process and to a fresh one."""

from __future__ import annotations

import importlib
import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Constant, Orthogonal
from initcheck.catalog.recipes import Feed, Recipe
from initcheck.digests import digest
from initcheck.evidence.determinism.traces import trace_recipe
from initcheck.evidence.determinism.unseeded_sources import MissingSourceError, draw_twice
from initcheck.evidence.order import take
from initcheck.evidence.steps.backed_up_trainings import backed_up_training
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.instances import drawer
from initcheck.frameworks.libraries.chosen import offered_rows

Answers = dict[str, str]


@dataclass(frozen=True)
class Question:
    """One thing to draw, train or fit; its answer is a digest, or several by stage.

    Attributes:
        name: Unique among the questions.
        kind: ``draw``, ``source``, ``trace``, ``order``, ``files``, ``model`` or ``backup``.
        seed: The seed to do it under.
        what: The arguments, in JSON's own types.
    """

    name: str
    kind: str
    seed: int
    what: Mapping[str, Any]


def draw_question(row: Initializer, seed: int, requests: Sequence[tuple[str, tuple[int, ...]]]) -> Question:
    """Asks for the draws of that row; one that the target does not offer is described by its class and config."""
    made_by = row.made_by
    what = {
        "offered": row.name if row in offered_rows() else "",
        "made_by": made_by if isinstance(made_by, str) else f"{made_by.__module__}:{made_by.__qualname__}",
        "config": dict(row.config),
        "serialized": row.serialized,
        "random": row.law.random,
        "asked": [[dtype, list(shape)] for dtype, shape in requests],
    }
    return Question(f"draw {row.name}", "draw", seed, what)


def source_question(name: str, seed: int) -> Question:
    """Asks for two draws in a row from that source."""
    return Question(f"source {name}", "source", seed, {"source": name})


def trace_question(recipe: Recipe, seed: int) -> Question:
    """Asks for the trace of that recipe."""
    return Question(f"trace {recipe.name}", "trace", seed, recipe.to_json())


def order_question(feed: Feed, seed: int) -> Question:
    """Asks for the order in which ``fit`` takes that feed's rows."""
    return Question(f"order {feed.name}", "order", seed, asdict(feed))


def files_question(folder: Path, names: Sequence[str], inputs: np.ndarray) -> Question:
    """Asks for what models in files hold and compute; they must exist when it is asked."""
    return Question("files", "files", 0, {"folder": str(folder), "names": [*names], "inputs": inputs.tolist()})


def model_question(file: Path, inputs: np.ndarray) -> Question:
    """Asks what a model in a file is, by stages; it must exist when it is asked."""
    what = {"file": str(file), "inputs": inputs.tolist(), "dtype": inputs.dtype.name}
    return Question(f"model {file.stem}", "model", 0, what)


def backup_question(folder: Path) -> Question:
    """Asks which epochs a training is resumed with from that folder, and what is left of it; it must exist."""
    return Question("backup", "backup", 0, {"folder": str(folder)})


def answer(keras: Any, question: Question) -> Answers:
    """This process's answer to that question."""
    return _ANSWERS[question.kind](keras, question)


def _draw(_keras: Any, question: Question) -> Answers:
    what = question.what
    law = Orthogonal() if what["random"] else Constant(0.0)  # of which only matters whether it takes a seed
    row = next((one for one in offered_rows() if one.name == what["offered"]), None) or Initializer(
        question.name, _found(what["made_by"]), law, "", what["config"], what["serialized"]
    )
    draw = drawer(row, question.seed)
    return {f"{dtype} {tuple(shape)}": digest([draw(tuple(shape), dtype)]) for dtype, shape in what["asked"]}


def _found(made_by: str) -> Any:
    """A user's own class, or the name of one of Keras's."""
    module, _, name = made_by.rpartition(":")
    return operator.attrgetter(name)(importlib.import_module(module)) if module else made_by


def _source(keras: Any, question: Question) -> Answers:
    try:
        first, second = draw_twice(keras, question.what["source"], question.seed)
    except MissingSourceError as reason:
        return {"missing": str(reason)}
    return {"first draw": digest([first]), "second draw": digest([second])}


def _trace(keras: Any, question: Question) -> Answers:
    return trace_recipe(keras, Recipe.from_json(question.what), question.seed).digests()


def _order(keras: Any, question: Question) -> Answers:
    return {"order": take(keras, Feed(**question.what), question.seed).digest()}


def _files(keras: Any, question: Question) -> Answers:
    what = question.what
    folder, inputs = Path(what["folder"]), np.array(what["inputs"], np.float32)
    return {name: held(keras.models.load_model(folder / name), inputs) for name in what["names"]}


def _model(keras: Any, question: Question) -> Answers:
    what = question.what
    return stages_of(keras.models.load_model(what["file"]), np.array(what["inputs"], what["dtype"]))


def _backup(keras: Any, question: Question) -> Answers:
    return dict(zip(("epochs", "digest"), backed_up_training(keras, Path(question.what["folder"])), strict=True))


def held(model: Any, inputs: np.ndarray) -> str:
    """The digest of a model's output, weights and optimizer's state."""
    optimizer = getattr(model, "optimizer", None)
    state = [] if optimizer is None else [np.asarray(one) for one in optimizer.variables]
    return digest([as_array(model(inputs)).astype(np.float32), *model.get_weights(), *state])


def stages_of(model: Any, inputs: np.ndarray) -> Answers:
    """The digests of a compiled model's weights and of its optimizer's state, and its outputs as JSON."""
    outputs = as_array(model(inputs, training=False)).astype(np.float64)
    return {
        "weights": digest(model.get_weights()),
        # As doubles: backends count steps in integers of other widths.
        "optimizer": digest([as_array(one).astype(np.float64) for one in model.optimizer.variables]),
        "outputs": json.dumps(outputs.tolist()),
    }


_ANSWERS = {
    "draw": _draw,
    "source": _source,
    "trace": _trace,
    "order": _order,
    "files": _files,
    "model": _model,
    "backup": _backup,
}
