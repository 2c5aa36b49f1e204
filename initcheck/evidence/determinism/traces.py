"""Small models of drawn architectures: built, compiled, trained through ``fit``, with their traces."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.layers.traits.noises import NoiseSource
from initcheck.catalog.problems import Problem
from initcheck.catalog.recipes import Net, Recipe
from initcheck.engines.validation.problem import validated_data
from initcheck.evidence import unrelated_work as unrelated
from initcheck.evidence.determinism.function_calls import SeededCalls, call_seeded
from initcheck.evidence.determinism.global_seeds import First, first_draws
from initcheck.evidence.determinism.image_draws import ImageDraws, draw_images, draw_piped
from initcheck.evidence.determinism.masks import Masks, masks
from initcheck.evidence.determinism.repeated_draws import RepeatedDraws, draw_in_a_row, repeat_draws
from initcheck.evidence.determinism.unseeded_sources import MissingSourceError, SourceDraws, draw
from initcheck.evidence.gradients import loss_gradient
from initcheck.evidence.session import Session
from initcheck.evidence.symmetry.net_weights import WeightTrajectory, train_net
from initcheck.evidence.symmetry.unit_weights import UnitTrajectory, train_units
from initcheck.evidence.toy_data import recipe_rows
from initcheck.evidence.toy_models import make_layers, make_model, make_recorder
from initcheck.evidence.trace import Array, Arrays, Repetition, Trace
from initcheck.frameworks.backend_calls import all_seen
from initcheck.frameworks.instances import LayerInitializers

if TYPE_CHECKING:
    from initcheck.catalog.recipes import UnitNet

_PROBLEM_STEPS = 12  # of a problem's own batches


class Models:
    """Evidence from small trainings; each runs once.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def trace(
        self,
        recipe: Recipe,
        *,
        repetition: Repetition = Repetition.FIRST,
        style: str = "sequential",
        stream: int = 0,
    ) -> Trace:
        """The trace of that recipe.

        Args:
            recipe: The recipe to train.
            repetition: Which training of the recipe.
            style: ``sequential``, ``functional`` or ``subclassed``.
            stream: Trainings of another stream have other seeds.
        """
        seed = self._session.stream("recipe", recipe.name, stream)
        trace: Trace = self._session.once(
            ("trace", recipe, repetition, style, stream),
            lambda: trace_recipe(self._session.keras, recipe, seed, style=style, repetition=repetition),
        )
        return trace

    def trace_problem(self, problem: Problem, row: Initializer, *, after_work: bool = False) -> Trace:
        """The trace of the first steps of that problem under that initializer, also after unrelated random work."""
        seed = self._session.stream("problem", problem.name, row.name)
        trace: Trace = self._session.once(
            ("problem", problem.name, row.name, after_work),
            lambda: _trace_problem(self._session.keras, problem, row, seed, after_work=after_work),
        )
        return trace

    def repeated_draws(self, row: Initializer, requests: Sequence[tuple[str, tuple[int, ...]]]) -> list[RepeatedDraws]:
        """Returns the same draws, repeated in several ways, for each of those dtypes and shapes."""
        seed = self._session.stream("repeated draws", row.name)
        draws: list[RepeatedDraws] = self._session.once(
            ("repeated draws", row.name, row.made_by, tuple(requests)),
            lambda: repeat_draws(row, seed, requests),
        )
        return draws

    def draws_in_a_row(self, row: Initializer, shape: tuple[int, ...], calls: int) -> list[Array]:
        """Returns the draw of one instance at each of several calls."""
        return draw_in_a_row(row, self._session.stream("repeated draws", row.name), shape, calls)

    def first_draws(self, seeds: Sequence[int]) -> First:
        """Returns the first draws of the global generators under each of these global seeds."""
        draws: First = self._session.once(
            ("first draws", tuple(seeds)), lambda: first_draws(self._session.keras, seeds)
        )
        return draws

    def seeded_calls(self, name: str) -> SeededCalls | None:
        """Returns the values of a function of ``keras.random`` under int seeds; None if Keras lacks it."""
        return call_seeded(self._session.keras, name, self._session.stream("keras.random", name))

    def masks(self, *, after_work: bool = False) -> Masks:
        """The noise that layers drew within a training, step by step, also after unrelated random work."""
        noise: Masks = self._session.once(
            ("masks", after_work),
            lambda: masks(self._session.keras, self._session.stream("masks"), after_work=after_work),
        )
        return noise

    def lacking(self, source: NoiseSource) -> str:
        """What the installed Keras has not of a source: the layer, or some of its arguments; empty where all."""
        kind = getattr(self._session.keras.layers, source.layer, None)
        if kind is None:
            return source.layer
        unknown = {*source.arguments} - {*inspect.signature(kind).parameters}
        return f"{source.layer}({', '.join(sorted(unknown))})" if unknown else ""

    def image_draws(self, source: NoiseSource) -> ImageDraws:
        """The outputs of a random image layer under seeds of its own."""
        return draw_images(self._session.keras, source, self._session.stream("image draws", source.layer))

    def piped_images(self, source: NoiseSource, sources: Sequence[NoiseSource]) -> ImageDraws | None:
        """The outputs of a random image layer in a ``tf.data`` pipeline; None where no state can be put back.

        Args:
            source: The layer.
            sources: All layers that share the pipeline.

        Raises:
            Exception: Whatever the framework raises for this layer.
        """
        if not hasattr(getattr(self._session.keras, "random", None), "SeedGenerator"):
            return None
        there = [one for one in sources if not self.lacking(one)]
        seed = self._session.stream("piped images")
        drawn = self._session.once("piped images", lambda: draw_piped(self._session.keras, there, seed))[source.layer]
        if isinstance(drawn, Exception):
            raise drawn
        draws: ImageDraws = drawn
        return draws

    def source(self, name: str) -> SourceDraws | None:
        """Returns the draws of a source of ``initcheck.catalog.sources`` under two global seeds in turn.

        None if this version of the framework has no such source.
        """
        seed, other = (self._session.stream("source", name, *which) for which in ((), ("other",)))
        draws: SourceDraws | None = self._session.once(
            ("source", name), lambda: _draw_if_there(self._session.keras, name, seed, other)
        )
        return draws

    def weight_trajectory(
        self, net: Net, *, permuted: bool = False, row: Initializer | None = None
    ) -> WeightTrajectory:
        """Returns the weights of that net at every step.

        Args:
            net: The net to train.
            permuted: Whether the hidden units are put in another order first.
            row: Of its random kernels, where it is not the catalogue's row that the net names.
        """
        seed = self._session.stream("net", net.name)
        trajectory: WeightTrajectory = self._session.once(
            ("weight trajectory", net, permuted, row and row.made_by),
            lambda: train_net(self._session.keras, net, seed, permuted=permuted, row=row),
        )
        return trajectory

    def unit_trajectory(self, net: UnitNet) -> UnitTrajectory:
        """Returns the weights of the filters or units of that net at every step."""
        return train_units(self._session.keras, net, self._session.stream("unit net", net.name))


__all__ = ["Models", "RepeatedDraws", "Trace", "WeightTrajectory", "trace_recipe"]


def _draw_if_there(keras: Any, name: str, seed: int, other: int) -> SourceDraws | None:
    try:
        return draw(keras, name, seed, other)
    except MissingSourceError:
        return None


def trace_recipe(
    keras: Any,
    recipe: Recipe,
    seed: int,
    *,
    style: str = "sequential",
    repetition: Repetition = Repetition.FIRST,
) -> Trace:
    """Trains the recipe and returns its trace."""
    global_seed = seed + (repetition is Repetition.OTHER_GLOBAL_SEED)
    keras.utils.set_random_seed(seed)
    if repetition is not Repetition.FIRST:
        (unrelated.train if recipe.graph else unrelated.work)(keras, global_seed + 1)
        keras.utils.set_random_seed(global_seed)
    x, y = recipe_rows(recipe)
    seen: list[Array] = []
    layers = make_layers(keras, recipe, seed)
    model = make_model(
        keras,
        # A graph recipe keeps ``compile``'s defaults: a recorder of rows would disable XLA.
        layers if recipe.graph else [make_recorder(keras, seen), *layers],
        recipe.input_shape,
        style,
        "int32" if recipe.vocabulary else "float32",
    )
    model.compile(
        optimizer=getattr(keras.optimizers, recipe.optimizer)(),
        loss=recipe.loss,
        metrics=["accuracy"] if recipe.classes else [],
        run_eagerly=not recipe.graph,
    )
    return _fit(
        keras,
        model,
        x,
        y,
        seen,
        recipe.loss,
        recipe.epochs,
        recipe.batch_size,
        shuffle=not recipe.seeded,
        again=repetition is Repetition.FIRST,
    )


def _trace_problem(keras: Any, problem: Problem, row: Initializer, seed: int, *, after_work: bool) -> Trace:
    """Trains the first batches, in the order of the rows, as the reference engine would."""
    data = validated_data(problem)
    if after_work:
        unrelated.work(keras, seed + 1)
    keras.utils.set_random_seed(seed)
    rows = problem.batch_size * _PROBLEM_STEPS
    model = problem.model(keras, LayerInitializers(row, seed), data.input_shape)
    model.compile(optimizer=problem.optimizer(keras), loss=problem.loss, metrics=["accuracy"])
    x, y = data.x_train[:rows], data.y_train[:rows]
    return _fit(keras, model, x, y, [], problem.loss, 1, problem.batch_size, shuffle=False, again=not after_work)


def _fit(
    keras: Any,
    model: Any,
    x: Array,
    y: Array,
    seen: list[Array],
    loss: str,
    epochs: int,
    batch_size: int,
    *,
    shuffle: bool,
    again: bool,
) -> Trace:
    initial = weights(model)
    recorder = _loss_recorder(keras)
    model.fit(x, y, epochs=epochs, batch_size=batch_size, shuffle=shuffle, verbose=0, callbacks=[recorder])
    all_seen()
    final = weights(model)
    predictions = [np.array(model.predict(x, batch_size=batch_size, verbose=0)) for _ in range(1 + again)]
    order = row_numbers(x, seen)
    gradient = _first_gradient(keras, model, initial, x, y, order[:batch_size], loss) if seen else ()
    steps = -(-len(x) // batch_size)
    return Trace(
        initial_weights=initial,
        batch_order=order,
        first_gradient=gradient,
        first_update=recorder.first_update,
        losses=np.array(recorder.losses).reshape(-1, steps),
        accuracies=np.array(recorder.accuracies),
        final_weights=final,
        predictions=predictions[0],
        predictions_again=predictions[-1],
    )


def weights(model: Any) -> Arrays:
    """Copies of all weights of a model."""
    return tuple(np.array(value) for value in model.get_weights())


def row_numbers(x: Array, seen: list[Array]) -> Array:
    """Which rows of ``x`` were seen, −1 for none of them."""
    numbers = {row.tobytes(): number for number, row in enumerate(x)}
    return np.array([numbers.get(row.tobytes(), -1) for batch in seen for row in batch], int)


def _loss_recorder(keras: Any) -> Any:
    class LossRecorder(keras.callbacks.Callback):  # type: ignore[misc] # Keras is loaded at run time
        """Records each batch's own loss: Keras reports the epoch's running mean unless its metrics are reset."""

        def __init__(self) -> None:
            super().__init__()
            self.losses: list[float] = []
            self.accuracies: list[float] = []
            self.first_update: Arrays = ()

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
            self.model.reset_metrics()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
            self.losses.append(float(logs["loss"]))
            self.accuracies += [float(logs["accuracy"])] if "accuracy" in logs else []
            self.first_update = self.first_update or weights(self.model)

    return LossRecorder()


def _first_gradient(keras: Any, model: Any, initial: Arrays, x: Array, y: Array, rows: Array, loss: str) -> Arrays:
    final = model.get_weights()
    model.set_weights(initial)
    gradient = loss_gradient(keras, model, x[rows], y[rows], loss)
    model.set_weights(final)
    return gradient
