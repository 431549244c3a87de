"""Makes torchvision_jitter.txt: `python torchvision_jitter.py > torchvision_jitter.txt` (torchvision 0.15 or newer).

Each case is three lines: `channels width height` and the operations with their factors in the order in which they are applied,
the input and the output as hexadecimal bytes (H, W, C). The operations run on uint8 tensors, as ColorJitter applies them.
"""
import random

import torch
import torchvision
from torchvision.transforms import functional as F

print(f"# made by torchvision_jitter.py with torchvision {torchvision.__version__}")
rng = random.Random(11)
OPERATIONS = {
    "BRIGHTNESS": F.adjust_brightness,
    "CONTRAST": F.adjust_contrast,
    "SATURATION": F.adjust_saturation,
    "HUE": F.adjust_hue,
}


def image(channels, width, height):
    """Ramps, saturated colours, greys and noise."""
    values = []
    for y in range(height):
        for x in range(width):
            kind = (x // 4 + y // 3) % 4
            for c in range(channels):
                if kind == 0:
                    values.append((x * 11 + y * 7 + c * 60) % 256)
                elif kind == 1:
                    values.append(255 if (x + c) % 3 == 0 else 0)
                elif kind == 2:
                    values.append((x * 17 + y * 3) % 256)
                else:
                    values.append(rng.randrange(256))
    return torch.tensor(values, dtype=torch.uint8).view(height, width, channels)


CASES = [
    (3, [("BRIGHTNESS", 0.6)]),
    (3, [("BRIGHTNESS", 1.4)]),
    (3, [("CONTRAST", 0.6)]),
    (3, [("CONTRAST", 1.37)]),
    (3, [("SATURATION", 0.8)]),
    (3, [("SATURATION", 1.2)]),
    (3, [("HUE", 0.1)]),
    (3, [("HUE", -0.1)]),
    (3, [("HUE", 0.5)]),
    (3, [("BRIGHTNESS", 1.3), ("CONTRAST", 0.7), ("SATURATION", 1.15), ("HUE", 0.07)]),
    (3, [("HUE", -0.04), ("SATURATION", 0.9), ("CONTRAST", 1.25), ("BRIGHTNESS", 0.75)]),
    (1, [("BRIGHTNESS", 0.7), ("CONTRAST", 1.3), ("SATURATION", 1.2), ("HUE", 0.1)]),
    (1, [("CONTRAST", 0.65), ("BRIGHTNESS", 1.31)]),
]
for channels, operations in CASES:
    width, height = 23, 17
    pixels = image(channels, width, height)
    x = pixels.permute(2, 0, 1).contiguous()
    for name, factor in operations:
        x = OPERATIONS[name](x, factor)
    print(channels, width, height, *(f"{name}={factor}" for name, factor in operations))
    print(bytes(pixels.flatten().tolist()).hex())
    print(bytes(x.permute(1, 2, 0).flatten().tolist()).hex())
