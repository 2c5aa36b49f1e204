"""Times one contender in this process: ``python -m benchmarks.contender NAME MODEL RESEEDS`` prints JSON.

That is the seconds of each call, and the most memory that the process has held, in bytes.
"""

from __future__ import annotations

import importlib
import itertools
import json
import resource
import sys

from benchmarks.__main__ import MODULES, REPEATS

name, model, reseeds = sys.argv[1:]
contender = importlib.import_module(MODULES[name]).CONTENDERS[name]
seconds = list(itertools.islice(contender(model, int(reseeds)), 1 + REPEATS))
peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "peak": peak}))  # noqa: T201 - its output
