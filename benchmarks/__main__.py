"""Measures every contender in a process of its own, one after another, and prints them side by side.

``python -m benchmarks [--out FILE.json] [--quick]``; needs the extra ``bench``, and ``cc`` with OpenMP for the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.work import MODELS, table

HERE = Path(__file__).parent
MODULES = {
    "notebook": "benchmarks.keras_contenders",
    "reused": "benchmarks.keras_contenders",
    "ensemble": "benchmarks.keras_contenders",
    "jax.vmap": "benchmarks.jax_contender",
}
SIZES = {"notebook": [3], "reused": [5], "jax.vmap": [10_000], "ensemble": [100, 1_000, 10_000, 100_000]}
REPEATS = 3
PROCESSES = {
    "initcheck run, 1,000 reseeds of all initializers": [
        "-m", "initcheck", "run", "--reseeds", "1000", "--initializers", "all", "--out", "{tmp}",
    ],
    "pytest -n auto": ["-m", "pytest", "-q", "-n", "auto"],
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One contender's figures: the best of the repeats, and what the first call took beyond it (compilation)."""

    contender: str
    model: str
    reseeds: int
    models_per_second: float
    first_call_extra: float


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    parser.add_argument("--quick", action="store_true", help="no 100,000 reseeds, no whole processes")
    chosen = parser.parse_args()
    console = Console()
    console.print(machine())
    found = []
    for model in MODELS:
        for contender, sizes in SIZES.items():
            for reseeds in sizes:
                if not (chosen.quick and reseeds == max(SIZES["ensemble"])):
                    found.append(measure(contender, model, reseeds))
        found.append(limit(model))
        console.print(show([one for one in found if one.model == model], model))
    waits = {} if chosen.quick else {name: wait(words) for name, words in PROCESSES.items()}
    for name, seconds in waits.items():
        console.print(f"{name}: {seconds:.1f} s")
    if chosen.out:
        figures = {"machine": machine(), "training": [asdict(one) for one in found], "processes": waits}
        chosen.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    """What the figures are of."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
    return f"{names[0] if names else platform.processor()} × {os.cpu_count()}, Python {platform.python_version()}"


def measure(contender: str, model: str, reseeds: int) -> Measured:
    """A contender in a fresh process: the first call, then the best of three."""
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.contender", contender, model, str(reseeds)],
        capture_output=True, text=True, check=True, cwd=HERE.parent,
    )  # fmt: skip
    first, *rest = json.loads(finished.stdout.splitlines()[-1])
    return Measured(contender, model, reseeds, reseeds / min(rest), first - min(rest))


def limit(model: str, reseeds: int = 100_000) -> Measured:
    """The compiled C loop, built for this processor."""
    compiler = shutil.which("cc") or "cc"
    rows = table()
    with tempfile.TemporaryDirectory() as folder:
        program, data = Path(folder, "limit"), Path(folder, "table")
        flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp"]
        subprocess.run([compiler, *flags, str(HERE / "limit.c"), "-o", str(program), "-lm"], check=True)
        data.write_bytes(rows.x.tobytes() + rows.y.tobytes() + rows.order.tobytes())
        words = [str(program), str(MODELS[model]), str(reseeds), str(data)]
        runs = [subprocess.run(words, capture_output=True, text=True, check=True) for _ in range(REPEATS)]
    return Measured("C, OpenMP", model, reseeds, reseeds / min(float(run.stdout.split()[0]) for run in runs), 0.0)


def wait(words: list[str]) -> float:
    """How long a user waits for a whole process, caches warm: the second of two."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *(word.format(tmp=folder) for word in words)]
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True, cwd=HERE.parent)
    return time.perf_counter() - start


def show(found: list[Measured], model: str) -> Table:
    """The figures of one model, each as a ratio to the notebook's loop, to jax.vmap and to the limit."""
    rates = {(one.contender, one.reseeds): one.models_per_second for one in found}
    base = [
        rates["notebook", 3],
        rates["jax.vmap", 10_000],
        next(r for (name, _), r in rates.items() if name == "C, OpenMP"),
    ]
    shown = Table("contender", "reseeds", "models/s", "× notebook", "× jax.vmap", "× limit", "first call", title=model)
    for one in found:
        ratios = [f"{one.models_per_second / rate:,.3g}" for rate in base]
        shown.add_row(
            one.contender,
            f"{one.reseeds:,}",
            f"{one.models_per_second:,.3g}",
            *ratios,
            f"+{one.first_call_extra:.1f} s",
        )
    return shown


if __name__ == "__main__":
    main()
