"""Asks the target for initializers and draws."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.arguments import described
from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import Orthogonal, Shape
from initcheck.errors import InitcheckError
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import has_doubles, load_target_keras
from initcheck.frameworks.libraries.chosen import library
from initcheck.seeding import layer_seed
from initcheck.targets import target

AnyArray = npt.NDArray[np.generic]
KERAS_DTYPES = ("float32", "float64", "float16", "bfloat16")


def make_initializer(row: Initializer, seed: Any) -> Any:
    """Keras's initializer of that row; rows without randomness take no seed, unless a class of the user's has one."""
    keras_class: Any = row.made_by
    config = dict(row.config)
    seeded = {"seed": seed} if row.law.random or row.takes_a_seed else {}
    if isinstance(keras_class, str):
        initializers = load_target_keras().initializers
        named = getattr(initializers, keras_class, None)
        if named is None:  # an alias: its target may have other default arguments than the class
            instance = initializers.get(keras_class)
            return type(instance).from_config({**instance.get_config(), **config, **seeded})
        keras_class = named
    return keras_class.from_config({**config, **seeded}) if row.serialized else keras_class(**config, **seeded)


def draw_calls(row: Initializer, shape: Shape, seed: Any, *, calls: int, dtype: str | None) -> list[AnyArray]:
    """The draw of one instance at each of several calls; a library, which has no instances, draws as often.

    Args:
        row: The initializer.
        shape: The shape asked for.
        seed: The seed; ignored by rows without randomness; None leaves it to the framework.
        calls: How many.
        dtype: The dtype asked for; None for the framework's own.
    """
    draw = drawer(row, seed)
    return [draw(shape, dtype) for _ in range(calls)]


def drawer(row: Initializer, seed: Any) -> Callable[[Shape, str | None], AnyArray]:
    """A function of shape and dtype: calls of one instance of that seed; of a library, which has none, draws.

    Args:
        row: The initializer.
        seed: As of ``draw_calls``.
    """
    described = library()
    if described is None:
        instance = make_initializer(row, seed)
        return lambda shape, dtype: as_array(instance(shape, dtype=dtype))
    return lambda shape, dtype: as_array(described.draw(row, shape, seed, dtype or described.dtypes[0]))


def dtypes_of(row: Initializer) -> tuple[str, ...]:
    """The float types that the target draws that row in.

    Of Keras's those that its backend has; a factorization may lack half precision, which LAW11 is about.
    """
    described = library()
    if described is not None:
        return row.dtypes or described.dtypes
    lacking = _without_factorization() if isinstance(row.law, Orthogonal) else ()
    return tuple(
        dtype for dtype in KERAS_DTYPES if dtype not in lacking and (dtype != "float64" or has_doubles(target()))
    )


@functools.cache
def _without_factorization() -> tuple[str, ...]:
    row = INITIALIZERS["orthogonal"]
    return tuple(one for one in ("float16", "bfloat16") if isinstance(attempt_draw(row, (2, 2), 1, dtype=one), str))


def attempt_draw(row: Initializer, shape: Shape, seed: Any, *, dtype: str | None = None) -> AnyArray | str:
    """The draw of a fresh initializer, or the name of the exception that rejects the shape, the seed or the dtype."""
    try:
        return draw_calls(row, shape, seed, calls=1, dtype=dtype)[0]
    except Exception as error:  # noqa: BLE001 - the framework chooses the exception
        return type(error).__name__


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
