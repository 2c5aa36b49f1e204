"""A user's own model and data as a problem: nothing of it is written for initcheck."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from initcheck.arguments import described, number, whole_number
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Unstated
from initcheck.errors import InitcheckError

# The first row of every own problem: each weight keeps the initializer that its layer gives it.
OWN = Initializer("own", "the model's own", Unstated(), "the model itself")
DEFAULT_INITIALIZERS = (OWN.name, "glorot_uniform", "he_normal")
DEFAULT_EPOCHS = 10
REPLACED = "initializers draw"  # which weights, among the facts of a problem
DIRECTIONS: Mapping[str, bool] = {"max": True, "min": False}  # as Keras's callbacks call them


@dataclass(frozen=True)
class OwnProblem:
    """A model of the user's as it is: a function that builds it, one that makes its data, and what they leave open.

    Attributes:
        name: Its name; every random stream of its runs is derived from it.
        build: ``build()`` or ``build(keras)`` returns a Keras model, compiled or not.
        data: ``data()`` returns what ``fit`` takes, or a pair ``(train, held_out)`` of that.
        epochs: Passes over the training rows.
        batch_size: Rows of a step; Keras's 32 where it is None.
        loss: The name of a loss; that of the compiled model where it is None.
        optimizer: The name of an optimizer; that of the compiled model, or adam, where it is None.
        metrics: The names of further metrics.
        score: What a run is judged by: a name of Keras's ``History``, with ``:max`` or ``:min`` where its direction is
            not known; an accuracy where there is one, else the loss, where it is empty.
        target: The training score from which on a run has learned; by default halfway from one answer to all rows to
            the best, where that is known.
        weights: Patterns of the paths of weights that a row of the catalogue draws; by default those whose own
            initializer draws by fans.
    """

    name: str
    build: Callable[..., Any] = field(repr=False)
    data: Callable[[], Any] = field(repr=False)
    epochs: int = DEFAULT_EPOCHS
    batch_size: int | None = None
    loss: str | None = None
    optimizer: str | None = None
    metrics: tuple[str, ...] = ()
    score: str = ""
    target: float | None = None
    weights: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses fields of the wrong type or size; model and data are looked at before training.

        Raises:
            InitcheckError: A field that cannot be used.
        """
        for name in ("build", "data"):
            function = getattr(self, name)
            if not callable(function) or inspect.iscoroutinefunction(function):
                raise InitcheckError(f"{name} is {described(function)}; give a function, called as {name}()")
        if not isinstance(self.name, str) or not self.name.strip() or not self.name.isprintable():
            raise InitcheckError(f"name is {described(self.name)}; give a text of printable characters, such as 'mine'")
        self._require_numbers()
        self._require_texts()

    def _require_numbers(self) -> None:
        object.__setattr__(self, "epochs", whole_number("epochs", self.epochs, least=1))
        if self.batch_size is not None:
            object.__setattr__(self, "batch_size", whole_number("batch_size", self.batch_size, least=1))
        if self.target is not None:
            object.__setattr__(self, "target", number("target", self.target))

    def _require_texts(self) -> None:
        for name in ("loss", "optimizer"):
            if (value := getattr(self, name)) is not None and not isinstance(value, str):
                raise InitcheckError(f"{name} is {described(value)}; give the name of one of Keras's")
        for name in ("metrics", "weights"):
            given: object = getattr(self, name)
            texts = [given] if isinstance(given, str) else given
            if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
                raise InitcheckError(f"{name} is {described(given)}; give a list of texts")
            object.__setattr__(self, name, tuple(texts))
        if not isinstance(self.score, str):
            raise InitcheckError(f"score is {described(self.score)}; give the name of a metric of the model, or loss")
        _, colon, direction = self.score.rpartition(":")
        if colon and direction not in DIRECTIONS:
            raise InitcheckError(f"score is {self.score!r}; its direction is :max or :min")

    @property
    def score_name(self) -> str:
        """The score without its direction; empty where none is given."""
        return self.score.rpartition(":")[0] if ":" in self.score else self.score

    @property
    def higher_is_better(self) -> bool | None:
        """The direction that the score was given with; None where it was given none."""
        return DIRECTIONS[self.score.rpartition(":")[2]] if ":" in self.score else None


def name_of(build: Callable[..., Any]) -> str:
    """A problem's name after the function that builds its model: ``module:function``."""
    kind = getattr(build, "__name__", type(build).__name__)
    home = str(getattr(build, "__module__", "__main__"))
    return kind if home == "__main__" else f"{home}:{kind}"
