"""The options of commands for a user's own model as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import click

from initcheck.catalog.own_problems import DEFAULT_EPOCHS, OwnProblem
from initcheck.errors import InitcheckError
from initcheck.frameworks.own import import_own

_OPTIONS = (
    click.option(
        "--model",
        metavar="package.module:build",
        help="A model of yours, as it is: what builds it; --data makes its data.",
    ),
    click.option("--loss", help="Its loss.  [default: that of the compiled model]"),
    click.option("--optimizer", help="Its optimizer.  [default: that of the compiled model, or adam]"),
    click.option("--metric", "metrics", multiple=True, help="A further metric of it; may be given again."),
    click.option(
        "--score",
        metavar="NAME[:max|:min]",
        help="What its runs are judged by: a metric, or loss.  [default: its accuracy if it has one, else its loss]",
    ),
    click.option(
        "--target-score",
        type=float,
        help="The training score from which on a run of it has learned.  [default: halfway from the best score of one "
        "answer to all rows to the best; of an accuracy 0.9]",
    ),
    click.option(
        "--weights",
        multiple=True,
        metavar="PATTERN",
        help="Weights of it that the initializers draw, such as '*kernel'; may be given again.  [default: those that "
        "it draws by their fans]",
    ),
)


@dataclass(frozen=True)
class ModelOptions:
    """The options as they were given; None, or nothing, where they were not."""

    model: str | None
    loss: str | None
    optimizer: str | None
    metrics: tuple[str, ...]
    score: str | None
    target_score: float | None
    weights: tuple[str, ...]

    def words(self) -> list[str]:
        """The options as words of a command line that gives them again."""
        return [str(word) for option, value in self._given() for word in (option, value)]

    def choose(self, data: str | None, batch_size: int | None, epochs: int | None) -> OwnProblem | None:
        """The model as a problem; None where none is given.

        Args:
            data: What ``--data`` names.
            batch_size: What ``--batch-size`` says.
            epochs: What ``--epochs`` says.

        Raises:
            InitcheckError: The options do not fit together, or name what cannot be imported.
        """
        if self.model is None:
            for option, _ in self._given():
                raise InitcheckError(f"{option} is about the model of --model, which is not given")
            return None
        if data is None:
            raise InitcheckError("--model needs data: give --data package.module:data")
        return OwnProblem(
            name=self.model,
            build=import_own(self.model, "--model"),
            data=import_own(data, "--data"),
            epochs=epochs or DEFAULT_EPOCHS,
            batch_size=batch_size,
            loss=self.loss,
            optimizer=self.optimizer,
            metrics=self.metrics,
            score=self.score or "",
            target=self.target_score,
            weights=self.weights,
        )

    def settings(self, data: str | None, batch_size: int | None, epochs: int | None) -> dict[str, Any]:
        """The options that were given, by name, with what else names the model, for ``problem_of``."""
        others = {"data": data, "batch_size": batch_size, "epochs": epochs or DEFAULT_EPOCHS}
        given = {**{one.name: getattr(self, one.name) for one in fields(self)}, **others}
        return {name: value for name, value in given.items() if value is not None and value != ()}

    def _given(self) -> list[tuple[str, Any]]:
        given: list[tuple[str, Any]] = []
        for one in fields(self):
            value = getattr(self, one.name)
            option = "--metric" if one.name == "metrics" else f"--{one.name.replace('_', '-')}"
            given += [(option, each) for each in (value if isinstance(value, tuple) else (value,)) if each is not None]
        return given


def problem_of(settings: Mapping[str, Any]) -> OwnProblem:
    """The model that those settings name.

    Raises:
        InitcheckError: It cannot be imported, or a setting is unknown or cannot be used.
    """
    given = dict(settings)
    data, batch_size, epochs = (given.pop(name, None) for name in ("data", "batch_size", "epochs"))
    defaults = {one.name: () if one.name in ("metrics", "weights") else None for one in fields(ModelOptions)}
    if unknown := [name for name in given if name not in defaults]:
        raise InitcheckError(f"a model has no setting {unknown[0]!r}; calibrate its bounds anew")
    made = ModelOptions(**{**defaults, **given}).choose(data, batch_size, epochs)
    if made is None:
        raise InitcheckError("a model of the bounds is not named; calibrate them anew")
    return made


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options to a command, which is handed them as ``own``."""

    def with_model(**given: Any) -> None:
        command(own=ModelOptions(**{one.name: given.pop(one.name) for one in fields(ModelOptions)}), **given)

    with_model.__doc__ = command.__doc__
    with_model.__name__ = command.__name__
    with_model.__dict__.update(vars(command))  # where click keeps the options above it
    for option in reversed(_OPTIONS):
        with_model = option(with_model)
    return with_model
