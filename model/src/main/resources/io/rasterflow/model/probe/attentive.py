# The attentive probe on frozen features (arXiv 2401.08541, section 4.2), R of them at once with one learning rate each.
#
#   X images of a set    B images of a batch    N patches    D width    H heads, d = D/H    L labels    T = B*N
#   R learning rates    k labels of a prediction
#   x features, normalised per channel over the batch (in evaluation by running statistics, without scale and shift)
#   q one learned query    k, v, c  keys, values and classifier, all without bias
#   F = D + 2 D² + L D: the parameters q, k, v, c side by side
#
# With a single query the keys and values need not be formed: head h scores x · (k_h' q_h) and returns v_h (sum a x).
# Nor need x be normalised: its scale goes into k_h' q_h, its shift changes all scores alike, and both reach sum a x.

class AttentiveProbe(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    heads : int
    width : int
    classes : int
    batch : int
    weight_decay : float
    clip : float
    momentum : float
    eps : float

    # What batch normalisation needs to know of each of the first n images: the means over the patches of x - centre and
    # of its square (X, 2, D), the centre (D) being near the mean of all.
    def prepare(self, features_XND: Tensor, n: Tensor) -> Tuple[Tensor, Tensor]:
        torch.set_grad_enabled(False)
        batches = torch.split(torch.narrow(features_XND, 0, 0, int(n)), self.batch)
        centre_D = torch.mean(batches[0], [0, 1])
        moments: List[Tensor] = []
        for x_BND in batches:
            moments.append(self.moments(x_BND, centre_D))
        return (centre_D, torch.cat(moments, 0))

    # One pass over the training images in the given order, updating w, m, v and the running statistics in place.
    # t: steps taken before, of all steps. Returns the mean loss (R) of the pass.
    def epoch(self, features_XND: Tensor, centre_D: Tensor, moments_X2D: Tensor, labels_X: Tensor, order: Tensor,
              t: Tensor, steps: Tensor, peak_R: Tensor, w_RF: Tensor, m_RF: Tensor, v_RF: Tensor,
              running_2D: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        total_R = torch.zeros([torch.size(w_RF, 0)], dtype=7)
        batches = torch.split(order, self.batch)
        count = max(1, torch.numel(order) // self.batch)
        for i in range(count):
            x_BND = features_XND.index_select(0, batches[i])
            moments_B2D = moments_X2D.index_select(0, batches[i])
            labels_B = labels_X.index_select(0, batches[i])
            logits, losses_R, g_RF = self.step_gradients(x_BND, centre_D, moments_B2D, labels_B, w_RF, running_2D)
            __torch__.heads.step(w_RF, g_RF, m_RF, v_RF, peak_R, int(t) + i, int(steps), self.weight_decay, self.clip)
            total_R = total_R + losses_R
        return total_R / count

    # Training mode: logits (R, B, L), mean cross-entropy (R) and its gradient (R, F) on one batch.
    def gradients(self, x_BND: Tensor, labels_B: Tensor, w_RF: Tensor,
                  running_2D: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        torch.set_grad_enabled(False)
        centre_D = torch.mean(x_BND, [0, 1])
        return self.step_gradients(x_BND, centre_D, self.moments(x_BND, centre_D), labels_B, w_RF, running_2D)

    # Evaluation mode: the k best labels (R, n, k) of the n images in the order, and the sum (R) of their losses.
    def predict(self, features_XND: Tensor, labels_X: Tensor, order: Tensor, k: Tensor, w_RF: Tensor,
                running_2D: Tensor) -> Tuple[Tensor, Tensor]:
        torch.set_grad_enabled(False)
        mean_D, variance_D = torch.unbind(running_2D, 0)
        scale_D = torch.rsqrt(variance_D + self.eps)
        best: List[Tensor] = []
        total_R = torch.zeros([torch.size(w_RF, 0)], dtype=7)
        for some in torch.split(order, self.batch):
            logits_RBL = self.logits(features_XND.index_select(0, some), mean_D, scale_D, w_RF)
            labels_RBk, sum_R = __torch__.heads.best(logits_RBL, labels_X.index_select(0, some), int(k))
            best.append(labels_RBk)
            total_R = total_R + sum_R
        return (torch.cat(best, 1), total_R)

    # Evaluation mode: what each head of the first candidate takes of every patch (n, H, N) of the n images in the order.
    def attention(self, features_XND: Tensor, order: Tensor, w_RF: Tensor, running_2D: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        scale_D = torch.rsqrt(running_2D[1] + self.eps)
        x_BND = features_XND.index_select(0, order)
        a_BNH = self.attended(x_BND, scale_D, w_RF.narrow(0, 0, 1))
        return a_BNH.transpose(1, 2).contiguous()

    def step_gradients(self, x_BND: Tensor, centre_D: Tensor, moments_B2D: Tensor, labels_B: Tensor, w_RF: Tensor,
                       running_2D: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        mean_D, variance_D = self.statistics(centre_D, moments_B2D, torch.size(x_BND, 1), running_2D)
        scale_D = torch.rsqrt(variance_D + self.eps)
        torch.set_grad_enabled(True)
        leaf_RF = w_RF.detach().requires_grad_(True)
        logits_RBL = self.logits(x_BND, mean_D, scale_D, leaf_RF)
        losses_R = __torch__.heads.losses(logits_RBL, labels_B)
        gradient = torch.grad([torch.sum(losses_R)], [leaf_RF])[0]
        torch.set_grad_enabled(False)
        return (logits_RBL.detach(), losses_R.detach(), unchecked_cast(Tensor, gradient))

    def logits(self, x_BND: Tensor, mean_D: Tensor, scale_D: Tensor, w_RF: Tensor) -> Tensor:
        B, N, D = torch.size(x_BND)
        R, L = torch.size(w_RF, 0), self.classes
        H, d = self.heads, self.width // self.heads
        q, k, v, c = torch.split_with_sizes(w_RF, [D, D * D, D * D, L * D], 1)
        G = R * H
        a_BNG = self.attended(x_BND, scale_D, w_RF)
        pooled_BGD = (torch.bmm(a_BNG.transpose(1, 2), x_BND) - mean_D) * scale_D
        value_GBd = torch.bmm(pooled_BGD.transpose(0, 1), v.reshape([G, d, D]).transpose(1, 2))
        value_RBD = value_GBd.view([R, H, B, d]).transpose(1, 2).reshape([R, B, D])
        return torch.bmm(value_RBD, c.reshape([R, L, D]).transpose(1, 2))

    # What each head of each candidate takes of every patch (B, N, R H): over the patches it sums to 1.
    def attended(self, x_BND: Tensor, scale_D: Tensor, w_RF: Tensor) -> Tensor:
        B, N, D = torch.size(x_BND)
        H, d = self.heads, self.width // self.heads
        G = torch.size(w_RF, 0) * H
        q = w_RF.narrow(1, 0, D)
        k = w_RF.narrow(1, D, D * D)
        key_GD = torch.bmm(q.reshape([G, 1, d]), k.reshape([G, d, D])).view([G, D]) * (scale_D * d ** -0.5)
        return torch.softmax(torch.mm(x_BND.view([B * N, D]), key_GD.t()).view([B, N, G]), 1)

    def moments(self, x_BND: Tensor, centre_D: Tensor) -> Tensor:
        shifted_BND = x_BND - centre_D
        return torch.stack([torch.mean(shifted_BND, [1]), torch.mean(shifted_BND * shifted_BND, [1])], 1)

    # Mean and biased variance (D) of a batch; the running statistics take the unbiased variance.
    def statistics(self, centre_D: Tensor, moments_B2D: Tensor, N: int, running_2D: Tensor) -> Tuple[Tensor, Tensor]:
        n = N * torch.size(moments_B2D, 0)
        shift_D, square_D = torch.unbind(torch.mean(moments_B2D, [0]), 0)
        mean_D = centre_D + shift_D
        variance_D = torch.clamp(square_D - shift_D * shift_D, 0.0)
        torch.lerp_(running_2D, torch.stack([mean_D, variance_D * (float(n) / max(1, n - 1))]), self.momentum)
        return (mean_D, variance_D)
