"""Records the software and hardware that decide bits."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from initcheck.records import Environment
from initcheck.training.framework import load_keras, threads

_PACKAGES = ("initcheck", "tensorflow", "keras", "numpy", "ml-dtypes", "h5py", "scipy", "scikit-learn")
# By these, Eigen, oneDNN, XLA and NumPy choose their kernels: on x86, then on ARM.
_CPU_FEATURES = (
    *("fma", "avx", "avx2", "avx_vnni", "avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16"),
    *("avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "sve", "sve2", "i8mm", "bf16", "sme"),
)
_SWITCHES = (
    *("XLA_FLAGS", "TF_XLA_FLAGS", "TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_USE_LEGACY_KERAS"),
    *("ONEDNN_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE", "TF_SET_ONEDNN_FPMATH_MODE", "NVIDIA_TF32_OVERRIDE"),
    "NPY_DISABLE_CPU_FEATURES",
)


def environment() -> Environment:
    """What this process runs on; loads the framework."""
    keras = load_keras()
    import tensorflow as tf

    return Environment(
        versions={name: _version(name) for name in _PACKAGES},
        python=platform.python_version(),
        platform=" ".join(filter(None, (platform.system(), platform.machine(), *platform.libc_ver()))),
        cpu=_cpu(),
        cpu_features=_cpu_features(),
        threads=(
            tf.config.threading.get_intra_op_parallelism_threads(),
            tf.config.threading.get_inter_op_parallelism_threads(),
        ),
        onednn=_onednn(),
        op_determinism=_op_determinism(),
        devices=tuple(device.device_type for device in tf.config.list_physical_devices()),
        switches=_switches(keras.backend.floatx()),
    )


def settings() -> dict[str, str]:
    """What decides the results and can be told without loading the framework, for a header."""
    return {
        **{name: _version(name) for name in ("tensorflow", "keras", "numpy")},
        "python": platform.python_version(),
        "cpu": _cpu(),
        "threads": "/".join(dict.fromkeys(map(str, threads()))),
        "oneDNN": "on" if _onednn() else "off",
        "op determinism": os.environ.get("TF_DETERMINISTIC_OPS", "off"),
        **{name: value for name, value in _switches("float32").items() if name != "TF_DETERMINISTIC_OPS"},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed as a package"


def _cpu() -> str:
    names = _told_of_cpu("model name")
    return f"{names[0]} × {len(names)}" if names else platform.processor() or "unknown"


def _cpu_features() -> tuple[str, ...]:
    found = set(next(iter(_told_of_cpu("flags") or _told_of_cpu("Features")), "").split())
    return tuple(name for name in _CPU_FEATURES if name in found)


def _told_of_cpu(what: str) -> list[str]:
    """What Linux says of each processor under that heading; nothing on other systems."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == what]


def _switches(floatx: str) -> dict[str, str]:
    found = {name: os.environ[name][:200] for name in _SWITCHES if os.environ.get(name)}
    return found if floatx == "float32" else {**found, "floatx": floatx}


def _onednn() -> bool:
    # On by default on x86 since TensorFlow 2.9: https://github.com/tensorflow/tensorflow/releases/tag/v2.9.0
    default = "1" if platform.machine() in {"x86_64", "AMD64"} else "0"
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS", default).lower() in {"1", "true"}


def _op_determinism() -> bool:
    from tensorflow.python.framework import config  # no public reader exists

    return bool(config.is_op_determinism_enabled())
