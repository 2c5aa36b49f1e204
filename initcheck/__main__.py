"""``python -m initcheck`` is ``initcheck``."""

from initcheck.cli import main

main()
