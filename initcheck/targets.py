"""What is under test in this process, by name. One target a process: frameworks do not get along with each other."""

from __future__ import annotations

import os
from types import MappingProxyType

from initcheck.errors import InitcheckError
from initcheck.installed import is_within
from initcheck.keras_settings import configured_backend
from initcheck.texts import for_terminal

VARIABLE = "INITCHECK_TARGET"
# What a check judges: any target, Keras on any backend, Keras on TensorFlow alone, or any library but Keras.
ANY, KERAS, TENSORFLOW, LIBRARY = "any", "keras", "keras:tensorflow", "library"
NAMES_OF_BACKENDS = MappingProxyType({"tensorflow": "TensorFlow", "jax": "JAX", "torch": "torch"})
BACKENDS = tuple(NAMES_OF_BACKENDS)
ALL_BUT_JAX = (TENSORFLOW, "keras:torch")  # of Keras
# Libraries with a description of their own, which lies where a user's own would.
LIBRARIES = MappingProxyType(
    {name: f"initcheck.frameworks.libraries.{name}:LIBRARY" for name in ("torch", "jax", "flax")}
)
TARGETS = (*(f"keras:{backend}" for backend in BACKENDS), *LIBRARIES)


def target() -> str:
    """The target that this process's environment asks for: by default Keras on the backend that it is set to.

    A backend that is none of ``BACKENDS`` counts as TensorFlow, whose loading refuses it.

    Raises:
        InitcheckError: The variable names none.
    """
    asked = os.environ.get(VARIABLE, "").strip()
    return read_target(asked or "keras", f"the variable {VARIABLE}")


def choose_target(text: str, where: str) -> None:
    """Makes that target the one of this process and of those that it starts; before any check is imported.

    Raises:
        InitcheckError: As of ``read_target``.
    """
    os.environ[VARIABLE] = read_target(text.strip(), where)


def read_target(text: str, where: str) -> str:
    """The name of a target: one of ``TARGETS``, or ``package.module:attribute``, which describes a library.

    Raises:
        InitcheckError: It is neither.
    """
    named = _configured() if text == "keras" else text
    module, _, attribute = named.partition(":")
    if named in TARGETS or (
        module and module != "keras" and all(map(str.isidentifier, (*module.split("."), attribute)))
    ):
        return named
    raise InitcheckError(
        f"{where} is {for_terminal(text)!r:.60}; give {', '.join(TARGETS)}, or package.module:attribute for a library "
        "of your own"
    )


def _configured() -> str:
    backend = configured_backend()[0]
    return f"keras:{backend}" if backend in BACKENDS and is_within("keras", ">=3") else TENSORFLOW


def backend_of(name: str) -> str:
    """The backend of a target of Keras; empty for a library."""
    package, _, backend = name.partition(":")
    return backend if package == "keras" else ""


def frameworks_of(name: str) -> tuple[str, ...]:
    """The packages that people name a target of Keras by: its backend and Keras; a library by none."""
    backend = backend_of(name)
    return (backend, "keras") if backend else ()


def modules_of(name: str) -> tuple[str, ...]:
    """What must be importable where a target is judged; nothing is known of a library of the user's own."""
    if name == TENSORFLOW:
        return ("tensorflow",)  # which brings Keras, or an older one of its own
    if name not in LIBRARIES:
        return frameworks_of(name)
    return (name, "ml_dtypes") if name == "torch" else (name,)  # NumPy has no bfloat16, and the others bring it


def variables_of(name: str) -> dict[str, str]:
    """The variables that make a target that of a new process, whatever this one's are."""
    backend = backend_of(name)
    return {VARIABLE: name, **({"KERAS_BACKEND": backend} if backend else {})}


def is_judged(name: str, on: str | tuple[str, ...]) -> bool:
    """Whether what judges ``ANY`` target, ``KERAS``, ``TENSORFLOW``, any ``LIBRARY`` or several judges that one."""
    if isinstance(on, tuple):
        return any(is_judged(name, one) for one in on)
    keras = bool(backend_of(name))
    return on == ANY or name == on or (on == KERAS and keras) or (on == LIBRARY and not keras)
