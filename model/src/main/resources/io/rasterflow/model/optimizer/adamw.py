# AdamW (arXiv 1711.05101) with clipping of the global norm, on float32 master weights.
#
#   w  parameters    g  their gradient    m, v  first and second moment    t  steps taken, this one included
#   F  floats of a bucket of flat storage; the first `decayed` of them are matrices, the others do not decay

class AdamW(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    beta1 : float
    beta2 : float
    eps : float
    weight_decay : float

    # Norm of a bucket.
    def length(self, sum_F: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        return torch.tensor(float(torch.linalg_vector_norm(sum_F)), dtype=7)

    # One step of a bucket in place with g = sum / divisor, piece by piece: the sum stays, and a piece stays in the cache.
    def update(self, w_F: Tensor, m_F: Tensor, v_F: Tensor, sum_F: Tensor, decayed: Tensor, divisor: Tensor,
               learning_rate: Tensor, t: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        scale = torch.full([], float(divisor), dtype=6, device=ops.prim.device(w_F))
        piece = 262144
        start = 0
        for part in range(2):
            end = [int(decayed), torch.numel(w_F)][part]
            rate = [self.weight_decay, 0.0][part]
            while start < end:
                length = min(piece, end - start)
                g = torch.clone(torch.narrow(sum_F, 0, start, length))
                __torch__.adamw.scaled_step([torch.narrow(w_F, 0, start, length)], [g],
                                            [torch.narrow(m_F, 0, start, length)], [torch.narrow(v_F, 0, start, length)],
                                            scale, float(t), float(learning_rate), self.beta1, self.beta2, self.eps, rate)
                start = start + length
        return scale

# Scales g in place to a norm of at most `limit`; returns the norm before that.
def clip_norm(g: Tensor, limit: float) -> float:
    norm = float(torch.linalg_vector_norm(g))
    if torch.isfinite(norm):
        factor = limit / (norm + 1e-6)
        if factor < 1.0:
            torch.mul_(g, factor)
    return norm

# m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g²;  w -= lr wd w;  w -= lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)
# The lists are inputs: of a list made here the compiler would take the in-place operator for dead code.
def step(w: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], t: float, learning_rate: float,
         beta1: float, beta2: float, eps: float, weight_decay: float) -> None:
    taken: List[Tensor] = []
    for _ in range(len(w)):
        taken.append(torch.tensor(t, dtype=6))
    none: List[Tensor] = []
    torch._fused_adamw_(w, g, m, v, none, taken, lr=learning_rate, beta1=beta1, beta2=beta2,
                        weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False)

# The same with g divided by `scale` () first, in place.
def scaled_step(w: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], scale: Tensor, t: float,
                learning_rate: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> None:
    taken: List[Tensor] = []
    for _ in range(len(w)):
        taken.append(torch.full([], t, dtype=6, device=ops.prim.device(scale)))
    none: List[Tensor] = []
    torch._fused_adamw_(w, g, m, v, none, taken, lr=learning_rate, beta1=beta1, beta2=beta2,
                        weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False, grad_scale=scale)
