"""Addresses as typed pointers, and the few machine instructions that Numba does not offer."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

REAL: dict[Any, Any] = {np.float32: types.float32, np.float64: types.float64}
INT64, INT32, BYTE = ir.IntType(64), ir.IntType(32), ir.IntType(8)


def pointer_of(element: types.Type):
    """An intrinsic that turns an integer address into a pointer to `element`."""
    pointer = types.CPointer(element)

    @intrinsic
    def at(typing, address):
        def build(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(pointer))

        return pointer(types.int64), build

    at._set_uuid(f"jitcnn.pointers.at.{element}")
    return at


float32_at, float64_at, int64_at, uint8_at = (pointer_of(t) for t in (types.float32, types.float64, types.int64, types.uint8))
#: element type -> intrinsic that makes a pointer of an address
AT: dict[Any, Any] = {np.float32: float32_at, np.float64: float64_at, np.int64: int64_at, np.uint8: uint8_at}


def move_of(element: types.Type):
    """An intrinsic move(pointer, offset): a pointer `offset` numbers further."""
    pointer = types.CPointer(element)

    @intrinsic
    def move(typing, start, offset):
        return pointer(pointer, types.int64), lambda context, builder, signature, args: builder.gep(args[0], [args[1]])

    move._set_uuid(f"jitcnn.pointers.move.{element}")
    return move


MOVE: dict[Any, Any] = {kind: move_of(element) for kind, element in {**REAL, np.int64: types.int64}.items()}


@intrinsic
def call_kernel(typing, address, arguments, first, last, worker):
    """Call void(void*, int64, int64, int64) at a run-time address."""

    def build(context, builder, signature, args):
        kernel = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), INT64, INT64, INT64])
        builder.call(builder.inttoptr(args[0], kernel.as_pointer()), [builder.inttoptr(args[1], BYTE.as_pointer()), *args[2:]])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), build


@intrinsic
def fetch_add(typing, numbers, index, value):
    """Add to a number that several threads add to at once; returns what it was before. `numbers`: a pointer to int64."""

    def build(context, builder, signature, args):
        return builder.atomic_rmw("add", builder.gep(args[0], [args[1]]), args[2], "acq_rel")

    return types.int64(numbers, types.int64, types.int64), build


@intrinsic
def publish(typing, numbers, index, value):
    """Write a number: whoever sees it with `look` sees all that this thread wrote before."""

    def build(context, builder, signature, args):
        builder.store_atomic(args[2], builder.gep(args[0], [args[1]]), "release", 8)
        return context.get_dummy_value()

    return types.void(numbers, types.int64, types.int64), build


@intrinsic
def look(typing, numbers, index):
    """Read a number that another thread publishes."""

    def build(context, builder, signature, args):
        return builder.load_atomic(builder.gep(args[0], [args[1]]), "acquire", 8)

    return types.int64(numbers, types.int64), build


X86, ARM = ("x86_64", "i686"), ("aarch64", "arm64")
FLUSH = {**dict.fromkeys(X86, 0x8040), **dict.fromkeys(ARM, 1 << 24)}  # bits of the control word: results and operands


def architecture(context) -> str:
    """The first word of the triple that names the processor and system for which code is written."""
    return context.codegen().magic_tuple()[0].partition("-")[0]


def read_control(builder, processor: str):
    """The control word of floating-point arithmetic on this thread, 0 on a processor that is not known here."""
    if processor in X86:
        slot = cgutils.alloca_once(builder, INT32)
        _call(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), builder.bitcast(slot, BYTE.as_pointer()))
        return builder.zext(builder.load(slot), INT64)
    return _call(builder, "llvm.aarch64.get.fpcr", INT64) if processor in ARM else ir.Constant(INT64, 0)


def write_control(builder, processor: str, word) -> None:
    """Set it."""
    if processor in X86:
        slot = cgutils.alloca_once_value(builder, builder.trunc(word, INT32))
        _call(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), builder.bitcast(slot, BYTE.as_pointer()))
    elif processor in ARM:
        _call(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), word)


def _call(builder, name: str, result, *arguments):
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


@intrinsic
def flush_denormals(typing):
    """Numbers too small for a normal exponent count as 0 on this thread from now on; returns the old control word.

    Adam's moments of weights that get no gradient decay into such numbers, and the processor is slow at them: training ran a
    third slower without this.  On a processor other than x86 and ARM of 64 bits nothing changes.
    """

    def build(context, builder, signature, args):
        processor = architecture(context)
        old = read_control(builder, processor)
        write_control(builder, processor, builder.or_(old, ir.Constant(INT64, FLUSH.get(processor, 0))))
        return old

    return types.int64(), build


@intrinsic
def restore_control(typing, word):
    """Undo flush_denormals."""

    def build(context, builder, signature, args):
        write_control(builder, architecture(context), args[0])
        return context.get_dummy_value()

    return types.void(types.int64), build


@intrinsic
def take_line(typing, pointer):
    """Make the cache line of a number this core's own by writing the number that is there; whoever calls this alone writes to the line.

    A line that another core has read is written some hundred cycles later, beside which this core computes on. A prefetch for writing
    does not do it where the line lies in this core's cache already.
    """

    def build(context, builder, signature, args):
        number = builder.bitcast(args[0], INT32.as_pointer())
        builder.store_atomic(builder.load_atomic(number, "monotonic", 4), number, "monotonic", 4)  # which no compiler leaves out
        return context.get_dummy_value()

    return types.void(pointer), build


def write_pause(builder, processor: str) -> None:
    """Wait some tens of cycles and leave the core to what else runs on it; nothing on a processor that is not known here."""
    if processor in X86:
        _call(builder, "llvm.x86.sse2.pause", ir.VoidType())
    elif processor in ARM:
        _call(builder, "llvm.aarch64.isb", ir.VoidType(), ir.Constant(INT32, 15))


@intrinsic
def pause(typing):
    """`write_pause` for compiled code."""

    def build(context, builder, signature, args):
        write_pause(builder, architecture(context))
        return context.get_dummy_value()

    return types.void(), build


def write_prefetch(builder, pointer, write: bool) -> None:
    """Ask for the cache line that a pointer points to, wherever that is, to be read (or written) soon."""
    address = builder.bitcast(pointer, BYTE.as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [address.type, INT32, INT32, INT32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    second_level, of_data = ir.Constant(INT32, 2), ir.Constant(INT32, 1)
    builder.call(function, [address, ir.Constant(INT32, int(write)), second_level, of_data])


def prefetch_of(element: types.Type, write: bool):
    """An intrinsic prefetch(pointer), `write_prefetch` for compiled code."""

    @intrinsic
    def prefetch(typing, pointer):
        def build(context, builder, signature, args):
            write_prefetch(builder, args[0], write)
            return context.get_dummy_value()

        return types.void(types.CPointer(element)), build

    prefetch._set_uuid(f"jitcnn.pointers.prefetch.{element}.{write}")
    return prefetch


#: element type -> intrinsics for what is read and for what is written
PREFETCH: dict[Any, Any] = {kind: (prefetch_of(element, False), prefetch_of(element, True)) for kind, element in REAL.items()}
