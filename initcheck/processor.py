"""The processor, and whether oneDNN chooses its kernels by it: read without the framework."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def processor_name() -> str:
    """The model's name, and how many cores of it."""
    names = _info("model name")
    return f"{names[0]} × {len(names)}" if names else platform.processor() or "unknown"


def processor_features() -> frozenset[str]:
    """The names of its instruction sets, as Linux gives them; empty on other systems."""
    return frozenset(next(iter(_info("flags") or _info("Features")), "").split())


def onednn_is_on() -> bool:
    """Whether TensorFlow takes oneDNN's kernels.

    It does by default on x86 since 2.9: https://github.com/tensorflow/tensorflow/releases/tag/v2.9.0
    """
    default = "1" if platform.machine() in {"x86_64", "AMD64"} else "0"
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS", default).lower() in {"1", "true"}


def kernels_are_chosen_by(feature: str) -> bool:
    """Whether oneDNN may choose kernels by that instruction set: the processor has it, and no variable limits it."""
    return feature in processor_features() and onednn_is_on() and not os.environ.get("ONEDNN_MAX_CPU_ISA")


def _info(heading: str) -> list[str]:
    """Linux's entry for each processor under that heading; empty on other systems."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == heading]
