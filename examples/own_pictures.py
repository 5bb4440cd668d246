"""A folder of pictures becomes a classifier that is stored, loaded and used. Needs Pillow.

python examples/own_pictures.py              draws pictures of three classes into a temporary folder, and learns them
python examples/own_pictures.py FOLDER       learns FOLDER/CLASS/*, or FOLDER/train/CLASS/* and FOLDER/test/CLASS/*
"""

import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw

from jitcnn import load, presets
from jitcnn.data import load as load_data
from jitcnn.preparation import Preparation


def draw_shapes(folder):
    """Round, tall and flat things, of any size and colour on paper of any size and colour."""
    random.seed(1)
    for part, count in (("train", 80), ("test", 20)):
        for name in ("round", "tall", "flat"):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                width, height = random.randint(50, 90), random.randint(50, 90)
                picture = Image.new("RGB", (width, height), tuple(random.randint(150, 255) for _ in range(3)))
                x, y, r = random.randint(18, width - 18), random.randint(18, height - 18), random.randint(10, 18)
                wide, high = {"round": (r, r), "tall": (4, r), "flat": (r, 4)}[name]
                ink = tuple(random.randint(0, 100) for _ in range(3))
                ImageDraw.Draw(picture).ellipse((x - wide, y - high, x + wide, y + high), fill=ink)
                picture.save(folder / part / name / f"{number}.{'png' if number % 2 else 'jpg'}")


def main(folder, out):
    """Learn, measure, store, and use what was stored."""
    data = load_data(folder, preparation=Preparation(size=(32, 32), channels=3), progress=True)
    print(data.describe())
    model = presets.PRESETS["default"].build(seed=1, input_shape=data.x.shape[1:], classes=len(data.classes))
    model.preparation = replace(data.preparation, normalize=model.normalize)
    model.train(data.x, data.y, epochs=20, augment="light", schedule="linear", progress=False)
    if data.x_test is not None:
        print(f"{model.evaluate(data.x_test, data.y_test)['accuracy']:.1%} of the test pictures are right")
    model.save(out / "model.json")
    stored = load(out / "model.json")
    file = data.files["train"][0]
    print(f"{file}: {stored.classes[int(stored.predict(stored.prepare(file)).argmax())]}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        if len(sys.argv) > 1:
            main(Path(sys.argv[1]), Path(temporary))
        else:
            draw_shapes(Path(temporary) / "shapes")
            main(Path(temporary) / "shapes", Path(temporary))
