# Forward and hand-derived backward of AIM's layers (arXiv 2401.08541, section 3.2): training without autograd.
#
#   B images    N tokens of an image    T = B*N    D width    H heads    d = D/H    R rows: some of the T tokens
#   p  parameters by checkpoint name, matrices in the type of the products
#   terms  what a slice adds to the gradient of a parameter, by its name: [dW], or [a, b] for the product a @ b
#   dX gradient of the loss with respect to X    kept: what a backward needs of its forward
#
# Operands of matrix products (see `operand`) are float32, bf16, or float32 rounded to bf16. Names of tensors end in
# their shape where it helps.

# kind 0: float32. 1: bf16, and every activation with it. 2: float32 products of operands rounded to bf16, for
# processors that do not multiply bf16.
def operand(x: Tensor, kind: int) -> Tensor:
    if kind == 1:
        x = x.to(15)
    if kind == 2:
        x = x.to(15).to(6)
    return x

# Adds a term to a float32 gradient; the first one replaces what was there.
def accumulate(term: List[Tensor], into: Tensor, first: bool) -> None:
    a = term[0]
    if len(term) == 2 and torch.eq(ops.prim.dtype(a), 6):
        if first:
            torch.mm(a, term[1], out=into)
        else:
            torch.addmm_(into, a, term[1])
    else:
        if len(term) == 2:
            a = torch.mm(a, term[1])
        if first:
            torch.copy_(into, a)
        else:
            torch.add_(into, a)

# ---- norm -----------------------------------------------------------------------------------------------------------

def norm(p: Dict[str, Tensor], name: str, x: Tensor, eps: float) -> Tuple[Tensor, Tensor, Tensor]:
    weight, bias = p[name + ".weight"], p[name + ".bias"]
    return torch.native_layer_norm(x, torch.size(weight), weight, bias, eps)

def norm_backward(p: Dict[str, Tensor], terms: Dict[str, List[Tensor]], name: str, dy: Tensor, x: Tensor,
                  mean: Tensor, rstd: Tensor) -> Tensor:
    weight, bias = p[name + ".weight"], p[name + ".bias"]
    dx, dweight, dbias = torch.native_layer_norm_backward(
        dy, x, torch.size(weight), mean, rstd, weight, bias, [True, True, True])
    terms[name + ".weight"] = [dweight]
    terms[name + ".bias"] = [dbias]
    return dx

# ---- linear ---------------------------------------------------------------------------------------------------------

# x W^T. The oneDNN kernel is the faster one for float32 on processors, but is compiled anew for every shape: `steady`
# says that the number of rows is the same in every step.
def linear(x: Tensor, weight: Tensor, steady: bool) -> Tensor:
    if steady and torch.eq(ops.prim.dtype(x), 6) and not ops.prim.is_cuda(x):
        return ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    return torch.mm(x, weight.t())

# residual + x W^T
def linear_onto(residual: Tensor, x: Tensor, weight: Tensor, steady: bool) -> Tensor:
    if steady and torch.eq(ops.prim.dtype(x), 6) and not ops.prim.is_cuda(x):
        return ops.mkldnn._linear_pointwise(x, residual, weight, None, "add")
    return torch.addmm(residual, x, weight.t())

# x W^T + b with b broadcast over the rows.
def affine(p: Dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight, bias = p[name + ".weight"], p[name + ".bias"]
    return torch.addmm(bias.type_as(x), x, weight.t())

def affine_backward(p: Dict[str, Tensor], terms: Dict[str, List[Tensor]], name: str, dy: Tensor, x: Tensor) -> Tensor:
    terms[name + ".weight"] = [dy.t(), x]
    terms[name + ".bias"] = [torch.sum(dy, [0])]
    return torch.mm(dy, p[name + ".weight"])

# ---- residual + MLP(norm(x)) ----------------------------------------------------------------------------------------

def mlp(p: Dict[str, Tensor], name: str, x: Tensor, eps: float, kind: int,
        steady: bool) -> Tuple[Tensor, List[Tensor]]:
    y, mean, rstd = __torch__.blocks.norm(p, name + ".norm_2", x, eps)
    y = __torch__.blocks.operand(y, kind)
    hidden = __torch__.blocks.linear(y, p[name + ".mlp.fc1.weight"], steady)
    active = __torch__.blocks.operand(torch.gelu(hidden), kind)
    return __torch__.blocks.linear_onto(x, active, p[name + ".mlp.fc2.weight"], steady), [x, y, mean, rstd, hidden]

# gelu is computed again instead of kept.
def mlp_backward(p: Dict[str, Tensor], terms: Dict[str, List[Tensor]], name: str, dout: Tensor, kept: List[Tensor],
                 kind: int) -> Tensor:
    x, y, mean, rstd, hidden = kept
    d = __torch__.blocks.operand(dout, kind)
    active = __torch__.blocks.operand(torch.gelu(hidden), kind)
    terms[name + ".mlp.fc2.weight"] = [d.t(), active]
    dhidden = torch.mm(d, p[name + ".mlp.fc2.weight"])
    torch.gelu_backward(dhidden, hidden, grad_input=dhidden)
    dhidden = __torch__.blocks.operand(dhidden, kind)
    terms[name + ".mlp.fc1.weight"] = [dhidden.t(), y]
    dy = torch.mm(dhidden, p[name + ".mlp.fc1.weight"])
    return torch.add_(__torch__.blocks.norm_backward(p, terms, name + ".norm_2", dy, x, mean, rstd), dout)

# ---- attention of all heads, before the output projection -----------------------------------------------------------

# From qkv (T, 3D) to (T, D). Processors take plain products, some queries at a time, which leave out the keys that none
# of these sees; other devices what autograd finds for them. `bias` has the mask in the form that this needs, see
# `bias_of`; it is empty where every query sees every key.
def attention(qkv: Tensor, B: int, N: int, H: int, bias: List[Tensor]) -> Tuple[Tensor, List[Tensor]]:
    D = torch.size(qkv, 1) // 3
    d = D // H
    if ops.prim.is_cuda(qkv):
        torch.set_grad_enabled(True)
        leaf = qkv.detach().requires_grad_(True)
        q, k, v = torch.unbind(leaf.view([B, N, 3, H, d]).permute([2, 0, 3, 1, 4]), 0)
        mask: Optional[Tensor] = None
        if len(bias) > 0:
            mask = bias[0]
        z = torch.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).reshape([B * N, D])
        torch.set_grad_enabled(False)
        result, kept = z.detach(), [leaf, z]
    else:
        heads = qkv.view([B, N, 3, H, d]).permute([2, 0, 3, 1, 4]).reshape([3, B * H, N, d])
        z = torch.empty_like(heads[0])
        kept = [heads]
        for start in range(0, N, 128):
            weights = __torch__.blocks.attention_weights(heads, start, bias)
            seen = torch.narrow(heads[2], 1, 0, torch.size(weights, 2))
            torch.bmm(weights, seen, out=torch.narrow(z, 1, start, torch.size(weights, 1)))
            if N <= 64:
                kept.append(weights)
        result = z.view([B, H, N, d]).transpose(1, 2).reshape([B * N, D])
    return result, kept

# From the gradient of the result (T, D) to that of qkv (T, 3D). The weights of long sequences are computed again.
def attention_backward(dresult: Tensor, kept: List[Tensor], B: int, N: int, H: int, bias: List[Tensor]) -> Tensor:
    D = torch.size(dresult, 1)
    d = D // H
    if ops.prim.is_cuda(dresult):
        given: List[Optional[Tensor]] = [dresult]
        dqkv = torch.grad([kept[1]], [kept[0]], given)[0]
        result = torch.zeros_like(kept[0])
        if dqkv is not None:
            result = dqkv
    else:
        q, k, v = torch.unbind(kept[0], 0)
        dz = dresult.view([B, N, H, d]).transpose(1, 2).reshape([B * H, N, d])
        dsplit = torch.empty_like(kept[0])
        dq, dk, dv = torch.unbind(dsplit, 0)
        # The last queries first: they see every key.
        for i in range((N + 127) // 128):
            start = (N - 1) // 128 * 128 - 128 * i
            weights = kept[-1]
            if len(kept) == 1:
                weights = __torch__.blocks.attention_weights(kept[0], start, bias)
            heads, rows, keys = torch.size(weights)
            q_c, dz_c = torch.narrow(q, 1, start, rows), torch.narrow(dz, 1, start, rows)
            dk_c, dv_c = torch.narrow(dk, 1, 0, keys), torch.narrow(dv, 1, 0, keys)
            dweights = torch.bmm(dz_c, torch.narrow(v, 1, 0, keys).transpose(1, 2))
            torch._softmax_backward_data(dweights, weights, -1, ops.prim.dtype(weights), grad_input=dweights)
            torch.mul_(dweights, d ** -0.5)
            torch.bmm(dweights, torch.narrow(k, 1, 0, keys), out=torch.narrow(dq, 1, start, rows))
            if i == 0:
                torch.bmm(weights.transpose(1, 2), dz_c, out=dv_c)
                torch.bmm(dweights.transpose(1, 2), q_c, out=dk_c)
            else:
                torch.baddbmm_(dv_c, weights.transpose(1, 2), dz_c)
                torch.baddbmm_(dk_c, dweights.transpose(1, 2), q_c)
        result = dsplit.view([3, B, H, N, d]).permute([1, 3, 0, 2, 4]).reshape([B * N, 3 * D])
    return result

# Softmax of the scores of up to 128 queries from `start` on: (B*H, queries, keys that they see).
def attention_weights(heads: Tensor, start: int, bias: List[Tensor]) -> Tensor:
    three, BH, N, d = torch.size(heads)
    if len(bias) > 0:
        mask = bias[start // 128]
        q, k = torch.narrow(heads[0], 1, start, torch.size(mask, 1)), torch.narrow(heads[1], 1, 0, torch.size(mask, 2))
        scores = torch.baddbmm(mask, q, k.transpose(1, 2), beta=1.0, alpha=d ** -0.5)
    else:
        q = torch.narrow(heads[0], 1, start, min(128, N - start))
        scores = torch.mul_(torch.bmm(q, heads[1].transpose(1, 2)), d ** -0.5)
    return torch._softmax(scores, -1, False, out=scores)

# The mask (B, 1, N, N) of additions to the scores in the form that attention wants, made once for all blocks: as it is,
# or for the plain products (B*H, queries, keys) for every 128 queries, with the keys that any of them sees.
def bias_of(mask: Tensor, prefix_B: Tensor, H: int) -> List[Tensor]:
    B, one, N, M = torch.size(mask)
    bias = [mask]
    if not ops.prim.is_cuda(mask):
        prefix = int(torch.max(prefix_B))
        bias = torch.split(mask, 128, 2)
        for i in range(len(bias)):
            rows = torch.size(bias[i], 2)
            keys = min(N, max(128 * i + rows, prefix))
            bias[i] = bias[i].narrow(3, 0, keys).expand([B, H, rows, keys]).reshape([B * H, rows, keys])
    return bias

# ---- block with attention -------------------------------------------------------------------------------------------

# One pre-norm block, (T, D) to (T, D), or to the rows asked for: nothing reads the others.
def block(p: Dict[str, Tensor], name: str, x: Tensor, B: int, N: int, H: int, eps: float, kind: int,
          bias: List[Tensor], rows: Optional[Tensor]) -> Tuple[Tensor, List[List[Tensor]]]:
    y, mean, rstd = __torch__.blocks.norm(p, name + ".norm_1", x, eps)
    y = __torch__.blocks.operand(y, kind)
    qkv = __torch__.blocks.linear(y, p[name + ".attn.qkv.weight"], True)
    z, attended = __torch__.blocks.attention(qkv, B, N, H, bias)
    residual = x
    if rows is not None:
        z = z.index_select(0, rows)
        residual = x.index_select(0, rows)
    z = __torch__.blocks.operand(z, kind)
    steady = rows is None
    middle = __torch__.blocks.linear_onto(residual, z, p[name + ".attn.proj.weight"], steady)
    out, mlp = __torch__.blocks.mlp(p, name, middle, eps, kind, steady)
    return out, [[x, y, mean, rstd, z], attended, mlp]

def block_backward(p: Dict[str, Tensor], terms: Dict[str, List[Tensor]], name: str, dout: Tensor,
                   kept: List[List[Tensor]], B: int, N: int, H: int, kind: int, bias: List[Tensor],
                   rows: Optional[Tensor]) -> Tensor:
    x, y, mean, rstd, z = kept[0]
    dmiddle = __torch__.blocks.mlp_backward(p, terms, name, dout, kept[2], kind)
    d = __torch__.blocks.operand(dmiddle, kind)
    terms[name + ".attn.proj.weight"] = [d.t(), z]
    dz = torch.mm(d, p[name + ".attn.proj.weight"])
    if rows is not None:
        dz = torch.zeros_like(x).type_as(dz).index_copy_(0, rows, dz)
        dmiddle = torch.zeros_like(x).index_copy_(0, rows, dmiddle)
    dqkv = __torch__.blocks.operand(__torch__.blocks.attention_backward(dz, kept[1], B, N, H, bias), kind)
    terms[name + ".attn.qkv.weight"] = [dqkv.t(), y]
    dy = torch.mm(dqkv, p[name + ".attn.qkv.weight"])
    return torch.add_(__torch__.blocks.norm_backward(p, terms, name + ".norm_1", dy, x, mean, rstd), dmiddle)

# ---- block of the pixel head, whose attention is the identity -------------------------------------------------------

def head_block(p: Dict[str, Tensor], name: str, x: Tensor, eps: float,
               kind: int) -> Tuple[Tensor, List[List[Tensor]]]:
    y, mean, rstd = __torch__.blocks.norm(p, name + ".norm_1", x, eps)
    out, mlp = __torch__.blocks.mlp(p, name, torch.add_(y, x), eps, kind, False)
    return out, [[x, mean, rstd], mlp]

def head_block_backward(p: Dict[str, Tensor], terms: Dict[str, List[Tensor]], name: str, dout: Tensor,
                        kept: List[List[Tensor]], kind: int) -> Tensor:
    x, mean, rstd = kept[0]
    dmiddle = __torch__.blocks.mlp_backward(p, terms, name, dout, kept[1], kind)
    return torch.add_(__torch__.blocks.norm_backward(p, terms, name + ".norm_1", dmiddle, x, mean, rstd), dmiddle)
