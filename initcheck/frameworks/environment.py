"""Records the software and hardware that decide bits."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from initcheck.frameworks.backends import load_target, load_target_keras
from initcheck.frameworks.floatx import global_policy
from initcheck.frameworks.keras import threads
from initcheck.frameworks.libraries.chosen import library
from initcheck.installed import distribution_of, version_of
from initcheck.processor import onednn_is_on, processor_features, processor_name
from initcheck.records import Environment
from initcheck.targets import TENSORFLOW, backend_of, target

_JUDGED_BY = ("initcheck", "numpy", "scipy")  # whatever the target is
_BEHIND = {"jax": ("jaxlib",)}  # what a backend's draws are computed by
_BEFORE, _AFTER = ("initcheck",), ("keras", "numpy", "ml-dtypes", "h5py", "scipy", "scikit-learn")
_ONE_THREAD = "intra_op_parallelism_threads=1"
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
    """The environment of this process; loads the framework.

    Raises:
        FrameworkError: As of ``load_target_keras``.
    """
    keras = load_target_keras()
    backend = backend_of(target())
    packages = (*_BEFORE, backend, *_BEHIND.get(backend, ()), *_AFTER)
    return _with(packages, _SEEN[backend](), _keras_settings(keras))


def target_environment() -> Environment:
    """The environment of this process, for whichever target it is to judge; loads that."""
    if backend_of(target()):
        return environment()
    load_target()
    packages = tuple(dict.fromkeys((*packages_of(target()), *_JUDGED_BY)))
    return _with(packages, (threads(), False, False, ()), {})


def _with(packages: Sequence[str], seen: _Seen, settings: Mapping[str, str]) -> Environment:
    """The environment with the versions of those packages, and what was seen and set within the framework."""
    within, onednn, determinism, devices = seen
    return Environment(
        target=target(),
        versions={name: _version(name) for name in packages},
        distributions=_distributions(packages),
        python=platform.python_version(),
        platform=" ".join(filter(None, (platform.system(), platform.machine(), *platform.libc_ver()))),
        cpu=processor_name(),
        cpu_features=_cpu_features(),
        threads=within,
        onednn=onednn,
        op_determinism=determinism,
        devices=devices,
        switches={**_switches(), **settings},
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


# Threads, oneDNN, determinism and devices, as ``Environment`` has them.
_Seen = tuple[tuple[int, int], bool, bool, tuple[str, ...]]


def _seen_of_tensorflow() -> _Seen:
    import tensorflow as tf
    from tensorflow.python.framework import config  # no public reader of determinism exists

    threading = tf.config.threading
    return (
        (threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()),
        onednn_is_on(),
        bool(config.is_op_determinism_enabled()),
        tuple(device.device_type for device in tf.config.list_physical_devices()),
    )


def _seen_of_torch() -> _Seen:
    import torch

    devices = ("CPU", *["GPU"] * torch.cuda.device_count())
    return (
        (torch.get_num_threads(), torch.get_num_interop_threads()),
        torch.backends.mkldnn.is_available(),
        torch.are_deterministic_algorithms_enabled(),
        devices,
    )


def _seen_of_jax() -> _Seen:
    import jax

    within = 1 if _ONE_THREAD in os.environ.get("XLA_FLAGS", "") else 0
    return (within, 0), False, False, tuple(device.platform.upper() for device in jax.devices())


_SEEN: Mapping[str, Callable[[], _Seen]] = {
    "tensorflow": _seen_of_tensorflow,
    "torch": _seen_of_torch,
    "jax": _seen_of_jax,
}
