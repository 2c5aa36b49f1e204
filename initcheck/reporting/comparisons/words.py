"""What the words of a comparison mean, for somebody who never saw it."""

from __future__ import annotations

from initcheck.baselines.comparing.comparison import Class

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
# Whom a change concerns: by the stage since which trainings differ, or else by the section.
CONCERNS = {
    "draws": "models that use these initializers: under the same seed they start from other weights",
    "defaults": "models with these layers, where no initializer is named: they start from other weights",
    "fans": "models with these layers under an initializer that scales by fans, such as Glorot, He and LeCun: they "
    "start from larger or smaller weights",
    "orders": "every fit(shuffle=True): under the same seed it takes the rows in another order, so exact results move",
    "accuracies": "results: the same training ends with other accuracies",
}
STAGE_CONCERNS = {
    "draws": "models that start from these initializers",
    "initial weights": "models that start from these initializers",
    "batch order": "every fit(shuffle=True): under the same seed it takes the rows in another order, so exact results "
    "move; what follows in one fixed order stands in the ladders",
    "first loss": "every training: the forward pass or the loss gives other values",
    "first gradient": "every training: the gradient has other values, though the loss before it has not",
    "first update": "every training by this optimizer: it makes another step of the same gradient",
    "epoch losses": "who reads or logs the losses that fit reports, or stops by them",
    "epoch accuracies": "who reads or logs the accuracies that fit reports, or stops by them",
    "final weights": "every training: small differences grew, or a later step differs",
    "reloaded weights": "who saves models: what is loaded is not what was saved",
    "predictions": "who predicts: the same weights give other outputs",
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
