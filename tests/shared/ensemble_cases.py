"""Models of every kind that an ensemble may train as ``fit`` does, with their rows, and their trainings by ``fit``."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from initcheck.engines.feeding import batches_of, ordered_rows, rows_for
from initcheck.engines.own_models import OwnData, mapped
from initcheck.engines.reuse import read_values
from initcheck.frameworks.backends import load_target_keras


def compiled(keras, *layers, **settings):
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(**{"optimizer": "adam", "loss": "binary_crossentropy", **settings})
    return model


ROWS, HELD_OUT, BATCH, EPOCHS = 44, 20, 16, 2  # 44 is no multiple of 16: the last batch is smaller
STREAM = np.random.RandomState(0)
ORDERS = np.stack([STREAM.permutation(ROWS) for _ in range(EPOCHS)])


def table(x, y, sample_weight=None):
    """Rows, the first of which train and the others are held out."""
    parts = (x, y, sample_weight)
    return tuple(
        OwnData(*(mapped(itemgetter(part), one) for one in parts)) for part in (slice(ROWS), slice(ROWS, None))
    )


def normal(*shape):
    return STREAM.normal(size=(ROWS + HELD_OUT, *shape)).astype("float32")


def whole(most, *shape):
    return STREAM.randint(0, most, size=(ROWS + HELD_OUT, *shape))


FLAT, SEQUENCES, IMAGES, TOKENS = normal(6), normal(5, 3), normal(8, 8, 1), whole(11, 6)
SEQUENCES[::3, 3:] = 0
SIDE, CLASS = (FLAT[:, :1] > 0).astype("float32"), whole(4)
WEIGHTS = STREAM.uniform(0.2, 2, size=ROWS + HELD_OUT)


def sequential(x, *layers, optimizer="adam", loss="binary_crossentropy", metrics=("accuracy",), **settings):
    """A function that builds and compiles a model; ``layers`` maps ``keras.layers`` to a list of layers."""

    def build(keras):
        model = keras.Sequential([keras.Input(x.shape[1:]), *(layer(keras.layers) for layer in layers)])
        made = optimizer if isinstance(optimizer, str) else optimizer(keras.optimizers)
        model.compile(made, loss, metrics=[*metrics], **settings)
        return model

    return build


def layer(name, *given, **settings):
    return lambda layers: getattr(layers, name)(*given, **settings)


def one_side(layers):
    return layers.Dense(1, activation="sigmoid")


def four_classes(layers):
    return layers.Dense(4, activation="softmax")


def transformer(keras):
    layers = keras.layers
    inputs = keras.Input(SEQUENCES.shape[1:])
    hidden = layers.Dense(8)(inputs)
    attended = layers.MultiHeadAttention(2, 4, dropout=0.1)(hidden, hidden)
    hidden = layers.LayerNormalization()(hidden + attended)
    hidden = layers.LayerNormalization()(hidden + layers.Dropout(0.1)(layers.Dense(8, activation="gelu")(hidden)))
    model = keras.Model(inputs, one_side(layers)(layers.GlobalAveragePooling1D()(hidden)))
    model.compile(keras.optimizers.AdamW(0.01, weight_decay=0.1), "binary_crossentropy", metrics=["accuracy", "AUC"])
    return model


def two_outputs(keras):
    """Inputs and outputs by name, regularizers, a constraint, weights of losses, plain and weighted metrics."""
    layers = keras.layers
    flat, images = keras.Input((6,), name="flat"), keras.Input((8, 8, 1), name="images")
    settings = {"kernel_regularizer": "l2", "activity_regularizer": "l1", "kernel_constraint": "unit_norm"}
    hidden = layers.Dense(5, activation="tanh", **settings)(flat)
    hidden = layers.Concatenate()([hidden, layers.Flatten()(layers.AveragePooling2D(4)(images))])
    outputs = {
        "size": layers.Dense(1, name="size")(hidden),
        "class": layers.Dense(4, activation="softmax", name="class")(hidden),
    }
    model = keras.Model({"flat": flat, "images": images}, outputs)
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss={"size": "mse", "class": "sparse_categorical_crossentropy"},
        loss_weights={"size": 0.3, "class": 2.0},
        metrics={"size": ["mae"], "class": ["accuracy"]},
        weighted_metrics={"size": ["mse"]},
    )
    return model


def own_steps(keras: Any):
    """A model of a class: layers that share a weight, a loss of its own, a metric of its own."""

    class Tied(keras.Model):
        def __init__(self):
            super().__init__()
            self.shared = keras.layers.Dense(6, use_bias=False)
            self.end = keras.layers.Dense(1)
            self.size = keras.metrics.Mean(name="size")

        def call(self, inputs, training=False):
            hidden = keras.ops.tanh(self.shared(self.shared(inputs)))
            self.add_loss(0.1 * keras.ops.mean(keras.ops.square(hidden)))
            return self.end(hidden)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2 * super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            self.size.update_state(keras.ops.abs(y_pred))
            return super().compute_metrics(x, y, y_pred, sample_weight)

    model = Tied()
    model(FLAT[:2])
    model.compile("rmsprop", "mse")
    return model


def looped(keras: Any):
    class Loop(keras.layers.Layer):
        def call(self, inputs):
            return keras.ops.while_loop(
                lambda turn, value: turn < 3, lambda turn, value: (turn + 1, value * 1.1), (0, inputs)
            )[1]

    return compiled(keras, keras.layers.Dense(6), Loop())


@dataclass(frozen=True)
class Case:
    """A model, built by ``build(keras)``, and its rows."""

    build: Callable[[Any], Any]
    train: OwnData
    held_out: OwnData | None


def case(build, x, y, sample_weight=None):
    return Case(build, *table(x, y, sample_weight))


def dense(*layers, **settings):
    return case(sequential(FLAT, *layers, one_side, **settings), FLAT, SIDE)


def optimized(name, *given, **settings):
    return dense(layer("Dense", 5, activation="relu"), optimizer=lambda kinds: getattr(kinds, name)(*given, **settings))


NORMALIZED = dense(layer("Dense", 8, activation="relu"), layer("BatchNormalization"), layer("Dropout", 0.5))
KINDS = {
    "noise": dense(layer("GaussianNoise", 0.3), layer("Dense", 5), layer("GaussianDropout", 0.3)),
    "spatial dropout": case(
        sequential(SEQUENCES, layer("SpatialDropout1D", 0.4), layer("Flatten"), one_side), SEQUENCES, SIDE
    ),
    "masked LSTM": case(
        sequential(SEQUENCES, layer("Masking"), layer("LSTM", 4, dropout=0.2, recurrent_dropout=0.2), one_side),
        SEQUENCES,
        SIDE,
    ),
    "GRU in both directions, simple RNN": case(
        sequential(
            SEQUENCES,
            lambda layers: layers.Bidirectional(layers.GRU(3, return_sequences=True)),
            layer("SimpleRNN", 3, unroll=True),
            one_side,
        ),
        SEQUENCES,
        SIDE,
    ),
    "masked embedding": case(
        sequential(TOKENS, layer("Embedding", 11, 5, mask_zero=True), layer("LSTM", 4), one_side), TOKENS, SIDE
    ),
    "embedding by SGD": case(
        sequential(
            TOKENS,
            layer("Embedding", 11, 5),
            layer("Flatten"),
            one_side,
            optimizer=lambda kinds: kinds.SGD(0.1, momentum=0.9),
        ),
        TOKENS,
        SIDE,
    ),
    "output a step": case(
        sequential(SEQUENCES, layer("Dense", 3), layer("Dense", 1), loss="mse", metrics=("mae",)),
        SEQUENCES,
        normal(5, 1),
    ),
    "convolution": case(
        sequential(
            IMAGES,
            layer("Conv2D", 4, 3, padding="same", activation="relu"),
            layer("BatchNormalization"),
            layer("MaxPooling2D"),
            layer("DepthwiseConv2D", 2),
            layer("Conv2D", 3, 2, strides=2),
            layer("Dropout", 0.2),
            layer("Flatten"),
            four_classes,
            loss="sparse_categorical_crossentropy",
        ),
        IMAGES,
        CLASS,
    ),
    "transformer": case(transformer, SEQUENCES, SIDE),
    "two outputs": case(two_outputs, {"flat": FLAT, "images": IMAGES}, {"size": FLAT[:, :1], "class": CLASS}),
    "sample weights": case(
        sequential(FLAT, one_side, loss="mse", metrics=("mae",), weighted_metrics=["mae"]), FLAT, SIDE, WEIGHTS
    ),
    "own steps": case(own_steps, FLAT, FLAT[:, :1]),
    "loop of one's own": case(looped, FLAT, SIDE),
    "frozen layer": dense(layer("Dense", 4, trainable=False), layer("BatchNormalization", trainable=False)),
    "nested model": dense(
        lambda layers: load_target_keras().Sequential(
            [load_target_keras().Input((6,)), layers.Dense(4), layers.Dropout(0.3)]
        )
    ),
    "clipnorm": optimized("Adam", 0.05, clipnorm=0.1),
    "global_clipnorm": optimized("Adam", 0.05, global_clipnorm=0.1),
    "average": optimized("Adam", 0.05, use_ema=True),
    "decay without biases": dense(layer("Dense", 5), optimizer=lambda kinds: spared(kinds.AdamW(0.05))),
    "schedule": dense(optimizer=lambda kinds: kinds.RMSprop(kinds.schedules.CosineDecay(0.1, 10))),
} | {
    name: optimized(name, 0.01)
    for name in ("Adagrad", "Nadam", "Ftrl", "Lion", "Lamb", "Adafactor", "Muon")
    if hasattr(load_target_keras().optimizers, name)  # an older Keras lacks some
}


def spared(optimizer):
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def fitted(one, seed):
    """The initial variables of the model of that seed, its history, and its final variables, by ``fit``."""
    keras = load_target_keras()
    keras.utils.set_random_seed(seed)
    model = one.build(keras)
    initial = read_values(model.variables)
    history = model.fit(
        rows_for(model, ordered_rows(one.train.packed, ORDERS, BATCH)),
        epochs=EPOCHS,
        steps_per_epoch=-(-ROWS // BATCH),
        validation_data=one.held_out and batches_of(one.held_out.packed, BATCH),
        shuffle=False,
        verbose=0,
    ).history
    return initial, history, read_values(model.variables)
