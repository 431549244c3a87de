"""One fine-tuning step in plain PyTorch, written without a look at the program that it checks: convolution, separate
low-rank branches instead of merged matrices, keys and values formed, modules and optimizers of the library.

usage: finetune_step.py CASE.safetensors RESULT.safetensors
"""
import json
import math
import struct
import sys

import torch
import torch.nn.functional as F


def read(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(data[begin:end], dtype=torch.float32).clone()
        tensors[name] = values.reshape(entry["shape"])
    return tensors, metadata


def write(path, tensors):
    header, blobs, begin = {}, [], 0
    for name, tensor in tensors.items():
        values = tensor.detach().contiguous().reshape(-1).tolist()
        blob = struct.pack("<%df" % len(values), *values)
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, begin + len(blob)]}
        blobs.append(blob)
        begin += len(blob)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def positions(grid, dim):
    quarter = dim // 4
    out = torch.zeros(grid * grid, dim)
    for row in range(grid):
        for column in range(grid):
            for i in range(quarter):
                omega = 10000.0 ** (-i / quarter)
                token = out[row * grid + column]
                token[i] = math.sin(column * omega)
                token[quarter + i] = math.cos(column * omega)
                token[2 * quarter + i] = math.sin(row * omega)
                token[3 * quarter + i] = math.cos(row * omega)
    return out


def main():
    case, settings = read(sys.argv[1])
    lora = settings["kind"] == "lora"
    heads, eps = int(settings["heads"]), float(settings["eps"])
    scale, last = float(settings["scale"]), int(settings["last"])
    rate, decay = float(settings["rate"]), float(settings["decay"])
    layer_decay = float(settings["layerDecay"])
    p = {name[5:]: tensor for name, tensor in case.items() if name.startswith("base.")}
    trained = {name[8:]: torch.nn.Parameter(tensor) for name, tensor in case.items() if name.startswith("trained.")}
    p.update(trained)
    blocks = 1 + max(int(name.split(".")[2]) for name in p if name.startswith("trunk.blocks."))
    images, targets = case["images"], case["targets"]

    def norm(name, x):
        return F.layer_norm(x, (x.shape[-1],), p[name + ".weight"], p[name + ".bias"], eps)

    def branch(name, x):
        if not lora:
            return 0
        return scale * F.linear(F.linear(x, p[name + ".lora_A"]), p[name + ".lora_B"])

    def attention(name, x):
        B, N, D = x.shape
        wq, wk, wv = p[name + ".qkv.weight"].chunk(3)
        q = F.linear(x, wq) + branch(name + ".q", x)
        k = F.linear(x, wk)
        v = F.linear(x, wv) + branch(name + ".v", x)
        q, k, v = [t.reshape(B, N, heads, D // heads).transpose(1, 2) for t in (q, k, v)]
        z = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, N, D)
        return F.linear(z, p[name + ".proj.weight"]) + branch(name + ".proj", z)

    patch = p["preprocessor.patchifier.proj.weight"]
    x = F.conv2d(images, patch, p["preprocessor.patchifier.proj.bias"], stride=patch.shape[-1])
    grid, D = x.shape[-1], x.shape[1]
    x = norm("preprocessor.patchifier.norm", x.flatten(2).transpose(1, 2)) + positions(grid, D)
    outputs = []
    for i in range(blocks):
        block = "trunk.blocks.%d" % i
        x = x + attention(block + ".attn", norm(block + ".norm_1", x))
        hidden = F.gelu(F.linear(norm(block + ".norm_2", x), p[block + ".mlp.fc1.weight"]))
        x = x + F.linear(hidden, p[block + ".mlp.fc2.weight"])
        outputs.append(x)
    bn = torch.nn.BatchNorm1d(D, affine=False, eps=1e-6)
    x = bn(torch.stack(outputs[-last:]).mean(0).transpose(1, 2)).transpose(1, 2)
    B, N, _ = x.shape
    q = p["probe.cls_token"].expand(B, 1, D).reshape(B, 1, heads, D // heads).transpose(1, 2)
    k = F.linear(x, p["probe.k.weight"]).reshape(B, N, heads, D // heads).transpose(1, 2)
    v = F.linear(x, p["probe.v.weight"]).reshape(B, N, heads, D // heads).transpose(1, 2)
    pooled = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, D)
    loss = F.cross_entropy(F.linear(pooled, p["probe.linear.weight"]), targets)

    groups = []
    for name, parameter in trained.items():
        depth = blocks + 1
        if not lora and name.startswith("preprocessor."):
            depth = 0
        elif not lora and name.startswith("trunk.blocks."):
            depth = int(name.split(".")[2]) + 1
        factor = 1.0 if lora else layer_decay ** (blocks + 1 - depth)
        groups.append({"params": [parameter], "lr": rate * factor, "weight_decay": decay if parameter.ndim > 1 else 0})
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)
    loss.backward()
    result = {"loss": loss.reshape(1), "mean": bn.running_mean, "variance": bn.running_var}
    for name, parameter in trained.items():
        result["gradient." + name] = parameter.grad.clone()
    optimizer.step()
    for name, parameter in trained.items():
        result["after." + name] = parameter
    write(sys.argv[2], result)


main()
