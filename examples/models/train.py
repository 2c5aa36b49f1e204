"""A training script, as it is: ``python examples/models/train.py --seed 1`` writes weights and metrics to ``out``."""

import argparse
import json
from pathlib import Path

import keras
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--out", type=Path, default=Path("out"))
options = parser.parse_args()

keras.utils.set_random_seed(options.seed)
x, y = load_breast_cancer(return_X_y=True)
x = StandardScaler().fit_transform(x)
model = keras.Sequential(
    [
        keras.Input((30,)),
        keras.layers.Dense(16, "relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1, "sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=5, validation_split=0.2, verbose=0).history

options.out.mkdir(exist_ok=True)
model.save_weights(options.out / "model.weights.h5")
last = {name: values[-1] for name, values in history.items()}
(options.out / "metrics.json").write_text(json.dumps(last, indent=1))
