"""A layer as a baseline records it: initial weights, output, gradient, output in training, configuration."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.catalog.cases.recorded_layers import RecordedLayer
from initcheck.engines.own_models import Noted, added_weights_noted
from initcheck.engines.perturbed import perturbed
from initcheck.evidence.layers import Layers, as_called
from initcheck.evidence.made_layers import flat
from initcheck.evidence.session import Session
from initcheck.evidence.trace import Array, Arrays
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.differentiation import gradients, is_real
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.operations import operations
from initcheck.frameworks.quiet import quiet
from initcheck.seeding import derive_seed

_PERTURBED = 0  # the seed of the ups and downs
_PLAIN_CALLS = 20  # besides the first: two images are left unmixed in every second call


@dataclass(frozen=True, eq=False)
class Computed:
    """Arrays, and how much rounding may change them.

    Attributes:
        arrays: As computed.
        deviation: The largest deviation of an element where weights and inputs were perturbed by one ulp; infinite
            where an element is not a number.
    """

    arrays: Arrays
    deviation: float


@dataclass(frozen=True)
class AskedWeight:
    """What a layer asked of an initializer for a weight.

    Attributes:
        initializer: The initializer's class; empty where the weight is not the initializer's draw as it was made.
        options: Its options as JSON, without the seed and without those that are None, which versions may lack.
        shape: Of the weight.
    """

    initializer: str
    options: str
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LayerStages:
    """One layer, stage by stage.

    Attributes:
        initial_weights: By its default initializers, under a global seed.
        asked: What it asked for each of them.
        output: At given weights and inputs; None where outputs are not recorded.
        gradient: Of the sum of the outputs times given numbers, by trained weights and real inputs; None with it.
        training: The output in training; None where the layer draws noise, or has no mode of training.
        moved: The weights after that call; None with it.
        noise: The outputs in training under a global seed, one after another, for inputs with many independent draws;
            None without noise.
        independent: The number of independent draws behind ``noise``, at least.
        configuration: Option → its value as JSON, in the words that all versions share.
    """

    initial_weights: Arrays
    asked: tuple[AskedWeight, ...]
    output: Computed | None
    gradient: Computed | None
    training: Computed | None
    moved: Computed | None
    noise: Array | None
    independent: int
    configuration: Mapping[str, str]


@dataclass(frozen=True)
class _Given:
    weights: Sequence[Array]
    inputs: Sequence[Array]

    def perturbed(self) -> _Given:
        """Every real number moved by one ulp."""
        return _Given(
            *(
                [perturbed(one, 1, _PERTURBED) if one.dtype == np.float32 else one for one in part]
                for part in self._both
            )
        )

    @property
    def _both(self) -> tuple[Sequence[Array], Sequence[Array]]:
        return self.weights, self.inputs


class LayerRecorder:
    """Builds and calls layers one by one, so that one which fails hides no other.

    Args:
        seed: The root seed.
    """

    def __init__(self, seed: int) -> None:
        session = Session(seed)
        self._keras, self._seed = session.keras, seed
        self._layers = Layers(session)

    def lacks(self, case: RecordedLayer) -> bool:
        """Whether the installed Keras lacks the layer or some of its arguments."""
        return bool(self._layers.lacking(case))

    def observe(self, case: RecordedLayer) -> LayerStages:
        """The stages of that layer.

        Raises:
            Exception: Whatever the framework raises for it.
        """
        seed = derive_seed(self._seed, "baseline", "layer", case.name)
        inputs = case.values(seed)
        with quiet(), globally_seeded(self._keras, seed % 2**31):
            with added_weights_noted(self._keras, {}) as noted:
                layer = self._layers.made(case)
                if case.computes or len(inputs) > 1:
                    # A call builds it whatever its inputs; in training it might move its weights.
                    self._call(layer, case, inputs, **({"training": False} if "training" in case.call else {}))
                else:
                    layer.build(inputs[0].shape)  # a cell is not called without states
            initial = tuple(np.asarray(one) for one in layer.get_weights())
            asked = tuple(_asked(weight, value, noted) for weight, value in zip(layer.weights, initial, strict=True))
            configuration = shared_words(layer.get_config())
            if not case.computes:
                return LayerStages(initial, asked, None, None, None, None, None, 0, configuration)
            given = _Given(case.weights([one.shape for one in initial], seed), inputs)
            plain, draws = self._plain(layer, case, given)
            output, gradient = self._twice(lambda given: self._graded(layer, case, given, seed), given)
            training, moved, noise = self._trained(layer, case, given, plain, output, seed)
        return LayerStages(
            initial,
            asked,
            None if draws else output,  # many layers of images are in training unless they are asked not to
            None if draws else gradient,
            training,
            moved,
            noise,
            0 if noise is None else case.independent(noise),
            configuration,
        )

    def _plain(self, layer: Any, case: RecordedLayer, given: _Given) -> tuple[Arrays, bool]:
        """The outputs of a call that is asked nothing, and whether what it draws is in them.

        A recurrent layer draws its masks in inference too, but on torch, and uses none; a RandomInvert leaves all
        images as they are in one call of eleven.
        """
        call = functools.partial(self._afresh, layer, case, given)
        before = _generators(layer)
        plain = call()
        if _equal(before, _generators(layer)):
            return plain, False
        if "training" not in inspect.signature(layer.call).parameters:
            return plain, True
        inferred = call(training=False)
        calls = itertools.chain([plain], (call() for _ in range(_PLAIN_CALLS)))
        return plain, not all(_equal(one, inferred) for one in calls)

    def _trained(
        self, layer: Any, case: RecordedLayer, given: _Given, plain: Arrays, output: Computed, seed: int
    ) -> tuple[Computed | None, Computed | None, Array | None]:
        if case.call.get("training") is False:
            return None, None, None  # another case has it in training
        if "training" not in inspect.signature(layer.call).parameters:
            return output, None, None

        def call(given: _Given) -> tuple[Arrays, Arrays]:
            output = self._afresh(layer, case, given, training=True)
            return output, tuple(np.asarray(one) for one in layer.get_weights())

        before = _generators(layer)
        first = call(given)
        if _equal(before, _generators(layer)):  # else it draws, whether or not this draw has changed anything
            if _equal(first[0], plain) and _equal(first[1], given.weights):
                return output, None, None  # training is no other mode
            again = call(given)
            if _equal(first[0], again[0]):
                training, moved = self._twice(call, given)
                return training, moved if given.weights else None, None
        self._keras.utils.set_random_seed(seed % 2**31)
        fresh = self._layers.made(case)  # whatever the calls so far have drawn
        repeated = case.repeated(list(given.inputs))
        self._call(fresh, case, repeated)
        fresh.set_weights(given.weights)
        noise = []
        for _ in range(case.noisy_calls):
            _reset(fresh)
            noise.append(self._call(fresh, case, repeated, training=True)[0])
        return None, None, np.concatenate(noise)

    def _graded(self, layer: Any, case: RecordedLayer, given: _Given, seed: int) -> tuple[Arrays, Arrays]:
        math = operations(self._keras)

        def compute(*into: Any) -> tuple[Any, list[Any]]:
            outputs = self._tensors(layer, case, into)
            numbers = [math.sum(math.cast(one, "float32") * as_tensor(_slopes(one.shape, seed))) for one in outputs]
            return sum(numbers[1:], numbers[0]), outputs

        layer.set_weights(given.weights)
        _reset(layer)
        inputs = list(map(as_tensor, given.inputs))
        try:
            found = gradients(layer, inputs, compute)
        except LookupError:  # an operation of TensorFlow has no gradient, as of some image layers
            return self._call(layer, case, given.inputs), ()
        sources = [*layer.trainable_weights, *filter(is_real, inputs)]
        slopes = zip((*found.by_weights, *found.by_tensors), sources, strict=True)
        return tuple(found.values), tuple(np.zeros(of.shape, np.float32) if one is None else one for one, of in slopes)

    def _afresh(self, layer: Any, case: RecordedLayer, given: _Given, **how: Any) -> Arrays:
        """The outputs of a call at the given weights that knows of none before it."""
        layer.set_weights(given.weights)
        _reset(layer)
        return self._call(layer, case, given.inputs, **how)

    def _call(self, layer: Any, case: RecordedLayer, inputs: Sequence[Array], **how: Any) -> Arrays:
        return tuple(as_array(one) for one in self._tensors(layer, case, list(map(as_tensor, inputs)), **how))

    def _tensors(self, layer: Any, case: RecordedLayer, inputs: Sequence[Any], **how: Any) -> list[Any]:
        return flat(layer(*as_called(case, inputs), **{**case.call, **how}))

    @staticmethod
    def _twice(compute: Callable[[_Given], tuple[Arrays, Arrays]], given: _Given) -> tuple[Computed, Computed]:
        first, second = zip(compute(given), compute(given.perturbed()), strict=True)
        return Computed(first[0], deviation(*first)), Computed(second[0], deviation(*second))


def shared_words(config: Mapping[str, Any]) -> dict[str, str]:
    """The options of a configuration as JSON, without what Keras makes up and what its versions only word differently.

    Of an object its class remains, and each of its options under its own key; a dtype policy is its name.
    """
    words: dict[str, str] = {}
    for key, value in config.items():
        if key not in _MADE_UP:
            words.update(_worded(key, value))
    return words


_MADE_UP = ("name", "build_config", "batch_input_shape", "batch_shape", "module", "registered_name", "shared_object_id")


def _worded(key: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping) and "class_name" in value:
        options = value.get("config")
        if not isinstance(options, Mapping):
            return {key: json.dumps(options)}  # a function, by its name
        if "Policy" in str(value["class_name"]):
            return {key: json.dumps(options.get("name"))}
        return {key: json.dumps(value["class_name"]), **_nested(key, options)}
    if isinstance(value, Mapping):
        return {key: "{}", **_nested(key, value)}
    if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):  # such as a layer's cells
        parts = [_worded(f"{key}[{place}]", one) for place, one in enumerate(value)]
        return {key: "[]", **{name: word for part in parts for name, word in part.items()}}
    return {key: json.dumps(value, default=_listed)}


def _nested(key: str, options: Mapping[str, Any]) -> dict[str, str]:
    return {f"{key}.{name}": word for name, word in shared_words(options).items()}


def _listed(value: Any) -> Any:
    """A NumPy or framework number as Python's; anything else as its text."""
    return np.asarray(value).tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _reset(layer: Any) -> None:
    """Forgets what a stateful layer carries from call to call, and a cell its masks."""
    reset = getattr(layer, "reset_states", None) or getattr(layer, "reset_state", None)
    if reset is not None and getattr(layer, "stateful", False):
        reset()
    for name in ("reset_dropout_mask", "reset_recurrent_dropout_mask"):
        getattr(layer, name, lambda: None)()


def _generators(layer: Any) -> Arrays:
    """The states of a layer's generators, which every draw moves; none under Keras 2."""
    weights = {id(one) for one in layer.weights}
    return tuple(as_array(one) for one in layer.variables if id(one) not in weights)


def _asked(weight: Any, value: Array, noted: Noted) -> AskedWeight:
    _, _, initializer, drawn, _ = noted.get(id(weight), (None, "", None, None, -1))
    if initializer is None or drawn is None or not np.array_equal(drawn, value):
        return AskedWeight("", "{}", value.shape)
    options = initializer.get_config() if hasattr(initializer, "get_config") else {}
    given = {key: option for key, option in options.items() if key != "seed" and option is not None}
    kind = type(initializer).__name__.removesuffix("Initializer")  # OrthogonalInitializer of Keras 3.0
    return AskedWeight(kind, json.dumps(shared_words(given), sort_keys=True), value.shape)


def _slopes(shape: Any, seed: int) -> Array:
    return np.random.RandomState((seed + 2) % 2**32).normal(size=tuple(shape)).astype(np.float32)


def _equal(one: Sequence[Array], other: Sequence[Array]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def deviation(own: Arrays, others: Arrays) -> float:
    """The largest difference of two elements of the same place; infinite where one is not a number."""
    with np.errstate(invalid="ignore", over="ignore"):
        gaps = [
            float(np.abs(np.subtract(a, b, dtype=np.float64)).max()) for a, b in zip(own, others, strict=True) if a.size
        ]
    largest = max(gaps, default=0.0)
    return largest if np.isfinite(largest) else np.inf
