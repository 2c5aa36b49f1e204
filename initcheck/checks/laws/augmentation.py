"""The numbers that random image layers draw for each image, each with its documented law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.noises import ImageLaw
from initcheck.checks.judgement import judged
from initcheck.checks.laws.random_functions import law_distance, needs
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.records import Verdict

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

IMAGES = 50_000


@check(
    "LAW22",
    "A random image layer draws the documented law for each image.",
    subjects=[Subject(case.name, case) for case in select(ImageLaw)],
    detects="distribution functions 2 % apart",
    samples=lambda factor: IMAGES,
    min_samples=needs,
)
def image_draws(lab: Lab, case: ImageLaw, alpha: float) -> Verdict:
    """Judges one call for many equal images, each of which shows the number drawn for it."""
    outputs = lab.draws.layers.images(case, IMAGES, seed=lab.stream("laws", "images", case.name))
    if outputs is None:
        raise NotApplicable(f"the installed Keras has no {case.layer} with these arguments")
    worst = law_distance(case.name, np.asarray(case.seen(outputs), np.float64), case.law, case.parameters)
    measured = f"{case.name}: distance of distribution functions {worst.value:.4f}"
    return judged(worst, alpha, measured, "0", effect=worst.value)
