"""Digits drawn for tests: printed and by hand, thick and thin, shifted, turned, dark and light, in uneven light, on squared paper."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 160


def fonts():
    """Typefaces that Pillow and matplotlib bring."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = (
        *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSansMono"),
        *("STIXGeneral", "STIXGeneralItalic", "cmr10", "cmss10"),
    )
    return [ImageFont.load_default, *(lambda size, path=folder / f"{name}.ttf": ImageFont.truetype(path, size) for name in names)]


def arc(x, y, rx, ry, start, end):
    """Points on an ellipse, degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 24))
    return [(x + rx * np.cos(angle), y + ry * np.sin(angle)) for angle in angles]


# By hand: strokes in a box from 0 to 1, x to the right and y downwards; two ways for digits that people write in two.
STROKES = {
    0: [[arc(0.5, 0.5, 0.33, 0.5, -90, 270)]],
    1: [[[(0.5, 0), (0.5, 1)]], [[(0.3, 0.22), (0.55, 0), (0.55, 1)]]],
    2: [[[*arc(0.48, 0.28, 0.33, 0.28, -170, 40), (0.1, 1), (0.9, 1)]]],
    3: [[[*arc(0.45, 0.25, 0.3, 0.25, -150, 90), *arc(0.45, 0.74, 0.36, 0.26, -90, 150)]]],
    4: [[[(0.62, 0), (0.1, 0.64), (0.9, 0.64)], [(0.68, 0.35), (0.68, 1)]], [[(0.15, 0), (0.12, 0.5), (0.85, 0.5)], [(0.8, 0), (0.75, 1)]]],
    5: [[[(0.85, 0), (0.25, 0), (0.2, 0.42), *arc(0.45, 0.68, 0.38, 0.32, -120, 140)]]],
    6: [[[*arc(0.85, 0.62, 0.7, 0.62, -95, -180), *arc(0.48, 0.7, 0.33, 0.3, 180, 540)]]],
    7: [[[(0.1, 0), (0.9, 0), (0.4, 1)]], [[(0.1, 0), (0.9, 0), (0.4, 1)], [(0.4, 0.5), (0.85, 0.5)]]],
    8: [[[*arc(0.5, 0.25, 0.27, 0.25, 90, 450), *arc(0.5, 0.75, 0.35, 0.25, -90, 270)]]],
    9: [[[*arc(0.5, 0.3, 0.33, 0.3, 0, 360), (0.83, 0.3), (0.75, 0.7), (0.6, 1)]]],
}  # fmt: skip


def written(generator, label):
    """A digit drawn with a pen: white on black, in the middle of SIDE x SIDE pixels."""
    image = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    height, aspect, pen = generator.uniform(60, 105), generator.uniform(0.5, 0.85), round(generator.uniform(3, 12))
    ways = STROKES[label]
    for stroke in ways[generator.integers(len(ways))]:
        points = [(SIDE / 2 + (x - 0.5) * height * aspect, SIDE / 2 + (y - 0.5) * height) for x, y in stroke]
        points = [tuple(np.asarray(point) + generator.normal(0, 0.008 * height, 2)) for point in points]
        draw.line(points, fill=255, width=pen, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return image


def printed(generator, label, font):
    """A digit of a typeface: white on black, in the middle of SIDE x SIDE pixels."""
    image = Image.new("L", (SIDE, SIDE))
    thicker = int(generator.integers(0, 4))
    ImageDraw.Draw(image).text((SIDE / 2, SIDE / 2), str(label), 255, font(generator.uniform(60, 120)), anchor="mm", stroke_width=thicker)
    return image


def squares(generator):
    """Squared paper: 0 on the paper, up to 1 on its lines."""
    spacing, pen = generator.integers(14, 30), generator.integers(1, 3)
    place = (np.arange(SIDE) + generator.integers(spacing)) % spacing < pen
    return place[:, None] | place[None, :]


def picture(generator, label, kind):
    """A uint8 picture (SIDE, SIDE) of a digit; `kind` is a font, or None for a pen."""
    image = written(generator, label) if kind is None else printed(generator, label, kind)
    shift = generator.uniform(-20, 20, 2)
    ink = np.asarray(image.rotate(generator.uniform(-15, 15), 2, translate=tuple(shift))) / 255
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle, strength = generator.uniform(0, 2 * np.pi), generator.uniform(0, 50)
    light = generator.uniform(170, 210) + strength * (np.cos(angle) * x + np.sin(angle) * y) - generator.uniform(0, 25) * (x * x + y * y)
    if generator.random() < 0.4:
        light = light - generator.uniform(15, 45) * squares(generator)
    drawn = light * (1 - ink) + generator.uniform(20, 60) * ink + generator.normal(0, 3, ink.shape)
    drawn = np.clip(drawn, 0, 255).astype(np.uint8)
    return 255 - drawn if generator.random() < 0.3 else drawn
