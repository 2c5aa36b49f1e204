"""Layers under masks: their sources, and cases with formulas of the output and of the mask that leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.kind import Arguments

Mask = Any  # a bool array of shape (rows, steps), or None
ROWS = 5
FEATURES = 4
_STEPS = 6  # of inputs without a pattern
UNMASKED = -1.0  # what is shown of an output without a mask

STEP = 0.125  # the learning rate of the one step
HEADS = {  # output → its loss, and how it is reduced
    "squared": ("mean_squared_error", "sum_over_batch_size"),
    "absolute": ("mean_absolute_error", "sum"),
    "logits": ("binary_crossentropy_logits", "sum_over_batch_size"),
}
UNITS = 2  # of each head


class Source(Enum):
    """Where an input of a case comes from: a row a sequence, ``1`` for a step that is seen.

    Those with a pattern come from an Embedding with ``mask_zero``, whose vector for masked steps is not zero. Each
    step of ``NESTED`` has steps of its own, parted by a slash; one of ``FRAMES`` is a small image.
    """

    PADDED = ("111111", "111100", "001111", "110101", "100000")
    OTHER = ("111110", "011111", "111111", "101010", "110011")
    SHORTER = ("1111", "1100", "0011", "1010", "1000")
    KEYS = ("0111", "1111", "1011", "1110", "1100")
    NESTED = ("11/10/01", "01/11/10", "11/11/11", "10/01/11", "11/01/10")
    FRAMES = ("1111", "1101", "0110", "1000", "0111")
    EMPTIED = ("111111", "000000", "110100", "000000", "001100")
    PLAIN = "numbers without a mask"
    CONSTANT = "numbers some of whose steps equal -1.5 in some features, or in all"
    INDICES = "the indices from which PADDED is looked up"
    PAIRS = "an attention mask of queries of 6 steps and keys of 6"
    PAIRS_OF_SHORTER = "an attention mask of queries of 6 steps and keys of 4"
    ELEMENTS = "a mask of each element, some rows masked whole"
    LOUD = "numbers, and enormous ones of either sign, a whole row of them too"
    QUIET = "a mask of what is not enormous in LOUD"
    STATE = "numbers for the state of each row, without steps"
    SEEN = "the mask of PADDED"

    @property
    def mask(self) -> Mask:
        """Its mask, shape ``(ROWS, steps)``, of nested steps one axis more; None where it carries none."""
        if not self.embedded:
            return None
        seen = np.array([[step == "1" for step in row.replace("/", "")] for row in self.value])
        nested = self.value[0].count("/")
        return seen.reshape(ROWS, nested + 1, -1) if nested else seen

    @property
    def embedded(self) -> bool:
        """Whether an Embedding makes it."""
        return isinstance(self.value, tuple)

    @property
    def boolean(self) -> bool:
        """Whether it is a mask itself."""
        return self in (Source.PAIRS, Source.PAIRS_OF_SHORTER, Source.ELEMENTS, Source.QUIET, Source.SEEN)

    @property
    def vector(self) -> Shape:
        """The shape of one step."""
        return (3, 2) if self is Source.FRAMES else (FEATURES,)

    @property
    def shape(self) -> Shape:
        """Of the array, batch first."""
        if self.embedded:
            return (*self.mask.shape, *self.vector)
        if self is Source.STATE:
            return (ROWS, 3)
        if self in (Source.INDICES, Source.SEEN):
            return (ROWS, _STEPS)
        last = {Source.PAIRS: _STEPS, Source.PAIRS_OF_SHORTER: 4}.get(self, FEATURES)
        return (ROWS, _STEPS, last)


@dataclass(frozen=True, kw_only=True)
class MaskedCase:
    """A layer of tiny size under masks.

    Attributes:
        name: A readable, unique name.
        layer: A class of ``keras.layers``, or ``Sequential`` or ``Model`` of the layers that ``config`` names.
        config: The layer's arguments.
        shapes: Of its weights, in order.
        sources: Of its inputs.
        listed: Whether it is called with a list of its inputs, if several.
        call: Further arguments of its call.
        arrays: Arguments of its call that are arrays.
        formula: The outputs, from weights, inputs, their masks, and ``config`` and ``call`` as keyword arguments; None
            where they do not depend on masks.
        carries: The masks of the outputs, from inputs and their masks; None where nothing is documented.
        explicit: The arguments of its call that masks are given as: one for all inputs or each its own. What it is
            called with then is judged too.
        training: The argument of that name; with True it is called alone, and not in a model.
        calls: Their number, one after another with the same inputs; if several, it is called alone too.
        alone: Whether it is called alone whatever it is, as another case shows its like in the model.
        updated: The weights after the calls, from weights, inputs and masks; None where none changes.
        shared: Whether its inputs in the model are also those of other such cases.
        keeps: Whether it is judged that its inputs have their masks still after its call.
        needs: An argument of its call without which the installed Keras does not document this.
        since: The version of Keras that documents it first.
    """

    name: str
    layer: str
    formula: Callable[..., list[Any]] | None = None
    carries: Callable[[Sequence[Any], Sequence[Mask]], list[Mask]] | None = None
    config: Arguments = field(default_factory=dict)
    shapes: tuple[Shape, ...] = ()
    sources: tuple[Source, ...] = (Source.PADDED,)
    listed: bool = True
    call: Arguments = field(default_factory=dict)
    arrays: dict[str, Source] = field(default_factory=dict)
    explicit: tuple[str, ...] = ()
    training: bool | None = None
    calls: int = 1
    alone: bool = False
    updated: Callable[..., list[Any]] | None = None
    shared: bool = False
    keeps: bool = True
    needs: str = ""
    since: str = "2"

    @property
    def modelled(self) -> bool:
        """Whether it is judged in a model, too."""
        return self.training is None and self.calls == 1 and not self.alone

    @property
    def dtype(self) -> str:
        """What it computes in."""
        return str(self.config.get("dtype", "float32")).removeprefix("mixed_")

    def outputs(self, weights: Sequence[Any], inputs: Sequence[Any], arrays: dict[str, Any]) -> list[Any]:
        """The outputs by the formula."""
        if self.formula is None:
            raise ValueError(f"{self.name} has no formula")
        return self.formula(weights, inputs, self.masks, **{**self.config, **self.call, **arrays})

    @property
    def masks(self) -> list[Mask]:
        """Of its inputs."""
        return [source.mask for source in self.sources]

    @property
    def varied(self) -> frozenset[str]:
        """The layer's arguments that it gives a value."""
        return frozenset(self.config)
