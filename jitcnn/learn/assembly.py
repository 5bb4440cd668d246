"""Machine code as text: the loop in which a kernel spends its time, and where its sums lie."""

import re
from dataclasses import dataclass

LABEL = re.compile(r"^(\.?L\w+):")
JUMP = re.compile(r"^\s+(?:j\w+|b|b\.\w+|cbn?z|tbn?z)\s+(?:.*,\s*)?(\.?L\w+)\b")
MULTIPLY_ADD = re.compile(r"^\s+(?:vfmadd\d+[ps][sd]|fmla)\s")
ADD = re.compile(r"^\s+(?:v?addp[sd]|fadd)\s")  # where a product and a sum are two instructions
COPY = re.compile(r"^\s+v?mov(?:[au]p[sd]|dq[au]\d*)?\s")
VECTOR = re.compile(r"%[xyz]mm\d+|\b[vqz]\d+\b")
X86_TARGET = re.compile(r"%([xyz]mm\d+)(?:\s*\{[^}]*\})*$")
ARM_TARGET = re.compile(r"^\s+(?!st)\w+\s+\{?\s*[vqz](\d+)\b")
REGISTERS = re.compile(r"%([xyz]mm\d+)|\b[vqz](\d+)\b")
STACK = re.compile(r"\(%[re]sp\b|\[sp\b")


@dataclass(frozen=True)
class Loop:
    """The innermost loop with most sums in registers.

    Attributes
    ----------
    lines
        Its instructions; the last one jumps back to the first.
    sums
        How many of them add to a vector of sums: products with an addition, or additions where the processor has no such instruction.
    accumulators
        Registers in which a turn of the loop leaves what it found there and what it added: they hold sums as long as the loop runs.
    spills
        Instructions that move a vector to or from the stack, because registers ran out.
    fused
        Whether product and sum are one instruction.
    """

    lines: tuple[str, ...]
    sums: int
    accumulators: tuple[str, ...]
    spills: int
    fused: bool


def innermost_loop(assembly: str) -> Loop:
    """Find the loop in the assembly of a kernel, of x86-64 (as AT&T writes it) or aarch64.

    Raises
    ------
    ValueError
        If no loop adds to vectors.
    """
    lines = assembly.splitlines()
    labels = {match[1]: number for number, line in enumerate(lines) if (match := LABEL.match(line))}
    loops = [
        (start, end)
        for end, line in enumerate(lines)
        if (match := JUMP.match(line)) and (start := labels.get(match[1])) is not None and start < end
    ]
    innermost = [loop for loop in loops if not any(loop != other and loop[0] <= other[0] and other[1] <= loop[1] for other in loops)]
    bodies = [tuple(line for line in lines[start : end + 1] if is_instruction(line)) for start, end in innermost]
    for kind in (MULTIPLY_ADD, ADD):
        best = max((describe(body, kind) for body in bodies), key=lambda loop: (len(loop.accumulators), loop.sums), default=None)
        if best is not None and best.sums:
            return best
    raise ValueError("the assembly has no loop with sums of vectors")


def is_instruction(line: str) -> bool:
    """Whether a line is neither a label nor a directive."""
    return line.startswith(("\t", " ")) and not line.strip().startswith((".", "#", "//"))


def describe(body: tuple[str, ...], kind: re.Pattern[str]) -> Loop:
    """Count what a loop does."""
    return Loop(
        lines=body,
        sums=sum(bool(kind.match(line)) for line in body),
        accumulators=accumulators(body, kind),
        spills=sum(bool(STACK.search(line) and VECTOR.search(line)) for line in body),
        fused=kind is MULTIPLY_ADD,
    )


def accumulators(body: tuple[str, ...], kind: re.Pattern[str]) -> tuple[str, ...]:
    """Follow every register's number through a turn of the loop; a sum may pass through others before it is back in its own."""
    found: dict[str, str | None] = {}  # register -> that which held its number at the start, before additions; None: another number
    added: dict[str, None] = {}
    for line in body:
        written = target(line)
        if written is None:
            continue
        begun = [start for register in added_to(line, kind) if (start := found.get(register, register))]
        found[written] = begun[0] if begun else None
        if begun and kind.match(line):
            added[begun[0]] = None
    return tuple(register for register in added if found.get(register) == register)


def added_to(line: str, kind: re.Pattern[str]) -> list[str]:
    """The registers of which one holds the sum that an addition or a copy carries on; an addition's other one holds a product."""
    operands = re.split(r",\s*(?![^(]*\))", line.split("#")[0])
    if COPY.match(line):
        read = operands[1:] if ARM_TARGET.match(line) else operands[:1]
    elif not kind.match(line):
        read = []
    elif order := re.search("vfmadd(231|213|132)", line):  # which operands are multiplied, and which is added
        read = [operands[{"231": 2, "213": 0, "132": 1}[order[1]]]]
    elif ARM_TARGET.match(line):
        read = operands[:1] if "fmla" in line else operands[1:]
    else:
        read = operands[-2::-1] if len(operands) == 3 else operands[::-1]
    return [x86 or f"v{arm}" for x86, arm in REGISTERS.findall(",".join(read))]


def target(line: str) -> str | None:
    """The vector register that an instruction writes: the last one as AT&T writes x86, the first on ARM, whose names vary with the type."""
    if match := X86_TARGET.search(line.split("#")[0].rstrip()):
        return match[1]
    return f"v{match[1]}" if (match := ARM_TARGET.match(line)) else None
