"""What Keras is set to, by its file and its variable, without importing it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from initcheck.errors import FrameworkError, InitcheckError
from initcheck.files import read_bounded

_MOST_SETTINGS = 1_000_000  # bytes of keras.json


def configured_backend() -> tuple[str, str]:
    """The backend that Keras 3 is set to, and what sets it; TensorFlow, by nothing, where nothing does.

    Raises:
        FrameworkError: Keras would wait for its file, or end in an error.
    """
    asked = os.environ.get("KERAS_BACKEND")
    if asked:
        return asked, "the variable KERAS_BACKEND"
    file = settings_file()
    backend = read_settings(file).get("backend")
    return ("tensorflow", "") if backend is None else (str(backend), str(file))


def settings_file() -> Path:
    """Where Keras looks for its settings."""
    return Path(os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()) / "keras.json"


def read_settings(file: Path) -> dict[str, Any]:
    """The settings in the file; empty where it is missing or no JSON, since Keras takes its defaults then.

    Raises:
        FrameworkError: Keras would wait for it, or end in an error.
    """
    if not file.exists():
        return {}
    remedy = f"{file}, which Keras reads when it is imported, {{}}; remove it"
    if not file.is_file():
        raise FrameworkError(remedy.format("is no file"))
    try:
        settings = json.loads(read_bounded(file, _MOST_SETTINGS) or b"{}")
    except InitcheckError as error:
        raise FrameworkError(remedy.format(f"cannot be used ({error})")) from None
    except RecursionError:
        raise FrameworkError(remedy.format("is nested too deeply")) from None
    except ValueError:  # no JSON, or no text
        return {}
    if not isinstance(settings, dict):
        raise FrameworkError(remedy.format("holds no JSON object"))
    return settings
