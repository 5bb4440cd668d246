"""Data sets that can be downloaded by name: their files, where these are, and what they must be.

Sizes and SHA-256 sums are those that TensorFlow Datasets publishes and checks its own downloads with, in the folder
`tensorflow_datasets/url_checksums` of https://github.com/tensorflow/datasets: `fashion_mnist.txt`, `kmnist.txt` and `cifar10.txt`
(commit 333639b37af6c6fedf3610a4a2d42f1c6ef6f7d5). Class names are those of the data sets' own pages.
"""

from dataclasses import dataclass

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


@dataclass(frozen=True)
class File:
    """One file as it is published.

    Attributes
    ----------
    name
        Of the file, and the end of its address.
    size
        Bytes.
    sha256
        Hexadecimal digits.
    members
        Of an archive: the files that are taken out of it, by name, with their bytes; the archive itself is not kept.
    """

    name: str
    size: int
    sha256: str
    members: tuple[tuple[str, int], ...] = ()

    @property
    def contents(self) -> tuple[tuple[str, int], ...]:
        """(name, bytes) of what is in the folder afterwards."""
        return self.members or ((self.name, self.size),)


@dataclass(frozen=True)
class Published:
    """A data set with a name.

    Attributes
    ----------
    title, page
        What it is, and where it is described.
    licence
        Of the images.
    mirrors
        Addresses, ending in "/", that have all files; tried in this order.
    files
        All of them.
    classes
        One name a class.
    """

    title: str
    page: str
    licence: str
    mirrors: tuple[str, ...]
    files: tuple[File, ...]
    classes: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)


SETS = {
    "fashion-mnist": Published(
        "Fashion-MNIST: 70,000 grey pictures of clothes, 28 x 28, in 10 classes",
        "https://github.com/zalandoresearch/fashion-mnist",
        "MIT",
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
        (
            File(TRAIN_IMAGES, 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            File(TRAIN_LABELS, 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            File(TEST_IMAGES, 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            File(TEST_LABELS, 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "kmnist": Published(
        "Kuzushiji-MNIST: 70,000 grey pictures of cursive Japanese characters, 28 x 28, in 10 classes",
        "https://github.com/rois-codh/kmnist",
        "CC BY-SA 4.0",
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        (
            File(TRAIN_IMAGES, 18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            File(TRAIN_LABELS, 29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            File(TEST_IMAGES, 3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            File(TEST_LABELS, 5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    "cifar10": Published(
        "CIFAR-10: 60,000 colour photographs, 32 x 32, in 10 classes",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        "none stated; cite Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
        ("https://www.cs.toronto.edu/~kriz/", "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/"),
        (
            File(
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                tuple((f"{part}.bin", 30_730_000) for part in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch")),
            ),
        ),
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
}
