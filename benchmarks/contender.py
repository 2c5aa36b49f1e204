"""Times one contender in this process: ``python -m benchmarks.contender NAME MODEL RESEEDS`` prints JSON.

That is the seconds of each call by the clock and by the processors, and the most memory that the process has held, in
bytes.
"""

from __future__ import annotations

import importlib
import itertools
import json
import resource
import sys
import time

from benchmarks.__main__ import MODULES, REPEATS

name, model, reseeds = sys.argv[1:]
contender = importlib.import_module(MODULES[name]).CONTENDERS[name]
seconds, processors, before = [], [], time.process_time()
for taken in itertools.islice(contender(model, int(reseeds)), 1 + REPEATS):
    seconds.append(taken)
    processors.append((now := time.process_time()) - before)
    before = now
peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "processors": processors, "peak": peak}))  # noqa: T201 - its output
