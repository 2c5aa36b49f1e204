"""A training script, as it is: ``python examples/models/train.py --seed 1 --out DIR`` writes weights and metrics."""

import argparse
import json
from pathlib import Path

import keras
from regression import build, data

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--out", type=Path, default=Path("out"))
options = parser.parse_args()
keras.utils.set_random_seed(options.seed)
x, y = data()
model = build()
history = model.fit(x, y, epochs=5, validation_split=0.2, verbose=0).history
options.out.mkdir(exist_ok=True)
model.save_weights(options.out / "model.weights.h5")
(options.out / "metrics.json").write_text(json.dumps({name: values[-1] for name, values in history.items()}))
