"""Where an exception in a check comes from: the framework and the user's own code, or initcheck itself."""

from __future__ import annotations

import re
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, TracebackType

import numpy as np
import scipy

_OWN_FOLDERS = (Path(__file__).parents[1], Path(np.__file__).parent, Path(scipy.__file__).parent)
_STDLIB = Path(sysconfig.get_path("stdlib"))
_PACKAGE_FOLDERS = {"site-packages", "dist-packages"}  # within the standard library's
_OWN_PACKAGES = ("initcheck", "numpy", "scipy")
_FRAMEWORKS = ("keras", "tf_keras", "tensorflow", "jax", "jaxlib", "torch", "flax")
_OPTIONAL = ("torchvision",)  # by which Keras before 3.9 resizes images on torch
_MISMATCH = re.compile(r"([\w.]+)\(\) (?:got an unexpected|got multiple|got some positional|missing|takes) ")


def is_the_frameworks(error: BaseException) -> bool:
    """Whether the exception passed through code outside of initcheck, or is about what the framework lacks.

    What it lacks, or no longer accepts, is raised in the frame that asks for it, which is initcheck's own.
    """
    return _outside_frames(error) is not None or _lacks(error) or _rejects(error)


def missing_package(error: BaseException) -> str:
    """The optional package that the framework asks for by that exception and that is not installed; empty if none."""
    text = str(error) if isinstance(error, ImportError) else ""
    return next((name for name in _OPTIONAL if name in text and find_spec(name) is None), "")


def from_outside(error: BaseException) -> BaseException:
    """The exception with the trace of the code that raised it, the user's or the framework's, without our own frames.

    An exception raised by initcheck itself keeps its full traceback, which helps there.
    """
    trace = _outside_frames(error)
    return error if trace is None else error.with_traceback(trace)


def _lacks(error: BaseException) -> bool:
    """Whether the framework lacks a name."""
    if isinstance(error, AttributeError):
        kind = error.obj if isinstance(error.obj, type | ModuleType) else type(error.obj)
        module = kind.__name__ if isinstance(kind, ModuleType) else kind.__module__
    else:
        module = (error.name or "") if isinstance(error, ImportError) else ""
    return module.split(".")[0] in _FRAMEWORKS


def _rejects(error: BaseException) -> bool:
    """Whether a function of the framework does not accept some arguments, and none of another package has its name."""
    called = _MISMATCH.match(str(error)) if isinstance(error, TypeError) else None
    return called is not None and _defines(_FRAMEWORKS, called[1]) and not _defines(_OWN_PACKAGES, called[1])


def _defines(packages: tuple[str, ...], name: str) -> bool:
    """Whether those packages define a function of that qualified name, as far as they are loaded."""
    return any(
        _package_of(function) in packages
        for path, module in [*sys.modules.items()]
        if path.split(".")[0] in packages and callable(function := _reach(module, name))
    )


def _reach(module: ModuleType, name: str) -> object:
    value: object = module
    for part in name.split("."):
        value = vars(value).get(part) if isinstance(value, type | ModuleType) else None
    return value


def _package_of(function: object) -> str:
    return str(getattr(function, "__module__", None)).split(".")[0]


def _outside_frames(error: BaseException) -> TracebackType | None:
    """The traceback from the first frame outside of initcheck and the libraries that it computes with."""
    trace = error.__traceback__
    while trace is not None and _is_own(Path(trace.tb_frame.f_code.co_filename)):
        trace = trace.tb_next
    return trace


def _is_own(file: Path) -> bool:
    if file.name == "<__array_function__ internals>":  # before NumPy 1.25
        return True
    in_stdlib = file.is_relative_to(_STDLIB) and not _PACKAGE_FOLDERS & set(file.parts)
    return in_stdlib or any(file.is_relative_to(package) for package in _OWN_FOLDERS)
