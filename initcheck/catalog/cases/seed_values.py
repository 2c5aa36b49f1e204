"""The seeds to try, and the pairs of seeds that a faulty framework could mistake for one."""

from __future__ import annotations

from collections.abc import Callable

Stream = Callable[..., int]  # the seed of the stream of those names

# TensorFlow's kernels take seeds of 31 bits; Keras reduces others modulo 2³¹ − 2, so seeds beyond it equal these.
RANGE = 2**31 - 2

# Neighbours of every width that an integer might be cut or rounded to: bytes, shorts, float32's and float16's mantissa.
LOWER = (
    0, 1, 2, 3, 10, 11, 127, 128, 255, 256, 257, 2047, 2048, 2049, 32767, 32768, 65535, 65536, 65537,
    10**6, 10**6 + 1, 2**24 - 1, 2**24, 2**24 + 1, 10**9, 10**9 + 1, 2**30 - 1, 2**30, 2**30 + 1, 2**31 - 4, 2**31 - 3,
)  # fmt: skip
# Of the seeds that TensorFlow's 31 bits do not hold, one of each class modulo 2³¹ − 2; 0 … 3 are left to LOWER.
UPPER = (4, 5, 255, 65536, 2**31 - 3, 2**31 - 1, 2**31, 2**32 - 1)

# Seeds that no user expects to be equal: the second is the first plus the modulus, or its negative.
ALIASES = (
    *((seed, seed + RANGE) for seed in (0, 1, 2, 12345, 2**30)),
    (2**31, 2**32 - 2),
    (-1, 2**31 - 3),
)

# Seeds that are equal as narrower integers, by the part that is lost; no two are equal modulo 2³¹ − 2.
NARROWED = {
    "2^32": ((7, 2**32 + 7), (0, 2**32), (12345, 2**32 + 12345), (-7, 2**32 - 7), (-(2**31), 2**31)),
    "2^31": ((7, 2**31 + 7), (0, 2**31), (12345, 2**31 + 12345), (2**31 - 3, 2**32 - 3)),
    "2^31-1": ((7, 2**31 + 6), (0, 2**31 - 1), (-1, 2**31 - 2)),
    "sign": ((-1, 1), (-7, 7), (-65536, 65536), (-(2**31) + 9, 2**31 - 9)),
}


def turned_seeds(stream: Stream, name: str) -> tuple[int, ...]:
    """A seed, and others that differ from it by one bit or a power of ten, which a mask or a modulus would lose."""
    base = stream("seeds", "turned", name) % RANGE
    seeds = [base, *(base ^ (1 << bit) for bit in range(0, 30, 2)), *(base + 10**power for power in (3, 6, 9))]
    return tuple(dict.fromkeys(seed % RANGE for seed in seeds))


def random_seeds(stream: Stream, name: str) -> tuple[int, ...]:
    """Seeds from the full range, some at distances that a mask, a modulus or rounding would lose."""
    base = stream("seeds", "random", name) % RANGE
    flipped = [base ^ (1 << bit) for bit in range(30)]
    shifted = [base + 10**power for power in range(1, 10)]
    scattered = [stream("seeds", "random", name, k) for k in range(20)]
    seeds = [base, base + 1, base // 2, *flipped, *shifted, *scattered]
    return tuple(dict.fromkeys(seed % RANGE for seed in seeds))
