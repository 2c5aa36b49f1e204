"""Layers that the doctor treats in a way of their own where it looks at a signal, by their classes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Layers that are an activation, by its name.
ACTIVATION_LAYERS: Mapping[str, str] = MappingProxyType(
    {
        "ELU": "elu",
        "LeakyReLU": "leaky_relu",
        "PReLU": "leaky_relu",
        "ReLU": "relu",
        "Softmax": "softmax",
    }
)

GATED_LAYERS = ("LSTM", "GRU")  # what they return is no tanh of a sum
ENDS_STRETCH = ("Embedding", "Normalization")  # the ends of classes: they set a scale anew

# Their inputs are categories or texts, which have no scale.
OF_CATEGORIES = (
    "CategoryEncoding",
    "Discretization",
    "Embedding",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "StringLookup",
    "TextVectorization",
)
