"""Bad input for every option that reads or writes something: one line that says what is wrong, exit code 2, nothing written."""

import struct
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from jitcnn_cli.main import main

from jitcnn import CNN, Dense, Flatten
from tests.cli.conftest import refused

Image = pytest.importorskip("PIL.Image")
SIDE = 20_000


def write_huge_picture(path):
    """20,000 x 20,000 pixels of one bit in a small file."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(SIDE * (SIDE // 8 + 1)), 1)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def write_pictures(folder, classes, count=3):
    for number in range(count):
        for name in classes:
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8), 20 * number, np.uint8)).save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Files and folders that are wrong, and some that are not."""
    root = tmp_path_factory.mktemp("inputs")
    write_pictures(root / "good", "ab")
    write_pictures(root / "one", "a")
    write_pictures(root / "hollow", "ab")
    (root / "hollow" / "c").mkdir()
    write_pictures(root / "huge", "ab")
    write_huge_picture(root / "huge" / "b" / "9.png")
    write_pictures(root / "texts", "ab")
    for path in root.glob("texts/*/*.png"):
        path.write_text("hello")
    for name in ("text.png", "text.npz", "text.json"):
        (root / name).write_text("hello")
    (root / "empty").mkdir()
    x, y = np.zeros((8, 8, 8), np.uint8), np.arange(8) % 4
    spoilt = x.astype(np.float32)
    spoilt[2, 3, 3] = np.nan
    arrays = {
        "good": (x, y), "nan": (spoilt, y), "negative": (x, y - 1), "float": (x, y / 2), "eight": (x, np.arange(8)), "short": (x, y[:3]),
        "small": (x[:, :3, :3], y), "integers": (x.astype(int), y), "single": (x, 0 * y),
    }  # fmt: skip
    for name, (images, labels) in arrays.items():
        np.savez(root / f"{name}.npz", x=images, y=labels)
    np.savez(root / "unlabelled.npz", x=x)
    (root / "nan.csv").write_text("0,1,2,3,4\n1,2,3,nan,4\n")
    (root / "lost.csv").write_text("good/a/0.png,a\nnone.png,b\n")
    (root / "key.toml").write_text('[[layers]]\ntype = "Conv2d"\nfiltres = 3\n')
    (root / "broken.toml").write_text("[[layers")
    model = CNN([Flatten(input_shape=(8, 8, 1)), Dense(4, activation="softmax")], seed=1)
    model.compile()
    model.data = {"name": str(root / "good.npz"), "digest": "0" * 12}
    model.save(root / "model.json")
    (root / "cut.json").write_text((root / "model.json").read_text()[:-200])
    plain = CNN([Flatten(input_shape=(8, 8, 1)), Dense(4)], seed=1)
    plain.compile(loss="mse")
    plain.save(root / "plain.json")
    return root


PICTURES_OF = [
    ("nowhere", "no such file or folder, and not the name of a known data set"),
    ("''", "it is empty"),
    ("empty", "holds no data: expected"),
    ("one", "at least two, and there is only a"),
    ("hollow", "hollow/c: the class is empty"),
    ("texts", "is a picture that Pillow reads"),
    ("huge --strict", "huge/b/9.png: more than 52,000,000 pixels"),
    ("text.png", "expected a folder of IDX files or of pictures"),
    ("text.npz", "expected a folder of IDX files or of pictures"),
    ("nan.npz", "NaN or infinity in image 2"),
    ("negative.npz", "labels go from -1 to 2"),
    ("float.npz", "expected (images,) of integers"),
    ("short.npz", "expected one label for every image"),
    ("integers.npz", "images are int64, expected uint8"),
    ("unlabelled.npz", "has no array 'y'; it has 'x'"),
    ("nan.csv", "line 2 has NaN"),
    ("lost.csv", "line 2 names none.png, and there is no such file"),
    ("good --size 0", "'0' is neither a number of pixels"),
    ("good --size nan", "'nan' is neither a number of pixels"),
    ("good --resize half", "'half' is not one of"),
    ("good.npz --gray", "are for picture files"),
    ("good.npz --invert no", "are for picture files"),
    ("good --invert maybe", "'maybe' is not one of"),
    ("good --invert auto", "--invert auto goes with --resize digit"),
]
WRONG = [
    *((f"train --preset single-conv --data {data}", message) for data, message in PICTURES_OF),
    *((f"data info {data}", message) for data, message in PICTURES_OF),
    *((f"data check {data}", message) for data, message in PICTURES_OF),
    *((f"data preview {data}", message) for data, message in PICTURES_OF),
    ("train --preset conv-pool --data small.npz", "nothing would be left of its input"),
    ("train --data single.npz", "all images are of one class, 0; at least two are needed"),
    ("train --data good.npz --augment turn", "augment has 'turn'"),
    ("train --data good.npz --augment rotate=nan", "rotate is nan, expected a number from 0 to 180"),
    ("train --data good.npz --lr nan", "'nan' is not a finite number above 0"),
    ("data preview good.npz --out none/o.png", "there is no folder none"),
    ("data preview good.npz --out empty", "empty is a folder; name a file"),
    ("data preview good.npz --out o.xyz", "unknown file extension: .xyz"),
    ("data preview good.npz --count 0", "0 is not in the range"),
    ("data preview good.npz --seed -1", "-1 is not in the range"),
    ("data preview good.npz --augment noise=inf", "noise is inf, expected"),
    ("data check good.npz --most 0", "0 is not in the range"),
    ("data check good.npz --model none.json", "none.json: no such file"),
    ("data check eight.npz --model model.json", "has outputs of (4,), and"),
    ("data download imagenet", "'imagenet' cannot be downloaded, expected one of"),
    ("data download kmnist --dir text.png", "'text.png' is a file"),
    ("eval model.json", "is not what the model was trained on"),
    ("eval cut.json", "cut.json: not valid JSON"),
    ("eval text.json", "text.json: not valid JSON"),
    ("eval plain.json", "the model's file names no data"),
    ("eval model.json --data eight.npz", "y has the label 4 at 4, and the model 4 classes, 0 to 3"),
    ("eval model.json --data small.npz", "the model takes images of (8, 8, 1)"),
    ("eval model.json --data nan.npz", "NaN or infinity in image 2"),
    ("eval model.json --data good.npz --reject-at 0", "'0' is not a share"),
    ("eval model.json --data good.npz --reject-at nan", "'nan' is not a share"),
    ("eval model.json --data good.npz --reject-at 101%", "'101%' is not a share"),
    ("predict model.json", "Missing argument 'FILE...|DIR|-'"),
    ("predict none.json good", "none.json: no such file"),
    ("predict plain.json good", "no probabilities of classes"),
    ("predict model.json none.png", "none.png: cannot be read (no such file)"),
    ("predict model.json text.png", "text.png: not a picture that Pillow reads"),
    ("predict model.json huge/b/9.png", "9.png: more than 52,000,000 pixels"),
    ("predict model.json empty", "empty: no pictures in this folder"),
    ("predict model.json -", "stdin: not a picture that Pillow reads"),
    ("predict model.json - -", "- is given twice"),
    ("predict model.json good --top 0", "0 is not in the range"),
    ("predict model.json good --reject nan", "'nan' is not a share"),
    ("predict model.json good --reject 2", "'2' is not a share"),
    ("predict model.json good --csv --json", "Give --csv or --json, not both"),
    ("predict model.json good --copy-to text.png", "text.png is a file, no folder"),
    ("predict model.json good --copy-to text.png/deep/deeper", "text.png is a file, no folder"),
    ("predict model.json - --copy-to o", "--copy-to needs files"),
    ("predict model.json good --show-input o.png", "--show-input takes one picture, and there are 6"),
    ("predict model.json good/a/0.png --show-input o.txt", "--show-input writes a .png"),
    ("predict model.json good/a/0.png --show-input none/o.png", "there is no folder none"),
    ("predict model.json - --show-input o.png", "--show-input needs a file"),
    ("summary key.toml", "key.toml: [[layers]] number 1: unknown key 'filtres', did you mean 'filters'?"),
    ("summary broken.toml", "broken.toml: not a TOML file"),
    ("summary none.toml", "none.toml: no such file"),
    ("summary cut.json", "cut.json: not valid JSON"),
    ("convert model.json o.txt", "o.txt: the suffix says what is written"),
    ("convert model.json empty", "empty is a folder"),
    ("convert model.json none/o.py", "there is no folder none"),
    ("convert text.json o.py", "text.json: not valid JSON"),
    ("doctor --threads 0", "0 is not in the range"),
    ("bench --rounds 0", "0 is not in the range"),
    ("bench --only nothing", "no layer's or network's name holds 'nothing'"),
]


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_one_line_and_exit_code_2(inputs, tmp_path, monkeypatch, line, message):
    monkeypatch.chdir(inputs)
    monkeypatch.setenv("JITCNN_DATA_DIR", str(tmp_path))
    before = sorted(inputs.rglob("*"))
    words = ["" if word == "''" else word for word in line.split()]
    assert message in refused(CliRunner().invoke(main, words, input="hello"))
    assert [path for path in sorted(inputs.rglob("*")) if path not in before and path.name != "runs"] == []
