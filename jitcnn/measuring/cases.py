"""The layers that are measured, and the work in each."""

from typing import NamedTuple

PASSES = {"forward": "forward", "grad_input": "gradient of the input", "grad_weights": "gradient of the weights"}


class Case(NamedTuple):
    """One layer: of a dense one `channels` are its inputs and `filters` its units, of a pooling layer `kernel` is the window.

    Convolutions have kernel // 2 zeros around the image, windows of pooling lie side by side.
    """

    kind: str  # "conv", "dense", "pool"
    images: int
    height: int
    width: int
    channels: int
    filters: int
    kernel: int
    stride: int = 1

    @property
    def name(self) -> str:
        """How tables call it: the shapes of images and weights, and the stride."""
        if self.kind == "dense":
            return f"{self.images}x{self.channels} {self.channels}x{self.filters}"
        images = f"{self.images}x{self.height}x{self.width}x{self.channels}"
        window = f"{self.kernel}x{self.kernel}"
        if self.kind == "pool":
            return f"{images} max {window}"
        return f"{images} {window}x{self.channels}x{self.filters}" + (f" /{self.stride}" if self.stride > 1 else "")

    @property
    def passes(self) -> tuple[str, ...]:
        """What can be measured of it."""
        return tuple(PASSES)[:2] if self.kind == "pool" else tuple(PASSES)

    @property
    def padding(self) -> int:
        """Zeros on each side."""
        return self.kernel // 2 if self.kind == "conv" else 0

    @property
    def outputs(self) -> tuple[int, int]:
        """Rows and columns that come out."""
        rows, columns = ((size + 2 * self.padding - self.kernel) // self.stride + 1 for size in (self.height, self.width))
        return rows, columns

    @property
    def work(self) -> float:
        """Of one pass, in units of 10^9: multiplications and additions, zeros of the padding included, as is the custom.

        Of pooling: the numbers of its input.
        """
        if self.kind == "pool":
            return 1e-9 * self.images * self.height * self.width * self.channels
        rows, columns = self.outputs
        return 2e-9 * self.images * rows * columns * self.kernel**2 * self.channels * self.filters

    @property
    def suits_winograd(self) -> bool:
        """Whether Winograd's way is worth a look: 3x3, stride 1, and channels enough for large patches or few enough for small ones."""
        return (self.kind, self.kernel, self.stride) == ("conv", 3, 1) and (
            self.has_many_channels or 1 < self.channels < 16 <= self.filters
        )

    @property
    def has_many_channels(self) -> bool:
        """Whether transforms are little work beside the products of all channels and filters."""
        return min(self.channels, self.filters) >= 64


def _conv(images: int, height: int, width: int, channels: int, filters: int, kernel: int, stride: int = 1) -> Case:
    return Case("conv", images, height, width, channels, filters, kernel, stride)


def _dense(images: int, inputs: int, units: int) -> Case:
    return Case("dense", images, 1, 1, inputs, units, 1)


def _pool(images: int, height: int, width: int, channels: int) -> Case:
    return Case("pool", images, height, width, channels, channels, 2, 2)


CASES = (
    _conv(32, 28, 28, 1, 8, 3),
    _conv(32, 28, 28, 8, 16, 3),
    _conv(32, 32, 32, 3, 32, 3),
    _conv(32, 32, 32, 16, 32, 3),
    _conv(32, 32, 32, 64, 64, 3),
    _conv(16, 56, 56, 64, 64, 3),
    _conv(32, 16, 16, 64, 128, 3),
    _conv(16, 28, 28, 128, 128, 3),
    _conv(32, 8, 8, 128, 256, 3),
    _conv(32, 32, 32, 64, 128, 3, 2),
    _conv(32, 28, 28, 64, 256, 1),
    _conv(32, 28, 28, 256, 64, 1),
    _conv(32, 14, 14, 24, 32, 5),
    _conv(32, 28, 28, 32, 64, 5),
    _conv(32, 64, 64, 3, 64, 7, 2),
    _conv(32, 13, 17, 40, 72, 3),
    _dense(32, 9216, 10),
    _dense(32, 784, 256),
    _dense(32, 1024, 1024),
    _pool(32, 26, 26, 8),
    _pool(32, 24, 24, 24),
    _pool(32, 56, 56, 64),
)
#: For a first look: small and large, with and without a stride.
QUICK = tuple(CASES[number] for number in (0, 2, 4, 8, 9, 10, 16, 18, 20))
