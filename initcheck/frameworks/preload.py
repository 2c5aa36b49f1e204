"""Loads the framework when it is imported, for a server whose forks then have it; the only module here that does."""

import contextlib

from initcheck.errors import InitcheckError
from initcheck.frameworks.backends import load_target

with contextlib.suppress(InitcheckError):  # whoever needs it will hear of it
    load_target()
