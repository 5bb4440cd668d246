"""What one network has compiled serves the next: kernels are variants by channels and tile, not by network."""

import numpy as np

from jitcnn import CNN, Conv2d, Dense, Flatten, Pool2d
from jitcnn.kernels.rows import Row


def variants(*layers, images=40):
    """The kernels of a training step, as the cache tells them apart."""
    model = CNN([Conv2d(4, padding=1, activation="relu", input_shape=(28, 28, 1)), *layers, Dense(10, activation="softmax")], seed=1)
    model.compile()
    x = np.random.default_rng(0).random((images, 28, 28, 1), np.float32)
    model.train(x, np.arange(images) % 10, epochs=1, progress=False)
    (session,) = model._trainer.sessions.values()
    program = session.program.program
    rows = [*program.derived, *(row for row in program.rows if isinstance(row, Row))]
    return {(row.factory.__qualname__, *sorted(row.key.items(), key=str)) for row in rows}


def test_a_new_architecture_needs_no_kernel_that_another_has_not():
    pooled, deep, flat = (
        variants(Pool2d(), Flatten()),
        variants(Pool2d(), Flatten(), Dense(64, activation="relu")),
        variants(Flatten(), Dense(64, activation="relu")),
    )
    assert pooled - flat and flat - pooled and deep - pooled  # not of one kind, whatever the processor's vectors
    assert variants(Pool2d(), Flatten(), Dense(64, activation="relu"), Dense(64, activation="relu")) <= pooled | deep | flat
