"""The numbers that random image layers draw for each image, each with its documented law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.noises import ImageLaw
from initcheck.checks.judgement import judged
from initcheck.checks.laws.random_functions import law_distance, needs
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.records import Verdict, failed
from initcheck.targets import KERAS, target

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

IMAGES = 50_000


@check(
    "LAW22",
    "A random image layer draws the documented law for each image, and does with that number what is documented.",
    on=KERAS,
    subjects=[Subject(case.name, case) for case in select(ImageLaw)],
    detects="distribution functions 2 % apart",
    samples=lambda factor: IMAGES,
    min_samples=needs,
)
def image_draws(lab: Lab, case: ImageLaw, alpha: float) -> Verdict:
    """Judges one call for many images, each of which shows the number drawn for it; of some, its other pixels too."""
    # 0.6 to 1.8 ms each, measured with 3.15.1.
    if target() == "keras:torch" and case.maps:
        raise NotApplicable(f"Keras on torch transforms images one by one, and {IMAGES} of them take minutes")
    drawn = lab.draws.layers.images(case, IMAGES * case.times, seed=lab.stream("laws", "images", case.name))
    if drawn is None:
        raise NotApplicable(f"the installed Keras has no {case.layer} with these arguments")
    outputs, labels = (one.astype(np.float64) for one in drawn)
    if case.off is not None and np.max(off := case.off(outputs, labels)) > 1:
        worst_image = int(np.argmax(off))
        measured = f"{case.name}: image {worst_image} is off by {off[worst_image]:.3g} times the allowed error"
        return failed(measured, "what the number drawn for it says")
    numbers = np.asarray(case.seen(labels if len(labels) else outputs), np.float64)
    if len(numbers) < IMAGES:
        return failed(f"{case.name}: {len(numbers)} images show a number", f"{IMAGES} or more")
    worst = law_distance(case.name, numbers, case.law, case.parameters)
    measured = f"{case.name}: distance of distribution functions {worst.value:.4f}"
    return judged(worst, alpha, measured, "0", effect=worst.value)
