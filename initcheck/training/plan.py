"""What a sweep may vary, and by which engine; loads no framework."""

from __future__ import annotations

import math

from initcheck.arguments import whole_number

ENGINES = ("auto", "ensemble", "reference")
VARIED = ("init", "order", "init,order")  # initial weights, the rows' order, or both in a grid


def grid(vary: str, reseeds: int) -> tuple[range, range]:
    """The numbers of the reseeds and of the orders that give at least so many runs.

    Raises:
        InitcheckError: ``reseeds`` is no whole number, less than 1, or beyond 64 bits.
    """
    reseeds = whole_number("reseeds", reseeds, least=1)
    if vary == "init":
        return range(reseeds), range(1)
    if vary == "order":
        return range(1), range(1, reseeds + 1)
    inits = math.isqrt(reseeds - 1) + 1
    return range(inits), range(1, -(-reseeds // inits) + 1)
