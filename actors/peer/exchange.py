#!/usr/bin/env python3
"""Times Gloo's all_reduce between processes of this machine: what `rasterflow bench exchange` is compared with. Needs torch."""

import argparse
import json
import os
import socket
import statistics
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

WARM_UP = 3


def run(rank, options, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=options.world)
    floats = max(1, round(options.megabytes * 1e6 / 4))
    gradient, took = torch.empty(floats), []
    for step in range(WARM_UP + options.rounds):
        gradient.fill_(rank)
        dist.barrier()
        start = time.perf_counter()
        dist.all_reduce(gradient)
        took.append(time.perf_counter() - start)
        if step == 0 and not bool((gradient == options.world * (options.world - 1) / 2).all()):
            raise SystemExit("the sum is wrong")
    slowest = torch.tensor(took[WARM_UP:], dtype=torch.float64)
    dist.all_reduce(slowest, op=dist.ReduceOp.MAX)
    if rank == 0:
        median = statistics.median(slowest.tolist())
        bus = 2 * (options.world - 1) / options.world * floats * 4 / median
        print(json.dumps({"medianSeconds": median, "busBytesPerSecond": bus, "worldSize": options.world, "bytes": floats * 4}))
    dist.destroy_process_group()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=int, required=True)
    parser.add_argument("--megabytes", type=float, required=True, help="10^6 bytes of float32")
    parser.add_argument("--rounds", type=int, default=15, help=f"measured rounds, after {WARM_UP} others")
    given = parser.parse_args()
    mp.spawn(run, args=(given, free_port()), nprocs=given.world)
