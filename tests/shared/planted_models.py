"""Models with one planted cause each, and healthy ones, as their users write them: a row each.

The text of a row is a module; where it lacks ``build`` or ``data``, the usual one is added.
"""

from dataclasses import dataclass

PRELUDE = """
import concurrent.futures
import datetime
import glob
import itertools
import os
import random
import secrets
import threading
import time
import uuid
import zlib
from multiprocessing.pool import ThreadPool

import keras
import numpy as np
import tensorflow as tf
from keras import layers
"""
BUILD = """
def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return model
"""
DATA = """
def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    return x, x[:, :1]
"""

NOT_REPEATED = "the training does not repeat under one seed"
BEFORE = "the training depends on what ran before it in the process"
LEFT_OUT = "the model's own seeding leaves something out"
FRESH = "the training does not repeat in a fresh process"
LISTING = "the training depends on how a folder is listed"
EQUAL = "weights that are drawn equal"
PROPORTION = "weights that are drawn in proportion"
SCALE = "a scale that is not its initializer's"
CONSTANT = "kernels that are constant: their units never part"
EACH_TIME = "inference that gives another result each time"
DISAGREE = "ways of inference that disagree"
MOVES = "inference moves weights"
UNSEEDED = "initial weights that no global seed decides"
NUMPY_MADE = "a NumPy generator made without a seed: np.random.default_rng(SEED)"


@dataclass(frozen=True)
class PlantedModel:
    """A user's module.

    Attributes:
        text: What it holds beside the imports.
        finding: What must be found; empty for a healthy one.
        words: What its remedy, place or evidence must name.
        also: Findings that may be there beside it.
        fresh: Whether fresh processes are needed to see it.
    """

    text: str
    finding: str = ""
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    fresh: bool = False

    @property
    def module(self) -> str:
        """The module's text."""
        parts = [PRELUDE, "" if "def build(" in self.text else BUILD, "" if "def data(" in self.text else DATA]
        return "\n".join([*parts, self.text])


PLANTED = {
    # Weights.
    "one seeded initializer in all layers": PlantedModel(
        """
init = keras.initializers.RandomNormal(mean=0.0, stddev=0.05, seed=42)

def build():
    model = keras.Sequential()
    model.add(keras.Input((6,)))
    for units in (6, 6, 6, 1):
        model.add(layers.Dense(units, activation="tanh", kernel_initializer=init))
    model.compile("adam", "mse")
    return model
""",
        EQUAL,
        ("one instance",),
        also=(PROPORTION, "a signal that vanishes with depth"),
    ),
    "one initializer for two convolutions": PlantedModel(
        """
def build():
    he = keras.initializers.HeNormal()
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 3, padding="same", activation="relu", kernel_initializer=he)(inputs)
    x = layers.Conv2D(3, 3, padding="same", activation="relu", kernel_initializer=he)(x)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model

def data():
    rng = np.random.RandomState(1)
    return rng.normal(size=(32, 8, 8, 3)).astype("float32"), rng.randint(0, 2, 32)
""",
        EQUAL,
        ("one instance", "conv2d"),
    ),
    "equal seeds in two layers": PlantedModel(
        """
def build():
    model = keras.Sequential([
        keras.Input((8,)),
        layers.Dense(8, kernel_initializer=keras.initializers.GlorotUniform(seed=0), activation="relu"),
        layers.Dense(8, kernel_initializer=keras.initializers.GlorotUniform(seed=0), activation="relu"),
        layers.Dense(1),
    ])
    model.compile("adam", "mse")
    return model

def data():
    x = np.random.RandomState(0).rand(64, 8)
    return x, x.sum(axis=1)
""",
        EQUAL,
        ("one seed (0)",),
    ),
    "all kernels zero": PlantedModel(
        """
def build():
    model = keras.Sequential([
        keras.Input((6,)),
        layers.Dense(8, activation="sigmoid", kernel_initializer="zeros"),
        layers.Dense(1, kernel_initializer="zeros"),
    ])
    model.compile("sgd", "mse")
    return model
""",
        CONSTANT,
        ("draw them at random",),
        also=("a layer that tells no rows apart",),
    ),
    "a convolution of a constant": PlantedModel(
        """
def build():
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(4, 3, activation="relu", kernel_initializer=keras.initializers.Constant(0.1)),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, kernel_initializer="ones"),
        layers.Dense(1, kernel_initializer="ones"),
    ])
    model.compile("sgd", "mse")
    return model

def data():
    rng = np.random.RandomState(1)
    return rng.rand(32, 8, 8, 1), rng.rand(32, 1)
""",
        CONSTANT,
        ("conv2d",),
        also=("a first loss far above that of a constant",),
    ),
    "an own variable drawn without a seed": PlantedModel(
        """
class Linear(layers.Layer):
    def build(self, input_shape):
        rng = np.random.default_rng()
        draw = lambda shape, dtype=None: rng.normal(0, 0.05, size=shape)
        self.w = self.add_weight(shape=(input_shape[-1], 4), initializer=draw, name="w")

    def call(self, x):
        return tf.matmul(x, self.w)

def build():
    model = keras.Sequential([keras.Input((6,)), Linear(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        NOT_REPEATED,
        (NUMPY_MADE, "first at: initial weights"),
        also=(UNSEEDED,),
    ),
    "an own law of another scale": PlantedModel(
        """
class SmallNormal(keras.initializers.GlorotNormal):
    def __call__(self, shape, dtype=None):
        return super().__call__(shape, dtype) / 10

def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(64, "tanh", kernel_initializer=SmallNormal()),
                              layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        SCALE,
        ("0.1 times",),
    ),
    "weights set from a generator without a seed": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.set_weights([np.random.default_rng().normal(size=w.shape) for w in model.get_weights()])
    return model
""",
        NOT_REPEATED,
        (NUMPY_MADE,),
        also=(UNSEEDED,),
    ),
    "the date and time in a seed": PlantedModel(
        """
def build():
    seed = datetime.datetime.now().microsecond
    init = keras.initializers.GlorotUniform(seed=seed)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu", kernel_initializer=init), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        NOT_REPEATED,
        ("the clock",),
        also=(UNSEEDED,),
    ),
    "the hash of a name in a seed": PlantedModel(
        """
def init_for(name):
    return keras.initializers.HeNormal(seed=abs(hash(name)) % 2**31)

def build():
    model = keras.Sequential([keras.Input((6,)),
                              layers.Dense(8, "relu", kernel_initializer=init_for("hidden")), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        FRESH,
        ("PYTHONHASHSEED",),
        fresh=True,
    ),
    "the automatic name of a layer in a seed": PlantedModel(
        """
class SeededDense(layers.Dense):
    def build(self, input_shape):
        self.kernel_initializer = keras.initializers.HeNormal(seed=zlib.crc32(self.name.encode()))
        super().build(input_shape)

def build():
    model = keras.Sequential([keras.Input((6,)), SeededDense(8, activation="relu"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        BEFORE,
        ("counters of names", "clear_session()"),
        also=(UNSEEDED,),
    ),
    "a counter in a seed": PlantedModel(
        """
counter = 0

def next_seed():
    global counter
    counter += 1
    return counter

def build():
    init = keras.initializers.GlorotUniform(seed=next_seed())
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu", kernel_initializer=init), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        BEFORE,
        ("counter", "make it in data() or build()"),
        also=(UNSEEDED,),
    ),
    "itertools.count in a seed": PlantedModel(
        """
seeds = itertools.count(100)

def build():
    model = keras.Sequential([keras.Input((6,))])
    for units in (8, 1):
        model.add(layers.Dense(units, kernel_initializer=keras.initializers.HeUniform(seed=next(seeds))))
    model.compile("sgd", "mse")
    return model
""",
        BEFORE,
        ("seeds",),
        also=(UNSEEDED,),
    ),
    "a random id in a seed": PlantedModel(
        """
def build():
    run_id = uuid.uuid4()
    init = keras.initializers.HeNormal(seed=run_id.int % 2**31)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu", kernel_initializer=init), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        NOT_REPEATED,
        ("the system's entropy",),
        also=(UNSEEDED,),
    ),
    # Inference.
    "Monte Carlo dropout left in": PlantedModel(
        """
def build():
    inputs = keras.Input((6,))
    x = layers.Dense(16, activation="relu")(inputs)
    x = layers.Lambda(lambda t: tf.nn.dropout(t, rate=0.5), name="mc_dropout")(x)
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile("adam", "mse")
    return model
""",
        EACH_TIME,
        ("mc_dropout",),
    ),
    "a subclass that always drops": PlantedModel(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.d1 = layers.Dense(16, activation="relu")
        self.drop = layers.Dropout(0.4, name="drop")
        self.d2 = layers.Dense(1)

    def call(self, x):
        x = self.d1(x)
        x = self.drop(x, training=True)
        return self.d2(x)

def build():
    model = Net()
    model.compile(optimizer="adam", loss="mse")
    return model
""",
        EACH_TIME,
        ("drop",),
    ),
    "noise of one's own": PlantedModel(
        """
class Noise(layers.Layer):
    def call(self, x):
        return x + 0.1 * tf.random.normal(tf.shape(x))

def build():
    model = keras.Sequential([keras.Input((6,)), Noise(name="noise"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        EACH_TIME,
        ("noise",),
    ),
    "augmentation in inference": PlantedModel(
        """
class Augment(layers.Layer):
    def call(self, images):
        return tf.image.random_flip_left_right(images)

def build():
    inputs = keras.Input((8, 8, 3))
    x = Augment(name="augment")(inputs)
    x = layers.Flatten()(x)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model

def data():
    rng = np.random.RandomState(1)
    return rng.normal(size=(32, 8, 8, 3)).astype("float32"), rng.randint(0, 2, 32)
""",
        EACH_TIME,
        ("augment",),
    ),
    "noise that is drawn when it is traced": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,)),
                              layers.Lambda(lambda x: x + np.random.normal(), name="jitter"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        DISAGREE,
        ("jitter",),
        also=(EACH_TIME,),
    ),
    "batch normalization always in training": PlantedModel(
        """
def build():
    inputs = keras.Input((6,))
    x = layers.Dense(8, activation="relu")(inputs)
    x = layers.BatchNormalization(name="bn")(x, training=True)
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile("adam", "mse")
    return model
""",
        MOVES,
        ("bn/moving_mean",),
        also=(EACH_TIME, DISAGREE),
    ),
    "a subclass whose batch normalization always trains": PlantedModel(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = layers.BatchNormalization()
        self.out = layers.Dense(1)

    def call(self, x):
        return self.out(self.bn(x, training=True))

def build():
    model = Net()
    model.compile("adam", "mse")
    return model
""",
        MOVES,
        ("batch_normalization/moving_mean",),
        also=(EACH_TIME, DISAGREE),
    ),
    "a running mean that inference moves": PlantedModel(
        """
class Center(layers.Layer):
    def build(self, input_shape):
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean")

    def call(self, x):
        self.mean.assign(0.99 * self.mean + 0.01 * tf.reduce_mean(x, axis=0))
        return x

def build():
    model = keras.Sequential([keras.Input((6,)), Center(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        MOVES,
        ("mean",),
    ),
    "a call counter in a layer": PlantedModel(
        """
class Counting(layers.Layer):
    def build(self, input_shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x):
        self.calls.assign_add(1.0)
        return x

def build():
    model = keras.Sequential([keras.Input((6,)), Counting(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        MOVES,
        ("calls",),
    ),
    # Data.
    "a RandomState without a seed": PlantedModel(
        """
def data():
    rng = np.random.RandomState()
    x = rng.rand(100, 6)
    return x, x.sum(axis=1, keepdims=True)
""",
        NOT_REPEATED,
        (NUMPY_MADE, "first at: data"),
    ),
    "a SeedSequence without entropy": PlantedModel(
        """
def data():
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence().spawn(2)]
    x = streams[0].normal(size=(64, 6))
    return x, x[:, :1] + 0.1 * streams[1].normal(size=(64, 1))
""",
        NOT_REPEATED,
        (NUMPY_MADE,),
    ),
    "a shuffle by the system": PlantedModel(
        """
def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    order = list(range(64))
    random.SystemRandom().shuffle(order)
    return x[order], x[order, :1]
""",
        NOT_REPEATED,
        ("the system's entropy",),
    ),
    "secrets for noise": PlantedModel(
        """
def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    noise = np.array([[secrets.randbelow(1000) / 1e4] for _ in range(64)])
    return x, x[:, :1] + noise
""",
        NOT_REPEATED,
        ("the system's entropy",),
    ),
    "a generator of Python's without a seed": PlantedModel(
        """
def data():
    rng = random.Random()
    x = np.array([[rng.gauss(0, 1) for _ in range(6)] for _ in range(64)])
    return x, x[:, :1]
""",
        NOT_REPEATED,
        ("a random.Random made without a seed",),
    ),
    "the time as the data's seed": PlantedModel(
        """
from time import time_ns

def data():
    rng = np.random.default_rng(time_ns())
    x = rng.normal(size=(64, 6))
    return x, x[:, :1]
""",
        NOT_REPEATED,
        ("the clock",),
    ),
    "the hour as a feature": PlantedModel(
        """
from datetime import datetime

def data():
    x = np.random.RandomState(0).normal(size=(64, 6))
    x[:, 5] = datetime.now().microsecond / 1e6
    return x, x[:, :1]
""",
        NOT_REPEATED,
        ("the clock",),
    ),
    "a generator of TensorFlow without a seed": PlantedModel(
        """
def data():
    g = tf.random.Generator.from_non_deterministic_state()
    x = g.normal((64, 6)).numpy()
    return x, x[:, :1]
""",
        NOT_REPEATED,
        ("tf.random.Generator.from_seed(SEED)",),
    ),
    "the global generator of TensorFlow": PlantedModel(
        """
def data():
    x = tf.random.get_global_generator().normal((64, 6)).numpy()
    return x, x[:, :1]
""",
        NOT_REPEATED,
        ("tf.random.Generator.from_seed(SEED)",),
    ),
    "a split that scikit-learn draws": PlantedModel(
        """
from sklearn.model_selection import train_test_split

def data():
    x = np.random.RandomState(0).normal(size=(100, 6)).astype("float32")
    x_train, x_test, y_train, y_test = train_test_split(x, x[:, :1])
    return (x_train, y_train), (x_test, y_test)

def build():
    tf.random.set_seed(1)
    random.seed(1)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return model
""",
        LEFT_OUT,
        ("np.random.seed(SEED)", "first at: data"),
    ),
    "a shuffle of Python's beside other seeds": PlantedModel(
        """
def data():
    np.random.seed(42)
    tf.random.set_seed(42)
    rows = np.random.normal(size=(64, 6)).tolist()
    random.shuffle(rows)
    x = np.array(rows)
    return x, x[:, :1]
""",
        LEFT_OUT,
        ("random.seed(SEED)",),
    ),
    "a generator that the module seeds once": PlantedModel(
        """
rng = np.random.default_rng(42)

def data():
    x = rng.normal(size=(64, 6))
    return x, x[:, :1]
""",
        BEFORE,
        ("rng", "make it in data() or build()"),
    ),
    "a RandomState that the module seeds once": PlantedModel(
        """
RNG = np.random.RandomState(7)

def data():
    x = RNG.rand(64, 6)
    return x, x.mean(axis=1)
""",
        BEFORE,
        ("RNG",),
    ),
    "rows that are scaled in place": PlantedModel(
        """
X = np.random.RandomState(0).normal(5, 2, size=(64, 6))

def data():
    global X
    X -= 1
    return X, X[:, :1]
""",
        BEFORE,
        ("X",),
    ),
    "a list that grows": PlantedModel(
        """
history = []

def data():
    history.append(len(history))
    x = np.random.RandomState(0).normal(size=(64, 6)) + len(history)
    return x, x[:, :1]
""",
        BEFORE,
        ("history",),
    ),
    "a counter of a class": PlantedModel(
        """
class Scaling(layers.Layer):
    calls = 0

    def call(self, x):
        Scaling.calls += 1
        return x * (1 + Scaling.calls / 10)

def build():
    model = keras.Sequential([keras.Input((6,)), Scaling(), layers.Dense(1)])
    model.compile("adam", "mse")
    return model
""",
        BEFORE,
        ("Scaling.calls",),
        also=(DISAGREE, EACH_TIME),
    ),
    "a pipeline that is made once": PlantedModel(
        """
x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
train_ds = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).shuffle(64).batch(16)

def data():
    return train_ds
""",
        BEFORE,
        ("make it in data()", "first at: order of rows"),
    ),
    "a parallel map that draws": PlantedModel(
        """
def jitter(a, b):
    return a + tf.random.normal((6,), stddev=0.1), b

def data():
    x = np.random.RandomState(0).normal(size=(256, 6)).astype("float32")
    ds = tf.data.Dataset.from_tensor_slices((x, x[:, :1]))
    return ds.map(jitter, num_parallel_calls=8).batch(16)
""",
        NOT_REPEATED,
        ("enable_op_determinism",),
    ),
    "weights of the run before": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    if os.path.exists("last.npz"):
        model.set_weights([0.9 * w for w in np.load("last.npz").values()])
    np.savez("last.npz", *model.get_weights())
    return model
""",
        NOT_REPEATED,
        ("files that it changes: last.npz",),
        also=(UNSEEDED,),
    ),
    "the number of the process in a seed": PlantedModel(
        """
def data():
    x = np.random.RandomState(os.getpid()).normal(size=(64, 6))
    return x, x[:, :1]
""",
        FRESH,
        ("os.getpid",),
        fresh=True,
    ),
    "a vocabulary from a set": PlantedModel(
        """
texts = ["the cat sat", "a dog ran off", "the bird flew away", "one fish swam"] * 16

def data():
    vocabulary = {word for text in texts for word in text.split()}
    index = {word: number for number, word in enumerate(vocabulary)}
    x = np.array([[index[word] for word in (text.split() * 6)[:6]] for text in texts], "float32")
    return x / 10, np.array([[1.0], [-1.0], [0.5], [-0.5]] * 16)
""",
        FRESH,
        ("sorted(...) around the set", "first at: data", "PYTHONHASHSEED"),
        fresh=True,
    ),
    "a set of objects": PlantedModel(
        """
class Example:
    def __init__(self, row):
        self.row = row

def data():
    x = np.random.RandomState(0).normal(size=(64, 6))
    examples = set(Example(row) for row in x)
    x = np.array([one.row for one in examples])
    return x, x[:, :1]
""",
        NOT_REPEATED,
        ("a set of objects", "dict.fromkeys"),
    ),
    "files as the folder lists them": PlantedModel(
        """
os.makedirs("rows", exist_ok=True)
for number in range(20):
    np.save(f"rows/{number}.npy", np.random.RandomState(number).normal(size=(4, 6)))

def data():
    x = np.concatenate([np.load(os.path.join("rows", name)) for name in os.listdir("rows")])
    return x, x[:, :1]
""",
        LISTING,
        ("sorted(...) around the listing", "first at: data"),
    ),
    "files as glob finds them": PlantedModel(
        """
os.makedirs("rows", exist_ok=True)
for number in range(20):
    np.save(f"rows/{number}.npy", np.random.RandomState(number).normal(size=(4, 6)))

def data():
    x = np.concatenate([np.load(name) for name in glob.glob("rows/*.npy")])
    return x, x[:, :1]
""",
        LISTING,
        ("sorted(...) around the listing",),
    ),
    "a pool whose results come as they are ready": PlantedModel(
        """
x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")

def load(number):
    time.sleep(random.SystemRandom().random() / 400)
    return x[number]

def data():
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        futures = [pool.submit(load, number) for number in range(64)]
        rows = np.array([future.result() for future in concurrent.futures.as_completed(futures)])
    return rows, rows[:, :1]
""",
        NOT_REPEATED,
        ("a pool of threads",),
    ),
    "imap_unordered": PlantedModel(
        """
x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")

def load(number):
    time.sleep(random.SystemRandom().random() / 400)
    return x[number]

def data():
    with ThreadPool(8) as pool:
        rows = np.array(list(pool.imap_unordered(load, range(64))))
    return rows, rows[:, :1]
""",
        NOT_REPEATED,
        ("a pool of threads",),
    ),
    "threads that append to one list": PlantedModel(
        """
x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")

def data():
    rows = []

    def load(number):
        time.sleep(random.SystemRandom().random() / 400)
        rows.append(x[number])

    threads = [threading.Thread(target=load, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return np.array(rows), np.array(rows)[:, :1]
""",
        NOT_REPEATED,
        ("threads that run side by side", "executor.map(...)"),
    ),
    "workers that draw": PlantedModel(
        """
class Batches(keras.utils.PyDataset):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.x = np.random.RandomState(0).normal(size=(128, 6)).astype("float32")

    def __len__(self):
        return 16

    def __getitem__(self, idx):
        time.sleep(random.SystemRandom().random() / 400)
        batch = self.x[idx * 8:(idx + 1) * 8]
        return batch + np.random.normal(0, 0.1, batch.shape), batch[:, :1]

def data():
    return Batches(workers=4)
""",
        NOT_REPEATED,
        ("workers of a PyDataset", "default_rng([SEED, index])"),
    ),
    "batches that are shuffled by a generator of their own": PlantedModel(
        """
class Batches(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
        self.rng = np.random.default_rng()
        self.on_epoch_end()

    def on_epoch_end(self):
        self.order = self.rng.permutation(64)

    def __len__(self):
        return 4

    def __getitem__(self, idx):
        rows = self.order[idx * 16:(idx + 1) * 16]
        return self.x[rows], self.x[rows, :1]

def data():
    return Batches()
""",
        NOT_REPEATED,
        (NUMPY_MADE,),
    ),
    "a generator function that draws without a seed": PlantedModel(
        """
def gen():
    rng = random.Random()
    for _ in range(64):
        row = np.array([rng.gauss(0, 1) for _ in range(6)], "float32")
        yield row, row[:1]

def data():
    signature = (tf.TensorSpec((6,), tf.float32), tf.TensorSpec((1,), tf.float32))
    return tf.data.Dataset.from_generator(gen, output_signature=signature).batch(16)
""",
        NOT_REPEATED,
        ("a random.Random made without a seed",),
    ),
    "an interleave that need not keep its order": PlantedModel(
        """
x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")

def load(number):
    time.sleep(random.SystemRandom().random() / 200)
    return x[number], x[number, :1]

def one(number):
    a, b = tf.numpy_function(load, [number], (tf.float32, tf.float32))
    a, b = tf.ensure_shape(a, (6,)), tf.ensure_shape(b, (1,))
    return tf.data.Dataset.from_tensors((a, b))

def data():
    ds = tf.data.Dataset.range(64)
    return ds.interleave(one, cycle_length=8, num_parallel_calls=8, deterministic=False).batch(16)
""",
        NOT_REPEATED,
        ("enable_op_determinism",),
    ),
    # What a hidden set of models showed to be missed.
    "draws of one seed in a function": PlantedModel(
        """
def init(shape, dtype=None):
    return keras.random.normal(shape, stddev=0.3, seed=3)

def build():
    model = keras.Sequential([keras.Input((6,))])
    for units in (6, 6, 1):
        model.add(layers.Dense(units, "tanh", kernel_initializer=init))
    model.compile("sgd", "mse")
    return model
""",
        EQUAL,
        ("the same in every build",),
    ),
    "an identity that is not square": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(16, "relu", kernel_initializer="identity")])
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    return model
""",
        "units that never part",
        ("units 6, 7, 8",),
    ),
    "biases that shut the gates": PlantedModel(
        """
def build():
    shut = keras.initializers.Constant(-12.0)
    model = keras.Sequential([keras.Input((6, 1)), layers.LSTM(8, bias_initializer=shut, unit_forget_bias=False)])
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 6, 1)).astype("float32")
    return x, x[:, 0]
""",
        "saturated gates",
        ("lstm", "bias"),
    ),
    "a recurrence that explodes": PlantedModel(
        """
def build():
    large = keras.initializers.RandomNormal(stddev=0.8)
    model = keras.Sequential([keras.Input((16, 2)), layers.SimpleRNN(16, "relu", recurrent_initializer=large)])
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 16, 2)).astype("float32")
    return x, x[:, 0, :1]
""",
        "gradients that explode through time",
        ("simple_rnn", "orthogonal"),
    ),
    "a normalization of one value": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1), layers.LayerNormalization(), layers.Dense(8, "relu")])
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    return model
""",
        "a layer that tells no rows apart",
        ("layer_normalization", "over a single value"),
    ),
    "a missing value": PlantedModel(
        """
def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    x[5, 3] = np.nan
    return x, x[:, :1]
""",
        "data that are not finite",
        ("1 of 384 numbers of the inputs, in 1 of 64 rows",),
    ),
    "a square in half precision": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,)), layers.Rescaling(2000.0)])
    model.add(layers.Lambda(lambda x: x * x, dtype="float16"))
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    return model
""",
        "a layer whose outputs are not finite",
        ("lambda", "65,504"),
    ),
    "an output without a loss": PlantedModel(
        """
def build():
    inputs = keras.Input((6,))
    x = layers.Dense(8, "relu")(inputs)
    model = keras.Model(inputs, [layers.Dense(1, name="price")(x), layers.Dense(4, name="code")(x)])
    model.compile("sgd", ["mse", None])
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    return x, [x[:, :1], x[:, :4]]
""",
        "weights that can never move",
        ("the output code alone", "no loss", "code/kernel"),
    ),
    "an own step that trains one layer": PlantedModel(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(8, "relu")
        self.out = layers.Dense(1)

    def call(self, x):
        return self.out(self.dense(x))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        weights = self.out.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return {"loss": loss}

def build():
    model = Net()
    model.compile("adam", "mse")
    return model
""",
        "weights that can never move",
        ("/kernel", "its train_step hands no optimizer a gradient"),
    ),
    "a state that goes on": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input(batch_shape=(16, 6, 1)), layers.LSTM(4, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 6, 1)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, x[:, 0])).batch(16)
""",
        EACH_TIME,
        ("lstm", "stateful=False"),
    ),
    "a variable of the environment that counts": PlantedModel(
        """
def data():
    run = int(os.environ.get("OWN_RUN", "0"))
    os.environ["OWN_RUN"] = str(run + 1)
    x = np.random.RandomState(run).normal(size=(64, 6))
    return x, x[:, :1]
""",
        BEFORE,
        ("os.environ",),
    ),
    "a generator of an object that the module makes": PlantedModel(
        """
class Rows:
    def __init__(self):
        self.tables = {"rng": np.random.default_rng(42)}

    def draw(self):
        x = self.tables["rng"].normal(size=(64, 6))
        return x, x[:, :1]

rows = Rows()

def data():
    return rows.draw()
""",
        BEFORE,
        ("rows.tables['rng']",),
    ),
    "a counter within a closure": PlantedModel(
        """
def counted():
    seeds = iter(range(1000))
    calls = 0

    def draw():
        nonlocal calls
        calls += next(seeds)
        return np.random.RandomState(calls).normal(size=(64, 6))

    return draw

draw = counted()

def data():
    x = draw()
    return x, x[:, :1]
""",
        BEFORE,
        ("calls of its closure",),
    ),
    "arrays in a default that grows": PlantedModel(
        """
def grown(rows=[]):
    rows.append(np.full((8, 6), len(rows)))
    return np.concatenate([*rows, np.random.RandomState(0).normal(size=(64, 6))])

def data():
    x = grown()
    return x, x[:, :1]
""",
        BEFORE,
        ("grown: default",),
    ),
    "a model that is frozen as a whole": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.trainable = False
    model.compile("adam", "mse")
    return model
""",
        "weights that can never move",
        ("trainable=True",),
    ),
    "a model that is made once": PlantedModel(
        """
MODEL = None

def build():
    global MODEL
    if MODEL is None:
        MODEL = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
        MODEL.compile(optimizer="sgd", loss="mse")
    return MODEL
""",
        BEFORE,
        ("made once",),
    ),
    "a default that grows": PlantedModel(
        """
def shifted(x, seen=[]):
    seen.append(1)
    return x + 0.05 * len(seen)

def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    return shifted(x), x[:, :1]
""",
        BEFORE,
        ("shifted: default",),
    ),
    "an order by address": PlantedModel(
        """
class Example:
    def __init__(self, row):
        self.row = row

def data():
    examples = [Example(row) for row in np.random.RandomState(0).normal(size=(64, 6))]
    x = np.array([one.row for one in sorted(examples, key=id)])
    return x, x[:, :1]
""",
        NOT_REPEATED,
        ("the addresses of objects: id()",),
    ),
    # What is drawn at import.
    "a permutation drawn at import": PlantedModel(
        """
ORDER = np.random.permutation(64)

def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")[ORDER]
    return x, x[:, :1]
""",
        FRESH,
        ("NumPy's global generator, what the module draws when it is imported", "np.random.seed(SEED)"),
        fresh=True,
    ),
    "a sample of Python's drawn at import": PlantedModel(
        """
CHOSEN = random.sample(range(200), 64)

def data():
    x = np.random.RandomState(0).normal(size=(200, 6)).astype("float32")[CHOSEN]
    return x, x[:, :1]
""",
        FRESH,
        ("Python's random, what the module draws when it is imported",),
        fresh=True,
    ),
    "weights drawn by TensorFlow at import": PlantedModel(
        """
START = tf.random.normal((6, 8), stddev=0.1)

def build():
    init = lambda shape, dtype=None: START
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu", kernel_initializer=init), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
""",
        FRESH,
        ("TensorFlow's and Keras's global seeds, what the module draws when it is imported",),
        fresh=True,
    ),
    "the time at import": PlantedModel(
        """
SEED = int(time.time() * 1e6) % 2**31

def data():
    x = np.random.RandomState(SEED).normal(size=(64, 6))
    return x, x[:, :1]
""",
        FRESH,
        ("the clock, what the module draws when it is imported",),
        fresh=True,
    ),
}

HEALTHY = {
    "as it stands": PlantedModel("", fresh=True),
    "a sorted set": PlantedModel(
        """
words = sorted({"some", "words", "of", "a", "set", "made", "in", "order"}) * 8

def data():
    x = np.array([[len(w), ord(w[0]), ord(w[-1]), 1, 2, 3] for w in words], "float32") / 100
    return x, x[:, :1]
""",
        fresh=True,
    ),
    "a sorted listing": PlantedModel(
        """
os.makedirs("rows", exist_ok=True)
for number in range(10):
    np.save(f"rows/{number}.npy", np.random.RandomState(number).normal(size=(6, 6)))

def data():
    x = np.concatenate([np.load(name) for name in sorted(glob.glob("rows/*.npy"))])
    return x, x[:, :1]
"""
    ),
    "seeded where it draws": PlantedModel(
        """
def data():
    rng = np.random.default_rng(42)
    x = rng.normal(size=(64, 6))
    return x, x[:, :1] + 0.1 * rng.normal(size=(64, 1))

def build():
    keras.utils.set_random_seed(42)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(32, activation="relu"), layers.Dropout(0.3),
                              layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model
"""
    ),
    "global draws in the data": PlantedModel(
        """
def data():
    x = np.random.rand(64, 6)
    order = list(range(64))
    random.shuffle(order)
    return x[order], x[order].sum(axis=1)
"""
    ),
    "a pool in order": PlantedModel(
        """
x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")

def data():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        rows = np.array(list(pool.map(lambda number: x[number], range(64))))
    return rows, rows[:, :1]
"""
    ),
    "workers with generators of their own": PlantedModel(
        """
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 8

    def __getitem__(self, idx):
        rng = np.random.default_rng([1, idx])
        x = rng.normal(size=(8, 6)).astype("float32")
        return x, x[:, :1]

def data():
    return Batches(workers=2)
"""
    ),
    "a parallel pipeline that keeps its order": PlantedModel(
        """
def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    ds = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).shuffle(64)
    ds = ds.map(lambda a, b: (a + 0.1, b), num_parallel_calls=tf.data.AUTOTUNE)
    return ds.batch(16).prefetch(tf.data.AUTOTUNE)
"""
    ),
    "tables that a module keeps": PlantedModel(
        """
CONFIG = {"units": 8, "rate": 0.2}
X = np.random.RandomState(3).normal(size=(64, 6)).astype("float32")
NAMES = ["a", "b", "c"]

def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(CONFIG["units"], "relu"),
                              layers.Dropout(CONFIG["rate"]), layers.Dense(1)])
    model.compile("rmsprop", "mae")
    return model

def data():
    return X, X[:, :1]
""",
        fresh=True,
    ),
    "a moving average of the weights": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9), "mse")
    return model
"""
    ),
    "a frozen part": PlantedModel(
        """
def build():
    base = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.BatchNormalization()], name="base")
    base.trainable = False
    model = keras.Sequential([keras.Input((6,)), base, layers.Dense(1)])
    model.compile("adam", "mse")
    return model
"""
    ),
    "a seed for each layer": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((6,))])
    for number, units in enumerate((8, 8, 1)):
        model.add(layers.Dense(units, "tanh", kernel_initializer=keras.initializers.GlorotNormal(seed=number)))
    model.compile("sgd", "mse")
    return model
"""
    ),
    "an autoencoder with noise": PlantedModel(
        """
def build():
    inputs = keras.Input((6,))
    x = layers.GaussianNoise(0.1)(inputs)
    code = layers.Dense(3, "relu", activity_regularizer=keras.regularizers.L1(1e-5))(x)
    model = keras.Model(inputs, layers.Dense(6)(code))
    model.compile("adam", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 6))
    return x, x
"""
    ),
    "own training step": PlantedModel(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(8, "relu")
        self.out = layers.Dense(1)
        self.loss_fn = keras.losses.MeanSquaredError()

    def call(self, x):
        return self.out(self.dense(x))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.loss_fn(y, self(x, training=True))
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        return {"loss": loss}

def build():
    model = Net()
    model.compile(optimizer="adam", loss="mse")
    return model
"""
    ),
    "an image classifier": PlantedModel(
        """
def build():
    model = keras.Sequential([
        keras.Input((12, 12, 1)), layers.Rescaling(1 / 255), layers.RandomRotation(0.1),
        layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dropout(0.25), layers.Dense(3, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def data():
    rng = np.random.RandomState(0)
    return rng.randint(0, 255, (48, 12, 12, 1)).astype("float32"), rng.randint(0, 3, 48)
"""
    ),
    "a text classifier": PlantedModel(
        """
def build():
    model = keras.Sequential([keras.Input((10,), dtype="int32"), layers.Embedding(50, 8, mask_zero=True),
                              layers.Bidirectional(layers.LSTM(6)), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model

def data():
    rng = np.random.RandomState(0)
    x = rng.randint(0, 50, (48, 10))
    return x, (x[:, :1] > 25).astype("float32")
"""
    ),
    "an object of a class in a list": PlantedModel(
        """
class Example:
    def __init__(self, row):
        self.row = row

EXAMPLES = [Example(row) for row in np.random.RandomState(0).normal(size=(64, 6))]

def data():
    x = np.array([one.row for one in EXAMPLES])
    return x, x[:, :1]
"""
    ),
    "a multi-task model": PlantedModel(
        """
def build():
    inputs = keras.Input((6,), name="features")
    x = layers.LayerNormalization()(layers.Dense(16, "gelu")(inputs))
    price = layers.Dense(1, name="price")(x)
    kind = layers.Dense(3, activation="softmax", name="kind")(x)
    model = keras.Model(inputs, {"price": price, "kind": kind})
    model.compile("adam", {"price": "mse", "kind": "sparse_categorical_crossentropy"})
    return model

def data():
    rng = np.random.RandomState(0)
    x = rng.normal(size=(64, 6)).astype("float32")
    return {"features": x}, {"price": x[:, :1], "kind": rng.randint(0, 3, 64)}
"""
    ),
    "a bias that a difference takes out": PlantedModel(
        """
def build():
    tower = keras.Sequential([keras.Input((3,)), layers.Dense(8, "relu"), layers.Dense(4)])
    one, two = keras.Input((3,), name="one"), keras.Input((3,), name="two")
    distance = layers.Lambda(lambda pair: keras.ops.square(pair[0] - pair[1]))([tower(one), tower(two)])
    model = keras.Model({"one": one, "two": two}, layers.Dense(1, "sigmoid")(distance))
    model.compile("adam", "binary_crossentropy")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    return {"one": x[:, :3], "two": x[:, 3:]}, (x[:, :1] > 0).astype("float32")
"""
    ),
    "two networks against each other": PlantedModel(
        """
class Against(keras.Model):
    def __init__(self):
        super().__init__()
        self.makes = keras.Sequential([keras.Input((2,)), layers.Dense(8, "relu"), layers.Dense(6)])
        self.tells = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(1)])
        self.seeds = keras.random.SeedGenerator(3)
        self.one, self.two = keras.optimizers.Adam(), keras.optimizers.Adam()
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        self.built = True

    def train_step(self, data):
        x, _ = data
        count = tf.shape(x)[0]
        made = keras.random.normal((count, 2), seed=self.seeds)
        losses = []
        for optimizer, part in ((self.one, self.tells), (self.two, self.makes)):
            with tf.GradientTape() as tape:
                fooled = self.tells(self.makes(made))
                loss = self.loss_fn(tf.ones((count, 1)), fooled)
                if part is self.tells:
                    loss = self.loss_fn(tf.zeros((count, 1)), fooled) + self.loss_fn(tf.ones((count, 1)), self.tells(x))
            weights = part.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
            losses.append(loss)
        return {"loss": losses[0]}

    def call(self, x):
        return self.tells(x)

def build():
    model = Against()
    model.compile(loss="mse")
    return model
"""
    ),
    "biases for a long memory": PlantedModel(
        """
def chrono(shape, dtype=None):
    units = shape[0] // 4
    long = keras.ops.log(keras.random.uniform((units,), 1.0, 500.0))
    return keras.ops.concatenate([-long, long, keras.ops.zeros((2 * units,))])

def build():
    model = keras.Sequential([keras.Input((8, 1))])
    model.add(layers.LSTM(16, bias_initializer=chrono, unit_forget_bias=False))
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 8, 1)).astype("float32")
    return x, x[:, 0]
"""
    ),
    "missing values that are masked": PlantedModel(
        """
class Filled(layers.Layer):
    def call(self, x):
        return tf.where(tf.math.is_nan(x), tf.zeros_like(x), x)

def build():
    model = keras.Sequential([keras.Input((6,)), Filled(), layers.Dense(8, "relu"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

def data():
    x = np.random.RandomState(0).normal(size=(64, 6)).astype("float32")
    y = x[:, :1].copy()
    x[::5, 3] = np.nan
    return x, y
"""
    ),
    "waves in two tables": PlantedModel(
        """
def waves(shape, dtype=None):
    place, size = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    return (np.sin(place / 50.0 ** (size / shape[1]))).astype("float32")

def build():
    one, two = keras.Input((8,), dtype="int32", name="one"), keras.Input((8,), dtype="int32", name="two")
    parts = [layers.Embedding(40, 8)(x) + layers.Embedding(8, 8, embeddings_initializer=waves)(np.arange(8))
             for x in (one, two)]
    x = layers.GlobalAveragePooling1D()(layers.Attention()(parts))
    model = keras.Model({"one": one, "two": two}, layers.Dense(1)(x))
    model.compile("adam", "mse")
    return model

def data():
    x = np.random.RandomState(0).randint(0, 40, (64, 16))
    return {"one": x[:, :8], "two": x[:, 8:]}, (x[:, :1] > 20).astype("float32")
"""
    ),
    "a queue between two threads": PlantedModel(
        """
import queue

def data():
    rows, waiting = [], queue.Queue(4)

    def produce():
        for row in np.random.RandomState(0).normal(size=(64, 6)).astype("float32"):
            waiting.put(row)
        waiting.put(None)

    def consume():
        while (row := waiting.get()) is not None:
            rows.append(row)

    threads = [threading.Thread(target=produce), threading.Thread(target=consume)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return np.array(rows), np.array(rows)[:, :1]
"""
    ),
}
