"""Records the software and hardware that decide bits."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

from initcheck.frameworks.backends import load_target, load_target_keras
from initcheck.frameworks.floatx import global_policy
from initcheck.frameworks.keras import load_keras, threads
from initcheck.frameworks.libraries.chosen import library
from initcheck.installed import distribution_of, version_of
from initcheck.processor import onednn_is_on, processor_features, processor_name
from initcheck.records import Environment
from initcheck.targets import TENSORFLOW, backend_of, target

_JUDGED_BY = ("initcheck", "numpy", "scipy")  # whatever the target is
_BEHIND = {"jax": ("jaxlib",)}  # what a backend's draws are computed by
_PACKAGES = ("initcheck", "tensorflow", "keras", "numpy", "ml-dtypes", "h5py", "scipy", "scikit-learn")
# By these, Eigen, oneDNN, XLA and NumPy choose their kernels: on x86, then on ARM.
_CPU_FEATURES = (
    *("fma", "avx", "avx2", "avx_vnni", "avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16"),
    *("avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "sve", "sve2", "i8mm", "bf16", "sme"),
)
_SWITCHES = (
    *("XLA_FLAGS", "TF_XLA_FLAGS", "TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_USE_LEGACY_KERAS"),
    *("ONEDNN_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE", "TF_SET_ONEDNN_FPMATH_MODE", "NVIDIA_TF32_OVERRIDE"),
    *("NPY_DISABLE_CPU_FEATURES", "JAX_ENABLE_X64", "JAX_DEFAULT_PRNG_IMPL", "JAX_THREEFRY_PARTITIONABLE"),
    *("JAX_PLATFORMS", "JAX_DEFAULT_MATMUL_PRECISION"),
)


def environment() -> Environment:
    """The environment of this process; loads the framework."""
    keras = load_keras()
    import tensorflow as tf

    return Environment(
        versions={name: _version(name) for name in _PACKAGES},
        distributions=_distributions(_PACKAGES),
        python=platform.python_version(),
        platform=_platform(),
        cpu=processor_name(),
        cpu_features=_cpu_features(),
        threads=(
            tf.config.threading.get_intra_op_parallelism_threads(),
            tf.config.threading.get_inter_op_parallelism_threads(),
        ),
        onednn=onednn_is_on(),
        op_determinism=_op_determinism(),
        devices=tuple(device.device_type for device in tf.config.list_physical_devices()),
        switches={**_switches(), **_keras_settings(keras)},
    )


def target_environment() -> Environment:
    """The environment of this process, for whichever target it is to judge; loads that."""
    load_target()
    if target() == TENSORFLOW:
        return environment()
    packages = tuple(dict.fromkeys((*packages_of(target()), *_JUDGED_BY)))
    return Environment(
        versions={name: _version(name) for name in packages},
        distributions=_distributions(packages),
        python=platform.python_version(),
        platform=_platform(),
        cpu=processor_name(),
        cpu_features=_cpu_features(),
        threads=threads(),
        onednn=False,
        op_determinism=False,
        devices=(),
        switches={**_switches(), **(_keras_settings(load_target_keras()) if backend_of(target()) else {})},
    )


def settings() -> dict[str, str]:
    """The settings that decide the results and are known without loading the framework, for a header."""
    return {
        "target": target(),
        **{name: _described(name) for name in packages_of(target())},
        "python": platform.python_version(),
        "cpu": processor_name(),
        "threads": "/".join(dict.fromkeys(map(str, threads()))),
        **(_of_tensorflow() if target() == TENSORFLOW else {}),
        **{name: value for name, value in _switches().items() if name != "TF_DETERMINISTIC_OPS"},
    }


def packages_of(name: str) -> tuple[str, ...]:
    """The packages whose versions decide what that target gives."""
    if backend := backend_of(name):
        return (backend, *_BEHIND.get(backend, ()), "keras", "numpy")
    chosen = library()
    return () if chosen is None else chosen.packages


def _of_tensorflow() -> dict[str, str]:
    return {
        "oneDNN": "on" if onednn_is_on() else "off",
        "op determinism": os.environ.get("TF_DETERMINISTIC_OPS", "off"),
    }


def _version(package: str) -> str:
    return version_of(package) or "not installed"


def _described(package: str) -> str:
    distribution = distribution_of(package)
    return _version(package) + (f" ({distribution})" if distribution not in (None, package) else "")


def _platform() -> str:
    return " ".join(filter(None, (platform.system(), platform.machine(), *platform.libc_ver())))


def _distributions(packages: Sequence[str]) -> dict[str, str]:
    distributions = {name: distribution_of(name) or "no distribution" for name in packages}
    return {name: distribution for name, distribution in distributions.items() if distribution != name}


def _cpu_features() -> tuple[str, ...]:
    features = processor_features()
    return tuple(name for name in _CPU_FEATURES if name in features)


def _switches() -> dict[str, str]:
    return {name: os.environ[name][:200] for name in _SWITCHES if os.environ.get(name)}


def _keras_settings(keras: Any) -> dict[str, str]:
    """The global settings of Keras, a user's ``keras.json`` included, that are not the documented defaults."""
    floatx = keras.backend.floatx()
    settings = {
        "floatx": (floatx, "float32"),
        "image_data_format": (keras.backend.image_data_format(), "channels_last"),
        "dtype policy": (_dtype_policy(keras), floatx),
    }
    return {name: value for name, (value, default) in settings.items() if value != default}


def _dtype_policy(keras: Any) -> str:
    return str(global_policy(keras)[0]().name)


def _op_determinism() -> bool:
    from tensorflow.python.framework import config  # no public reader exists

    return bool(config.is_op_determinism_enabled())
