"""Loads the framework when it is imported, for a server whose forks then have it; the only module here that does."""

import contextlib

from initcheck.errors import InitcheckError
from initcheck.frameworks.keras import load_keras

with contextlib.suppress(InitcheckError):  # whoever needs it will hear of it
    load_keras()
