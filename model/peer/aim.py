"""AIM in plain PyTorch, as one would write it: the peer that Rasterflow's engine is measured against."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Pre-norm block; without attention (the identity) it is a block of the pixel head."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        if heads:
            self.qkv, self.proj = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim, bias=False), nn.Linear(4 * dim, dim, bias=False)

    def forward(self, x, mask=None):
        y = self.norm_1(x)
        if self.heads:
            images, tokens, dim = x.shape
            q, k, v = self.qkv(y).view(images, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(x.shape)
            y = self.proj(y)
        x = x + y
        return x + self.fc2(F.gelu(self.fc1(self.norm_2(x))))


def positions(grid, dim):
    """Fixed sin/cos positions (grid * grid, dim)."""
    w = 10000 ** (-torch.arange(dim // 4) / (dim // 4))
    angle = torch.arange(grid)[:, None] * w
    wave = torch.cat([angle.sin(), angle.cos()], 1)
    column, row = wave.expand(grid, grid, -1), wave[:, None].expand(grid, grid, -1)
    return torch.cat([column, row], 2).reshape(grid * grid, dim)


class Aim(nn.Module):
    """Trunk and head on patches (B, K, V); head_blocks=None is a norm and a linear map alone."""

    def __init__(self, patches, values, dim, depth, heads, head_blocks=None):
        super().__init__()
        self.embed, self.embed_norm = nn.Linear(values, dim), nn.LayerNorm(dim, eps=1e-6)
        self.register_buffer("positions", positions(round(patches**0.5), dim))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.full_head = head_blocks is not None
        if self.full_head:
            self.head_projection = nn.Linear(dim, dim)
            self.head_blocks = nn.ModuleList(Block(dim, 0) for _ in range(head_blocks))
            self.head_norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, values)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def features(self, patches, mask=None):
        """Outputs of every block."""
        x, outputs = self.embed_norm(self.embed(patches)) + self.positions[: patches.shape[1]], []
        for block in self.blocks:
            x = block(x, mask)
            outputs.append(x)
        return outputs

    def loss(self, patches, prefix):
        """Mean squared error of the next patch, normalised, after a prefix of 1..K-1 patches of each image."""
        k = patches.shape[1]
        # Nothing is predicted from the last patch, but kernels like round numbers.
        n = k if k % 8 == 0 and k >= 64 else k - 1
        i = torch.arange(n)
        mask = (i[None, :] <= i[:, None])[None] | (i[None, None] < prefix[:, None, None])
        counted = (i[None] >= prefix[:, None] - 1) & (i[None] < k - 1)
        x = self.norm(self.features(patches[:, :n], mask[:, None])[-1][counted])
        if self.full_head:
            x = self.head_projection(x) + self.positions[:n].expand(len(patches), -1, -1)[counted]
            for block in self.head_blocks:
                x = block(x)
            x = self.head_norm(x)
        target = patches.roll(-1, 1)[:, :n][counted]
        variance, mean = torch.var_mean(target, -1, keepdim=True)
        return F.mse_loss(self.head(x).float(), (target - mean) / (variance + 1e-6).sqrt())


def adamw(model, learning_rate):
    """AdamW of the paper: matrices decay, vectors do not."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, learning_rate, betas=(0.9, 0.95), fused=True)
