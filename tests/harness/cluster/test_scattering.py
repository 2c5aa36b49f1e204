"""Sweeps that other processes train: the same bytes, and one line for what goes wrong."""

import dataclasses
import pickle
import sys
import threading
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from runs import ENVIRONMENT
from stand_in import Trainer, answers_in, resumed, scattered, start_here, text_of, undivided

from initcheck.cluster.dask_pool import DaskPool
from initcheck.cluster.pools import ExecutorPool, pool_of, prepare_pool
from initcheck.cluster.remote_sweeps import require_same
from initcheck.cluster.sent_tasks import SentSweep, SentTask, pickled, work
from initcheck.errors import InitcheckError, UnknownNameError


@pytest.fixture(autouse=True)
def nothing_built(monkeypatch):
    monkeypatch.setattr("initcheck.cluster.sent_tasks._built", {})


def test_threads_of_one_process_give_the_bytes_of_the_undivided_sweep(tmp_path):
    with ThreadPoolExecutor(3) as executor, pool_of(None, executor) as pool:
        assert pool.count() == 3
        sweep = resumed(tmp_path / "store", scattered(pool, tmp_path))
        assert text_of(sweep.runs()) == undivided()
    trainer = Trainer()
    assert text_of(resumed(tmp_path / "store", trainer).runs()) == undivided()
    assert trainer.trained == []


class Inline:
    """An executor that trains at once; the error that ``wrong`` gives for a task in its place."""

    def __init__(self, wrong=lambda _: None):
        self.tasks = []
        self.wrong = wrong

    def submit(self, function, task):
        self.tasks.append(task)
        future: Future[Any] = Future()
        error = self.wrong(task)
        if error is not None:
            future.set_exception(error)
            return future
        try:
            future.set_result(function(task))
        except Exception as failure:  # noqa: BLE001 - whatever the task raises
            future.set_exception(failure)
        return future


def pool_with(executor: Any):
    return ExecutorPool(executor)


class KilledWorker(Exception):
    """As Dask's is called."""


def reseeds_of(task):
    return [reseed for _, members in task.groups for place, reseed in members if place == 1]


def test_tasks_grow_to_the_time_that_they_are_to_take_and_shrink_to_the_end(tmp_path):
    executor = Inline()
    text_of(resumed(tmp_path / "store", scattered(pool_with(executor), tmp_path)).runs())
    sizes = [len(task.groups) for task in executor.tasks]
    assert sum(sizes) == 80
    assert sizes[0] == 1
    assert max(sizes) > 5
    assert sizes[-1] == 1


def test_a_block_that_ends_its_worker_is_named_and_takes_no_other_along(tmp_path):
    executor = Inline(lambda task: KilledWorker("x") if 33 in reseeds_of(task) else None)
    sweep = resumed(tmp_path / "store", scattered(pool_with(executor), tmp_path))
    with pytest.raises(InitcheckError, match=r"the block of he_normal, reseed 33 ended its worker 3 times; all other"):
        list(sweep.runs())
    assert sum(33 in reseeds_of(task) for task in executor.tasks) == 3
    assert sum(len(part.block) for part in answers_in(tmp_path / "store").parts()) == 79
    trainer = Trainer()
    assert text_of(resumed(tmp_path / "store", trainer).runs()) == undivided()
    assert trainer.trained == [("he_normal", 0, 33)]


def test_a_worker_that_ends_now_and_then_costs_its_tasks_alone(tmp_path):
    ended: list[Any] = []

    def wrong(task):
        if len(ended) < 3 and len(task.groups) > 2:
            ended.append(task)
            return KilledWorker("x")
        return None

    executor = Inline(wrong)
    assert text_of(resumed(tmp_path / "store", scattered(pool_with(executor), tmp_path)).runs()) == undivided()
    sent = [group for task in executor.tasks for group in task.groups]
    assert len(sent) == 80 + sum(len(task.groups) for task in ended)


def test_a_broken_executor_is_one_line_and_finished_runs_are_kept(tmp_path):
    executor = Inline(lambda task: BrokenExecutor("x") if 20 in reseeds_of(task) else None)
    with pytest.raises(InitcheckError, match=r"the workers are gone \(BrokenExecutor\); finished runs are kept"):
        list(resumed(tmp_path / "store", scattered(pool_with(executor), tmp_path)).runs())
    assert 0 < sum(len(part.block) for part in answers_in(tmp_path / "store").parts()) < 80


def test_a_task_that_hangs_is_named_where_nobody_can_end_its_worker(tmp_path):
    class Hanging:
        def submit(self, *_):
            return Future()

    sweep = resumed(tmp_path / "store", scattered(pool_with(Hanging()), tmp_path, limit=0.05))
    with pytest.raises(InitcheckError, match=r"the block of zeros, reseed 0 took longer than 0.05 s"):
        list(sweep.runs())


class UncompletedJobError(RuntimeError):
    """As submitit's is called."""


class Jobs:
    """An executor as submitit's: what it gives has a result, and is no future.

    Args:
        lost: Jobs of several groups that end without one.
    """

    def __init__(self, lost):
        self.lost = lost

    def submit(self, function, task):
        def result():
            if self.lost and len(task.groups) > 1:
                self.lost -= 1
                raise UncompletedJobError("x")
            return function(task)

        return SimpleNamespace(result=result, cancel=lambda: None)


@pytest.mark.parametrize("lost", [0, 1])
def test_jobs_that_are_no_futures_are_waited_for_and_may_be_lost(lost, tmp_path):
    jobs = Jobs(lost)
    assert text_of(resumed(tmp_path / "store", scattered(pool_with(jobs), tmp_path)).runs()) == undivided()
    assert jobs.lost == 0


def test_a_mistake_in_a_job_comes_back_as_one_line(tmp_path):
    sweep = resumed(tmp_path / "store", scattered(pool_with(Jobs(0)), tmp_path, mischief=[("mistake", 7, 9)]))
    with pytest.raises(InitcheckError, match=r"process \d+ on .*: the training failed: ValueError: a mistake"):
        list(sweep.runs())


def test_a_job_that_nobody_waits_for_any_more_is_cancelled(tmp_path):
    cancelled, ended = threading.Event(), threading.Event()
    job = SimpleNamespace(result=ended.wait, cancel=cancelled.set)
    pool = pool_with(SimpleNamespace(submit=lambda *_: job))
    assert pool.submit(SentTask(SentSweep(b"", "k", ENVIRONMENT, ()), ())).cancel()
    assert cancelled.is_set()
    ended.set()


def test_a_mistake_in_the_training_comes_back_as_one_line(tmp_path):
    sweep = resumed(tmp_path / "store", scattered(pool_with(Inline()), tmp_path, mischief=[("mistake", 7, 9)]))
    with pytest.raises(InitcheckError, match=r"process \d+ on .*: the training failed: ValueError: a mistake"):
        list(sweep.runs())


def test_an_error_with_arguments_of_its_own_can_be_sent_back(tmp_path):
    sweep = SentSweep(pickle.dumps((start_elsewhere, {"start": 1})), "k", ENVIRONMENT, ())
    with pytest.raises(InitcheckError, match="did you mean iris") as raised:
        work(SentTask(sweep, ()))
    assert type(pickle.loads(pickle.dumps(raised.value))) is InitcheckError


def start_elsewhere(*_, **__):
    raise UnknownNameError("problem", "iriss", ["iris"])


def test_a_worker_that_makes_another_problem_is_refused(tmp_path):
    sweep = SentSweep(pickled((start_here, {"folder": tmp_path})), "other", ENVIRONMENT, ())
    with pytest.raises(InitcheckError, match="makes another problem, model or data of the same names"):
        work(SentTask(sweep, ()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cpu": "another"}, "cpu is another there and a processor × 2 here"),
        ({"versions": {"tensorflow": "2.20.0", "keras": "3.15.1"}}, "tensorflow is 2.20.0 there and 2.21.0 here"),
        ({"threads": (2, 1)}, r"threads is \(2, 1\) there"),
    ],
)
def test_a_worker_of_another_environment_is_refused(changes, words):
    require_same(ENVIRONMENT, dataclasses.replace(ENVIRONMENT), "process 1 on a")
    with pytest.raises(InitcheckError, match=f"process 1 on a has another environment: {words}"):
        require_same(ENVIRONMENT, dataclasses.replace(ENVIRONMENT, **changes), "process 1 on a")


@pytest.mark.parametrize("address", ["local:0", "local", "local:x", "nowhere", ""])
def test_a_cluster_that_is_none_is_refused(address):
    pytest.importorskip("distributed")
    with pytest.raises(InitcheckError, match="give local:N"):
        prepare_pool(address, None)


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InitcheckError, match=r"pip install 'initcheck\[cluster\]'"):
        prepare_pool("local:1", None)


def test_what_is_no_executor_is_refused():
    given: Any = 3
    with pytest.raises(InitcheckError, match="executor is 3"):
        prepare_pool(None, given)


def test_a_scheduler_that_goes_while_it_is_asked_is_no_error_of_its_own():
    def gone():
        raise ConnectionResetError("x")

    client = SimpleNamespace(nthreads=gone, processing=gone)
    pool = DaskPool(client)
    future: Future[Any] = Future()
    pool._keys[future] = SimpleNamespace(key="k")
    assert pool.count() == 1
    assert pool.stop(future)


def test_a_pool_that_closes_waits_for_what_is_fetched_and_fetches_no_more():
    fetching, ended = threading.Event(), threading.Event()

    def gather(some):
        fetching.set()
        ended.wait(60)
        return ["fetched" for _ in some]

    pool = DaskPool(SimpleNamespace(gather=gather))
    early, late = Future[Any](), Future[Any]()
    remote = SimpleNamespace(status="finished")
    pool._keys[early] = remote
    fetch = threading.Thread(target=pool._hand_over, args=(remote, early))
    closing = threading.Thread(target=pool.close)
    fetch.start()
    assert fetching.wait(60)
    closing.start()
    closing.join(0.2)
    assert closing.is_alive()
    ended.set()
    closing.join(60)
    fetch.join(60)
    assert early.result(0) == "fetched"
    pool._keys[late] = remote
    pool._hand_over(remote, late)
    assert not late.done()
