"""Layers with a formula: each alone, and some in one model, which is built, run, saved and read once for all checks."""

from __future__ import annotations

import functools
import inspect
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.catalog.cases.formulas import GALLERIES, GALLERY_OF, layer_inputs
from initcheck.catalog.cases.recorded_layers import RecordedLayer
from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.kind import Arguments
from initcheck.catalog.layers.traits.computing import FormulaCase, alone
from initcheck.catalog.layers.traits.noises import Fed, NoiseSource
from initcheck.evidence.made_layers import arguments_made, flat, wraps
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, has_no_kernel, is_tensor
from initcheck.frameworks.differentiation import gradients
from initcheck.frameworks.floatx import dtype_policy, image_data_format
from initcheck.frameworks.layer_calls import build_by_call, call_with_losses, compiled_call, shaped_outputs
from initcheck.frameworks.operations import operations
from initcheck.frameworks.quiet import quiet
from initcheck.targets import backend_of, target

Array = np.ndarray[Any, Any]
ROWS = 4  # of its batch
INFERENCE = "a call with training=False"
# A layer that draws where it should not may draw what changes nothing: RandomInvert does in one call of eleven. (Masks
# have twenty elements or more, and leave each with a chance of one half.)
_CALLS = 10
_SPARING = frozenset(noise.layer for noise in select(NoiseSource) if noise.fed is Fed.IMAGES)
_OF_ALL_LAYERS = ("activity_regularizer",)  # whether or not the signature has it


class NoKernel(Exception):
    """The backend does not compute an operation in that dtype on this device."""


class Route(Enum):
    """A way by which a model is written and read."""

    CONFIGURATION = "its configuration"
    CLONE = "clone_model"
    KERAS = "a .keras file"
    WEIGHTS = "a .weights.h5 file"
    H5 = "an .h5 file"

    @property
    def suffix(self) -> str:
        """One word, for names."""
        return self.name.lower()


@dataclass(frozen=True)
class Policy:
    """A dtype policy, and the way in which a layer gets it.

    Attributes:
        name: As Keras names it.
        computed: The dtype of computations.
        stored: The dtype of weights.
        globally: Whether it is the global policy, instead of the layer's argument ``dtype``.
    """

    name: str
    computed: str
    stored: str
    globally: bool


@dataclass(frozen=True)
class Shown:
    """What is seen of one layer in a model.

    Attributes:
        output: Of ``predict``; after a route of a call with ``training=False``, which needs no trace.
        weights: In the order of ``get_weights``, at the end.
        outputs: Of all ways that ran it as in inference; after a route of that call alone.
        losses: That the call added; none of ``predict``.
    """

    output: Array
    weights: list[Array]
    outputs: Mapping[str, Array] = field(default_factory=dict)
    losses: tuple[Array, ...] = ()


class Layers:
    """Layers at tiny sizes.

    In a model of some of them each has a branch: its own inputs, the layer, its own output. Where a model cannot be
    taken along a route, its halves go alone, and so on, so that only what is broken fails.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def lacking(self, case: FormulaCase | RecordedLayer) -> str:
        """What the installed Keras has not of a case: the layer, or some of its arguments; empty where it has all."""
        kind = getattr(self._keras.layers, case.layer, None)
        if kind is None:
            return case.layer
        known = {*inspect.signature(kind).parameters, *inspect.signature(kind.call).parameters, *_OF_ALL_LAYERS}
        needs = case.needs if isinstance(case, FormulaCase) else ()
        unknown = [argument for argument in (*case.config, *case.call, *needs) if argument not in known]
        return f"{case.layer}({', '.join(unknown)})" if unknown else ""

    def compute(
        self, case: FormulaCase, weights: Sequence[Array], inputs: Sequence[Array], policy: Policy | None = None
    ) -> Shown:
        """The layer's output at those weights, and its weights afterwards; computed in the weights' dtype.

        Args:
            case: The layer.
            weights: In the order of ``get_weights``.
            inputs: Its inputs. Whole numbers are passed as NumPy arrays, which Keras makes into tensors.
            policy: A dtype policy instead.

        Raises:
            NoKernel: The backend has no kernel for an operation of the layer in that dtype on this device.
        """
        math = operations(self._keras)
        try:
            with image_data_format(self._keras, case.image_data_format):
                layer = self.built(case, weights, inputs, policy)
                into = [as_tensor(one) if one.dtype.kind == "f" else one for one in inputs]
                if not getattr(layer, "autocast", True):  # then inputs come in the type of the layer before it
                    into = [math.cast(one, layer.compute_dtype) if is_tensor(one) else one for one in into]
                output, losses = call_with_losses(
                    layer, lambda *into: layer(*as_called(case, into), **case.called), into
                )
        except Exception as error:
            if has_no_kernel(error):
                raise NoKernel from error
            raise
        return Shown(joined(output), layer.get_weights(), losses=tuple(one.astype(np.float64) for one in losses))

    def gradients(
        self, case: FormulaCase, weights: Sequence[Array], inputs: Sequence[Array], slopes: Array
    ) -> list[Array]:
        """The gradients of the sum of its outputs times ``slopes``: of its trained weights, and of real inputs.

        Args:
            case: The layer.
            weights: In the order of ``get_weights``.
            inputs: Its inputs.
            slopes: A number for each output.
        """
        layer, math = self.built(case, weights, inputs), operations(self._keras)

        def total(*into: Any) -> tuple[Any, Any]:
            output = layer(*as_called(case, into), **case.called)
            if case.outputs > 1:
                output = math.concatenate([math.reshape(one, (len(slopes), -1)) for one in flat(output)], -1)
            return math.sum(output * as_tensor(slopes)), None

        found = gradients(layer, [as_tensor(one) for one in inputs], total)
        return [one for one in (*found.by_weights, *found.by_tensors) if one is not None]

    def in_turn(
        self,
        case: FormulaCase,
        weights: Sequence[Array],
        inputs: Sequence[Array],
        states: Sequence[Array] = (),
        *,
        traced: bool,
    ) -> list[Array]:
        """The outputs of a stateful layer at those inputs in turn, and at the first after a reset or all again.

        Args:
            case: The layer; it, or the layers that it wraps, are made stateful.
            weights: In the order of ``get_weights``.
            inputs: The input of each call.
            states: If any, those that it is given in the first call of a second turn; then nothing is reset.
            traced: Whether it is called within a graph, or a program of JAX.
        """
        layer = self.made(replace(case, config=_stateful(case.config)))
        layer.build(inputs[0].shape)
        layer.set_weights(weights)
        any_rows = (None, *inputs[0].shape[1:]), "float32"
        call = compiled_call(layer, layer, [any_rows]) if traced else layer
        outputs = [joined(call(as_tensor(one))) for one in inputs]
        if states:
            given = [as_tensor(one) for one in states]
            outputs.append(joined(call(as_tensor(inputs[0]), initial_state=_nested(layer, given))))
            return outputs + [joined(call(as_tensor(one))) for one in inputs[1:]]
        (layer.reset_state if hasattr(layer, "reset_state") else layer.reset_states)()  # the latter in Keras 2
        return [*outputs, joined(call(as_tensor(inputs[0])))]

    def built(
        self, case: FormulaCase, weights: Sequence[Array], inputs: Sequence[Array], policy: Policy | None = None
    ) -> Any:
        """The case's layer at those weights, built for those inputs, in the weights' dtype or under the policy."""
        dtype = next((one.dtype.name for one in (*weights, *inputs) if one.dtype.kind == "f"), "float32")
        if policy and (policy.globally or wraps(case.config)):  # what is wrapped has a policy of its own
            with dtype_policy(self._keras, policy.name):
                layer = self.made(case)
        else:
            name = policy.name if policy else dtype
            layer = self.made(case, **({} if name == "float32" else {"dtype": name}))  # some layers take none
        build_by_call(lambda *into: layer(*as_called(case, into), **case.call), [as_tensor(one) for one in inputs])
        layer.set_weights(weights)
        return layer

    def made(self, case: FormulaCase | RecordedLayer, **options: Any) -> Any:
        """The case's layer, not yet built, with further arguments."""
        arguments = arguments_made(self._keras, case.config)
        return getattr(self._keras.layers, case.layer)(**arguments, **options)

    def training_seen(self, case: FormulaCase, *, fixed: bool) -> dict[tuple[str, bool | None], Any]:
        """What ``training`` is for a layer that comes after the case's.

        A model of the two is called without it and with each value, a layer that calls the two without it.

        Args:
            case: The layer.
            fixed: Whether the case's layer is called with ``training=True`` whatever the model is called with.

        Returns:
            Place ("model" or "layer", which the two layers are parts of) and the value given → the value seen.
        """
        keras = self._keras
        values = self.given(case)[1]
        call = {**case.call, **({"training": True} if fixed else {})}
        probe = _probe(keras)

        class Outer(keras.layers.Layer):  # type: ignore[misc, name-defined] # Keras is loaded at run time
            """Calls the layer, then the probe."""

            def __init__(self, layer: Any) -> None:
                super().__init__()
                self.layer, self.probe = layer, probe

            def call(self, inputs: Any) -> Any:
                inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
                return self.probe(self.layer(*as_called(case, list(inputs)), **call))

        tensors = [as_tensor(one) for one in values]
        within = self.made(case)
        build_by_call(lambda *into: within(*as_called(case, into), **case.call), tensors)  # as Normalization must be
        into = [keras.Input(one.shape[1:], dtype=one.dtype.name) for one in values]
        model = keras.Model(into, flat(probe(self.made(case)(*as_called(case, into), **call))))
        seen: dict[tuple[str, bool | None], Any] = {}
        calls = [*(("model", model, given) for given in (None, True, False)), ("layer", Outer(within), None)]
        for place, outer, given in calls:
            probe.seen = None
            options = {} if given is None else {"training": given}
            shaped_outputs(outer, functools.partial(outer, alone(tensors), **options))
            seen[place, given] = probe.seen
        return seen

    def _gallery(self, number: int) -> list[FormulaCase]:
        # What averages comes first: some layers turn training on for those after them, in a plain call of the model.
        cases = [case for case in GALLERIES[number] if not self.lacking(case)]
        return sorted(cases, key=lambda case: not case.averages)

    def given(self, case: FormulaCase) -> tuple[list[Array], list[Array]]:
        """The weights and inputs of a case."""
        return layer_inputs(case, self._session.stream("gallery", case.name), "float32", rows=ROWS)

    def shown(self, case: FormulaCase, route: Route | None = None) -> Shown:
        """The case's layer, after that route if one is given.

        Raises:
            Exception: Whatever the framework raises for this case.
        """
        seen = self._seen(GALLERY_OF[case.name], route)[case.name]
        if isinstance(seen, Exception):
            raise seen
        return seen

    def _seen(self, number: int, route: Route | None) -> dict[str, Shown | Exception]:
        """What is seen of a gallery's cases; those that fail as they are made take no route."""

        def look() -> dict[str, Shown | Exception]:
            cases = self._gallery(number)
            if route is None:
                return self._divided(cases, None)
            made = self._seen(number, None)
            able = [case for case in cases if not isinstance(made[case.name], Exception)]
            return made | (self._divided(able, route) if able else {})

        seen: dict[str, Shown | Exception] = self._session.once(("gallery", number, route), look)
        return seen

    def _divided(self, cases: Sequence[FormulaCase], route: Route | None) -> dict[str, Shown | Exception]:
        """What is seen of the cases together, or where that fails of either half."""
        try:
            return dict(self._look(cases, route))
        except Exception as error:  # noqa: BLE001 - it is raised where its case is judged
            if len(cases) == 1:
                return {cases[0].name: error}
        half = len(cases) // 2
        return self._divided(cases[:half], route) | self._divided(cases[half:], route)

    def _look(self, cases: Sequence[FormulaCase], route: Route | None) -> dict[str, Shown]:
        given = {case.name: self.given(case) for case in cases}
        with quiet():
            model = self._model(cases)
            for case in cases:
                model.get_layer(case.name).set_weights(given[case.name][0])
            if route is not None:
                model = _ALONG[route](self._keras, model)
            inputs = alone([one for _, arrays in given.values() for one in arrays])
            ways = {}
            if route is None:
                ways["predict"] = model.predict(inputs, batch_size=ROWS, verbose=0)
                ways["predict_on_batch"] = model.predict_on_batch(inputs)
                calls = _CALLS if _SPARING & {case.layer for case in cases} else 1
                ways |= {f"plain call {number + 1}": model(inputs) for number in range(calls)}
            ways[INFERENCE] = model(inputs, training=False)
        outputs = {way: _by_case(cases, values) for way, values in ways.items()}
        return {
            case.name: Shown(
                outputs[INFERENCE if route else "predict"][case.name],
                model.get_layer(case.name).get_weights(),
                {way: values[case.name] for way, values in outputs.items()},
            )
            for case in cases
        }

    def _model(self, cases: Sequence[FormulaCase]) -> Any:
        names = tuple(case.name for case in cases)
        return self._session.once(("gallery model", names), lambda: self._branches(cases))

    def _branches(self, cases: Sequence[FormulaCase]) -> Any:
        inputs, outputs = [], []
        for case in cases:
            own = [
                self._keras.Input(one.shape[1:], dtype=one.dtype.name, name=f"{case.name}-input-{number}")
                for number, one in enumerate(self.given(case)[1])
            ]
            inputs += own
            outputs += flat(self.made(case, name=case.name)(*as_called(case, own), **case.call))
        return self._keras.Model(inputs, outputs)


def _probe(keras: Any) -> Any:
    class Probe(keras.layers.Layer):  # type: ignore[misc] # Keras is loaded at run time
        """Passes its input on, and keeps the ``training`` that it is called with."""

        seen: Any = None

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            self.seen = training
            return inputs

    return Probe()


def as_called(case: FormulaCase | RecordedLayer, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments of the layer's call: its inputs one after another, in one list, or with a list of states."""
    if case.initial_states:
        return inputs[0], list(inputs[1:])
    return (alone(inputs),) if case.listed else tuple(inputs)


def _stateful(config: Arguments) -> dict[str, Any]:
    """The arguments that make a layer stateful, or the layers of sequences that it wraps."""
    inner = {
        name: replace(value, arguments={**value.arguments, "stateful": True})
        for name, value in config.items()
        if isinstance(value, LayerRequest) and "return_sequences" in value.arguments
    }
    return {**config, **(inner or {"stateful": True})}


def _nested(layer: Any, states: list[Any]) -> Any:
    """Its states, as a layer of several cells takes them: a list for each."""
    sizes = getattr(getattr(layer, "cell", None), "state_size", None)
    nested = isinstance(sizes, list | tuple) and any(isinstance(one, list | tuple) for one in sizes)
    each = iter(states)
    kind = list if backend_of(target()) == "jax" else tuple  # JAX compares it with what the cells return
    return [kind(next(each) for _ in one) for one in layer.states] if nested else states


def _by_case(cases: Sequence[FormulaCase], outputs: Any) -> dict[str, Array]:
    """The output of each case's layer, of all outputs of their model."""
    each = iter(flat(outputs))
    return {case.name: joined([next(each) for _ in range(case.outputs)]) for case in cases}


def joined(outputs: Any) -> Array:
    """The only output; of several, each row's elements one after another."""
    arrays = [as_array(one) for one in flat(outputs)]
    return arrays[0] if len(arrays) == 1 else np.concatenate([one.reshape(len(one), -1) for one in arrays], -1)


def _rebuilt(keras: Any, model: Any) -> Any:
    again = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    return again


def _cloned(keras: Any, model: Any) -> Any:
    again = keras.models.clone_model(model)
    again.set_weights(model.get_weights())
    return again


def _through_file(suffix: str, keras: Any, model: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{suffix}"
        model.save(path)
        return keras.models.load_model(path, compile=False)


def _through_weights(keras: Any, model: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        again = keras.Model.from_config(model.get_config())
        again.load_weights(path)
        return again


_ALONG: Mapping[Route, Callable[[Any, Any], Any]] = {
    Route.CONFIGURATION: _rebuilt,
    Route.CLONE: _cloned,
    Route.KERAS: functools.partial(_through_file, ".keras"),
    Route.WEIGHTS: _through_weights,
    Route.H5: functools.partial(_through_file, ".h5"),
}
