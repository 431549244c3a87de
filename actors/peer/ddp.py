#!/usr/bin/env python3
"""Trains the model of `rasterflow train` under PyTorch's DistributedDataParallel over Gloo, one process per rank, and prints
images/s: what `rasterflow train --nodes N` is compared with. Images are random unless a folder of IDX files is given; they
are in memory and not augmented, so the peer has less to do. Needs torch, and numpy for IDX files."""

import argparse
import gzip
import json
import os
import socket
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "model" / "peer"))
from aim import Aim, adamw


class Loss(nn.Module):
    """The model's loss as a forward pass, which is where DDP hooks in."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, patches, prefix):
        return self.model.loss(patches, prefix)


def images(options, count=4096):
    """Patches (B, K, V) of grey images."""
    side = options.grid * options.patch
    if options.idx is None:
        pixels = torch.rand(count, side, side)
    else:
        import numpy

        raw = gzip.open(options.idx / "train-images-idx3-ubyte.gz").read()[16:]
        pixels = torch.from_numpy(numpy.frombuffer(raw, numpy.uint8).reshape(-1, side, side).copy()).float() / 255
    x = (pixels - 0.286) / 0.353
    x = x.view(-1, options.grid, options.patch, options.grid, options.patch).permute(0, 1, 3, 2, 4)
    return x.reshape(len(x), options.grid**2, options.patch**2)


def run(rank, options, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    torch.manual_seed(1)
    dist.init_process_group("gloo", rank=rank, world_size=options.world)
    model = Aim(options.grid**2, options.patch**2, options.dim, options.blocks, options.heads, options.head_blocks)
    ranks = DistributedDataParallel(Loss(model))
    optimizer, data, share = adamw(model, 1e-3), images(options), options.batch // options.world
    torch.manual_seed(2 + rank)
    for step in range(options.warm_up + options.steps):
        if step == options.warm_up:
            dist.barrier()
            start = time.perf_counter()
        chosen = data[torch.randint(0, len(data), (share,))]
        prefix = torch.randint(1, options.grid**2, (share,))
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            loss = ranks(chosen, prefix)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    dist.barrier()
    seconds = time.perf_counter() - start
    if rank == 0:
        rate = options.steps * share * options.world / seconds
        parameters = sum(p.numel() for p in model.parameters())
        print(json.dumps({"imagesPerSecond": rate, "secondsPerStep": seconds / options.steps, "worldSize": options.world,
                          "parameters": parameters}))
    dist.destroy_process_group()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64, help="images of a step, over all ranks")
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--head-blocks", type=int, default=1)
    parser.add_argument("--grid", type=int, default=4, help="patches per side")
    parser.add_argument("--patch", type=int, default=7, help="pixels per side of a patch")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--steps", type=int, default=100, help="measured steps")
    parser.add_argument("--warm-up", type=int, default=10, help="steps before those")
    parser.add_argument("--idx", type=Path, help="folder with train-images-idx3-ubyte.gz")
    given = parser.parse_args()
    mp.spawn(run, args=(given, free_port()), nprocs=given.world)
