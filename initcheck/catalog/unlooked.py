"""Public names of Keras that no check looks at beyond their configuration, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

# Kind of names → reason → names, separated by blanks.
_REASONS: Mapping[str, Mapping[str, str]] = {
    "initializers": {
        "not yet: a window of the Fourier transform, without randomness": "STFT",
    },
    "layers": {
        "the base class of wrappers": "Wrapper",
        "it declares an input": "InputLayer",
        "it runs the user's own code": "Lambda",
        "it runs code of another framework": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
        "it turns categories or texts into numbers, without weights, noise or masks": (
            "CategoryEncoding Discretization HashedCrossing Hashing IntegerLookup StringLookup TextVectorization"
        ),
        "not yet": (
            "Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D "
            "AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AugMix "
            "AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D CenterCrop Concatenate "
            "ContrastLimitedAdaptiveHistogramEqualization Cropping1D Cropping2D Cropping3D CutMix Dot ELU Equalization "
            "Flatten GRUCell GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D "
            "GlobalMaxPooling3D Identity LSTMCell LeakyReLU Masking MaxNumBoundingBoxes MaxPooling2D MaxPooling3D "
            "Maximum MelSpectrogram Minimum MixUp Multiply Normalization Permute Pipeline RNN RandAugment "
            "RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomErasing RandomGaussianBlur "
            "RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomSaturation "
            "RandomSharpness RandomShear ReLU RepeatVector Rescaling Reshape Resizing ReversibleEmbedding "
            "STFTSpectrogram SimpleRNNCell Softmax Solarization SpectralNormalization StackedRNNCells Subtract "
            "UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D"
        ),
    },
    "activations": {
        "not yet": (
            "celu gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid log_softmax mish relu6 "
            "silu soft_shrink sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink threshold"
        ),
    },
    "losses": {
        "not yet, part 4": (
            "BinaryFocalCrossentropy CTC CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy "
            "CategoricalHinge Circle CosineSimilarity Dice Hinge Huber KLDivergence LogCosh "
            "MeanAbsolutePercentageError MeanSquaredLogarithmicError Poisson SquaredHinge Tversky"
        ),
    },
    "metrics": {
        "the base class of metrics that average a function": "MeanMetricWrapper",
        "not yet, part 4": (
            "AUC BinaryCrossentropy BinaryIoU CategoricalCrossentropy CategoricalHinge ConcordanceCorrelation "
            "CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives Hinge IoU KLDivergence LogCoshError "
            "MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanSquaredError MeanSquaredLogarithmicError "
            "OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision PrecisionAtRecall R2Score Recall "
            "RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalCrossentropy "
            "SpecificityAtSensitivity SquaredHinge Sum TrueNegatives TruePositives"
        ),
    },
    "optimizers": {
        "not yet, part 4": "Adafactor Lamb LossScaleOptimizer MultiOptimizer Muon ScheduleFreeAdamW",
    },
    "regularizers": {"not yet, part 4": "L1 L1L2 L2 OrthogonalRegularizer"},
    "constraints": {"not yet, part 4": "MaxNorm MinMaxNorm NonNeg UnitNorm"},
    "callbacks": {
        "it reports, and changes neither training nor what is kept": (
            "CSVLogger History ProgbarLogger RemoteMonitor TensorBoard"
        ),
        "it holds other callbacks": "CallbackList",
        "it runs the user's own code": "LambdaCallback",
        "not yet, part 4": (
            "BackupAndRestore EarlyStopping LearningRateScheduler ModelCheckpoint OrbaxCheckpoint ReduceLROnPlateau "
            "SwapEMAWeights TerminateOnNaN"
        ),
    },
}
REASONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    kind: {reason: tuple(names.split()) for reason, names in reasons.items()} for kind, reasons in _REASONS.items()
}
