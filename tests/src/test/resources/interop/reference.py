"""An independent AIM (arXiv 2401.08541) in plain PyTorch, to check what Rasterflow exports and imports.

    reference.py make DIR        writes trunk.pth and head.pth with random weights and, for comparison, their values as
                                 float32 in expected.safetensors (the fixtures of the import tests; PyTorch 2.13)
    reference.py check DIR       DIR holds config.json, images.f32, prefix.i64 and exports of one model: weights.pth,
                                 model.safetensors (optional) and script.pt; prints what was found as JSON, and writes
                                 features.f32 (mean of the last probe_layers blocks' outputs) and logits.f32

The names of parameters are those of ml-aim's checkpoints.
"""

import json
import math
import os
import sys

import torch
import torch.nn.functional as F
from torch import nn


def positions(grid, width):
    """Sines and cosines of the column in the first half of the channels, of the row in the second."""
    waves = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    angles = torch.arange(grid, dtype=torch.float64)[:, None] * waves
    axis = torch.cat([angles.sin(), angles.cos()], 1)
    table = torch.empty(grid, grid, width, dtype=torch.float64)
    table[:, :, : width // 2] = axis[None, :, :]
    table[:, :, width // 2 :] = axis[:, None, :]
    return table.view(grid * grid, width).float()


class Mixing(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)

    def forward(self, x, visible):
        q, k, v = self.qkv(x).chunk(3, -1)
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        scores = split(q) @ split(k).mT / math.sqrt(x.shape[-1] // self.heads)
        if visible is not None:
            scores = scores.masked_fill(~visible[:, None], -math.inf)
        return self.proj((scores.softmax(-1) @ split(v)).transpose(1, 2).flatten(2))


class Widening(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width, bias=False)
        self.fc2 = nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Layer(nn.Module):
    def __init__(self, width, heads, eps):
        super().__init__()
        self.norm_1 = nn.LayerNorm(width, eps)
        self.attn = Mixing(width, heads)
        self.norm_2 = nn.LayerNorm(width, eps)
        self.mlp = Widening(width)

    def forward(self, x, visible):
        x = x + self.attn(self.norm_1(x), visible)
        return x + self.mlp(self.norm_2(x))


class PixelLayer(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.norm_1 = nn.LayerNorm(width, eps)
        self.norm_2 = nn.LayerNorm(width, eps)
        self.mlp = Widening(width)

    def forward(self, x):
        x = x + self.norm_1(x)
        return x + self.mlp(self.norm_2(x))


class Head(nn.Module):
    """The attentive probe, the pixel head, or both: which of them exist is what the weights have."""

    def __init__(self, c, names):
        super().__init__()
        width, eps = c["embed_dim"], c["norm_eps"]
        if "head.cls_token" in names:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
            self.k = nn.Linear(width, width, bias=False)
            self.v = nn.Linear(width, width, bias=False)
            self.linear = nn.Linear(width, c["num_classes"], bias=False)
            self.bn = nn.BatchNorm1d(width, affine=False, eps=1e-6)
        if "head.decoder_norm.weight" in names:
            narrow = c["head_dim"]
            self.decoder_projection = nn.Linear(width, narrow)
            self.decoder_blocks = nn.ModuleList(PixelLayer(narrow, eps) for _ in range(c["head_blocks"]))
            self.decoder_norm = nn.LayerNorm(narrow, eps)
            self.decoder_pred = nn.Linear(narrow, c["patch_size"] ** 2 * c["num_channels"])


class Holder(nn.Module):
    pass


class Model(nn.Module):
    def __init__(self, c, names=()):
        super().__init__()
        self.c = c
        width = c["embed_dim"]
        self.preprocessor = Holder()
        self.preprocessor.patchifier = Holder()
        self.preprocessor.patchifier.proj = nn.Conv2d(c["num_channels"], width, c["patch_size"], c["patch_size"])
        self.preprocessor.patchifier.norm = nn.LayerNorm(width, c["norm_eps"])
        self.trunk = Holder()
        self.trunk.blocks = nn.ModuleList(Layer(width, c["num_heads"], c["norm_eps"]) for _ in range(c["num_blocks"]))
        self.trunk.post_trunk_norm = nn.LayerNorm(width, c["norm_eps"])
        if any(name.startswith("head.") for name in names):
            self.head = Head(c, names)

    def outputs(self, images, visible=None, tokens=None):
        x = self.preprocessor.patchifier.proj(images).flatten(2).mT
        x = self.preprocessor.patchifier.norm(x)
        x = (x + positions(images.shape[-1] // self.c["patch_size"], x.shape[-1]))[:, :tokens]
        found = []
        for layer in self.trunk.blocks:
            x = layer(x, visible)
            found.append(x)
        return found

    def features(self, images):
        return torch.stack(self.outputs(images)[-self.c["probe_layers"] :]).mean(0)

    def logits(self, images):
        head, x = self.head, self.features(images)
        x = (x - head.bn.running_mean) / (head.bn.running_var + head.bn.eps).sqrt()
        split = lambda t: t.unflatten(-1, (self.c["num_heads"], -1)).transpose(1, 2)
        z = F.scaled_dot_product_attention(split(head.cls_token.expand(len(x), -1, -1)), split(head.k(x)), split(head.v(x)))
        return head.linear(z.transpose(1, 2).flatten(1))

    def loss(self, images, prefix):
        p, head = self.c["patch_size"], self.head
        patches = F.unfold(images, p, stride=p).mT.unflatten(-1, (-1, p * p)).mT.flatten(2)
        count = patches.shape[1]
        i = torch.arange(count - 1)
        visible = (i[None, :] <= i[:, None]) | (i[None, None, :] < prefix[:, None, None])
        x = self.outputs(images, visible, count - 1)[-1]
        x = head.decoder_projection(self.trunk.post_trunk_norm(x))
        x = x + positions(images.shape[-1] // p, x.shape[-1])[: count - 1]
        for layer in head.decoder_blocks:
            x = layer(x)
        predicted = head.decoder_pred(head.decoder_norm(x))
        target = patches[:, 1:]
        target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        counted = i[None, :] + 1 >= prefix[:, None]
        return (predicted - target).square().mean(-1)[counted].mean()


TINY = dict(img_size=12, patch_size=4, num_channels=3, embed_dim=16, num_blocks=2, num_heads=2, probe_layers=2,
            num_classes=3, norm_eps=1e-6)


def make(folder):
    torch.manual_seed(0)
    model = Model(TINY, ["head.cls_token"])
    for p in model.parameters():
        nn.init.normal_(p, std=0.3)
    model.head.bn.running_mean.normal_()
    model.head.bn.running_var.uniform_(0.5, 2)
    state = model.state_dict()
    trunk = {k: v.half() if "fc" in k else v.bfloat16() if "qkv" in k else v for k, v in state.items() if not k.startswith("head.")}
    # A transposed view: strides that are not those of its shape.
    trunk["trunk.blocks.1.attn.proj.weight"] = trunk["trunk.blocks.1.attn.proj.weight"].T.contiguous().T
    trunk["preprocessor.pos_embed"] = positions(3, 16)[None]
    torch.save(trunk, os.path.join(folder, "trunk.pth"))
    head = {k: v for k, v in state.items() if k.startswith("head.")}
    torch.save(head, os.path.join(folder, "head.pth"))
    from safetensors.torch import save_file

    expected = {k: v.float().contiguous() for k, v in {**trunk, **head}.items() if v.is_floating_point()}
    save_file(expected, os.path.join(folder, "expected.safetensors"))


def largest(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def check(folder):
    at = lambda name: os.path.join(folder, name)
    c = json.load(open(at("config.json")))
    weights = torch.load(at("weights.pth"), weights_only=True)
    model = Model(c, weights)
    model.load_state_dict(weights, strict=True)
    found = {"parameters": sum(p.numel() for p in model.parameters())}
    images = torch.frombuffer(bytearray(open(at("images.f32"), "rb").read()), dtype=torch.float32)
    images = images.view(-1, c["num_channels"], c["img_size"], c["img_size"])
    prefix = torch.frombuffer(bytearray(open(at("prefix.i64"), "rb").read()), dtype=torch.int64)
    if os.path.exists(at("model.safetensors")):
        from safetensors.torch import load_file

        other = load_file(at("model.safetensors"))
        found["safetensorsEqual"] = all(torch.equal(weights[k], v) for k, v in other.items())
        Model(c, other).load_state_dict(other, strict=True)
    with torch.no_grad():
        features = model.features(images)
        open(at("features.f32"), "wb").write(features.numpy().tobytes())
    if not os.path.exists(at("script.pt")):
        print(json.dumps(found))
        return
    script = torch.jit.load(at("script.pt"))
    with torch.no_grad():
        found["scriptFeatures"] = largest(script(images), features)
        found["scriptBlocks"] = max(largest(a, b) for a, b in zip(script.block_outputs(images), model.outputs(images)))
        if hasattr(model.head, "cls_token"):
            logits = model.logits(images)
            open(at("logits.f32"), "wb").write(logits.numpy().tobytes())
            found["scriptLogits"] = largest(script.logits(images), logits)
    names = {k for k, _ in script.named_parameters()}
    found["scriptNames"] = names == {k for k, _ in model.named_parameters()}
    steps(c, model, script, images, prefix, found)
    print(json.dumps(found))


def steps(c, model, script, images, prefix, found):
    """Three AdamW steps by torch.optim on our model, and by the archive on itself; in float64, for AdamW divides tiny
    gradients by their own size, which makes rounding errors large."""
    model, script, images = model.double(), script.double(), images.double()
    named = [(k, p) for k, p in model.named_parameters() if k.startswith(("head.decoder", "trunk.", "preprocessor."))]
    optimizer = torch.optim.AdamW(
        [{"params": [p for _, p in named if p.dim() > 1]},
         {"params": [p for _, p in named if p.dim() == 1], "weight_decay": 0.0}],
        lr=1e-2, betas=c["betas"], eps=c["adam_eps"], weight_decay=c["weight_decay"])
    moments = script.new_moments()
    errors = []
    for t in range(1, 4):
        optimizer.zero_grad()
        loss = model.loss(images, prefix)
        loss.backward()
        nn.utils.clip_grad_norm_([p for _, p in named], c["clip"])
        optimizer.step()
        errors.append(abs(script.training_step(images, prefix, moments, t, 1e-2).item() / loss.item() - 1))
    theirs = dict(script.named_parameters())
    found["lossError"] = max(errors)
    found["stepError"] = max(largest(theirs[k].detach(), p.detach()) for k, p in named)
    found["gradientOfScript"] = script.loss(images, prefix).requires_grad


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
