"""The traits of layers: each is a kind of case that checks are applied to, or what engines need to know."""

from initcheck.catalog.layers.kind import Trait
from initcheck.catalog.layers.traits.computing import EqualUnits, FormulaCase, LayerOptions, TrainingRole
from initcheck.catalog.layers.traits.engines import Stackable, State
from initcheck.catalog.layers.traits.noises import OF_NOISE
from initcheck.catalog.layers.traits.weights import OF_WEIGHTS

# Of each of these a row has some, or a reason why not.
TRAITS: tuple[type[Trait], ...] = (
    *OF_WEIGHTS,
    *OF_NOISE,
    FormulaCase,
    LayerOptions,
    EqualUnits,
    TrainingRole,
    State,
    Stackable,
)

__all__ = ["TRAITS"]
