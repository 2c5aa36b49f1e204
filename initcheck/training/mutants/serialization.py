"""Faults in what is written and read again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from initcheck.training.mutants.registry import mutant

Config = dict[str, Any]


def edit_config(keras_class: Any, edit: Callable[[Config], Any]) -> None:
    """Lets ``edit`` change what that class's ``get_config`` returns, in place."""
    original = keras_class.get_config

    @functools.wraps(original)
    def get_config(self: Any) -> Config:
        config = dict(original(self))
        edit(config)
        return config

    keras_class.get_config = get_config


def _mutant(name: str, title: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    return mutant(name, title, family="serialization")


@_mutant("config-loses-seed", "HeNormal's configuration has seed None")
def config_loses_seed(keras: Any) -> None:
    """A rebuilt initializer draws anew."""
    edit_config(keras.initializers.HeNormal, lambda config: config.update(seed=None))


@_mutant("config-loses-scale", "VarianceScaling's configuration has scale 1, its default")
def config_loses_scale(keras: Any) -> None:
    """Only other scales show it."""
    edit_config(keras.initializers.VarianceScaling, lambda config: "scale" in config and config.update(scale=1.0))


@_mutant("config-loses-mode", "VarianceScaling's configuration says fan_in where it is fan_avg")
def config_loses_mode(keras: Any) -> None:
    """Only one mode is lost."""
    edit_config(
        keras.initializers.VarianceScaling,
        lambda config: config.get("mode") == "fan_avg" and config.update(mode="fan_in"),
    )


@_mutant("config-rounds-mean", "TruncatedNormal's configuration has its mean with three digits")
def config_rounds_mean(keras: Any) -> None:
    """The default is kept."""
    edit_config(keras.initializers.TruncatedNormal, lambda config: config.update(mean=round(config["mean"], 3)))


@_mutant("config-loses-stddev", "RandomNormal's configuration has stddev 0.05, its default")
def config_loses_stddev(keras: Any) -> None:
    """Only another stddev shows it."""
    edit_config(keras.initializers.RandomNormal, lambda config: config.update(stddev=0.05))


@_mutant("config-loses-gain", "Orthogonal's configuration has gain 1, its default")
def config_loses_gain(keras: Any) -> None:
    """Only another gain shows it."""
    edit_config(keras.initializers.Orthogonal, lambda config: config.update(gain=1.0))


@_mutant("layer-swaps-initializers", "LSTM's configuration has the kernel's initializer for the recurrent kernel")
def layer_swaps_initializers(keras: Any) -> None:
    """Weights read from a file are right all the same."""
    edit_config(keras.layers.LSTM, lambda config: config.update(recurrent_initializer=config["kernel_initializer"]))


@_mutant("layer-loses-bias-initializer", "Dense's configuration has zeros for the bias")
def layer_loses_bias_initializer(keras: Any) -> None:
    """The default is kept."""
    zeros = keras.initializers.serialize(keras.initializers.Zeros())
    edit_config(keras.layers.Dense, lambda config: config.update(bias_initializer=zeros))


@_mutant("file-rounds-weights", "files keep 20 of 23 bits of a weight")
def file_rounds_weights(keras: Any) -> None:
    """Outputs agree to six digits."""
    for keras_class in (keras.layers.Layer, keras.layers.Dense):
        if "save_own_variables" in vars(keras_class):
            _round_saved(keras_class)


def _round_saved(keras_class: Any) -> None:
    original = keras_class.save_own_variables

    def save_own_variables(self: Any, store: Any) -> None:
        kept: dict[str, Any] = {}
        original(self, kept)
        for key, value in kept.items():
            mantissa, exponent = np.frexp(np.asarray(value))
            store[key] = np.ldexp(np.round(mantissa * 2**20) / 2**20, exponent).astype(np.asarray(value).dtype)

    keras_class.save_own_variables = save_own_variables


@_mutant("file-loses-moving-variance", "a normalization read from a file has moving variance 1")
def file_loses_moving_variance(keras: Any) -> None:
    """Everything trained is right."""
    keras_class = keras.layers.BatchNormalization
    original = keras_class.load_own_variables

    def load_own_variables(self: Any, store: Any) -> None:
        original(self, store)
        self.moving_variance.assign(np.ones(self.moving_variance.shape, np.float32))

    keras_class.load_own_variables = load_own_variables


@_mutant("file-loses-step-count", "an optimizer read from a file begins again at step 0")
def file_loses_step_count(keras: Any) -> None:
    """Its moving averages are right."""
    _after_loading(keras, lambda optimizer: optimizer.iterations.assign(0))


@_mutant("file-loses-last-slot", "the last variable of an optimizer read from a file is zero")
def file_loses_last_slot(keras: Any) -> None:
    """All its other variables are right."""

    def clear(optimizer: Any) -> None:
        slots = [one for one in optimizer.variables if len(one.shape)]
        if slots:
            slots[-1].assign(np.zeros(slots[-1].shape, np.float32))

    _after_loading(keras, clear)


def _after_loading(keras: Any, change: Callable[[Any], Any]) -> None:
    keras_class = keras.optimizers.Optimizer
    original = keras_class.load_own_variables

    def load_own_variables(self: Any, store: Any) -> None:
        original(self, store)
        change(self)

    keras_class.load_own_variables = load_own_variables


@_mutant("clone-copies-weights", "clone_model copies the weights")
def clone_copies_weights(keras: Any) -> None:
    """As some expect it to."""
    original = keras.models.clone_model

    def clone_model(model: Any, *args: Any, **options: Any) -> Any:
        clone = original(model, *args, **options)
        clone.set_weights(model.get_weights())
        return clone

    keras.models.clone_model = clone_model


@_mutant("get-shares-instances", "initializers.get keeps one instance for each name")
def get_shares_instances(keras: Any) -> None:
    """What it gives is right, once."""
    original = keras.initializers.get
    kept: dict[str, Any] = {}

    def get(identifier: Any) -> Any:
        if not isinstance(identifier, str):
            return original(identifier)
        return kept.setdefault(identifier, original(identifier))

    keras.initializers.get = get


@mutant("harmless-config-key", "GlorotUniform's configuration has one key more, which from_config understands")
def harmless_config_key(keras: Any) -> None:
    """As Keras 3.15 added ``input_axes``."""
    keras_class = keras.initializers.GlorotUniform
    edit_config(keras_class, lambda config: config.update(note="added later"))

    def from_config(cls: Any, config: Config) -> Any:
        return cls(**{key: value for key, value in config.items() if key != "note"})

    keras_class.from_config = classmethod(from_config)
