"""Asks Keras for initializers and draws."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from initcheck.arguments import described
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Shape
from initcheck.errors import InitcheckError
from initcheck.frameworks.floatx import floatx
from initcheck.frameworks.keras import load_keras
from initcheck.seeding import layer_seed
from initcheck.training.layers import Layers

if TYPE_CHECKING:
    from initcheck.training.lab import Lab


def make_initializer(row: Initializer, seed: Any) -> Any:
    """Keras's initializer of that row; rows without randomness take no seed, unless a class of the user's has one."""
    keras_class: Any = row.keras_name
    config = dict(row.config)
    seeded = {"seed": seed} if row.law.random or row.takes_a_seed else {}
    if isinstance(keras_class, str):
        initializers = load_keras().initializers
        named = getattr(initializers, keras_class, None)
        if named is None:  # an alias: what it stands for may have other arguments than the class by default
            instance = initializers.get(keras_class)
            return type(instance).from_config({**instance.get_config(), **config, **seeded})
        keras_class = named
    return keras_class.from_config({**config, **seeded}) if row.serialized else keras_class(**config, **seeded)


def rebuilt(instance: Any) -> Any:
    """Another instance of the same configuration; a user's own class need not have ``from_config``."""
    kind, config = type(instance), instance.get_config()
    return kind.from_config(config) if hasattr(kind, "from_config") else kind(**config)


_USAGE = (
    'call it with the name of the layer, and give the layer what it returns: kernel_initializer=initializer("name of '
    'the layer")'
)


class LayerInitializers:
    """Gives each layer of one model its own seeded initializer; called with the layer's name.

    Args:
        row: The initializer under test.
        seed: The run's seed.

    Attributes:
        asked: The layers' names in the order in which they asked.
    """

    def __init__(self, row: Initializer, seed: int) -> None:
        self._row = row
        self._seed = seed
        self.asked: list[str] = []

    def __call__(self, layer: str = "", *more: Any, **named: Any) -> Any:
        """The initializer of that layer.

        Raises:
            InitcheckError: It is called with anything but the layer's name, as Keras does where it was given to a layer
                uncalled; or the name was asked for before: two layers would share one stream.
        """
        if not isinstance(layer, str) or not layer or more or named:
            given = [*([layer] if layer != "" else []), *more, *(f"{key}=…" for key in named)]
            raise InitcheckError(f"initializer is called with {_listed(given)}; {_USAGE}")
        if layer in self.asked:
            raise InitcheckError(f"two layers ask for the initializer {layer!r}; give each a name of its own")
        self.asked.append(layer)
        return make_initializer(self._row, layer_seed(self._seed, layer))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"initializer is a function, without {name!r}; {_USAGE}")


def _listed(given: Sequence[Any]) -> str:
    """Arguments for a message: a tuple, which is a shape that Keras asks for, as it is."""
    shown = [one if isinstance(one, str) and one.endswith("=…") else _shown(one) for one in given]
    return " and ".join(shown) or "nothing"


def _shown(argument: Any) -> str:
    if type(argument).__name__ in ("tuple", "list", "TensorShape"):  # as Keras 3 and Keras 2 ask
        return f"a shape, {tuple(argument)}"
    return described(argument)


class Draws:
    """Draws of initializers under one laboratory's streams.

    Args:
        lab: The laboratory, through which Keras is reached.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def draw(
        self, row: Initializer, shape: Shape, *, seed: int | None, dtype: str | None = None
    ) -> npt.NDArray[np.generic]:
        """What a fresh initializer of that row returns.

        Args:
            row: The initializer.
            shape: The shape asked for.
            seed: The seed; ignored by rows without randomness; None leaves it to the framework.
            dtype: The dtype asked for; the framework's own (``floatx``) by default.
        """
        return self.repeated(row, shape, seed=seed, calls=1, dtype=dtype)[0]

    def repeated(
        self, row: Initializer, shape: Shape, *, seed: int | None, calls: int, dtype: str | None = None
    ) -> list[npt.NDArray[np.generic]]:
        """What one instance returns at each of several calls."""
        instance = make_initializer(row, seed)
        # Keras 2 warns when an unseeded instance is called again; that it repeats is the evidence.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [np.asarray(instance(shape, dtype=dtype)) for _ in range(calls)]

    def advancing(
        self, row: Initializer, shape: Shape, *, seed: int, calls: int
    ) -> list[npt.NDArray[np.generic]] | None:
        """What one instance returns at each call when its seed is a ``SeedGenerator``; None where Keras has none."""
        generator = self._seed_generator()
        if generator is None:
            return None
        instance = make_initializer(row, generator(seed))
        return [np.asarray(instance(shape)) for _ in range(calls)]

    def states(self, *, seed: int | None = None, calls: int = 1) -> list[npt.NDArray[np.generic]] | None:
        """What a new ``SeedGenerator`` gives at each call of ``next``; None where Keras has none."""
        generator = self._seed_generator()
        if generator is None:
            return None
        one = generator(seed)
        return [np.asarray(one.next()) for _ in range(calls)]

    def _seed_generator(self) -> Any:
        return getattr(getattr(self._lab.keras, "random", None), "SeedGenerator", None)

    def under(self, dtype: str, row: Initializer, shape: Shape, *, seed: int | None) -> npt.NDArray[np.generic]:
        """What a fresh initializer of that row returns for no dtype while the framework's own (``floatx``) is that."""
        with floatx(self._lab.keras, dtype):
            return self.draw(row, shape, seed=seed)

    def described(self, name: str, keras_class: str) -> tuple[str, dict[str, Any]]:
        """What a string stands for: the class's name if it is the one expected, else its own; and its configuration."""
        initializers = self._lab.keras.initializers
        instance = initializers.get(name)
        expected = type(instance) is getattr(initializers, keras_class)
        return keras_class if expected else type(instance).__name__, instance.get_config()

    def function(self, name: str, arguments: Mapping[str, Any], seed: int) -> npt.NDArray[np.generic] | None:
        """What that function of ``keras.random`` returns under a seed; None where Keras has none."""
        found = getattr(getattr(self._lab.keras, "random", None), name, None)
        return None if found is None else np.asarray(found(**arguments, seed=seed))

    def attempt(self, row: Initializer, shape: Shape, *, seed: object) -> npt.NDArray[np.generic] | str:
        """A draw with a seed of any type, or the name of the exception that refuses it."""
        try:
            return np.asarray(make_initializer(row, seed)(shape))
        except Exception as error:  # how it is refused is the framework's choice
            return type(error).__name__

    def refusal(self, row: Initializer, shape: Shape) -> str:
        """The name of the exception that refuses that shape; empty where it is taken."""
        found = self.attempt(row, shape, seed=1)
        return found if isinstance(found, str) else ""

    @functools.cached_property
    def layers(self) -> Layers:
        """Weights and noise as layers make them."""
        return Layers(self._lab)
