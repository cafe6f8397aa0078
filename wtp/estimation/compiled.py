"""Compiled arithmetic that the simulation estimators share; everything here runs without Python's lock.

Whoever analyses first after an installation waits for all of it to be compiled, so kernels have loops where numpy would add or copy whole arrays: numba compiles
for seconds what checks their shapes and words the error.

numba's own `exp` is called one number at a time. `exp_block` works on a block at once, so that the processor's vector units do it: the
range reduction x = k ln 2 + r, a polynomial in r of degree 13, and k written into the exponent of the result. Its relative
error is below 5e-16 (tests), four times faster than the scalar function on the machines tried.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SHIFT = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to an integer, which then stands in the lowest bits
_ONE = 4607182418800017408  # the bits of 1.0
_SMALLEST = -708.0  # below it the result would be subnormal; it is taken for exp(-708), about 1e-308


def reads(count: int) -> Callable[[Any], Callable[..., Any]]:
    """The compiled function takes its first `count` arrays as ones that nobody writes to: else it is compiled anew, for seconds, for every mix of those that may be written and those that may not."""

    def handed(compiled: Any) -> Callable[..., Any]:
        @functools.wraps(compiled)
        def call(*arrays: np.ndarray) -> Any:
            views = [array.view() for array in arrays[:count]]
            for view in views:
                view.flags.writeable = False
            return compiled(*views, *arrays[count:])

        return call

    return handed


@njit(nogil=True, cache=True, error_model="numpy")
def product(first: np.ndarray, second: np.ndarray) -> float:
    """Inner product of two vectors, summed from the first to the last."""
    total = 0.0
    for r in range(len(first)):
        total += first[r] * second[r]
    return total


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nnan", "nsz"})
def exp_block(x: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
    """exp(x) into `out`, for x between -708 (smaller values count as -708) and 700; three contiguous arrays of one length."""
    bits = out.view(np.int64)
    for j in range(len(x)):
        value = max(x[j], _SMALLEST)
        shifted = value * _LOG2_E + _SHIFT
        k = shifted - _SHIFT
        r = value - k * _LN2_HIGH - k * _LN2_LOW
        p = 1.6059043836821613e-10
        p = p * r + 2.08767569878681e-09
        p = p * r + 2.505210838544172e-08
        p = p * r + 2.755731922398589e-07
        p = p * r + 2.7557319223985893e-06
        p = p * r + 2.48015873015873e-05
        p = p * r + 0.0001984126984126984
        p = p * r + 0.001388888888888889
        p = p * r + 0.008333333333333333
        p = p * r + 0.041666666666666664
        p = p * r + 0.16666666666666666
        p = p * r + 0.5
        p = p * r + 1.0
        scratch[j] = p * r + 1.0
        out[j] = shifted
    for j in range(len(x)):
        bits[j] = (bits[j] << 52) + _ONE
    for j in range(len(x)):
        out[j] *= scratch[j]
