# Linear probes on frozen features averaged over the patches, R of them at once with one learning rate each.
#
#   X images of a set    B images of a batch    D width    L labels    R learning rates    k labels of a prediction
#   x features, normalised per channel over the batch (in evaluation by running statistics, without scale and shift)
#   F = L D + L: weight and bias side by side

class LinearProbe(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    width : int
    classes : int
    batch : int
    weight_decay : float
    clip : float
    momentum : float
    eps : float

    # Nothing is kept of an image beside its features: the batch itself is as small.
    def prepare(self, features_XD: Tensor, n: Tensor) -> Tuple[Tensor, Tensor]:
        return (torch.zeros([0]), torch.zeros([0]))

    # One pass over the training images in the given order, updating w, m, v and the running statistics in place.
    # t: steps taken before, of all steps. Returns the mean loss (R) of the pass.
    def epoch(self, features_XD: Tensor, centre: Tensor, moments: Tensor, labels_X: Tensor, order: Tensor,
              t: Tensor, steps: Tensor, peak_R: Tensor, w_RF: Tensor, m_RF: Tensor, v_RF: Tensor,
              running_2D: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        total_R = torch.zeros([torch.size(w_RF, 0)], dtype=7)
        batches = torch.split(order, self.batch)
        count = max(1, torch.numel(order) // self.batch)
        for i in range(count):
            x_BD = features_XD.index_select(0, batches[i])
            logits, losses_R, g_RF = self.gradients(x_BD, labels_X.index_select(0, batches[i]), w_RF, running_2D)
            __torch__.heads.step(w_RF, g_RF, m_RF, v_RF, peak_R, int(t) + i, int(steps), self.weight_decay, self.clip)
            total_R = total_R + losses_R
        return total_R / count

    # Training mode: logits (R, B, L), mean cross-entropy (R) and its gradient (R, F) on one batch.
    def gradients(self, x_BD: Tensor, labels_B: Tensor, w_RF: Tensor,
                  running_2D: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        torch.set_grad_enabled(False)
        n = torch.size(x_BD, 0)
        variance_D, mean_D = torch.var_mean(x_BD, [0], correction=0, keepdim=False)
        torch.lerp_(running_2D, torch.stack([mean_D, variance_D * (float(n) / max(1, n - 1))]), self.momentum)
        x_BD = (x_BD - mean_D) * torch.rsqrt(variance_D + self.eps)
        logits_RBL = self.logits(x_BD, w_RF)
        R, L = torch.size(logits_RBL, 0), self.classes
        # Of the mean over n images of log sum exp z - z_label: (softmax z - one-hot) / n.
        error_RBL = torch.softmax(logits_RBL, -1) - torch.one_hot(labels_B, L).type_as(logits_RBL)
        error_BG = torch.div(error_RBL, n).transpose(0, 1).reshape([n, R * L])
        weight_RF = torch.mm(error_BG.t(), x_BD).view([R, L * self.width])
        bias_RL = torch.sum(error_BG, [0]).view([R, L])
        return (logits_RBL, __torch__.heads.losses(logits_RBL, labels_B), torch.cat([weight_RF, bias_RL], 1))

    # Evaluation mode: the k best labels (R, n, k) of the n images in the order, and the sum (R) of their losses.
    def predict(self, features_XD: Tensor, labels_X: Tensor, order: Tensor, k: Tensor, w_RF: Tensor,
                running_2D: Tensor) -> Tuple[Tensor, Tensor]:
        torch.set_grad_enabled(False)
        mean_D, variance_D = torch.unbind(running_2D, 0)
        scale_D = torch.rsqrt(variance_D + self.eps)
        best: List[Tensor] = []
        total_R = torch.zeros([torch.size(w_RF, 0)], dtype=7)
        for some in torch.split(order, self.batch):
            logits_RBL = self.logits((features_XD.index_select(0, some) - mean_D) * scale_D, w_RF)
            labels_RBk, sum_R = __torch__.heads.best(logits_RBL, labels_X.index_select(0, some), int(k))
            best.append(labels_RBk)
            total_R = total_R + sum_R
        return (torch.cat(best, 1), total_R)

    def logits(self, x_BD: Tensor, w_RF: Tensor) -> Tensor:
        R, L, D = torch.size(w_RF, 0), self.classes, self.width
        weight_RE, bias_RL = torch.split_with_sizes(w_RF, [L * D, L], 1)
        z_BRL = torch.mm(x_BD, weight_RE.reshape([R * L, D]).t()).view([torch.size(x_BD, 0), R, L]) + bias_RL
        return z_BRL.transpose(0, 1)
