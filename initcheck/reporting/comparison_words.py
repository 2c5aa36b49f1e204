"""What the words of a comparison mean, for somebody who never saw it."""

from __future__ import annotations

from initcheck.baselines.comparison import Class

# What stands for a class where there is no room for its name.
MARKS = {
    Class.IDENTICAL: "=",
    Class.WITHIN_TOLERANCE: "≈",
    Class.SAME_DISTRIBUTION: "∼",
    Class.INCONCLUSIVE: "?",
    Class.CHANGED: "≠",
}
CLASSES = {
    Class.IDENTICAL: "The same, bit for bit.",
    Class.WITHIN_TOLERANCE: "Other last bits, no more than rounding explains. How far rounding may go is learned: from "
    "trainings whose initial weights were moved by one unit in the last place.",
    Class.SAME_DISTRIBUTION: "Other numbers of the same kind: another random stream that follows the same law, or "
    "trainings whose accuracies over reseeds are equivalent: the 95 % interval of their difference lies inside "
    "±{delta}.",
    Class.INCONCLUSIVE: "Different, or not comparable, and too little was recorded to tell more.",
    Class.CHANGED: "Another law, scale, order, value or accuracy: more than rounding or another random stream "
    "explains. Also what only one of the two has.",
}
SECTIONS = {
    "draws": "Values drawn by each initializer, in several shapes, types and seeds.",
    "defaults": "First weights of layers that are told nothing about initializers.",
    "fans": "The number of inputs and outputs that a layer's first kernel is scaled by.",
    "orders": "In which order fit(shuffle=True) takes the rows; each named after the rows it was fed, or the problem.",
    "traces": "One seeded training for each problem and initializer, the rows in one order that no framework decides: "
    "it shows what else changed.",
    "fits": "One seeded training for each problem as a user writes it, with fit's own shuffling.",
    "accuracies": "The same trainings under hundreds of other seeds: how many held-out rows each classifies rightly.",
}
STAGES = {
    "draws": "what the initializer gives for the first kernel",
    "initial weights": "all weights before the first step",
    "batch order": "the order in which fit(shuffle=True) takes this problem's rows",
    "first loss": "loss of the first batch",
    "first gradient": "gradient of that loss",
    "first update": "weights after the optimizer's first step",
    "epoch losses": "losses that fit reports for each epoch",
    "epoch accuracies": "accuracies that fit reports for each epoch",
    "final weights": "weights after the last step",
    "reloaded weights": "the same after a save and a load",
    "predictions": "of the held-out rows",
}
