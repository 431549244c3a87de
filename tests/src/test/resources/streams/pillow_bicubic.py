"""Makes pillow_bicubic.txt: `python pillow_bicubic.py > pillow_bicubic.txt` (Pillow 11 or newer; any 8-bit Pillow gives the same).

Each case is three lines: `kind channels width height left top right bottom outWidth outHeight`, the input and the output as
hexadecimal bytes (H, W, C). kind crop: `crop(box).resize(size, BICUBIC)`; kind box: `resize(size, BICUBIC, box=box)`.
"""
import random
import sys

import PIL
from PIL import Image

print(f"# made by pillow_bicubic.py with Pillow {PIL.__version__}", file=sys.stdout)
rng = random.Random(7)


def image(channels, width, height):
    """Smooth ramps, hard edges and noise: overshoot, clipping and rounding all happen."""
    out = bytearray()
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                if (x // 5 + y // 7) % 3 == 0:
                    value = 255 if (x + c) % 2 else 0
                elif (x // 5 + y // 7) % 3 == 1:
                    value = (x * 9 + y * 5 + c * 40) % 256
                else:
                    value = rng.randrange(256)
                out.append(value)
    return bytes(out)


CASES = [
    ("crop", 1, 28, 28, (3, 5, 25, 24), (28, 28)),
    ("crop", 1, 28, 28, (0, 0, 28, 28), (14, 14)),
    ("crop", 1, 28, 28, (10, 2, 28, 27), (28, 28)),
    ("crop", 3, 37, 23, (1, 0, 36, 20), (16, 16)),
    ("crop", 3, 19, 41, (0, 0, 19, 41), (8, 24)),
    ("crop", 1, 60, 5, (7, 1, 55, 4), (12, 12)),
    ("crop", 1, 28, 28, (4, 4, 5, 5), (28, 28)),
    ("box", 1, 28, 28, (1.5, 2.25, 26.75, 20.5), (28, 28)),
    ("box", 3, 33, 31, (0.3, 0.7, 32.1, 30.9), (11, 13)),
    ("crop", 3, 14, 11, (2, 1, 14, 11), (13, 9)),
    ("crop", 1, 11, 1080, (0, 20, 11, 1075), (5, 6)),
]
for kind, channels, width, height, box, size in CASES:
    data = image(channels, width, height)
    source = Image.frombytes("L" if channels == 1 else "RGB", (width, height), data)
    if kind == "crop":
        result = source.crop(box).resize(size, Image.BICUBIC)
    else:
        result = source.resize(size, Image.BICUBIC, box=box)
    print(kind, channels, width, height, *box, *size)
    print(data.hex())
    print(result.tobytes().hex())
