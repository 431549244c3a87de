# AIM's trunk and head (arXiv 2401.08541, section 3.2) as functions of their parameters, for autograd and for evaluation.
#
#   B images    C channels    P patch side    G patches per side    K = G*G patches    V = P*P*C values of a patch
#   N tokens of an image    T = B*N    D width    H heads    d = D/H    R rows: some of the T tokens
#   p: parameters by checkpoint name, those of more than one dimension in the type in which matrix products run
#
# Tensor names end in their shape. In float32 or, for the operands of matrix products, the type of p's matrices.

# Images (B, C, H, W) to patches (B, K, V): raster order, values (row, column, channel) with the channel fastest.
def patchify(images_BCHW: Tensor, G: int) -> Tensor:
    B, C, height, width = torch.size(images_BCHW)
    P = height // G
    return images_BCHW.view([B, C, G, P, G, P]).permute([0, 2, 4, 3, 5, 1]).reshape([B, G * G, P * P * C])

# Fixed sin/cos positions (K, D) on the device of `like`, base 10000: the first half of the channels encodes the column, the second the row.
def positions(G: int, D: int, like: Tensor) -> Tensor:
    w = torch.pow(10000.0, torch.arange(D // 4, dtype=6, device=ops.prim.device(like)) / (-(D // 4)))
    angle_Gw = torch.arange(G, dtype=6, device=ops.prim.device(like)).unsqueeze(1) * w.unsqueeze(0)
    wave_Gh = torch.cat([torch.sin(angle_Gw), torch.cos(angle_Gw)], 1)
    column = wave_Gh.unsqueeze(0).expand([G, G, D // 2])
    row = wave_Gh.unsqueeze(1).expand([G, G, D // 2])
    return torch.cat([column, row], 2).view([G * G, D])

# 0 where query i sees key j, else -inf: (B, 1, N, N) of the type and device of `like`.
def prefix_mask(prefix_B: Tensor, N: int, like: Tensor) -> Tensor:
    j = torch.arange(N, device=ops.prim.device(like))
    causal_NN = j.unsqueeze(0) <= j.unsqueeze(1)
    prefix_B1N = j.view([1, 1, N]) < prefix_B.view([-1, 1, 1])
    hidden_BNN = torch.logical_not(causal_NN | prefix_B1N)
    zeros = torch.zeros([torch.size(prefix_B, 0), N, N], dtype=ops.prim.dtype(like), device=ops.prim.device(like))
    return torch.masked_fill(zeros, hidden_BNN, -inf).unsqueeze(1)

# Outputs (T, D) of every block for patches (B, N, V); of the last block only the rows asked for.
def forward(p: Dict[str, Tensor], x_BNV: Tensor, positions_ND: Tensor, mask: Optional[Tensor],
            rows_R: Optional[Tensor], blocks: int, heads: int, eps: float) -> List[Tensor]:
    B, N, V = torch.size(x_BNV)
    x = __torch__.trunk.embed(p, x_BNV, positions_ND, eps)
    bias = __torch__.trunk.attention_bias(mask, heads)
    outputs: List[Tensor] = []
    for i in range(blocks):
        rows: Optional[Tensor] = None
        if i == blocks - 1:
            rows = rows_R
        x = __torch__.trunk.block(p, "trunk.blocks." + str(i), x, B, N, heads, eps, bias, rows)
        outputs.append(x)
    return outputs

# Patch embedding, norm and positions, (T, D).
def embed(p: Dict[str, Tensor], x_BNV: Tensor, positions_ND: Tensor, eps: float) -> Tensor:
    B, N, V = torch.size(x_BNV)
    weight = p["preprocessor.patchifier.proj.weight"]
    D = torch.size(weight, 0)
    flat_DV = weight.permute([0, 2, 3, 1]).reshape([D, V])
    x = __torch__.trunk.linear(x_BNV.reshape([B * N, V]), flat_DV) + p["preprocessor.patchifier.proj.bias"]
    x = __torch__.trunk.norm(p, "preprocessor.patchifier.norm", x, eps)
    return (x.view([B, N, D]) + positions_ND).view([B * N, D])

# One pre-norm block, (T, D) to (T, D) or to the rows asked for.
def block(p: Dict[str, Tensor], name: str, x_TD: Tensor, B: int, N: int, heads: int, eps: float,
          bias: Optional[Tensor], rows_R: Optional[Tensor]) -> Tensor:
    x = x_TD
    y = __torch__.trunk.norm(p, name + ".norm_1", x, eps)
    a = __torch__.trunk.attention(p, name + ".attn.qkv.weight", y, B, N, heads, bias)
    if rows_R is not None:
        a = a.index_select(0, rows_R)
        x = x.index_select(0, rows_R)
    x = x + __torch__.trunk.linear(a, p[name + ".attn.proj.weight"])
    return x + __torch__.trunk.mlp(p, name + ".mlp", __torch__.trunk.norm(p, name + ".norm_2", x, eps))

# The mask in the form that attention wants it, made once for all blocks: (B*H, N, N) for the plain products of short
# sequences, which the fused kernel would slow down; else (B, 1, N, N).
def attention_bias(mask: Optional[Tensor], heads: int) -> Optional[Tensor]:
    if mask is not None:
        B, one, N, M = torch.size(mask)
        if N <= 64:
            return mask.expand([B, heads, N, N]).reshape([B * heads, N, N])
    return mask

# Softmax attention of all heads before the output projection, (T, D).
def attention(p: Dict[str, Tensor], name: str, y_TD: Tensor, B: int, N: int, heads: int,
              bias: Optional[Tensor]) -> Tensor:
    H = heads
    d = torch.size(y_TD, 1) // H
    qkv = __torch__.trunk.linear(y_TD, p[name]).view([B, N, 3, H, d]).permute([2, 0, 3, 1, 4])
    if N > 64:
        q, k, v = torch.unbind(qkv, 0)
        z_BHNd = torch.scaled_dot_product_attention(q, k, v, bias)
        return z_BHNd.transpose(1, 2).reshape([B * N, H * d])
    q, k, v = torch.unbind(qkv.reshape([3, B * H, N, d]), 0)
    scale = d ** -0.5
    if bias is not None:
        scores = torch.baddbmm(bias, q, k.transpose(1, 2), beta=1.0, alpha=scale)
    else:
        scores = torch.bmm(q, k.transpose(1, 2)) * scale
    z = torch.bmm(torch.softmax(scores, -1), v)
    return z.view([B, H, N, d]).transpose(1, 2).reshape([B * N, H * d])

def norm(p: Dict[str, Tensor], name: str, x: Tensor, eps: float) -> Tensor:
    weight, bias = p[name + ".weight"], p[name + ".bias"]
    return torch.layer_norm(x, torch.size(weight), weight, bias, eps)

def mlp(p: Dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    hidden = torch.gelu(__torch__.trunk.linear(x, p[name + ".fc1.weight"]))
    return __torch__.trunk.linear(hidden, p[name + ".fc2.weight"])

def linear(x_TI: Tensor, weight_OI: Tensor) -> Tensor:
    return torch.mm(x_TI.type_as(weight_OI), weight_OI.t())
