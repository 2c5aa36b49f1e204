"""Faults of configs and files."""

from __future__ import annotations

import copy
import functools
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from initcheck.frameworks.backends import installed_backends
from initcheck.mutants.changes import Config, add_config_key, edit_config
from initcheck.mutants.mutant import mutant
from initcheck.targets import KERAS


@mutant("config-loses-seed", "HeNormal's configuration has seed None", caught_by=("SER01", "DET02"), on=KERAS)
def config_loses_seed(keras: Any) -> None:
    """A rebuilt initializer draws anew."""
    edit_config(keras.initializers.HeNormal, lambda config: config.update(seed=None))


@mutant(
    "config-loses-scale", "VarianceScaling's configuration has scale 1, its default", caught_by=("SER02",), on=KERAS
)
def config_loses_scale(keras: Any) -> None:
    """Only other scales show it."""
    edit_config(keras.initializers.VarianceScaling, lambda config: "scale" in config and config.update(scale=1.0))


@mutant(
    "config-loses-mode",
    "VarianceScaling's configuration says fan_in where it is fan_avg",
    caught_by=("SER02",),
    on=KERAS,
)
def config_loses_mode(keras: Any) -> None:
    edit_config(
        keras.initializers.VarianceScaling,
        lambda config: config.get("mode") == "fan_avg" and config.update(mode="fan_in"),
    )


@mutant(
    "config-rounds-mean",
    "TruncatedNormal's configuration has its mean with three digits",
    caught_by=("SER02",),
    on=KERAS,
)
def config_rounds_mean(keras: Any) -> None:
    """The default is kept."""
    edit_config(keras.initializers.TruncatedNormal, lambda config: config.update(mean=round(config["mean"], 3)))


@mutant(
    "config-loses-stddev", "RandomNormal's configuration has stddev 0.05, its default", caught_by=("SER02",), on=KERAS
)
def config_loses_stddev(keras: Any) -> None:
    """Only another stddev shows it."""
    edit_config(keras.initializers.RandomNormal, lambda config: config.update(stddev=0.05))


@mutant("config-loses-gain", "Orthogonal's configuration has gain 1, its default", caught_by=("SER02",), on=KERAS)
def config_loses_gain(keras: Any) -> None:
    """Only another gain shows it."""
    edit_config(keras.initializers.Orthogonal, lambda config: config.update(gain=1.0))


@mutant(
    "layer-swaps-initializers",
    "LSTM's configuration has the kernel's initializer for the recurrent kernel",
    caught_by=("SER04", "SER05"),
    on=KERAS,
)
def layer_swaps_initializers(keras: Any) -> None:
    """Weights read from a file are right all the same."""
    edit_config(keras.layers.LSTM, lambda config: config.update(recurrent_initializer=config["kernel_initializer"]))


@mutant("layer-loses-bias-initializer", "Dense's configuration has zeros for the bias", caught_by=("SER04",), on=KERAS)
def layer_loses_bias_initializer(keras: Any) -> None:
    """The default is kept."""
    zeros = keras.initializers.serialize(keras.initializers.Zeros())
    edit_config(keras.layers.Dense, lambda config: config.update(bias_initializer=zeros))


@mutant("file-rounds-weights", "files keep 20 of 23 bits of a weight", caught_by=("SER06",), on=KERAS)
def file_rounds_weights(keras: Any) -> None:
    """Outputs agree to six digits."""
    for keras_class in (keras.layers.Layer, keras.layers.Dense):
        if "save_own_variables" in vars(keras_class):
            _change_saved(keras_class, _round)


def _round(value: Any) -> Any:
    mantissa, exponent = np.frexp(value)
    return np.ldexp(np.round(mantissa * 2**20) / 2**20, exponent).astype(value.dtype)


@mutant(
    "file-loses-moving-variance",
    "a normalization read from a file has moving variance 1",
    caught_by=("SER06",),
    on=KERAS,
)
def file_loses_moving_variance(keras: Any) -> None:
    """Everything trained is right."""
    keras_class = keras.layers.BatchNormalization
    original = keras_class.load_own_variables

    def load_own_variables(self: Any, store: Any) -> None:
        original(self, store)
        self.moving_variance.assign(np.ones(self.moving_variance.shape, np.float32))

    keras_class.load_own_variables = load_own_variables


@mutant("file-loses-step-count", "an optimizer read from a file begins again at step 0", caught_by=("SER07",), on=KERAS)
def file_loses_step_count(keras: Any) -> None:
    """Its moving averages are right."""
    _after_loading(keras, lambda optimizer: optimizer.iterations.assign(0))


@mutant(
    "file-loses-last-slot", "the last variable of an optimizer read from a file is zero", caught_by=("SER07",), on=KERAS
)
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


@mutant("clone-copies-weights", "clone_model copies the weights", caught_by=("SER08",), on=KERAS)
def clone_copies_weights(keras: Any) -> None:
    """As some expect it to."""
    original = keras.models.clone_model

    def clone_model(model: Any, *args: Any, **options: Any) -> Any:
        clone = original(model, *args, **options)
        clone.set_weights(model.get_weights())
        return clone

    keras.models.clone_model = clone_model


@mutant("get-shares-instances", "initializers.get keeps one instance for each name", caught_by=("SER09",), on=KERAS)
def get_shares_instances(keras: Any) -> None:
    original = keras.initializers.get
    kept: dict[str, Any] = {}

    def get(identifier: Any) -> Any:
        if not isinstance(identifier, str):
            return original(identifier)
        return kept.setdefault(identifier, original(identifier))

    keras.initializers.get = get


@mutant(
    "config-loses-seed-zero", "HeNormal's configuration has seed None where it is 0", caught_by=("SER13",), on=KERAS
)
def config_loses_seed_zero(keras: Any) -> None:
    """Every other seed is kept."""
    edit_config(keras.initializers.HeNormal, lambda config: config.update(seed=config["seed"] or None))


@mutant(
    "config-halves-seed", "HeNormal's configuration has the lowest 31 bits of its seed", caught_by=("SER13",), on=KERAS
)
def config_halves_seed(keras: Any) -> None:
    """Every seed that the suite derives is kept."""
    edit_config(
        keras.initializers.HeNormal,
        lambda config: config["seed"] is not None and config.update(seed=config["seed"] & 0x7FFFFFFF),
    )


@mutant(
    "config-rounds-to-single",
    "RandomNormal's configuration has its stddev in single precision",
    caught_by=("SER02",),
    on=KERAS,
)
def config_rounds_to_single(keras: Any) -> None:
    """Draws in single precision are the same."""
    edit_config(
        keras.initializers.RandomNormal, lambda config: config.update(stddev=float(np.float32(config["stddev"])))
    )


@mutant("config-seeds-unseeded", "what is rebuilt of an unseeded HeNormal has seed 1", caught_by=("SER13",), on=KERAS)
def config_seeds_unseeded(keras: Any) -> None:
    """Seeds that are given are kept."""
    keras_class = keras.initializers.HeNormal

    def from_config(cls: Any, config: Config) -> Any:
        return cls(**{**config, "seed": 1 if config["seed"] is None else config["seed"]})

    keras_class.from_config = classmethod(from_config)


@mutant("optimizer-loses-clipvalue", "Adagrad's configuration has no clipvalue", caught_by=("SER11",), on=KERAS)
def optimizer_loses_clipvalue(keras: Any) -> None:
    """Clipping by norm is kept."""
    edit_config(keras.optimizers.Adagrad, lambda config: config.update(clipvalue=None))


@mutant(
    "optimizer-loses-assigned-rate",
    "an optimizer read from a file has the learning rate that it was made with",
    caught_by=("SER07",),
    on=KERAS,
)
def optimizer_loses_assigned_rate(keras: Any) -> None:
    """Only a rate that was assigned after compiling shows it."""
    original = keras.optimizers.SGD.__init__
    made: dict[str, float] = {}

    @functools.wraps(original)
    def init(self: Any, learning_rate: Any = 0.01, *args: Any, **options: Any) -> None:
        original(self, learning_rate, *args, **options)
        if isinstance(learning_rate, float):
            made.setdefault(f"{options.get('momentum')}", learning_rate)

    keras.optimizers.SGD.__init__ = init
    edit_config(
        keras.optimizers.SGD,
        lambda config: config.update(learning_rate=made.get(f"{config['momentum']}", config["learning_rate"])),
    )


@mutant("schedule-loses-cycle", "PolynomialDecay's configuration does not cycle", caught_by=("SER11",), on=KERAS)
def schedule_loses_cycle(keras: Any) -> None:
    """The first cycle is right."""
    edit_config(keras.optimizers.schedules.PolynomialDecay, lambda config: config.update(cycle=False))


@mutant(
    "loss-loses-smoothing",
    "CategoricalCrossentropy's configuration has no label smoothing",
    caught_by=("SER11",),
    on=KERAS,
)
def loss_loses_smoothing(keras: Any) -> None:
    """Its other options are kept."""
    edit_config(keras.losses.CategoricalCrossentropy, lambda config: config.update(label_smoothing=0.0))


@mutant(
    "metric-loses-threshold",
    "BinaryAccuracy's configuration has threshold 0.5, its default",
    caught_by=("SER11",),
    on=KERAS,
)
def metric_loses_threshold(keras: Any) -> None:
    """Only another threshold shows it."""
    edit_config(keras.metrics.BinaryAccuracy, lambda config: config.update(threshold=0.5))


@mutant("layer-loses-trainable", "what is rebuilt of a frozen Embedding is trained", caught_by=("SER12",), on=KERAS)
def layer_loses_trainable(keras: Any) -> None:
    """Its weights are right."""
    edit_config(keras.layers.Embedding, lambda config: config.update(trainable=True))


@mutant("noise-loses-seed", "GaussianNoise's configuration has no seed", caught_by=("SER12", "SER13"), on=KERAS)
def noise_loses_seed(keras: Any) -> None:
    """Every other layer keeps its own."""
    edit_config(keras.layers.GaussianNoise, lambda config: config.update(seed=None))


@mutant(
    "layer-loses-policy",
    "what is rebuilt of a BatchNormalization in mixed precision is in single precision",
    caught_by=("SER12",),
    on=KERAS,
)
def layer_loses_policy(keras: Any) -> None:
    """Its weights have the same dtype in both."""
    edit_config(
        keras.layers.BatchNormalization,
        lambda config: "mixed" in str(config["dtype"]) and config.update(dtype="float32"),
    )


@mutant(
    "file-flushes-subnormals", "files have 0 for numbers below the least normal one", caught_by=("SER14",), on=KERAS
)
def file_flushes_subnormals(keras: Any) -> None:
    """No weight that training leaves behind is so small."""

    def flush(value: Any) -> Any:
        tiny = np.finfo(value.dtype).tiny if np.issubdtype(value.dtype, np.floating) else 0
        return np.where(np.abs(value) < tiny, np.zeros_like(value), value)

    for keras_class in (keras.layers.Layer, keras.layers.Dense):
        if "save_own_variables" in vars(keras_class):
            _change_saved(keras_class, flush)


def _change_saved(keras_class: Any, change: Callable[[Any], Any]) -> None:
    original = keras_class.save_own_variables

    def save_own_variables(self: Any, store: Any) -> None:
        kept: dict[str, Any] = {}
        original(self, kept)
        for key, value in kept.items():
            store[key] = change(np.asarray(value))

    keras_class.save_own_variables = save_own_variables


@mutant("h5-loses-bits", "a model read from an .h5 file has weights in half precision", caught_by=("SER15",), on=KERAS)
def h5_loses_bits(keras: Any) -> None:
    """Files of the newer format are right."""

    def change(model: Any, path: str) -> None:
        if path.endswith(".h5"):
            model.set_weights([one.astype(np.float16).astype(one.dtype) for one in model.get_weights()])

    _change_loaded(keras, change)


@mutant(
    "file-sorts-layers",
    "of more than ten like layers, a file gives the third the weights of the eleventh",
    caught_by=("SER06",),
    on=KERAS,
)
def file_sorts_layers(keras: Any) -> None:
    """As it is where their numbers are sorted as texts."""

    def change(model: Any, _: str) -> None:
        dense = [one for one in model.layers if type(one).__name__ == "Dense"]
        if len(dense) > 10:
            dense[2].set_weights(dense[10].get_weights())

    _change_loaded(keras, change)


@mutant(
    "file-loses-inner-model",
    "the weights of a model within a model are not read from a file",
    caught_by=("SER06",),
    on=KERAS,
)
def file_loses_inner_model(keras: Any) -> None:
    """Those of its own layers are."""

    def change(model: Any, _: str) -> None:
        for inner in (one for one in model.layers if isinstance(one, keras.Model)):
            inner.set_weights(inner.from_config(inner.get_config()).get_weights())

    _change_loaded(keras, change)


@mutant(
    "file-swaps-slots",
    "the optimizer read from a file has its last two slots of a square shape swapped",
    caught_by=("SER07",),
    on=KERAS,
)
def file_swaps_slots(keras: Any) -> None:
    """As where many are sorted as texts; slots of unlike shapes cannot be mixed up."""

    def change(model: Any, _: str) -> None:
        slots = [one for one in model.optimizer.variables if len(one.shape) == 2] if model.optimizer else []
        square = [one for one in slots if one.shape[0] == one.shape[1]][-2:]
        if len(square) == 2:
            first, second = (np.array(slot) for slot in square)
            square[0].assign(second)
            square[1].assign(first)

    _change_loaded(keras, change)


def _change_loaded(keras: Any, change: Callable[[Any, str], None]) -> None:
    """Makes ``load_model`` apply ``change(model, path)`` to the model before returning it."""
    original = keras.models.load_model

    def load_model(path: Any, *args: Any, **options: Any) -> Any:
        model = original(path, *args, **options)
        change(model, str(path))
        return model

    keras.models.load_model = load_model


@mutant("generator-config-next", "a SeedGenerator's configuration has the next seed", caught_by=("SER03",), on=KERAS)
def generator_config_next(keras: Any) -> None:
    generator = getattr(getattr(keras, "random", None), "SeedGenerator", None)
    if generator is not None:
        edit_config(generator, lambda config: config.update(seed=config["seed"] + 1))


@mutant("json-loses-seeds", "the JSON text of a model has no seeds", caught_by=("SER05",), on=KERAS)
def json_loses_seeds(keras: Any) -> None:
    """Configurations and files have them."""
    original = keras.Model.to_json
    keras.Model.to_json = lambda self, **options: re.sub(r'"seed": \d+', '"seed": null', original(self, **options))


@mutant("get-copies-instances", "initializers.get returns a copy of an instance", caught_by=("SER10",), on=KERAS)
def get_copies_instances(keras: Any) -> None:
    """It draws the same."""
    original = keras.initializers.get

    def get(identifier: Any) -> Any:
        return copy.copy(identifier) if isinstance(identifier, keras.initializers.Initializer) else original(identifier)

    keras.initializers.get = get


@mutant(
    "harmless-config-key", "GlorotUniform's configuration has one key more, which from_config understands", on=KERAS
)
def harmless_config_key(keras: Any) -> None:
    """As Keras 3.15 added ``input_axes``."""
    add_config_key(keras.initializers.GlorotUniform)


@mutant("harmless-alias-config-key", "the same of RandomUniform and RandomNormal, which aliases stand for", on=KERAS)
def harmless_alias_config_key(keras: Any) -> None:
    """Only the original key takes effect."""
    for keras_class in (keras.initializers.RandomUniform, keras.initializers.RandomNormal):
        add_config_key(keras_class)


@mutant("harmless-layer-config-key", "the same of Dense and Dropout", on=KERAS)
def harmless_layer_config_key(keras: Any) -> None:
    """As Keras 3 added ``lora_rank`` and ``quantization_config``."""
    for keras_class in (keras.layers.Dense, keras.layers.Dropout):
        add_config_key(keras_class)


@mutant("harmless-history-key", "fit notes the learning rate of each epoch, too", on=KERAS)
def harmless_history_key(keras: Any) -> None:
    """As callbacks that change the learning rate do."""
    original = keras.Model.fit

    def fit(self: Any, *args: Any, **options: Any) -> Any:
        history = original(self, *args, **options)
        history.history.setdefault("learning_rate", [0.0] * len(history.epoch))
        return history

    keras.Model.fit = fit


@mutant("slope-lost", "what is rebuilt of a LeakyReLU has the default slope", caught_by=("SER16",), on=KERAS)
def slope_lost(keras: Any) -> None:
    """No other layer has lost an option."""
    edit_config(keras.layers.LeakyReLU, lambda config: [config.pop(name, None) for name in ("negative_slope", "alpha")])


@mutant("upsampling-loses-size", "what is rebuilt of an UpSampling3D doubles each axis", caught_by=("SER16",), on=KERAS)
def upsampling_loses_size(keras: Any) -> None:
    """Which is the default."""
    edit_config(keras.layers.UpSampling3D, lambda config: config.pop("size"))


@mutant(
    "file-loses-frozen-count",
    "the optimizer of a model with a frozen layer is read from a .keras file at step 0",
    caught_by=("SER17",),
    on=KERAS,
)
def file_loses_frozen_count(keras: Any) -> None:
    """As where its variables are built for other weights."""

    def change(model: Any, path: str) -> None:
        if path.endswith(".keras") and any(not one.trainable for one in model.layers) and model.optimizer:
            model.optimizer.iterations.assign(0)

    _change_loaded(keras, change)


@mutant(
    "h5-loses-rate", "an optimizer read from an .h5 file has a learning rate of 0.001", caught_by=("SER18",), on=KERAS
)
def h5_loses_rate(keras: Any) -> None:
    """Files of the newer format are right."""

    def change(model: Any, path: str) -> None:
        if path.endswith(".h5") and model.optimizer and type(model.optimizer).__name__ == "Adam":
            model.optimizer.learning_rate = 0.001

    _change_loaded(keras, change)


@mutant(
    "file-loses-metrics",
    "a model read from a .keras file is compiled without its metrics",
    caught_by=("SER19",),
    on=KERAS,
)
def file_loses_metrics(keras: Any) -> None:
    """Its loss is right."""

    def change(model: Any, path: str) -> None:
        if path.endswith(".keras") and model.optimizer:
            model.compile(model.optimizer, loss=model.loss, metrics=[])

    _change_loaded(keras, change)


@mutant(
    "weights-lose-last-bit", "bfloat16 weights read from a .weights.h5 file lose a bit", caught_by=("SER20",), on=KERAS
)
def weights_lose_last_bit(keras: Any) -> None:
    """Weights of other types are right."""
    original = keras.Model.load_weights

    def load_weights(self: Any, filepath: Any, *args: Any, **options: Any) -> Any:
        result = original(self, filepath, *args, **options)
        bits = [one.view(np.uint16) for one in self.get_weights() if one.dtype.name == "bfloat16"]
        if bits and str(filepath).endswith(".weights.h5"):
            weights = iter(bits)
            self.set_weights(
                [
                    (next(weights) & 0xFFFE).view(one.dtype) if one.dtype.name == "bfloat16" else one
                    for one in self.get_weights()
                ]
            )
        return result

    keras.Model.load_weights = load_weights


@mutant(
    "constraint-of-scale-lost",
    "what is rebuilt of a GroupNormalization has no gamma_constraint",
    caught_by=("SER21",),
    on=KERAS,
)
def constraint_of_scale_lost(keras: Any) -> None:
    """That of beta is kept."""
    edit_config(keras.layers.GroupNormalization, lambda config: config.update(gamma_constraint=None))


@mutant("overwrites-unasked", "save_weights overwrites a file without asking", caught_by=("SER22",), on=KERAS)
def overwrites_unasked(keras: Any) -> None:
    """Though it is called with overwrite=False."""
    original = keras.Model.save_weights

    def save_weights(self: Any, filepath: Any, *args: Any, **options: Any) -> Any:
        return original(self, filepath, **{**options, "overwrite": True})

    keras.Model.save_weights = save_weights


@mutant("build-config-ignored", "a Conv1D is not built by its build configuration", caught_by=("SER23",), on=KERAS)
def build_config_ignored(keras: Any) -> None:
    """Every other layer is."""
    keras.layers.Conv1D.build_from_config = lambda self, config: None


@mutant(
    "file-of-another-backend",
    "a model that another backend has written is read with one weight off by one ulp",
    caught_by=("SER24",),
    on=KERAS,
    shows=lambda: len(installed_backends()) > 1,
)
def file_of_another_backend(keras: Any) -> None:
    """What is read on the backend that wrote it is right; fresh processes learn from a variable which one that is."""
    if os.environ.setdefault("INITCHECK_MUTANT_BACKEND", keras.backend.backend()) == keras.backend.backend():
        return

    def change(model: Any, path: str) -> None:
        first, *rest = model.get_weights()
        first.flat[0] = np.nextafter(first.flat[0], np.float32(9))
        model.set_weights([first, *rest])

    _change_loaded(keras, change)
