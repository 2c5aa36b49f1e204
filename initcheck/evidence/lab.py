"""The session's laboratory: gives checks their evidence, and computes none of it twice."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from initcheck.evidence.session import Session
from initcheck.statistics.budget import EFFORTS

if TYPE_CHECKING:
    from initcheck.evidence.arithmetic import Steps
    from initcheck.evidence.autocasting import Autocasting
    from initcheck.evidence.composition.promises import Promises
    from initcheck.evidence.determinism.traces import Models
    from initcheck.evidence.fresh_process.client import Processes
    from initcheck.evidence.laws.draws import Draws
    from initcheck.evidence.layer_shapes import LayerShapes
    from initcheck.evidence.layers import Layers
    from initcheck.evidence.masked_layers import MaskedLayers
    from initcheck.evidence.modes import Modes
    from initcheck.evidence.order import Orders
    from initcheck.evidence.serialization.saving import Saving
    from initcheck.evidence.spread import Spread


class Lab(Session):
    """Evidence under one root seed, a place for each family."""

    @functools.cached_property
    def draws(self) -> Draws:
        """Draws of initializers, and kernels as layers create them."""
        from initcheck.evidence.laws.draws import Draws

        return Draws(self)

    @functools.cached_property
    def models(self) -> Models:
        """Small models of drawn architectures: built, compiled, trained, with their traces."""
        from initcheck.evidence.determinism.traces import Models

        return Models(self)

    @functools.cached_property
    def processes(self) -> Processes:
        """The same evidence from fresh processes."""
        from initcheck.evidence.fresh_process.client import Processes

        return Processes(self)

    @functools.cached_property
    def orders(self) -> Orders:
        """The orders in which ``fit`` took the rows."""
        from initcheck.evidence.order import Orders

        return Orders(self)

    @functools.cached_property
    def saving(self) -> Saving:
        """Configurations, weights and models after a round trip."""
        from initcheck.evidence.serialization.saving import Saving

        return Saving(self)

    @functools.cached_property
    def promises(self) -> Promises:
        """Layers that a user writes, and models of every structure."""
        from initcheck.evidence.composition.promises import Promises

        return Promises(self)

    @functools.cached_property
    def steps(self) -> Steps:
        """First training steps of tiny models, to compare with the oracle."""
        from initcheck.evidence.arithmetic import Steps

        return Steps(self)

    @functools.cached_property
    def layers(self) -> Layers:
        """Layers with a formula, alone and all in one model."""
        from initcheck.evidence.layers import Layers

        return Layers(self)

    @functools.cached_property
    def shapes(self) -> LayerShapes:
        """Layers with a formula at other shapes than they were built for."""
        from initcheck.evidence.layer_shapes import LayerShapes

        return LayerShapes(self)

    @functools.cached_property
    def modes(self) -> Modes:
        """Layers whose mode, training or inference, is fixed inside a model."""
        from initcheck.evidence.modes import Modes

        return Modes(self)

    @functools.cached_property
    def autocasting(self) -> Autocasting:
        """What calls of layers see under dtype policies."""
        from initcheck.evidence.autocasting import Autocasting

        return Autocasting(self)

    @functools.cached_property
    def masked(self) -> MaskedLayers:
        """Layers under masks, alone and all in one model."""
        from initcheck.evidence.masked_layers import MaskedLayers

        return MaskedLayers(self)

    @functools.cached_property
    def spread(self) -> Spread:
        """Runs over thousands of reseeds."""
        from initcheck.evidence.spread import Spread

        return Spread(self)

    def salted(self) -> Lab:
        """Returns the same laboratory with fresh streams."""
        return Lab(self.seed, self.factor, self.salt + 1)


@functools.cache
def get_lab(seed: int, factor: float = EFFORTS["normal"]) -> Lab:
    """The process's laboratory for that root seed and effort."""
    return Lab(seed, factor)
