"""The meanings of a comparison's words, for a first reader."""

from __future__ import annotations

from collections.abc import Mapping

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.comparison import AnyStage, Section
from initcheck.baselines.records.file_records import FileStage
from initcheck.baselines.records.layer_records import LayerStage
from initcheck.baselines.records.step_records import StepStage
from initcheck.baselines.records.training_records import Stage

# The mark of a class where there is no room for its name.
MARKS = {
    Class.IDENTICAL: "=",
    Class.WITHIN_TOLERANCE: "≈",
    Class.SAME_DISTRIBUTION: "∼",
    Class.INCONCLUSIVE: "?",
    Class.CHANGED: "≠",
}
CLASSES = {
    Class.IDENTICAL: "The same, bit for bit.",
    Class.WITHIN_TOLERANCE: "Differs in the last bits, within rounding error. How far rounding may go is learned from "
    "trainings whose initial weights were perturbed by one ulp.",
    Class.SAME_DISTRIBUTION: "Other numbers of the same kind: another random stream that follows the same law, or "
    "trainings whose accuracies over reseeds are equivalent: the 95 % interval of their difference lies inside "
    "±{delta}.",
    Class.INCONCLUSIVE: "Different, or not comparable, and too little was recorded to judge it.",
    Class.CHANGED: "Another law, scale, order, value or accuracy, which neither rounding error nor another random "
    "stream explains. Also what only one of the two has.",
}
SECTIONS = {
    Section.DRAWS: "Values drawn by each initializer, in several shapes, types and seeds.",
    Section.DEFAULTS: "Initial weights of layers with their default initializers.",
    Section.FANS: "The number of inputs and outputs that a layer's initial kernel is scaled by.",
    Section.LAYERS: "Each layer alone: initial weights; at given weights and inputs output, gradient, output in "
    "training and noise; configuration.",
    Section.STEPS: "Each optimizer, from given gradients and through fit; each loss and metric, of given outputs.",
    Section.FILES: "Models saved by the old environment, as the new one loads them: predictions, optimizer steps and "
    "moments, and the next step.",
    Section.ORDERS: "In which order fit(shuffle=True) takes the rows; each is named after the rows it was fed, or "
    "after the problem.",
    Section.TRACES: "One seeded training for each problem and initializer, the rows in one order that no framework "
    "decides: it shows what else changed.",
    Section.GIVEN: "One seeded training for each problem from weights that no framework draws, the rows in one order: "
    "what neither draws nor order explain.",
    Section.FITS: "One seeded training for each problem as a user writes it, with fit's own shuffling.",
    Section.ACCURACIES: "The same trainings under hundreds of other seeds: how many held-out rows each classifies "
    "correctly.",
    Section.MODELS: "One seeded training of each model of yours, as it is, and its score over a few other seeds.",
}
# Whom a change concerns: by the stage since which trainings differ, or else by the section.
CONCERNS = {
    Section.DRAWS: "models that use these initializers: under the same seed they start from other weights",
    Section.DEFAULTS: "models with these layers, where no initializer is named: they start from other weights",
    Section.FANS: "models with these layers under an initializer that scales by fans, such as Glorot, He and LeCun: "
    "they start from larger or smaller weights",
    Section.ORDERS: "every fit(shuffle=True): under the same seed it takes the rows in another order, so exact results "
    "move",
    Section.LAYERS: "models with these layers",
    Section.STEPS: "trainings with these optimizers, losses or metrics",
    Section.FILES: "who loads files that the old environment wrote",
    Section.ACCURACIES: "results: the same training ends with other accuracies",
    Section.MODELS: "this model of yours",
}
STAGE_CONCERNS: Mapping[AnyStage, str] = {
    Stage.DRAWS: "models that start from these initializers",
    Stage.INITIAL_WEIGHTS: "models that start from these initializers",
    Stage.BATCH_ORDER: "every fit(shuffle=True): under the same seed it takes the rows in another order, so exact "
    "results move; the ladders show what follows in one fixed order",
    Stage.FIRST_LOSS: "every training: the forward pass or the loss gives other values",
    Stage.FIRST_GRADIENT: "every training: the gradient has other values, though the loss before it is the same",
    Stage.FIRST_UPDATE: "every training by this optimizer: it makes another step of the same gradient",
    Stage.EPOCH_LOSSES: "who reads or logs the losses that fit reports, or stops by them",
    Stage.EPOCH_ACCURACIES: "who reads or logs the accuracies that fit reports, or stops by them",
    Stage.EPOCH_METRICS: "who reads or logs the metrics that fit reports, or stops by them",
    Stage.FINAL_WEIGHTS: "every training: small differences grew, or a later step differs",
    Stage.RELOADED_WEIGHTS: "who saves models: what is loaded is not what was saved",
    Stage.PREDICTIONS: "who predicts: the same weights give other outputs",
    LayerStage.INITIAL_WEIGHTS: "models with these layers, where no initializer is named: they start from other "
    "weights",
    LayerStage.OUTPUT: "models with these layers: the same weights give other outputs",
    LayerStage.GRADIENT: "who trains models with these layers: the gradient has other values",
    LayerStage.TRAINING: "who trains models with these layers: in training they give other outputs",
    LayerStage.MOVED: "who trains models with these layers: what they keep from training, such as moving statistics, "
    "has other values",
    LayerStage.NOISE: "who trains models with these layers: they draw other noise",
    StepStage.VALUE: "who trains by these losses, or reads these metrics: the same outputs have other values",
    StepStage.FIRST_MOVE: "trainings by these optimizers: another update is the first that moves a weight",
    StepStage.UPDATES: "trainings by these optimizers: they make other steps of the same gradients",
    StepStage.FITTED: "trainings by these optimizers: fit leaves other weights",
    FileStage.LOADED: "who loads files that the old environment wrote: they are refused",
    FileStage.PREDICTIONS: "who loads files that the old environment wrote: the model's predictions differ",
    FileStage.STEPS: "who trains on from files that the old environment wrote: schedules and bias corrections "
    "start anew",
    FileStage.MOMENTS: "who trains on from files that the old environment wrote: the optimizer starts anew",
    FileStage.FOLLOWING: "who trains on from files that the old environment wrote: the next step is another one",
    LayerStage.CONFIGURATION: "who saves, clones or reads the configuration of these layers",
}
STAGES = {
    Stage.DRAWS: "the initializer's draw for the first kernel",
    Stage.INITIAL_WEIGHTS: "all weights before the first step",
    Stage.BATCH_ORDER: "the order in which fit(shuffle=True) takes this problem's rows",
    Stage.FIRST_LOSS: "loss of the first batch",
    Stage.FIRST_GRADIENT: "gradient of that loss",
    Stage.FIRST_UPDATE: "weights after the optimizer's first step",
    Stage.EPOCH_LOSSES: "losses that fit reports for each epoch",
    Stage.EPOCH_ACCURACIES: "accuracies that fit reports for each epoch",
    Stage.EPOCH_METRICS: "metrics that fit reports for each epoch of a model of yours",
    Stage.FINAL_WEIGHTS: "weights after the last step",
    Stage.RELOADED_WEIGHTS: "the same after a save and a load",
    Stage.PREDICTIONS: "of the held-out rows",
}
