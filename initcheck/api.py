"""The functions that a script or a notebook calls."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from initcheck.arguments import described, path_of
from initcheck.catalog.initializers import LECTURE_INITIALIZERS, as_row
from initcheck.catalog.own_problems import DEFAULT_INITIALIZERS, OwnProblem
from initcheck.catalog.problems import Problem
from initcheck.cluster.pools import pool_of
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


def sweep(  # noqa: C901 - one guard after another
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
    if initializers is None:
        initializers = DEFAULT_INITIALIZERS if isinstance(chosen, OwnProblem) else LECTURE_INITIALIZERS
    several = isinstance(initializers, Iterable) and not isinstance(initializers, str)
    asked = list(initializers) if several else [initializers]
    rows = find_initializers(asked)
    if not rows:
        raise InitcheckError("no initializer is named; name one at least, or all")
    inits, orders = grid(vary, reseeds)
    share = None if shard is None else Share.read(shard)
    if share is not None and store is None:
        raise InitcheckError("shard needs a store, in which the shares come together; give store, too")
    if cluster is not None and executor is not None:
        raise InitcheckError("cluster and executor are both given; give one of them")
    elsewhere = cluster is not None or executor is not None
    if store_format not in (None, *(form.value for form in PartFormat)):
        raise InitcheckError(f"store_format is {described(store_format)}; give 'jsonl' or 'parquet'")
    if store_format is not None and store is None:
        raise InitcheckError("store_format needs a store; give store, too")
    form = None if store_format is None else PartFormat(store_format)
    kept = None if store is None else Store.open(path_of("store", store), form)
    require_memory_for_runs(
        reseeds=len(inits) * len(orders),
        epochs=epochs or chosen.epochs,
        cells=len({row.name for row in rows}),
        filed=store is not None,
    )

    from initcheck.engines.stored import answers_of, resume
    from initcheck.engines.sweep import start_sweep
    from initcheck.frameworks.environment import environment  # loads the framework: after all that can fail without it

    where = environment()
    started = start_sweep(chosen, rows, reseeds=inits, orders=orders, seed=seed, epochs=epochs, engine=engine)
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
        len(rows) * len(inits) * len(orders),
        trained=started.trained,
    )
    finished, found, answers = started.runs, None, None
    ending = contextlib.ExitStack()
    if kept is None and elsewhere:
        kept = Store.open(Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="initcheck-store-"))))
    if kept is not None:
        answers = answers_of(kept, started.piecewise, seed=seed, environment=where)
        note_ask(answers, whole, started.rows, orders=orders, reseeds=inits)
        whole_orders, whole_inits = orders, inits
        orders, inits = (orders, inits) if share is None else share.cut(orders, inits)
        train = None
        if elsewhere:
            pool = ending.enter_context(pool_of(cluster, executor))
            settings: dict[str, Any] = {"problem": chosen, "initializers": rows, "seed": seed, "epochs": epochs}
            settings |= {"reseeds": whole_inits, "orders": whole_orders, "engine": engine}
            sent = sent_sweep(answers.question, where, settings)
            total = -(-len(rows) * len(orders) * len(inits) // started.piecewise.least)
            train = Scattering(sent, started.rows, pool, total, block_limit).train
        found = resume(answers, started.piecewise, started.rows, orders=orders, reseeds=inits, train=train)
        finished = found.runs()
    planned = len(rows) * len(inits) * len(orders)
    filed = store is not None and 32 * planned * (epochs or chosen.epochs) > MOST_IN_MEMORY  # four float64 an epoch
    parts: list[Runs] = []
    count, stopped = 0, ""
    try:
        with unlogged(), ending:
            if found is not None:
                ending.callback(found.close)
            for runs in finished:
                count += len(runs)
                if not filed:
                    parts.append(runs)
                had = on_found if found is not None and not found.begun else None
                if report := had or on_runs:
                    report(runs)
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
    if stopped:
        warnings.warn(f"{stopped}: {count} of {planned} runs are kept", stacklevel=2)
    if found is not None:
        for name in found.damaged:
            warnings.warn(f"{store}: {name} was damaged; its runs were trained again", stacklevel=2)
        parts = list(in_order(parts, [row.name for row in rows]))
        if filed and answers is not None:
            keys = tuple(initializer_key(row) for row in started.rows)
            parts = list(read_grid(answers, CellGrid(keys, orders, inits)))
        if answers is not None and started.words() != whole.engine:
            note_ask(answers, replace(whole, engine=started.words()), started.rows, orders=orders, reseeds=inits)
    return replace(
        whole,
        groups=group_runs(parts) if found is None else tuple(parts),
        engine=started.words(),
        planned=planned,
        stopped=stopped,
        found=found.found if found is not None else 0,
    )
