# The attentive probe on frozen features (arXiv 2401.08541, section 4.2).
#
#   X images of a set    B images of a batch    N patches    D width    H heads, d = D/H    L labels    T = B*N
#   x features, normalised per channel over the batch (in evaluation by running statistics, without scale and shift)
#   q one learned query    k, v, c  keys, values and classifier, all without bias
#   F = D + 2 D² + L D: the parameters q, k, v, c side by side
#
# With a single query the keys and values need not be formed: head h scores x · (k_h' q_h) and returns v_h (sum a x).

class AttentiveProbe(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    heads : int
    width : int
    classes : int
    batch : int
    steps : int
    peak : float
    floor : float
    weight_decay : float
    clip : float
    momentum : float
    eps : float

    # One pass over the training set in the given order, updating w, m, v and the running statistics in place.
    # t: steps taken before. Returns the mean loss of the pass ().
    def epoch(self, features_XND: Tensor, labels_X: Tensor, order: Tensor, t: Tensor,
              w_F: Tensor, m_F: Tensor, v_F: Tensor, running_2D: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        total = torch.zeros([], dtype=7)
        batches = torch.split(order, self.batch)
        count = max(1, torch.numel(order) // self.batch)
        for i in range(count):
            taken = int(t) + i
            x_BND = features_XND.index_select(0, batches[i])
            logits, loss, g_F = self.gradients(x_BND, labels_X.index_select(0, batches[i]), w_F, running_2D)
            __torch__.adamw.clip_norm(g_F, self.clip)
            __torch__.adamw.step([w_F], [g_F], [m_F], [v_F], float(taken + 1), self.learning_rate(taken),
                                 0.9, 0.999, 1e-8, self.weight_decay)
            total = total + loss
        return total / count

    # Training mode: logits (B, L), mean cross-entropy () and its gradient (F) on one batch.
    def gradients(self, x_BND: Tensor, labels_B: Tensor, w_F: Tensor,
                  running_2D: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        torch.set_grad_enabled(False)
        x_BND = self.batch_normalised(x_BND, running_2D)
        torch.set_grad_enabled(True)
        leaf_F = w_F.detach().requires_grad_(True)
        logits_BL = self.logits(x_BND, leaf_F)
        loss = torch.cross_entropy_loss(logits_BL, labels_B)
        gradient = torch.grad([loss], [leaf_F])[0]
        torch.set_grad_enabled(False)
        return (logits_BL.detach(), loss.detach(), unchecked_cast(Tensor, gradient))

    # How many of the first images are labelled correctly ().
    def correct(self, features_XND: Tensor, labels_X: Tensor, w_F: Tensor, running_2D: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        mean_D, variance_D = torch.unbind(running_2D, 0)
        hits = torch.zeros([], dtype=4)
        start = 0
        while start < torch.numel(labels_X):
            n = min(512, torch.numel(labels_X) - start)
            x_BND = (features_XND.narrow(0, start, n) - mean_D) * torch.rsqrt(variance_D + self.eps)
            label = torch.argmax(self.logits(x_BND, w_F), 1)
            hits = hits + (label == labels_X.narrow(0, start, n)).sum()
            start = start + n
        return hits

    def logits(self, x_BND: Tensor, w_F: Tensor) -> Tensor:
        B, N, D = torch.size(x_BND)
        H, d = self.heads, self.width // self.heads
        q, k, v, c = torch.split_with_sizes(w_F, [D, D * D, D * D, self.classes * D])
        key_HD = torch.bmm(q.view([H, 1, d]), k.view([H, d, D])).view([H, D]) * d ** -0.5
        a_BNH = torch.softmax(torch.mm(x_BND.view([B * N, D]), key_HD.t()).view([B, N, H]), 1)
        pooled_BHD = torch.bmm(a_BNH.transpose(1, 2), x_BND)
        value_HBd = torch.bmm(pooled_BHD.transpose(0, 1), v.view([H, d, D]).transpose(1, 2))
        return torch.mm(value_HBd.transpose(0, 1).reshape([B, D]), c.view([self.classes, D]).t())

    # BatchNorm without scale and shift, in training mode; running variance unbiased.
    def batch_normalised(self, x_BND: Tensor, running_2D: Tensor) -> Tensor:
        x_TD = x_BND.view([-1, self.width])
        n = torch.size(x_TD, 0)
        mean_D = torch.mean(x_TD, [0])
        centred_TD = x_TD - mean_D
        variance_D = torch.mean(centred_TD * centred_TD, [0])
        torch.lerp_(running_2D, torch.stack([mean_D, variance_D * (float(n) / max(1, n - 1))]), self.momentum)
        return torch.mul_(centred_TD, torch.rsqrt(variance_D + self.eps)).view(torch.size(x_BND))

    # Cosine from the peak to the floor over all steps.
    def learning_rate(self, taken: int) -> float:
        return self.floor + (self.peak - self.floor) * 0.5 * (1.0 + torch.cos(3.141592653589793 * taken / self.steps))
