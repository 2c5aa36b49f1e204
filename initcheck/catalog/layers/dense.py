"""Dense layers, and embeddings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.configurations import (
    KERNEL_AND_BIAS,
    NO_NOISE,
    NO_UNITS,
    NOT_STACKED,
    NOT_TRAINED,
    REGULARIZED,
    VECTORS,
    normal,
    penalized,
)
from initcheck.catalog.layers.kind import LayerKind, Without
from initcheck.catalog.layers.traits.computing import EqualUnits, FormulaCase, LayerOptions, TrainingRole
from initcheck.catalog.layers.traits.engines import Holds, Stackable, Stacking, State
from initcheck.catalog.layers.traits.weights import (
    GLOROT,
    OF_WEIGHTS,
    UNIFORM,
    ZEROS,
    Dims,
    Fanned,
    FannedKernel,
    GivenOptions,
    InitialMatrix,
    LayerDefaults,
    SavedInitializers,
    StackedKernels,
    TypedWeights,
    UnseededKernel,
)
from initcheck.oracle.convolution_formulas import without_bias
from initcheck.oracle.layer_outputs import dense, einsum_dense, embedding, reversed_embedding

_ROW = ((1, 6),)
_KERNEL_AND_BIAS = (("kernel_initializer", 0), ("bias_initializer", 1))
_TABLE = (("embeddings_initializer", 0),)
_BY_EQUATION = {"equation": "ab,bc->ac", "bias_axes": "c"}


def _matrix(d: Dims) -> Fanned:
    units = d.fill(d.few)
    return Fanned({"units": units}, ((1, d.few),), d.few, units)


DENSE = LayerKind(
    "Dense",
    FannedKernel(order=0, name="dense", make=_matrix),
    LayerDefaults(
        order=0,
        arguments={"units": 200},
        inputs=((1, 200),),
        initializers=(GLOROT, ZEROS),
        shapes=((200, 200), (200,)),
    ),
    GivenOptions(
        order=1,
        name="dense,activated",
        arguments={"units": 7, "activation": "relu"},
        inputs=_ROW,
        places=_KERNEL_AND_BIAS,
    ),
    GivenOptions(
        order=1,
        name="dense,regularized",
        arguments={"units": 7, "kernel_regularizer": "l2", "bias_regularizer": "l1"},
        inputs=_ROW,
        places=_KERNEL_AND_BIAS,
    ),
    GivenOptions(
        order=1,
        name="dense,constrained",
        arguments={"units": 7, "kernel_constraint": "max_norm"},
        inputs=_ROW,
        places=_KERNEL_AND_BIAS,
    ),
    TypedWeights(order=0, name="dense", arguments={"units": 7}, inputs=_ROW, places=_KERNEL_AND_BIAS),
    UnseededKernel(order=0, arguments={"units": 6}, inputs=((1, 24),)),
    StackedKernels(order=0, arguments={"units": 64}, inputs=((1, 64),)),
    SavedInitializers(order=0, arguments={"units": 3}, initializers=KERNEL_AND_BIAS, input_shape=(2, 4)),
    FormulaCase(
        order=0,
        name="dense-softmax-of-sequences",
        shapes=((3, 4), (4,)),
        input_shape=(2, 5, 3),
        formula=dense,
        config={"units": 4, "activation": "softmax"},
    ),
    FormulaCase(
        name="dense-unbiased",
        shapes=((3, 4),),
        input_shape=(2, 3),
        formula=without_bias(dense, 4),
        config={"units": 4, "use_bias": False, "activation": "tanh"},
        modelled=False,
    ),
    penalized(FormulaCase(name="dense", shapes=((3, 4), (4,)), input_shape=(2, 3), formula=dense, config={"units": 4})),
    LayerOptions(order=0, options={"units": 3, "activation": "tanh", **REGULARIZED}, input_shape=VECTORS),
    LayerOptions(order=0, options={"units": 3, "use_bias": False}, input_shape=VECTORS, policy="float64"),
    State(),
    Stackable(how=Stacking.WITH_ACTIVATION),
    NO_NOISE,
    Without("the nets of the checks of symmetry consist of it", (EqualUnits,)),
    Without("every small training ends in it", (TrainingRole,)),
)


def _equation_of_matrix(d: Dims) -> Fanned:
    units = d.fill(d.few)
    return Fanned({"equation": "abc,cd->abd", "output_shape": (None, units)}, ((1, 2, d.few),), d.few, units)


def _equation_of_heads(d: Dims) -> Fanned:
    inputs = d.fill(d.few, d.more)
    arguments = {"equation": "abc,cde->abde", "output_shape": (None, d.few, d.more)}
    return Fanned(arguments, ((1, 2, inputs),), inputs, d.few * d.more)


def _equation_that_joins(d: Dims) -> Fanned:
    units = d.fill(d.few, d.more)
    arguments = {"equation": "abcd,cde->abe", "output_shape": (None, units)}
    return Fanned(arguments, ((1, 2, d.few, d.more),), d.few * d.more, units)


def _by_equation(name: str, equation: str, x: Shape, *weights: Shape, **config: Any) -> FormulaCase:
    config = {"equation": equation, **config}
    return FormulaCase(name=f"einsum-dense-{name}", shapes=weights, input_shape=x, formula=einsum_dense, config=config)


_ONE: dict[str, Any] = {"output_shape": (4,), "bias_axes": "c", "activation": "tanh"}
_HEADS: dict[str, Any] = {"output_shape": (None, 2, 4), "bias_axes": "de"}
_PLACES: dict[str, Any] = {"output_shape": (3, 4), "bias_axes": "bd"}


# Keras counts the fans of its kernel's shape: https://github.com/keras-team/keras/pull/22789.
EINSUM_DENSE = LayerKind(
    "EinsumDense",
    FannedKernel(order=9, name="einsum_matrix", make=_equation_of_matrix, beside=(), by_equation=True),
    FannedKernel(
        order=9,
        name="einsum_heads",
        make=_equation_of_heads,
        beside=(),
        quirks={"fan_in": 5, "fan_out": 6},
        by_equation=True,
    ),
    FannedKernel(
        order=9, name="einsum_joined", make=_equation_that_joins, beside=(), quirks={"fan_out": 7}, by_equation=True
    ),
    LayerDefaults(
        order=3,
        arguments={**_BY_EQUATION, "output_shape": 200},
        inputs=((1, 200),),
        initializers=(GLOROT, ZEROS),
        shapes=((200, 200), (200,)),
    ),
    TypedWeights(
        order=3, name="einsum", arguments={**_BY_EQUATION, "output_shape": 7}, inputs=_ROW, places=_KERNEL_AND_BIAS
    ),
    UnseededKernel(order=7, arguments={"equation": "ab,bc->ac", "output_shape": 6}, inputs=((1, 24),)),
    StackedKernels(order=7, arguments={"equation": "ab,bc->ac", "output_shape": 64}, inputs=((1, 64),)),
    SavedInitializers(
        order=0,
        arguments={**_BY_EQUATION, "output_shape": 3},
        initializers=KERNEL_AND_BIAS,
        input_shape=(2, 4),
    ),
    LayerOptions(
        order=0,
        options={"equation": "ab,bc->ac", "output_shape": [3], "activation": "tanh"},
        input_shape=VECTORS,
        policy="mixed_float16",
    ),
    replace(_by_equation("matrix", "ab,bc->ac", (2, 3), (3, 4), (4,), **_ONE), modelled=False),
    _by_equation("heads", "abc,cde->abde", (2, 3, 5), (5, 2, 4), (2, 4), **_HEADS),
    replace(_by_equation("joined", "abcd,cde->abe", (2, 3, 2, 4), (2, 4, 5), output_shape=(None, 5)), modelled=False),
    replace(_by_equation("places", "abc,cd->abd", (2, 3, 5), (5, 4), (3, 4), **_PLACES), modelled=False),
    _by_equation("any-rank", "...x,xy->...y", (2, 3, 2, 5), (5, 4), (4,), output_shape=4, bias_axes="y"),
    penalized(_by_equation("heads", "abc,cde->abde", (2, 3, 5), (5, 2, 4), (2, 4), **_HEADS)),
    State(holds=Holds.MORE),
    NO_NOISE,
    NO_UNITS,
    NOT_TRAINED,
    NOT_STACKED,
    Without("its kernel's options are those of a dense layer", (GivenOptions,)),
)


def _table(d: Dims) -> Fanned:
    rows = d.fill(d.few)
    return Fanned({"input_dim": rows, "output_dim": d.few}, ((1, 2),), rows, d.few)


EMBEDDING = LayerKind(
    "Embedding",
    InitialMatrix(argument="weights", arguments={"input_dim": 5, "output_dim": 3}),
    FannedKernel(order=1, name="embedding", make=_table, argument="embeddings_initializer", beside=()),
    LayerDefaults(
        order=2,
        arguments={"input_dim": 400, "output_dim": 100},
        inputs=((1, 2),),
        initializers=(UNIFORM,),
        shapes=((400, 100),),
    ),
    GivenOptions(
        order=0,
        name="embedding,masked",
        arguments={"input_dim": 9, "output_dim": 7, "mask_zero": True},
        inputs=((1, 2),),
        places=_TABLE,
    ),
    TypedWeights(
        order=2, name="embedding", arguments={"input_dim": 9, "output_dim": 7}, inputs=((1, 2),), places=_TABLE
    ),
    UnseededKernel(order=2, arguments={"input_dim": 24, "output_dim": 6}, inputs=((1, 5),)),
    StackedKernels(order=5, arguments={"input_dim": 64, "output_dim": 64}, inputs=((1, 2),)),
    SavedInitializers(
        order=2,
        arguments={"input_dim": 7, "output_dim": 3},
        initializers={"embeddings_initializer": normal(61)},
        input_shape=(2, 3),
        dtype="int32",
    ),
    FormulaCase(
        order=1,
        name="embedding",
        shapes=((6, 3),),
        input_shape=(4, 5),
        formula=embedding,
        config={"input_dim": 6, "output_dim": 3},
        vocabulary=6,
    ),
    penalized(
        FormulaCase(
            name="embedding",
            shapes=((6, 3),),
            input_shape=(4, 5),
            formula=embedding,
            config={"input_dim": 6, "output_dim": 3},
            vocabulary=6,
        )
    ),
    LayerOptions(
        order=4,
        options={"input_dim": 7, "output_dim": 3, "mask_zero": True},
        input_shape=(2, 5),
        policy="mixed_float16",
    ),
    State(holds=Holds.MORE),
    NO_NOISE,
    NO_UNITS,
    NOT_STACKED,
    Without("the small training of embeddings begins with it", (TrainingRole,)),
)

_TIED: dict[str, Any] = {"input_dim": 6, "output_dim": 3}
_UNTIED: dict[str, Any] = {**_TIED, "tie_weights": False}


def _reversed(name: str, idle: tuple[int, ...] = (), **config: Any) -> FormulaCase:
    return FormulaCase(
        name=name,
        shapes=((6, 3), (3, 6)) if "tie_weights" in config else ((6, 3),),
        input_shape=(4, 5, 3),
        formula=reversed_embedding,
        config=config,
        call={"reverse": True},
        idle=idle,
        graded=not idle,
    )


REVERSIBLE_EMBEDDING = LayerKind(
    "ReversibleEmbedding",
    LayerDefaults(
        arguments={"input_dim": 400, "output_dim": 100},
        inputs=((1, 2),),
        initializers=(UNIFORM,),
        shapes=((400, 100),),
    ),
    FormulaCase(
        name="reversible-embedding",
        shapes=((6, 3),),
        input_shape=(4, 5),
        formula=embedding,
        config=_TIED,
        vocabulary=6,
    ),
    FormulaCase(
        name="reversible-embedding-untied",
        shapes=((6, 3), (3, 6)),
        input_shape=(4, 5),
        formula=embedding,
        config=_UNTIED,
        vocabulary=6,
        graded=False,
    ),
    _reversed("reversible-embedding-reversed", **_TIED),
    _reversed("reversible-embedding-reversed-untied", idle=(0,), **_UNTIED),
    _reversed("reversible-embedding-reversed-capped", **_TIED, logit_soft_cap=0.5),
    LayerOptions(
        order=15,
        options={**_TIED, "tie_weights": False, "mask_zero": True, "reverse_dtype": "float32", "logit_soft_cap": 0.5},
        input_shape=(2, 5),
    ),
    State(holds=Holds.MORE),
    Without(
        "represented by the embedding whose kind it is",
        tuple(trait for trait in OF_WEIGHTS if trait is not LayerDefaults),
    ),
    NO_NOISE,
    NO_UNITS,
    NOT_STACKED,
    NOT_TRAINED,
)

ROWS = (DENSE, EINSUM_DENSE, EMBEDDING, REVERSIBLE_EMBEDDING)
