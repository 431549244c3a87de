"""Images per second and core of a usual Python loader on the JPEGs of a tar shard: decode, random resized crop to 224, flip,
normalise. The peer of `rasterflow bench input --threads 1`; needs torch, torchvision and Pillow."""

import argparse
import io
import tarfile
import time

import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, v2
from torchvision import transforms as v1

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def pillow(size):
    """Resampling by Pillow, on images."""
    steps = v1.Compose([
        v1.RandomResizedCrop(size, scale=(0.4, 1.0), interpolation=InterpolationMode.BICUBIC),
        v1.RandomHorizontalFlip(),
        v1.ToTensor(),
        v1.Normalize(MEAN, STD),
    ])
    return steps


def tensors(size):
    """Resampling by PyTorch, on 8-bit tensors."""
    steps = v2.Compose([
        v2.PILToTensor(),
        v2.RandomResizedCrop(size, scale=(0.4, 1.0), interpolation=InterpolationMode.BICUBIC, antialias=True),
        v2.RandomHorizontalFlip(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(MEAN, STD),
    ])
    return steps


def rate(files, work, seconds):
    """Files per second, after half as long that does not count."""
    counts = []
    for limit in (seconds / 2, seconds):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < limit:
            work(Image.open(io.BytesIO(files[count % len(files)])).convert("RGB"))
            count += 1
        counts.append(count / (time.perf_counter() - start))
    return counts[-1]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shard", required=True)
    arguments.add_argument("--size", type=int, default=224)
    arguments.add_argument("--seconds", type=float, default=10)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    with tarfile.open(given.shard) as tar:
        files = [tar.extractfile(m).read() for m in tar if m.name.lower().endswith((".jpg", ".jpeg"))]
    for name, work in (("decoding alone", lambda image: None), ("torchvision", pillow(given.size)),
                       ("torchvision v2, tensors", tensors(given.size))):
        print(f"{name}: {rate(files, work, given.seconds):.0f} images/s/core", flush=True)


if __name__ == "__main__":
    main()
