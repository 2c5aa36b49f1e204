"""Times one contender in this process: ``python -m benchmarks.contender NAME MODEL RESEEDS`` prints seconds as JSON."""

from __future__ import annotations

import importlib
import itertools
import json
import sys

from benchmarks.__main__ import MODULES, REPEATS

name, model, reseeds = sys.argv[1:]
contender = importlib.import_module(MODULES[name]).CONTENDERS[name]
print(json.dumps(list(itertools.islice(contender(model, int(reseeds)), 1 + REPEATS))))  # noqa: T201 - its output
