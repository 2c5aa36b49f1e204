"""Layers under masks: each alone, and all of them in one model that ``predict`` runs once."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.catalog.cases.masked_inputs import fed, masked_inputs, numbers, table
from initcheck.catalog.layers.traits.masking import HEADS, ROWS, STEP, UNITS, UNMASKED, MaskedCase, Source
from initcheck.catalog.layers.under_masks import MASKED_GROUP_OF, MASKED_GROUPS
from initcheck.evidence.made_layers import arguments_made, flat
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor
from initcheck.frameworks.operations import operations
from initcheck.frameworks.quiet import quiet

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class MaskedFit:
    """One step of ``fit`` on masked sequences, and ``evaluate`` after it.

    Attributes:
        x: The sequences, shape ``(rows, steps, features)``.
        y: The targets of each head.
        sample_weight: Of each step, in ``fit``; ``evaluate`` has none.
        fitted: What ``fit`` reports.
        evaluated: What ``evaluate`` reports.
        before: Kernel and bias of each head before the step.
        after: Kernel and bias of each head after the step.
        averages: Weights of the batch normalization before and after the step.
    """

    x: Array
    y: Array
    sample_weight: Array
    fitted: Mapping[str, float]
    evaluated: Mapping[str, float]
    before: Mapping[str, list[Array]]
    after: Mapping[str, list[Array]]
    averages: tuple[list[Array], list[Array]]


@dataclass(frozen=True)
class UnderMasks:
    """What is seen of one layer.

    Attributes:
        outputs: All of them.
        masks: Of each output, ``UNMASKED`` where it has none.
        weights: Afterwards; empty where that is not seen.
        kept: Whether the inputs' masks are afterwards as before; None where that is not seen.
    """

    outputs: list[Array]
    masks: list[Array]
    kept: bool | None = None
    weights: Sequence[Array] = ()


class MaskedLayers:
    """Layers at tiny sizes, their inputs from an Embedding with ``mask_zero``, their masks read by a layer of our own.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def lacking(self, case: MaskedCase) -> str:
        """What the installed Keras has not, or does not document, of a case; empty where it has all."""
        kind = self._kind(case.layer)
        if kind is None:
            return case.layer
        makers = [one.__init__ for one in kind.__mro__ if "__init__" in vars(one)]
        known = {name for one in (*makers, kind.call) for name in inspect.signature(one).parameters}
        apart = case.explicit if len(case.explicit) > 1 else ()
        wanted = {*case.config, *case.call, *case.arrays, *apart, *filter(None, [case.needs])} - {"layers"}
        if unknown := sorted(wanted - known):
            return f"{case.layer}({', '.join(unknown)})"
        return f"such {case.layer}" if Version(self._keras.__version__) < Version(case.since) else ""

    def given(self, case: MaskedCase) -> tuple[list[Array], list[Array], dict[str, Array]]:
        """The weights, the inputs as the layer sees them, and the arrays of its call."""
        return masked_inputs(case, lambda name: self._session.stream("masked", name))

    def alone(self, case: MaskedCase, explicit: bool = False) -> UnderMasks:
        """The layer by a plain call, with masks that its inputs carry or, if ``explicit``, as an argument.

        Raises:
            Exception: Whatever the framework raises for this case.
        """
        key = ("masked alone", case.name, explicit)
        seen: UnderMasks = self._session.once(key, lambda: self._called(case, explicit))
        return seen

    def _called(self, case: MaskedCase, explicit: bool) -> UnderMasks:
        layer = self._seen(case)[1] if case.modelled else self._apart(case)
        with quiet():
            inputs = [as_tensor(self._numbers(source)) for source in case.sources]
            arrays = {name: as_tensor(self._numbers(source)) for name, source in case.arrays.items()}
            masks = [None if mask is None else as_tensor(mask) for mask in case.masks]
            if explicit and len(case.explicit) > 1:
                arrays |= dict(zip(case.explicit, masks, strict=True))
            elif explicit:
                arrays[case.explicit[0]] = masks[0] if len(masks) == 1 else masks
            else:
                inputs = [
                    one if mask is None else self._carrier((one, mask)) for one, mask in zip(inputs, masks, strict=True)
                ]
            options = {**case.call, **arrays, **({} if case.training is None else {"training": case.training})}
            before = [self._shown(one) for one in inputs]
            outputs = [one for _ in range(case.calls) for one in flat(layer(*_as_called(case, inputs), **options))]
            after = [self._shown(one) for one in inputs]
            return UnderMasks(
                [_numbers(one) for one in outputs],
                [self._shown(one) for one in outputs],
                all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)),
                layer.get_weights(),
            )

    def _apart(self, case: MaskedCase) -> Any:
        layer = self._made(case)
        layer(*_as_called(case, [as_tensor(self._numbers(source)) for source in case.sources]), **case.call)
        layer.set_weights(self.given(case)[0])
        if case.calls > 1:  # begin anew
            (layer.reset_state if hasattr(layer, "reset_state") else layer.reset_states)()  # the latter in Keras 2
        return layer

    def predicted(self, case: MaskedCase) -> UnderMasks:
        """The layer within a model of its group, by ``predict``.

        Raises:
            Exception: Whatever the framework raises for this case.
        """
        return self._seen(case)[0]

    def _seen(self, case: MaskedCase) -> tuple[UnderMasks, Any]:
        """What ``predict`` shows, and the layer."""
        group = MASKED_GROUP_OF[case.name]
        seen = self._session.once(("masked layers", group), lambda: self._together(MASKED_GROUPS[group]))[case.name]
        if isinstance(seen, Exception):
            raise seen
        shown: tuple[UnderMasks, Any] = seen
        return shown

    def _together(self, cases: Sequence[MaskedCase]) -> dict[str, tuple[UnderMasks, Any] | Exception]:
        return self._divided([one for one in cases if one.modelled and not self.lacking(one)])

    def _divided(self, cases: Sequence[MaskedCase]) -> dict[str, tuple[UnderMasks, Any] | Exception]:
        """What is seen of the cases together; or where that fails of each kind of layer, and then of either half."""
        try:
            with quiet():
                return dict(self._look(cases))
        except Exception as error:  # noqa: BLE001 - it is raised where its case is judged
            if len(cases) == 1:
                return {cases[0].name: error}
        kinds = list(dict.fromkeys(case.layer for case in cases))
        half = len(cases) // 2
        parts = [[case for case in cases if case.layer == kind] for kind in kinds] if len(kinds) > 1 else []
        return {
            name: seen for part in parts or (cases[:half], cases[half:]) for name, seen in self._divided(part).items()
        }

    def _look(self, cases: Sequence[MaskedCase]) -> Mapping[str, tuple[UnderMasks, Any] | Exception]:
        sources = {one: self._numbers(one) for case in cases for one in (*case.sources, *case.arrays.values())}
        into = {one: self._input(one) for one in sources}
        tables = {one: self._embedding(one) for one in sources if one.embedded}

        def looked_up(source: Source) -> Any:
            found = tables[source](into[source])
            return self._images(found) if len(source.vector) > 1 else found

        shared: dict[Source, Any] = {}
        shown: dict[str, tuple[list[Any], list[Any]]] = {}
        layers: dict[str, Any] = {}
        failures: dict[str, Exception] = {}
        for case in cases:
            given = {name: into[source] for name, source in case.arrays.items()}
            # Looked up anew for each case: some layers take the masks off their inputs.
            own = [
                shared.setdefault(one, looked_up(one))
                if case.shared and one.embedded
                else looked_up(one)
                if one.embedded
                else into[one]
                for one in case.sources
            ]
            try:
                layers[case.name] = layer = self._made(case)
                outputs = flat(layer(*_as_called(case, own), **case.call, **given))
                shown[case.name] = (outputs, [self._probe(one) for one in outputs if case.carries])
                if case.shapes:
                    layer.set_weights(self.given(case)[0])
            except Exception as error:  # noqa: BLE001 - it is raised where its case is judged
                failures[case.name] = error
        model = self._keras.Model(
            list(into.values()), [one for pair in shown.values() for part in pair for one in part]
        )
        arrays = iter(flat(model.predict([self._fed(one) for one in sources], batch_size=ROWS, verbose=0)))
        seen: dict[str, tuple[UnderMasks, Any] | Exception] = {**failures}
        for name, (outputs, masks) in shown.items():
            numbers, read = ([_numbers(next(arrays)) for _ in part] for part in (outputs, masks))
            seen[name] = UnderMasks(numbers, read), layers[name]
        return seen

    def _input(self, source: Source) -> Any:
        fed = self._fed(source)
        # How many steps there are is unknown where each is a sequence: a layer of steps then takes another way.
        shape = (None, *fed.shape[2:]) if source is Source.NESTED else fed.shape[1:]
        return self._keras.Input(shape, dtype=fed.dtype.name)

    def loss(self, name: str, y: Array, output: Array, sample_weight: Array) -> Array:
        """The loss of a head whose output carries the mask of ``PADDED``, by a plain call.

        Args:
            name: One of ``HEADS``.
            y: The targets.
            output: Shape ``(rows, steps, units)``.
            sample_weight: A number for each row.
        """
        with quiet():
            masked = self._carrier((as_tensor(output), as_tensor(Source.PADDED.mask)))
            return _numbers(self._loss(*HEADS[name])(as_tensor(y), masked, sample_weight=as_tensor(sample_weight)))

    def fitted(self) -> MaskedFit:
        """A model of dense heads and of a batch normalization on padded sequences, whose weights are random."""
        fitted: MaskedFit = self._session.once("masked fit", self._fit)
        return fitted

    def _fit(self) -> MaskedFit:
        keras, source = self._keras, Source.PADDED
        stream = np.random.RandomState(self._session.stream("masked fit") % 2**32)
        with quiet():
            start = keras.Input(source.shape[1:2], dtype="int32")
            lookup = self._embedding(source)
            lookup.trainable = False
            node = lookup(start)
            heads = [keras.layers.Dense(UNITS, name=name) for name in HEADS]
            normalization = keras.layers.BatchNormalization(momentum=0.5, name="normalized", trainable=True)
            model = keras.Model(start, {layer.name: layer(node) for layer in (*heads, normalization)})
            losses = [self._loss(*HEADS[name]) for name in HEADS]
            metrics = [keras.metrics.MeanSquaredError(name="plain")]
            weighted = [keras.metrics.MeanSquaredError(name="weighted")]
            model.compile(
                keras.optimizers.SGD(STEP),
                loss=dict(zip((*HEADS, "normalized"), (*losses, "mse"), strict=True)),
                metrics={"squared": metrics},
                weighted_metrics={"squared": weighted},
                jit_compile=False,
            )
            for layer in (*heads, normalization):
                layer.set_weights([np.abs(stream.normal(size=one.shape)) + 0.1 for one in layer.get_weights()])
            before = {head.name: head.get_weights() for head in heads}
            averages = normalization.get_weights()
            y = stream.randint(0, 2, size=(*source.shape[:2], UNITS)).astype(np.float32)
            weights = stream.uniform(0.5, 1.5, size=source.shape[:2]).astype(np.float32)
            targets = dict.fromkeys(HEADS, y) | {"normalized": np.zeros(source.shape, np.float32)}
            x = self._fed(source)
            fitted = model.fit(
                x, targets, sample_weight=dict.fromkeys(targets, weights), batch_size=ROWS, shuffle=False, verbose=0
            ).history
            after = {head.name: head.get_weights() for head in heads}
            averages_after = normalization.get_weights()
            evaluated = model.evaluate(x, targets, batch_size=ROWS, verbose=0, return_dict=True)
        reports = {name: float(values[0]) for name, values in fitted.items()}
        return MaskedFit(
            self._numbers(source), y, weights, reports, evaluated, before, after, (averages, averages_after)
        )

    def _loss(self, name: str, reduction: str) -> Any:
        kind, _, logits = name.partition("_logits") if name.endswith("_logits") else (name, "", None)
        options = {} if logits is None else {"from_logits": True}
        return getattr(self._keras.losses, kind.title().replace("_", ""))(reduction=reduction, **options)

    def _embedding(self, source: Source) -> Any:
        """Makes the embedding of that source, once a model."""
        vectors = table(source, self._seed(source))
        return self._keras.layers.Embedding(*vectors.shape, mask_zero=True, embeddings_initializer=_constant(vectors))

    def _seed(self, source: Source) -> int:
        return self._session.stream("masked", source.name)

    def _fed(self, source: Source) -> Array:
        return fed(source, self._seed(source))

    def _numbers(self, source: Source) -> Array:
        return numbers(source, self._seed(source))

    @property
    def _probe(self) -> Any:
        """A layer that shows its input's mask."""
        return self._session.once("mask probe", lambda: _own_layers(self._keras)[0])

    @property
    def _carrier(self) -> Any:
        """A layer that puts the second of its inputs, a mask, on the first."""
        return self._session.once("mask carrier", lambda: _own_layers(self._keras)[1])

    @property
    def _images(self) -> Any:
        """A layer that makes each step of its input an image, with the same mask."""
        return self._session.once("masked images", lambda: _images_made(self._keras))

    def _shown(self, tensor: Any) -> Array:
        return _numbers(self._probe(tensor))

    def _kind(self, name: str) -> Any:
        return getattr(self._keras.layers, name, None) or getattr(self._keras, name, None)

    def _made(self, case: MaskedCase) -> Any:
        arguments = arguments_made(self._keras, case.config)
        if case.layer != "Model":
            return self._kind(case.layer)(**arguments)
        node = start = self._keras.Input(case.sources[0].shape[1:])
        for layer in arguments["layers"]:
            node = layer(node)
        return self._keras.Model(start, node)


def _own_layers(keras: Any) -> tuple[Any, Any]:
    math = operations(keras)

    class MaskProbe(keras.layers.Layer):  # type: ignore[misc]
        """Its output is its input's mask as numbers."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.supports_masking = True

        def call(self, inputs: Any, mask: Any = None) -> Any:
            if mask is None:
                return math.full(math.shape(inputs)[:1], UNMASKED)
            return math.cast(mask, "float32")

        def compute_mask(self, *_: Any) -> None:
            return None

    class MaskCarrier(keras.layers.Layer):  # type: ignore[misc]
        """Its output is the first of its inputs, with the second as mask."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.supports_masking = True

        def call(self, inputs: Any) -> Any:
            return math.copy(inputs[0])

        def compute_mask(self, inputs: Any, _: Any = None) -> Any:
            return inputs[1]

    return MaskProbe(autocast=False), MaskCarrier(autocast=False)


def _images_made(keras: Any) -> Any:
    math = operations(keras)

    class MaskedImages(keras.layers.Layer):  # type: ignore[misc] # Keras is loaded at run time
        """Its output has the shape of frames."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.supports_masking = True

        def call(self, inputs: Any) -> Any:
            return math.reshape(inputs, (-1, *Source.FRAMES.shape[1:]))

        def compute_mask(self, _: Any, mask: Any = None) -> Any:
            return mask

    return MaskedImages(autocast=False)


def _constant(vectors: Array) -> Any:
    return lambda shape, dtype=None: as_tensor(vectors.astype(dtype or vectors.dtype))


def _as_called(case: MaskedCase, inputs: list[Any]) -> tuple[Any, ...]:
    return (inputs,) if case.listed and len(inputs) > 1 else tuple(inputs)


def _numbers(tensor: Any) -> Array:
    return as_array(tensor).astype(np.float64)
