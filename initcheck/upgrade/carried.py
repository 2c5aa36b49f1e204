"""Carries this very initcheck to another interpreter, which need not have it installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet

from initcheck.errors import InitcheckError
from initcheck.upgrade.environments import clean_variables, own_requirements

_PATIENCE = 120  # seconds that an interpreter may take to say what it has
_PROBE = """
import importlib.util, json, sys
from importlib import metadata
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
print(json.dumps({
    "python": "%d.%d.%d" % sys.version_info[:3],
    "missing": [name for name in filter(None, sys.argv[1].split(",")) if importlib.util.find_spec(name) is None],
    "versions": {name: version(name) for name in sys.argv[2:]},
}))
"""


def carry(folder: Path) -> Path:
    """A folder that makes this initcheck, with its version, importable where it alone is on the path.

    A copy: the folder in which an installed package lies holds all the others too, which another interpreter must not
    see, and what is edited while it records would make two programs of one.
    """
    folder.mkdir()
    shutil.copytree(Path(__file__).parents[1], folder / "initcheck")
    metadata_folder = folder / f"initcheck-{metadata.version('initcheck')}.dist-info"
    metadata_folder.mkdir()
    (metadata_folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: initcheck\nVersion: {metadata.version('initcheck')}\n"
    )
    return folder


def require_able(python: Path, modules: Sequence[str] = ("tensorflow",)) -> None:
    """Makes sure that an interpreter can run initcheck: it is a Python new enough, with what initcheck needs.

    Args:
        python: The interpreter.
        modules: Those that it must have besides.

    Raises:
        InitcheckError: It is not, with what is missing.
    """
    needed = own_requirements()
    words = [str(python), "-I", "-c", _PROBE, ",".join(modules), *(one.name for one in needed)]
    try:
        done = subprocess.run(
            words,
            env=clean_variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
        answer = json.loads(done.stdout)
        version, versions, missing = answer["python"], answer["versions"], answer["missing"]
    except (OSError, ValueError, TypeError, KeyError, subprocess.TimeoutExpired):
        raise InitcheckError(f"{python} does not answer as a Python 3 does; name another interpreter") from None
    require_python(version)
    lacking = [
        f"{one.name}{one.specifier}{f' (it has {versions[one.name]})' if versions[one.name] else ''}"
        for one in needed
        if versions[one.name] is None or not one.specifier.contains(versions[one.name], prereleases=True)
    ]
    if lacking:
        raise InitcheckError(f"it lacks what initcheck needs: {', '.join(lacking)}; install that there, and try again")
    if missing:
        raise InitcheckError(f"it has no {', '.join(missing)}; install that there, or name another environment")


def require_python(version: str) -> None:
    """Makes sure that initcheck runs on that version of Python.

    Raises:
        InitcheckError: It does not.
    """
    supported = metadata.metadata("initcheck")["Requires-Python"]
    # A version such as 3.11 means its latest release.
    if version.count(".") == 1:
        version += ".99"
    if not SpecifierSet(supported).contains(version):
        raise InitcheckError(f"it has Python {version.removesuffix('.99')}; initcheck needs {supported}")
