"""The functions that a script or a notebook calls."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from initcheck.arguments import described, path_of
from initcheck.catalog.initializers import LECTURE_INITIALIZERS, Initializer, as_row
from initcheck.catalog.own_problems import DEFAULT_INITIALIZERS, OwnProblem
from initcheck.catalog.problems import Problem
from initcheck.cluster.pools import pool_of, prepare_pool
from initcheck.cluster.remote_sweeps import sent_sweep
from initcheck.cluster.scattering import Scattering
from initcheck.engines.plan import Plan, grid
from initcheck.errors import InitcheckError
from initcheck.frameworks.memory import is_out_of_memory, require_memory_for_runs
from initcheck.frameworks.own import find_any_problem, find_initializers, find_problem
from initcheck.frameworks.quiet import unlogged
from initcheck.records import Runs, group_runs
from initcheck.reporting.results import Sweep
from initcheck.reporting.stored_sweeps import note_ask
from initcheck.seeding import DEFAULT_SEED
from initcheck.store.blocks import CellGrid, Share
from initcheck.store.folder import Store
from initcheck.store.grid_reading import MOST_IN_MEMORY, read_grid
from initcheck.store.part_formats import PartFormat
from initcheck.store.resuming import in_order
from initcheck.store.sweep_questions import initializer_key

DEFAULT_PROBLEM = "iris"
DEFAULT_RESEEDS = 30
INTERRUPTED, MEMORY_RAN_OUT = "interrupted", "memory ran out"


def sweep(
    problem: Problem | OwnProblem | str = DEFAULT_PROBLEM,
    *,
    initializers: Iterable[Any] | None = None,
    reseeds: int = DEFAULT_RESEEDS,
    seed: int = DEFAULT_SEED,
    epochs: int | None = None,
    engine: str = "auto",
    vary: str = "init",
    store: str | Path | None = None,
    store_format: str | None = None,
    shard: str | None = None,
    cluster: str | None = None,
    executor: Executor | None = None,
    block_limit: float | None = None,
    command: str | None = None,
    on_runs: Callable[[Runs], None] | None = None,
    on_found: Callable[[Runs], None] | None = None,
) -> Sweep:
    """Trains one problem under several initializers, each with many seeds, everything else fixed.

    A run's result depends on the problem, the initializer, the number of the reseed and ``seed`` alone: not on what
    else is swept, nor in which order.

    Args:
        problem: A row of the catalogue by name, ``"package.module:attribute"``, a ``Problem``, or your own model as
            ``Problem.of`` takes it.
        initializers: By default the lecture's five; for your own model ``"own"``, under which every weight keeps its
            initializer, ``"glorot_uniform"`` and ``"he_normal"``. Names from the catalogue, ``"all"``,
            ``"package.module:Class"``; or your own: ``Initializer`` rows, classes of Keras initializers, and instances
            of them, whose seed is replaced by each run's.
        reseeds: Runs for each initializer.
        seed: The root seed, from which every stream is derived by name.
        epochs: Passes over the training rows; the problem's own number by default.
        engine: ``"ensemble"`` trains all runs side by side, ``"reference"`` fits them one by one, ``"auto"`` takes
            the ensemble where it supports the problem; their results agree within rounding error.
        vary: What a reseed changes: ``"init"`` the initial weights, ``"order"`` the order of the training rows,
            ``"init,order"`` both, in a grid.
        store: A folder that keeps finished runs. What it has of this question is not trained again, whatever ended the
            process that trained it, and several processes share the work. Other questions, environments and versions
            of initcheck are kept apart in it.
        store_format: ``"jsonl"``, the default of a new store, or ``"parquet"``, which needs the extra ``parquet``.
        shard: ``"i/n"`` trains the i-th of n shares, for as many machines, into its store.
        cluster: ``"local:N"`` trains in N processes of this machine, ``"tcp://host:8786"`` on the Dask cluster with
            that scheduler; extra ``cluster``. A script needs ``if __name__ == "__main__":`` around this call.
        executor: Any other executor of ``concurrent.futures``: of a Dask client, joblib's, submitit's, Python's own.
        block_limit: Seconds after which a worker counts as hanging, its start included; none by default.
        command: The command to show for repeating this.
        on_runs: Called with the runs that are finished, a few or many at a time.
        on_found: Called in its place with those that the store had at the start.

    Returns:
        The sweep. Interrupted (Ctrl-C), or when memory runs out, it holds the runs finished until then, with a warning.

    Raises:
        InitcheckError: An argument that cannot be used, or no framework; the message says how to fix it.
    """
    plan = Plan(reseeds, seed, epochs, engine, vary)
    reseeds, seed, epochs = plan.reseeds, plan.seed, plan.epochs
    chosen = _problem_of(problem, initializers)
    asked, rows = _initializers_of(chosen, initializers)
    all_inits, all_orders = inits, orders = grid(vary, reseeds)
    if shard is not None:
        orders, inits = Share.read(shard).cut(orders, inits)
    kept = _store_of(store, store_format, shard)
    require_memory_for_runs(
        reseeds=len(all_inits) * len(all_orders),
        epochs=epochs or chosen.epochs,
        cells=len({row.name for row in rows}),
        filed=store is not None,
    )
    prepare_pool(cluster, executor)

    from initcheck.engines.stored import answers_of, resume
    from initcheck.engines.sweep import start_sweep
    from initcheck.frameworks.environment import environment  # loads the framework: after all that can fail without it

    where = environment()
    settings: dict[str, Any] = {"reseeds": all_inits, "orders": all_orders, "seed": seed}
    settings |= {"epochs": epochs, "engine": engine}
    started = start_sweep(chosen, rows, **settings)
    shown = "[" + ", ".join(repr(one) if isinstance(one, str) else as_row(one).name for one in asked) + "]"
    named = f"Problem.of(…, name={chosen.name!r})" if isinstance(chosen, OwnProblem) else repr(chosen.name)
    call = (
        f"initcheck.sweep({named}, initializers={shown}, reseeds={reseeds}, seed={seed}, epochs={epochs}, "
        f"engine={engine!r}, vary={vary!r})"
    )
    whole = Sweep(
        started.problem,
        (),
        seed,
        where,
        command or call,
        started.words(),
        len(rows) * len(all_inits) * len(all_orders),
        trained=started.trained,
    )
    answers, found = None, None
    with contextlib.ExitStack() as opened:
        if kept is None and (cluster is not None or executor is not None):
            kept = Store.open(Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="initcheck-store-"))))
        if kept is not None:
            answers = answers_of(kept, started.piecewise, seed=seed, environment=where)
            note_ask(answers, whole, started.rows, orders=all_orders, reseeds=all_inits)
            train = None
            if pool := opened.enter_context(pool_of(cluster, executor)):
                sent = sent_sweep(answers.question, where, {"problem": chosen, "initializers": rows, **settings})
                total = -(-len(rows) * len(orders) * len(inits) // started.piecewise.least)
                train = Scattering(sent, started.rows, pool, total, block_limit).train
            found = resume(answers, started.piecewise, started.rows, orders=orders, reseeds=inits, train=train)
            opened.callback(found.close)
        ending = opened.pop_all()
    planned = len(rows) * len(inits) * len(orders)
    filed = store is not None and 32 * planned * (epochs or chosen.epochs) > MOST_IN_MEMORY  # four float64 an epoch
    parts: list[Runs] = []

    def take(runs: Runs) -> None:
        if not filed:
            parts.append(runs)
        had = on_found if found is not None and not found.begun else None
        if report := had or on_runs:
            report(runs)

    stopped = _take_all(started.runs if found is None else found.runs(), ending, take, planned)
    if found is None or answers is None:
        groups = group_runs(parts)
    else:
        for name in found.damaged:
            warnings.warn(f"{store}: {name} was damaged; its runs were trained again", stacklevel=2)
        whole = replace(whole, engine=started.words())  # which may have changed
        note_ask(answers, whole, started.rows, orders=all_orders, reseeds=all_inits)
        keys = tuple(map(initializer_key, started.rows))
        names = [row.name for row in rows]
        groups = tuple(read_grid(answers, CellGrid(keys, orders, inits))) if filed else in_order(parts, names)
    return replace(
        whole,
        groups=groups,
        engine=started.words(),
        planned=planned,
        stopped=stopped,
        found=found.found if found is not None else 0,
    )


def _problem_of(problem: Any, initializers: Any) -> Problem | OwnProblem:
    """The problem of those arguments.

    Raises:
        InitcheckError: It is none, or several initializers are one text.
    """
    if isinstance(initializers, str) and "," in initializers:
        names = [name.strip() for name in initializers.split(",") if name.strip()]
        raise InitcheckError(f"initializers is one text, {described(initializers)}; give a list of names: {names}")
    if isinstance(problem, str) and ":" not in problem:
        find_problem(problem)  # before anything of the user's own is imported
    chosen = find_any_problem(problem) if isinstance(problem, str) else problem
    if not isinstance(chosen, Problem | OwnProblem):
        raise InitcheckError(
            f"problem is {described(chosen)}; give the name of one, an initcheck.Problem, or Problem.of(build, data)"
        )
    return chosen


def _initializers_of(chosen: Problem | OwnProblem, initializers: Any) -> tuple[list[Any], list[Initializer]]:
    """What was asked for, by default the problem's, and the rows of it.

    Raises:
        InitcheckError: It names none, or one that does not exist.
    """
    if initializers is None:
        initializers = DEFAULT_INITIALIZERS if isinstance(chosen, OwnProblem) else LECTURE_INITIALIZERS
    several = isinstance(initializers, Iterable) and not isinstance(initializers, str)
    asked = list(initializers) if several else [initializers]
    rows = find_initializers(asked)
    if not rows:
        raise InitcheckError("no initializer is named; name one at least, or all")
    return asked, rows


def _store_of(store: str | Path | None, store_format: str | None, shard: str | None) -> Store | None:
    """The store of those arguments.

    Raises:
        InitcheckError: It cannot be used, or what needs one is given without.
    """
    if shard is not None and store is None:
        raise InitcheckError("shard needs a store, in which the shares come together; give store, too")
    if store_format not in (None, *(form.value for form in PartFormat)):
        raise InitcheckError(f"store_format is {described(store_format)}; give 'jsonl' or 'parquet'")
    if store_format is not None and store is None:
        raise InitcheckError("store_format needs a store; give store, too")
    form = None if store_format is None else PartFormat(store_format)
    return None if store is None else Store.open(path_of("store", store), form)


def _take_all(
    finished: Iterator[Runs], ending: contextlib.ExitStack, take: Callable[[Runs], None], planned: int
) -> str:
    """Takes runs as they are finished; returns what stopped that before all were, with a warning.

    Raises:
        InitcheckError: Memory ran out before the first one.
    """
    count = 0
    try:
        with unlogged(), ending:
            for runs in finished:
                count += len(runs)
                take(runs)
    except KeyboardInterrupt:
        if not count:
            raise
        stopped = INTERRUPTED
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        stopped = MEMORY_RAN_OUT
        if not count:
            raise InitcheckError(
                f"memory ran out before the first of {planned:,} runs was finished; free some, or train a smaller model"
            ) from None
    else:
        return ""
    warnings.warn(f"{stopped}: {count} of {planned} runs are kept", stacklevel=3)
    return stopped
