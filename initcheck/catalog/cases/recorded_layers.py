"""The layers that a baseline records: every row of the catalogue that says how it is built and called."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS, layer_inputs
from initcheck.catalog.laws import Shape
from initcheck.catalog.layers import LAYERS, select
from initcheck.catalog.layers.kind import Arguments, LayerRequest
from initcheck.catalog.layers.traits.computing import FormulaCase, LayerOptions
from initcheck.catalog.layers.traits.noises import Fed, NoiseLaw, NoiseSource
from initcheck.catalog.layers.traits.weights import Built

Arrays = list[np.ndarray]
REPEATED = 512  # equal rows
_FEW = 64  # of layers that take long for each row
PARTS = 32  # of the noise of all of them, independent of each other: from these its errors are estimated
_LONGEST = 120  # characters of a name
_FED: Mapping[Fed, Shape] = {Fed.ROWS: (24, 6), Fed.STEPS: (24, 4, 6), Fed.IMAGES: (24, 9, 8, 3)}


@dataclass(frozen=True)
class RecordedLayer:
    """A layer with arguments and inputs.

    Attributes:
        name: A readable, unique name.
        layer: The class of ``keras.layers``.
        config: Its arguments; a ``LayerRequest`` among them is the layer that a wrapper wraps.
        inputs: The shape of each input, batch first.
        listed: Whether several inputs are passed as one list.
        initial_states: Whether its further inputs are passed as a list, the states that it begins with.
        call: Further arguments of its call.
        formula: The case with a formula, which decides weights and inputs; None where there is none.
        ones: Whether its inputs are ones.
        shared_axes: Axes along which all noise is drawn together.
        computes: Whether its outputs are recorded, too; not those of a request for initial weights where its row has
            formulas.
        rows_repeat: Whether the batch may have another size, so that rows can be repeated.
        rows_independent: Whether each row of a batch has noise of its own, and none that all share.
        slow: Whether a call takes long for each row.
    """

    name: str
    layer: str
    config: Arguments
    inputs: tuple[Shape, ...]
    listed: bool = False
    initial_states: bool = False
    call: Arguments = field(default_factory=dict)
    formula: FormulaCase | None = None
    ones: bool = False
    shared_axes: tuple[int, ...] = ()
    computes: bool = True
    rows_repeat: bool = True
    rows_independent: bool = True
    slow: bool = False

    def weights(self, shapes: list[Shape], seed: int) -> Arrays:
        """The weights that it is given: spread over its kernels' inputs, and positive where they have one axis."""
        if self.formula:
            return layer_inputs(self.formula, seed, "float32")[0]
        stream = np.random.RandomState(seed % 2**32)
        return [
            (
                stream.normal(scale=1 / math.sqrt(max(1, math.prod(shape[:-1]))), size=shape)
                if len(shape) > 1
                else stream.uniform(0.1, 1.1, size=shape)
            ).astype(np.float32)
            for shape in shapes
        ]

    def values(self, seed: int) -> Arrays:
        """The inputs that it is given."""
        if self.formula:
            return layer_inputs(self.formula, seed, "float32")[1]
        stream = np.random.RandomState((seed + 1) % 2**32)
        drawn = [stream.uniform(0.1, 0.9, size=shape).astype(np.float32) for shape in self.inputs]
        return [np.ones_like(one) for one in drawn] if self.ones else drawn

    def repeated(self, inputs: Arrays) -> Arrays:
        """Inputs of one of the ``noisy_calls``: equal rows, or elements that are ones."""
        if self.ones or not self.rows_repeat:
            return inputs
        rows = _FEW if self.slow else REPEATED
        return [np.repeat(one[:1], rows // self.noisy_calls, axis=0) for one in inputs]

    @property
    def noisy_calls(self) -> int:
        """The number of calls whose outputs, one after another, are its noise in ``PARTS`` independent parts."""
        return 1 if self.ones or (self.rows_independent and self.rows_repeat) else PARTS

    @property
    def elements_independent(self) -> bool:
        """Whether the elements of its noise are independent of each other, but for shared axes."""
        return self.ones

    def independent(self, output: np.ndarray) -> int:
        """The number of independent draws behind its noise, at least."""
        if not self.ones:
            return PARTS
        return int(output.size // math.prod(output.shape[axis] for axis in self.shared_axes))


def _cases() -> Iterator[RecordedLayer]:
    for case in FORMULAS:
        yield RecordedLayer(
            name=case.name,
            layer=case.layer,
            config=case.config,
            inputs=(case.input_shape, *case.beside),
            listed=case.listed,
            initial_states=case.initial_states,
            call=case.called,
            formula=case,
        )
    for built in select(Built):
        computes = not LAYERS[built.layer].select(FormulaCase)
        yield RecordedLayer("", built.layer, built.arguments, built.inputs, built.listed_inputs, computes=computes)
    for law in select(NoiseLaw):
        yield RecordedLayer("", law.layer, law.arguments, (law.shape,), ones=True, shared_axes=law.shared_axes)
    for source in select(NoiseSource):
        shape = source.shape if source.fed is Fed.ONES else _FED[source.fed]
        yield RecordedLayer("", source.layer, source.arguments, (shape,) * source.inputs)
    for options in select(LayerOptions):
        if options.policy == "float32":
            repeat = "noise_shape" not in options.options
            yield RecordedLayer("", options.layer, options.options, (options.input_shape,), rows_repeat=repeat)


def _distinct() -> Iterator[RecordedLayer]:
    rows = list(LAYERS)
    seen: set[str] = set()
    for case in sorted(_cases(), key=lambda case: rows.index(case.layer)):
        what = repr((case.layer, dict(case.config), case.inputs, dict(case.call), case.ones))
        if what not in seen:
            seen.add(what)
            sources = LAYERS[case.layer].select(NoiseSource)
            # Some layers of images draw a number for the whole batch beside those of each image.
            yield dataclasses.replace(
                case,
                name=case.name or _name(case),
                rows_independent=not any(source.fed is Fed.IMAGES for source in sources),
                slow=any(source.slow for source in sources),
            )


def _name(case: RecordedLayer) -> str:
    """The layer as it is called, which stays the same whatever rows are added."""
    shown = ", ".join(f"{key}={_value(value)}" for key, value in case.config.items())
    fed = " and ".join(str(shape).replace(" ", "") for shape in case.inputs)
    name = f"{case.layer}({shown}) of {'ones ' if case.ones else ''}{fed}"
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}… {hashlib.blake2b(name.encode(), digest_size=3).hexdigest()}"


def _value(value: object) -> str:
    if isinstance(value, LayerRequest):
        return f"{value.layer}({', '.join(f'{key}={_value(one)}' for key, one in value.arguments.items())})"
    return str(value.get("class_name", value)) if isinstance(value, Mapping) else str(value)


RECORDED: Mapping[str, RecordedLayer] = {case.name: case for case in _distinct()}
