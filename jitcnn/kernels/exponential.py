"""exp, sigmoid and tanh of one number, in forms that become vector instructions inside a loop.

Without Intel's SVML, which Numba's wheels lack, a call of exp or tanh is a call of the C library for every number.  In float32 they
are polynomials here, after Cephes (https://www.netlib.org/cephes/, expf.c and tanhf.c): within 1.3, 3 and 1.4 units in the last place.

    exp(x) = 2**n * exp(r)      n = round(x / log 2), r = x - n log 2: |r| <= 0.35, where a polynomial of degree 7 does

NaN stays NaN; what is too large for float32 becomes infinity, what is too small 0.  In float64, which is for checking gradients and not
for speed, they are the C library's.
"""

import math
from collections.abc import Callable

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ONE, TWO, HALF = np.float32(1), np.float32(2), np.float32(0.5)
LOG2E = np.float32(1.4426950408889634)
LN2_HIGH, MINUS_LN2_LOW = np.float32(0.693359375), np.float32(2.12194440e-4)  # of 9 bits, so that n times it is exact, and the rest
LOW, HIGH = np.float32(-104), np.float32(89)  # exp is 0 below, infinity above
EXP = tuple(map(np.float32, (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)))
TANH = tuple(map(np.float32, (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)))
TANH_SMALL = np.float32(0.625)  # below, 1 - 2 / (exp(2x) + 1) would cancel
BIAS, HALVE, EXPONENT_AT = np.int32(127), np.int32(1), np.int32(23)


def exact(function: Callable) -> Callable:
    """Decorator of a helper whose operations keep their order and their divisions.

    Reordered, the product by two powers of 2 would overflow early; an approximate reciprocal turns 1 / infinity into NaN.
    """
    dispatcher = numba.njit(error_model="numpy", fastmath=False)(function)  # said aloud: else it would inherit its caller's
    dispatcher._set_uuid(f"{function.__module__}.{function.__qualname__}")  # as in compiling.inline
    return dispatcher


@intrinsic
def multiply_add(typing, a, b, c):
    """a * b + c in float32: one instruction where the processor has it."""

    def build(context, builder, signature, args):
        kind = ir.FunctionType(ir.FloatType(), [ir.FloatType()] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fmuladd.f32"), args)

    return types.float32(types.float32, types.float32, types.float32), build


@intrinsic
def float_of_bits(typing, bits):
    """The float32 with these 32 bits."""

    def build(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), build


multiply_add._set_uuid("jitcnn.exponential.multiply_add")  # of what captures them, they would make another cache key in every process
float_of_bits._set_uuid("jitcnn.exponential.float_of_bits")


@exact
def power_of_two(k):
    """2**k in float32, -127 <= k <= 128; 0 and infinity at the ends."""
    return float_of_bits(np.int32((k + BIAS) << EXPONENT_AT))


@exact
def exp32(x):
    """exp(x) in float32."""
    x = min(max(x, LOW), HIGH)  # in this order NaN stays NaN
    n = np.floor(multiply_add(x, LOG2E, HALF))
    r = multiply_add(n, MINUS_LN2_LOW, multiply_add(n, -LN2_HIGH, x))
    p = EXP[0]
    p = multiply_add(p, r, EXP[1])
    p = multiply_add(p, r, EXP[2])
    p = multiply_add(p, r, EXP[3])
    p = multiply_add(p, r, EXP[4])
    p = multiply_add(p, r, EXP[5])
    k = np.int32(n)
    half = k >> HALVE  # two factors, because 2**128 is too large where exp is not
    return multiply_add(p * r, r, r + ONE) * power_of_two(half) * power_of_two(k - half)


@exact
def sigmoid32(x):
    """1 / (1 + exp(-x)) in float32."""
    return ONE / (ONE + exp32(-x))


@exact
def tanh32(x):
    """tanh(x) in float32."""
    z = x * x
    p = TANH[0]
    p = multiply_add(p, z, TANH[1])
    p = multiply_add(p, z, TANH[2])
    p = multiply_add(p, z, TANH[3])
    p = multiply_add(p, z, TANH[4])
    small = multiply_add(x * z, p, x)
    large = math.copysign(ONE - TWO / (exp32(TWO * abs(x)) + ONE), x)
    return small if abs(x) < TANH_SMALL else large


@exact
def exp64(x):
    """exp(x) in float64."""
    return math.exp(x)


@exact
def sigmoid64(x):
    """1 / (1 + exp(-x)) in float64."""
    return 1.0 / (1.0 + math.exp(-x))


@exact
def tanh64(x):
    """tanh(x) in float64."""
    return math.tanh(x)


exp: dict[type, Callable] = {np.float32: exp32, np.float64: exp64}
sigmoid: dict[type, Callable] = {np.float32: sigmoid32, np.float64: sigmoid64}
tanh: dict[type, Callable] = {np.float32: tanh32, np.float64: tanh64}
