"""One lookup of what is installed: which version of a package is imported, and which distribution gave it.

TensorFlow is installed as ``tensorflow``, ``tensorflow-cpu``, ``tf-nightly`` and under other names, and always imported
as ``tensorflow``.
"""

from __future__ import annotations

import functools
import sys
from importlib import metadata

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

# Where a distribution and the package in it have different names.
_IMPORTED_AS = {"ml-dtypes": "ml_dtypes", "scikit-learn": "sklearn"}
_UNKNOWN = "unknown"


def version_of(name: str) -> str | None:
    """The version of the imported package; of its distribution where it is not imported yet, and None without one.

    Args:
        name: As pip calls the package that everybody means: ``tensorflow``, ``scikit-learn``.
    """
    module = sys.modules.get(_IMPORTED_AS.get(name, name))
    imported = getattr(module, "__version__", None)
    if isinstance(imported, str):
        return imported
    distribution = _distribution(name, None)
    if distribution is None:
        return None if module is None else _UNKNOWN
    return metadata.version(distribution)


def distribution_of(name: str) -> str | None:
    """The name of the distribution that gives the package: ``tensorflow-cpu``; None where it is not installed as one.

    Args:
        name: As in ``version_of``.
    """
    module = sys.modules.get(_IMPORTED_AS.get(name, name))
    return _distribution(name, getattr(module, "__version__", None))


@functools.cache
def _distribution(name: str, version: str | None) -> str | None:
    """The distribution of that name; another one with the package in it where there is none, or its version differs."""
    try:
        own = metadata.version(name)
    except metadata.PackageNotFoundError:
        own = None
    if own is not None and (version is None or _same(own, version)):
        return name
    others = metadata.packages_distributions().get(_IMPORTED_AS.get(name, name), [])
    names = [str(canonicalize_name(one)) for one in others]
    fitting = [one for one in names if version is None or _same(metadata.version(one), version)]
    return next(iter([*fitting, *names]), None if own is None else name)


def is_within(name: str, allowed: str) -> bool:
    """Whether the package is installed in one of those versions.

    Args:
        name: As in ``version_of``.
        allowed: As pip writes it: ``>=3.0,<3.6``; pre-releases count.
    """
    try:
        version = Version(version_of(name) or "")
    except InvalidVersion:
        return False
    return SpecifierSet(allowed).contains(version, prereleases=True)


def _same(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
