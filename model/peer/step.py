#!/usr/bin/env python3
"""Times full training steps in PyTorch: what `rasterflow bench step` is compared with. Needs torch."""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn

from aim import Aim, adamw

parser = argparse.ArgumentParser(description=__doc__)
for name in ("batch", "dim", "depth", "heads", "patches", "patch-values"):
    parser.add_argument(f"--{name}", type=int, required=True)
parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=8, help="measured steps, after 4 others")
parser.add_argument("--compile", action="store_true")
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(1)
model = Aim(options.patches, options.patch_values, options.dim, options.depth, options.heads)
loss = torch.compile(model.loss) if options.compile else model.loss
optimizer = adamw(model, 1e-3)
images = torch.randn(options.batch, options.patches, options.patch_values)
seconds = []
for step in range(4 + options.steps):
    prefix = torch.randint(1, options.patches, (options.batch,))
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
        value = loss(images, prefix)
    value.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    seconds.append(time.perf_counter() - start)
median = statistics.median(seconds[4:])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"medianSeconds": median, "imagesPerSecond": options.batch / median, "peakResidentBytes": peak}))
