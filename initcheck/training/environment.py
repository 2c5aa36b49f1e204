"""Records the software and hardware that decide bits."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from initcheck.records import Environment
from initcheck.training.framework import THREADS, load_keras

_PACKAGES = ("initcheck", "tensorflow", "keras", "numpy", "scipy", "scikit-learn")


def environment() -> Environment:
    """What this process runs on; loads the framework."""
    load_keras()
    import tensorflow as tf

    return Environment(
        versions={name: _version(name) for name in _PACKAGES},
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpu=_cpu(),
        threads=(
            tf.config.threading.get_intra_op_parallelism_threads(),
            tf.config.threading.get_inter_op_parallelism_threads(),
        ),
        onednn=_onednn(),
        op_determinism=_op_determinism(),
        devices=tuple(device.device_type for device in tf.config.list_physical_devices()),
    )


def settings() -> dict[str, str]:
    """What decides the results and can be told without loading the framework, for a header."""
    return {
        **{name: _version(name) for name in ("tensorflow", "keras", "numpy")},
        "python": platform.python_version(),
        "cpu": _cpu(),
        "threads": str(THREADS),
        "oneDNN": "on" if _onednn() else "off",
        "op determinism": os.environ.get("TF_DETERMINISTIC_OPS", "off"),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed as a package"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in _lines(info) if line.startswith("model name")]
    return f"{names[0]} × {len(names)}" if names else platform.processor() or "unknown"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _onednn() -> bool:
    # On by default on x86 since TensorFlow 2.9: https://github.com/tensorflow/tensorflow/releases/tag/v2.9.0
    default = "1" if platform.machine() in {"x86_64", "AMD64"} else "0"
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS", default).lower() in {"1", "true"}


def _op_determinism() -> bool:
    from tensorflow.python.framework import config  # no public reader exists

    return bool(config.is_op_determinism_enabled())
