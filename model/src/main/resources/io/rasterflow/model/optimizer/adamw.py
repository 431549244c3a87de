# AdamW (arXiv 1711.05101) with clipping of the global norm, on float32 master weights.
#
#   w  parameters    g  their gradient    m, v  first and second moment    t  steps taken, this one included
#   F  floats of a bucket of flat storage; the first `decayed` of them are matrices, the others do not decay

class AdamW(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    decayed : List[int]
    beta1 : float
    beta2 : float
    eps : float
    weight_decay : float
    clip : float

    # One step in place with g = sum / patches, over lists of buckets; returns the norm before clipping. The sums are
    # scaled in place. Not finite: nothing is changed.
    def update(self, w: List[Tensor], m: List[Tensor], v: List[Tensor], sums: List[Tensor],
               patches: Tensor, learning_rate: Tensor, t: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        square = 0.0
        for sum in sums:
            length = float(torch.linalg_vector_norm(sum))
            square = square + length * length
        norm = square ** 0.5 / float(patches)
        if torch.isfinite(norm):
            divisor = float(patches)
            if norm > self.clip:
                divisor = divisor * ((norm + 1e-6) / self.clip)
            scale = torch.full([], divisor, dtype=6, device=ops.prim.device(w[0]))
            for decay in range(2):
                rate = [self.weight_decay, 0.0][decay]
                __torch__.adamw.scaled_step(self.part(w, decay), self.part(sums, decay), self.part(m, decay),
                                            self.part(v, decay), scale, float(t), float(learning_rate), self.beta1,
                                            self.beta2, self.eps, rate)
        return torch.tensor(norm, dtype=7)

    # The decayed (0) or the other (1) values of every bucket.
    def part(self, buckets: List[Tensor], which: int) -> List[Tensor]:
        parts: List[Tensor] = []
        for i in range(len(buckets)):
            decayed = self.decayed[i]
            if which == 0:
                parts.append(torch.narrow(buckets[i], 0, 0, decayed))
            else:
                parts.append(torch.narrow(buckets[i], 0, decayed, torch.numel(buckets[i]) - decayed))
        return parts

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
