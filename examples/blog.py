"""The four tests of the text this project grew from, as they stand there, and their seconds of 2020 beside today's.

    python examples/blog.py            each test for 5 epochs (the text trained for 100), its printed lines, and a table
    python examples/blog.py --short    2 epochs on 500 images each
    python examples/blog.py 1 3        only tests 1 and 3

The seconds of 2020 are those that the text prints, of an epoch of pure NumPy on its author's laptop. An epoch counts as it did there:
training, then predictions for all its training and validation images. The first one here includes what has to be compiled, or loaded.
"""

import argparse
from statistics import median

from jitcnn.blog import *


def one_convolution():
    """Test 1."""
    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=8, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Flatten())
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(lr=0.01, opt="adam", loss="cse", mr=0.001)
    return m


def two_convolutions():
    """Test 2."""
    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=8, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Conv2d(filters=16, kernel_size=(3, 3), padding=None, activation="relu"))
    m.add(Flatten())
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(lr=0.01, opt="adam", loss="cse", mr=0.001)
    return m


def all_layers():
    """Test 3."""
    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=4, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Pool2d(kernel_size=(2, 2)))
    m.add(Conv2d(filters=8, kernel_size=(3, 3), padding=None, activation="relu"))
    m.add(Dropout(0.2))
    m.add(Flatten())
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(lr=0.001, opt="adam", loss="cse")
    return m


def two_feedforward_layers():
    """Test 4."""
    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=4, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Conv2d(filters=8, kernel_size=(3, 3), padding=None, activation="relu"))
    m.add(Pool2d(kernel_size=(2, 2)))
    m.add(Flatten())
    m.add(FFL(neurons=64, activation="relu"))
    m.add(Dropout(0.1))
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(lr=0.01, opt="adam", loss="cse")
    return m


# What to train, how many images to train and to validate on, and of 2020: seconds of an epoch, from and to, and the accuracy printed last.
TESTS = {
    1: (one_convolution, 1_000, 100, (310, 310), "63.0 % after 71 epochs"),
    2: (two_convolutions, 10_000, 500, (10_529, 10_529), "81.8 % after 5 epochs"),
    3: (all_layers, 5_000, 500, (1_641, 1_641), "76.2 % after 36 epochs"),
    4: (two_feedforward_layers, 10_000, 500, (5_985, 40_305), "61.0 % after 15 epochs"),
}
COLUMNS = "{:<5} {:>7} {:>16} {:>12} {:>12} {:>16}   {}"


def run(number, epochs, limit):
    """Train as in the text, and return the line of the table."""
    build, images, validation, (least, most), accuracy_2020 = TESTS[number]
    images = min(images, limit)
    x, y, xt, yt = mnist(train_limit=images, test_limit=validation)
    print(f"\nTest {number}: {build.__name__.replace('_', ' ')}")
    m = build()
    m.summary()
    m.train(x, y, epochs=epochs, batch_size=32, val_x=xt, val_y=yt)
    first, later = m.seconds[0], median(list(m.seconds.values())[1:])
    scale = images / TESTS[number][1]
    seconds_2020 = f"{least:,}" if least == most else f"{least:,} - {most:,}"
    faster = f"{least * scale / later:,.0f}" if least == most else f"{least * scale / later:,.0f} - {most * scale / later:,.0f}"
    accuracy = f"{m.val_acc[epochs - 1]} % after {epochs} (2020: {accuracy_2020})"
    return COLUMNS.format(number, f"{images:,}", seconds_2020, f"{first:.2f}", f"{later:.3f}", faster, accuracy)


def main():
    """Run the chosen tests, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", type=int, metavar="TEST", help="1, 2, 3 or 4; all if none is named")
    parser.add_argument("--epochs", type=int, default=5, help="how many, from 2 up (default: 5)")
    parser.add_argument("--short", action="store_true", help="2 epochs on 500 images")
    options = parser.parse_args()
    if unknown := set(options.tests) - set(TESTS):
        parser.error(f"there is no test {unknown.pop()}, only 1, 2, 3 and 4")
    if options.epochs < 2:
        parser.error("--epochs must be 2 or more: the first epoch also compiles")
    epochs, limit = (2, 500) if options.short else (options.epochs, 60_000)
    lines = [run(number, epochs, limit) for number in options.tests or TESTS]
    print("\nSeconds an epoch, in 2020 and today (the first, and the median of the others); accuracy on the validation images")
    print(COLUMNS.format("Test", "images", "2020", "first today", "today", "times faster", "accuracy"))
    print("\n".join(lines))
    if options.short:
        print("2020's seconds are for all of a test's images; times faster is for as many as were trained on here.")


if __name__ == "__main__":
    main()
