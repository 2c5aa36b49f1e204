"""Processes that have the framework when they start: on Linux, forks of one that has loaded it and not used it."""

from __future__ import annotations

import multiprocessing
import signal
import sys

if sys.platform == "linux":
    PROCESSES = multiprocessing.get_context("forkserver")
else:  # a fork of a process that has loaded the system's libraries may not start threads
    PROCESSES = multiprocessing.get_context("spawn")


def begin_loading(*modules: str) -> None:
    """Lets the process that is forked begin to load the framework, and does not wait for it; nothing elsewhere.

    A program that has a server of forks of its own keeps that; its forks load the framework when they need it.

    Args:
        modules: What it is to import besides.
    """
    if PROCESSES.get_start_method() != "forkserver":
        return
    from multiprocessing import forkserver, resource_tracker

    PROCESSES.set_forkserver_preload(["initcheck.frameworks.preload", *modules])
    resource_tracker.ensure_running()  # which would undo what follows
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # Ctrl-C is for this process alone
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
