"""Throwaway environments, built by uv from what a resolver chose, and kept between calls."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from initcheck.children import leashed
from initcheck.errors import InitcheckError
from initcheck.files import scratch_folder
from initcheck.upgrade.requirements import Requirements

# What a caller's shell may hold, and what would make another environment of the one that is meant.
_LEAKS = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONUSERBASE", "__PYVENV_LAUNCHER__"),
    *("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_QUIET"),
)
_NOT_FOR_RECORDING = {"jinja2", "matplotlib", "pandas"}  # a test holds this
_TENSORFLOW = re.compile(r"(\w+[-_.])*(tensorflow|tf[-_.]nightly)\b", re.IGNORECASE)
# By these a user says where torch comes from; without them it is the build without CUDA, which is smaller by gigabytes.
_WHERE_FROM = {
    *("UV_TORCH_BACKEND", "UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"),
    "UV_CONFIG_FILE",
}
_MOST_REASON = 700  # characters of uv's message


@dataclass(frozen=True)
class Resolved:
    """The packages that a resolver chose.

    Attributes:
        pins: A requirements file with every package and its version.
        python: A version, or an interpreter, as uv takes it.
    """

    pins: str
    python: str

    @property
    def key(self) -> str:
        """Names these packages on this Python."""
        return hashlib.blake2b(json.dumps([self.pins, self.python]).encode(), digest_size=10).hexdigest()


def clean_variables() -> dict[str, str]:
    """This process's environment variables, but for those that would lead another interpreter astray."""
    return {name: value for name, value in os.environ.items() if name not in _LEAKS}


def own_requirements() -> list[Requirement]:
    """The requirements of initcheck itself for recording."""
    needed = [Requirement(line) for line in metadata.requires("initcheck") or ()]
    return [
        one
        for one in needed
        if one.name not in _NOT_FOR_RECORDING and (one.marker is None or one.marker.evaluate({"extra": ""}))
    ]


def extra_requirements(extra: str) -> list[str]:
    """The requirements of that extra of initcheck."""
    needed = [Requirement(line) for line in metadata.requires("initcheck") or ()]
    return [
        f"{one.name}{one.specifier}"
        for one in needed
        if one.marker and one.marker.evaluate({"extra": extra}) and not one.marker.evaluate({"extra": ""})
    ]


def resolve(wanted: Requirements, python: str | None) -> Resolved:
    """Every package that an environment with those requirements gets, initcheck's own needs among them.

    Args:
        wanted: The source that the user asked for.
        python: A version such as 3.11; this interpreter's by default.

    Raises:
        InitcheckError: They cannot be had together, with the resolver's reason.
    """
    interpreter = python or sys.executable
    with tempfile.TemporaryDirectory() as folder:
        asked, pins = Path(folder, "asked.in"), Path(folder, "pins.txt")
        asked.write_text("".join(f"{line}\n" for line in [*wanted.asked, *map(str, own_requirements())]))
        words = ["--no-header", "--no-annotate", "--emit-index-url", "--emit-find-links", "--output-file", str(pins)]
        _run(["pip", "compile", *words, "--python", interpreter, str(asked), *map(str, wanted.files)])
        return Resolved(pins.read_text(), interpreter)


def require_tensorflow(resolved: Resolved) -> None:
    """Makes sure, before anything is installed, that TensorFlow is among what the resolver chose.

    Raises:
        InitcheckError: It is not, under whatever name; what is installed from a path or an address may be one.
    """
    lines = [line for line in resolved.pins.splitlines() if line and line[0].isalnum()]
    unnamed = [line for line in resolved.pins.splitlines() if " @ " in line or line.startswith(("-e", ".", "/"))]
    if not unnamed and not any(_TENSORFLOW.match(line) for line in lines):
        raise InitcheckError("it has no TensorFlow; add one, for example --with 'tensorflow==2.21.0'")


def build(resolved: Resolved, *, refresh: bool = False) -> Path:
    """The interpreter of an environment with exactly those packages: one kept from an earlier call, or a new one.

    It is built beside its place and moved there when it is complete, so that one killed half-way is never used.

    Args:
        resolved: The packages of the environment.
        refresh: Whether to build it anew, as after a change of local files that are named in it.

    Raises:
        InitcheckError: It cannot be built, with uv's reason.
    """
    place = _made(environments_folder())
    kept = place / resolved.key
    if not refresh and python_of(kept).exists():
        return python_of(kept)
    with scratch_folder(place, ".partial-") as partial:
        pins, built = partial / "pins.txt", partial / "environment"
        pins.write_text(resolved.pins)
        _run(["venv", "--relocatable", "--python", resolved.python, str(built)])
        # Importing TensorFlow without bytecode takes 20 s instead of 7.
        _run(["pip", "sync", "--compile-bytecode", "--python", str(python_of(built)), str(pins)])
        shutil.rmtree(kept, ignore_errors=True)
        try:
            built.rename(kept)
        except OSError:  # another process has built the same one meanwhile
            if not python_of(kept).exists():
                raise
    return python_of(kept)


def _made(place: Path) -> Path:
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError as error:
        raise InitcheckError(
            f"the folder for environments, {place}, cannot be written ({error.strerror or error}); set XDG_CACHE_HOME "
            "to a folder that can"
        ) from None


def environments_folder() -> Path:
    """The folder of kept environments; everything in it may be deleted."""
    import platformdirs

    return platformdirs.user_cache_path("initcheck") / "environments"


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(words: Sequence[str]) -> None:
    from uv import find_uv_bin

    command = [find_uv_bin(), *words, "--quiet", "--no-progress", "--color", "never"]
    variables = clean_variables()
    if not variables.keys() & _WHERE_FROM:
        variables["UV_TORCH_BACKEND"] = "cpu"
    done = subprocess.run(
        leashed(command),
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        errors="replace",
    )
    if done.returncode:
        raise InitcheckError(_reason(done.stderr) or f"uv ended with exit code {done.returncode}")


def _reason(message: str) -> str:
    """The error message of uv on one line, without its warnings."""
    lines = message[message.find("error:") :].splitlines() if "error:" in message else message.splitlines()
    words = [line.strip().removeprefix("error: ").removeprefix("cause: ") for line in lines]
    text = "; ".join(word.removesuffix(".") for word in words if word)
    return text if len(text) <= _MOST_REASON else f"{text[:_MOST_REASON]}…"
