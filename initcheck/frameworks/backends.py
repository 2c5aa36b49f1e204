"""Loads what is under test in this process where it is not Keras on TensorFlow: another backend, or a library."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from initcheck.errors import FrameworkError
from initcheck.frameworks.keras import import_framework, load_keras, require_package, require_supported, threads
from initcheck.installed import is_within, version_of
from initcheck.targets import BACKENDS, LIBRARIES, backend_of, modules_of, target

# Where JAX keeps the sources of programs, in every release that was tried; a test asks the installed one.
_SOURCES = (("jax._src.pjit", "_pjit_lower"), ("jax._src.interpreters.pxla", "_cached_lowering_to_hlo"))
_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def load_target_keras() -> Any:
    """Keras on the backend that is this process's target, with one thread where the backend lets us choose.

    Raises:
        FrameworkError: As of ``load_keras``; or the target is a library.
    """
    backend = backend_of(target())
    if backend == "tensorflow":
        return load_keras()
    if not backend:
        raise FrameworkError(f"the target is {target()}, which has no Keras; choose one of Keras's")
    return _load_on(backend)


@functools.cache
def _load_on(backend: str) -> Any:
    require_supported()
    require_package("keras", "keras")
    if not is_within("keras", ">=3"):
        raise FrameworkError(f"keras {version_of('keras')} runs on TensorFlow alone; install keras>=3 for {target()}")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
    load_library(backend)
    keras = import_framework("keras")
    running = keras.backend.backend()
    if running != backend:
        raise FrameworkError(f"Keras runs on {running} already, and the target is {target()}; start a process for it")
    return keras


def require_target() -> None:
    """Makes sure that what the target needs is installed, without loading it.

    Raises:
        FrameworkError: A package is missing.
    """
    for module in modules_of(target()):
        require_package(module, module.replace("_", "-"))


def load_target() -> None:
    """Loads what the target needs, so that it fails before anything is judged.

    Raises:
        FrameworkError: It is missing, too old, or does not import.
    """
    name = target()
    require_target()
    if backend_of(name):
        load_target_keras()
    elif name in LIBRARIES:
        load_library(name)


def load_library(package: str) -> Any:
    """JAX or torch, or a library on top of them, loaded with one thread.

    Compiled programs of JAX are kept in the user's cache, since each new shape takes a second of compilation.

    Raises:
        FrameworkError: It is missing or does not import, or a variable asks for no number of threads.
    """
    within, _ = threads()
    require_package(package, package)
    if package == "torch":
        torch = import_framework("torch")
        torch.set_num_threads(within or os.cpu_count() or 1)
        return torch
    if "jax" not in sys.modules and within == 1 and _ONE_THREAD not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_ONE_THREAD}".strip()
    jax = import_framework("jax")
    if not jax.config.jax_compilation_cache_dir:
        jax.config.update("jax_compilation_cache_dir", str(_cache_folder() / "jax"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return jax if package == "jax" else import_framework(package)


def forget_sources() -> None:
    """Frees the sources of the programs that JAX has compiled in this thread; the programs stay.

    JAX keeps those of the last 2,048, each with an MLIR context of a megabyte, and the more of these there are, the
    longer another one takes. ``jax.clear_caches`` drops the programs, too.
    """
    for module, name in _SOURCES:
        kept: Any = getattr(sys.modules.get(module), name, None)
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()


def installed_backends() -> tuple[str, ...]:
    """The backends that the installed Keras could run on: TensorFlow alone before Keras 3."""
    able = BACKENDS if is_within("keras", ">=3") else ("tensorflow",)
    return tuple(name for name in able if importlib.util.find_spec(name) is not None)


def has_doubles(name: str) -> bool:
    """Whether Keras on that backend has double precision: JAX only where ``JAX_ENABLE_X64`` says so."""
    return backend_of(name) != "jax" or bool(load_library("jax").config.jax_enable_x64)


def computes_in_doubles(keras: Any) -> bool:
    """Whether Keras computes in double precision where it is asked to: its operations do on TensorFlow alone so far.

    On JAX and torch they promote two tensors of float64 to float32: <https://github.com/keras-team/keras/issues/23704>.
    """
    if backend_of(target()) == "tensorflow":
        return True
    return bool(keras.backend.result_type("float64", "float64") == "float64")


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "initcheck"
