# AdamW (arXiv 1711.05101) with clipping of the global norm, on float32 master weights.
#
#   w  parameters    g  their gradient    m, v  first and second moment    t  steps taken, this one included
#   F  floats of a replica's flat storage; the first `decayed` of them are matrices, the others do not decay

class AdamW(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    decayed : int
    beta1 : float
    beta2 : float
    eps : float
    weight_decay : float
    clip : float

    # One step in place with g = sum_F / patches; returns the norm before clipping. Not finite: nothing is changed.
    def update(self, w_F: Tensor, m_F: Tensor, v_F: Tensor, sum_F: Tensor,
               patches: Tensor, learning_rate: Tensor, t: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        g_F = torch.div(sum_F, float(patches))
        norm = __torch__.adamw.clip_norm(g_F, self.clip)
        if torch.isfinite(norm):
            sizes = [self.decayed, torch.numel(w_F) - self.decayed]
            w, g = torch.split_with_sizes(w_F, sizes), torch.split_with_sizes(g_F, sizes)
            m, v = torch.split_with_sizes(m_F, sizes), torch.split_with_sizes(v_F, sizes)
            decay = [self.weight_decay, 0.0]
            for i in range(2):
                __torch__.adamw.step([w[i]], [g[i]], [m[i]], [v[i]], float(t), float(learning_rate),
                                     self.beta1, self.beta2, self.eps, decay[i])
        return torch.tensor(norm, dtype=7)

    # Overwrites in place: the storage keeps its aligned memory.
    def copy(self, to_F: Tensor, from_F: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        return torch.copy_(to_F, from_F)

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
