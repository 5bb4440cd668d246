"""Integers that stand for words in prepared calls: compiled code compares numbers, people write words."""

LINEAR, RELU, SIGMOID, TANH, SOFTMAX = range(5)
ACTIVATIONS = {None: LINEAR, "linear": LINEAR, "relu": RELU, "sigmoid": SIGMOID, "tanh": TANH, "softmax": SOFTMAX}

MAX, MIN, AVERAGE = range(3)
POOLS = {"max": MAX, "min": MIN, "average": AVERAGE}

ZERO, EDGE = range(2)
PADDINGS = {"zero": ZERO, "edge": EDGE}

AUTO, DIRECT, WINOGRAD = range(3)
ALGORITHMS = {"auto": AUTO, "direct": DIRECT, "winograd": WINOGRAD}
