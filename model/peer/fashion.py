#!/usr/bin/env python3
"""The recipe of the preset aim-fashion-full in PyTorch, for a given time. Needs torch and numpy."""

import argparse
import gzip
import json
import math
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional as F

from aim import Aim, adamw

GRID, SIDE, DIM, DEPTH, HEADS, BATCH, RATE = 4, 7, 256, 6, 8, 128, 1.5e-3
TRAIN = 56_000

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--idx", type=Path, required=True, help="folder with the original files")
parser.add_argument("--minutes", type=float, default=30, help="of pre-training")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--untrained", action="store_true", help="probe the untrained weights first")
options = parser.parse_args()


def load(name):
    images = gzip.open(options.idx / f"{name}-images-idx3-ubyte.gz").read()[16:]
    labels = gzip.open(options.idx / f"{name}-labels-idx1-ubyte.gz").read()[8:]
    pixels = torch.from_numpy(numpy.frombuffer(images, numpy.uint8).reshape(-1, 1, 28, 28).copy()).float()
    return pixels, torch.from_numpy(numpy.frombuffer(labels, numpy.uint8).copy()).long()


def patches(pixels):
    x = (pixels / 255 - 0.286) / 0.353
    return x.view(-1, GRID, SIDE, GRID, SIDE).permute(0, 1, 3, 2, 4).reshape(-1, GRID * GRID, SIDE * SIDE)


def augmented(pixels):
    """RandomResizedCrop (scale 0.4 to 1, ratio 3/4 to 4/3, bicubic) and flip."""
    count = len(pixels)
    area = torch.empty(count).uniform_(0.4, 1)
    ratio = torch.empty(count).uniform_(math.log(3 / 4), math.log(4 / 3)).exp()
    width, height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = width * (torch.randint(0, 2, (count,)) * 2 - 1)
    theta[:, 1, 1] = height
    theta[:, 0, 2] = (torch.rand(count) * 2 - 1) * (1 - width)
    theta[:, 1, 2] = (torch.rand(count) * 2 - 1) * (1 - height)
    grid = F.affine_grid(theta, pixels.shape, align_corners=False)
    return F.grid_sample(pixels, grid, "bicubic", "border", align_corners=False).clamp(0, 255)


class AttentiveProbe(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(DIM, affine=False, eps=1e-6)
        self.k, self.v = nn.Linear(DIM, DIM, bias=False), nn.Linear(DIM, DIM, bias=False)
        self.query, self.out = nn.Parameter(torch.randn(1, 1, DIM) * 0.02), nn.Linear(DIM, 10)

    def forward(self, x):
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        split = lambda t: t.view(len(t), -1, HEADS, DIM // HEADS).transpose(1, 2)
        query = split(self.query.expand(len(x), -1, -1))
        z = F.scaled_dot_product_attention(query, split(self.k(x)), split(self.v(x)))
        return self.out(z.transpose(1, 2).reshape(len(x), DIM))


@torch.no_grad()
def features(pixels):
    """Mean of the last three blocks."""
    return torch.cat([torch.stack(model.features(patches(some))[-3:]).mean(0) for some in pixels.split(500)])


def probe(epochs=8, batch=256, rate=1e-3):
    """Accuracy of an attentive probe on the test images."""
    train, test, head = features(images[:TRAIN]), features(test_images), AttentiveProbe()
    optimizer = torch.optim.AdamW(head.parameters(), rate, weight_decay=0.1)
    steps = epochs * (TRAIN // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(epochs):
        for chosen in torch.randperm(TRAIN)[: TRAIN // batch * batch].split(batch):
            optimizer.zero_grad()
            F.cross_entropy(head(train[chosen]), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
    head.eval()
    with torch.no_grad():
        found = torch.cat([head(some).argmax(1) for some in test.split(500)])
    return (found == test_labels).float().mean().item()


torch.set_num_threads(options.threads)
torch.manual_seed(0)
images, labels = load("train")
test_images, test_labels = load("t10k")
model = Aim(GRID * GRID, SIDE * SIDE, DIM, DEPTH, HEADS, head_blocks=1)
optimizer = adamw(model, RATE)
if options.untrained:
    print(json.dumps({"untrainedProbe": probe()}), flush=True)

# The schedule runs over time instead of steps, so that it ends with the time given.
start, step, done, warm = time.perf_counter(), 0, 0.0, 0.05
while done < 1:
    for chosen in torch.randperm(TRAIN)[: TRAIN // BATCH * BATCH].split(BATCH):
        rate = RATE * (done / warm if done < warm else 0.5 + 0.5 * math.cos(math.pi * (done - warm) / (1 - warm)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = model.loss(patches(augmented(images[chosen])), torch.randint(1, GRID * GRID, (BATCH,)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        done = (time.perf_counter() - start) / (60 * options.minutes)
        if step % 200 == 0:
            print(json.dumps({"step": step, "loss": loss.item(), "imagesPerSecond": step * BATCH / (time.perf_counter() - start)}), flush=True)
        if done >= 1:
            break
print(json.dumps({"steps": step, "imagesPerSecond": step * BATCH / (60 * options.minutes), "probe": probe()}))
