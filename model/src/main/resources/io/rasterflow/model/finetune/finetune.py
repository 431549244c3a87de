# Fine-tuning of a pre-trained trunk with the attentive probe's head on top (arXiv 2401.08541, section 4.2).
#
#   B images    N patches    D trunk width    H heads, d = D/H    L labels    T = B*N    r rank    G learning-rate groups
#   w_F  what is trained, side by side, group after group: adapters and head, or trunk and head    m_F, v_F  its moments
#   frozen_E  what is not: the whole trunk under adapters, else only the final norm, which features do not pass
#   running_2D  mean and variance of the head's batch normalisation
#
# Adapters (arXiv 2106.09685): W + (alpha / r) B A stands for W, where W is the query or value slice of qkv, or proj.
# The gradient runs through the trunk but is taken with respect to the leaves w_F alone. The head is float32 throughout.

class FineTune(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    grid : int
    blocks : int
    heads : int
    width : int
    eps : float
    dtype : int
    last : int
    classes : int
    adapted : bool
    scale : float
    clip : float
    trunk_names : List[str]
    frozen_names : List[str]
    frozen_shapes : List[List[int]]
    frozen_offsets : List[int]
    names : List[str]
    shapes : List[List[int]]
    offsets : List[int]
    floats : int
    group_floats : List[int]

    # ---- training -----------------------------------------------------------------------------------------------

    # One step in place on images with soft targets: AdamW (0.9, 0.999) with a learning rate and a decay for each group.
    # t: steps taken, this one included. Returns loss () and gradient norm () before clipping; not finite: nothing changes.
    def step(self, frozen_E: Tensor, w_F: Tensor, m_F: Tensor, v_F: Tensor, running_2D: Tensor, images_BCHW: Tensor,
             targets_BL: Tensor, rates_G: Tensor, decays_G: Tensor, t: Tensor) -> Tuple[Tensor, Tensor]:
        loss, g_F, statistics_2D = self.gradient(frozen_E, w_F, images_BCHW, targets_BL)
        norm = float(torch.linalg_vector_norm(g_F))
        if torch.isfinite(norm + float(loss)):
            divisor = 1.0
            if self.clip > 0.0:
                divisor = max(1.0, (norm + 1e-6) / self.clip)
            scale = torch.new_full(loss, [], divisor)
            w, g = torch.split_with_sizes(w_F, self.group_floats), torch.split_with_sizes(g_F, self.group_floats)
            m, v = torch.split_with_sizes(m_F, self.group_floats), torch.split_with_sizes(v_F, self.group_floats)
            for i in range(len(self.group_floats)):
                __torch__.adamw.scaled_step([w[i]], [g[i]], [m[i]], [v[i]], scale, float(t),
                                            float(rates_G.select(0, i)), 0.9, 0.999, 1e-8,
                                            float(decays_G.select(0, i)))
            torch.lerp_(running_2D, statistics_2D, 0.1)
        return (loss, torch.tensor(norm, dtype=7))

    # Mean cross-entropy () in training mode, its gradient (F) and the batch's statistics (2, D).
    def gradient(self, frozen_E: Tensor, w_F: Tensor, images_BCHW: Tensor,
                 targets_BL: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        torch.set_grad_enabled(True)
        leaves: List[Tensor] = []
        for view in self.views(w_F):
            leaves.append(view.detach().requires_grad_(True))
        p = self.parameters(frozen_E, leaves)
        x_TD = self.features(p, images_BCHW)
        statistics_2D = self.statistics(x_TD.detach())
        x_TD = torch.batch_norm(x_TD, None, None, None, None, True, 0.0, 1e-6, False)
        logits_BL = self.logits(p, x_TD, torch.size(images_BCHW, 0))
        loss = torch.cross_entropy_loss(logits_BL, targets_BL)
        gradients = torch.grad([loss], leaves)
        torch.set_grad_enabled(False)
        return (loss.detach(), self.packed(gradients), statistics_2D)

    # Moving averages of weights and statistics, in place: a = keep a + (1 - keep) w.
    def average(self, average_F: Tensor, w_F: Tensor, average_2D: Tensor, running_2D: Tensor, keep: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        torch.lerp_(average_2D, running_2D, 1.0 - float(keep))
        return torch.lerp_(average_F, w_F, 1.0 - float(keep))

    # Overwrites in place.
    def assign(self, to: Tensor, values: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        return torch.copy_(to, values)

    # ---- evaluation ---------------------------------------------------------------------------------------------

    # Logits (B, L) with the running statistics.
    def predict(self, frozen_E: Tensor, w_F: Tensor, running_2D: Tensor, images_BCHW: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        p = self.parameters(frozen_E, self.views(w_F))
        mean_D, variance_D = torch.unbind(running_2D, 0)
        x_TD = (self.features(p, images_BCHW) - mean_D) * torch.rsqrt(variance_D + 1e-6)
        return self.logits(p, x_TD, torch.size(images_BCHW, 0))

    # How many labels are the first and among the first five, and the sum of the cross-entropies (3).
    def scores(self, frozen_E: Tensor, w_F: Tensor, running_2D: Tensor, images_BCHW: Tensor,
               labels_B: Tensor) -> Tensor:
        logits_BL = self.predict(frozen_E, w_F, running_2D, images_BCHW)
        values, best = torch.topk(logits_BL, min(5, self.classes), 1)
        hit = best == labels_B.unsqueeze(1)
        first = hit.select(1, 0).sum()
        loss = torch.cross_entropy_loss(logits_BL, labels_B, None, 2)
        return torch.stack([first.double(), hit.sum().double(), loss.double()])

    # The trunk's parameters, adapters added to the matrices that they adapt.
    def merged(self, frozen_E: Tensor, w_F: Tensor) -> List[Tensor]:
        torch.set_grad_enabled(False)
        p = self.effective(frozen_E, self.views(w_F))
        merged: List[Tensor] = []
        for name in self.trunk_names:
            merged.append(p[name])
        return merged

    # ---- model --------------------------------------------------------------------------------------------------

    # Mean (T, D) of the last blocks' outputs under bidirectional attention.
    def features(self, p: Dict[str, Tensor], images_BCHW: Tensor) -> Tensor:
        x_BNV = __torch__.trunk.patchify(images_BCHW, self.grid)
        positions_ND = __torch__.trunk.positions(self.grid, self.width, images_BCHW)
        outputs = __torch__.trunk.forward(p, x_BNV, positions_ND, None, None, self.blocks, self.heads, self.eps)
        n = min(self.last, self.blocks)
        mean_TD = outputs[-1].float()
        for i in range(1, n):
            mean_TD = mean_TD + outputs[self.blocks - 1 - i]
        return mean_TD / n

    # Mean and unbiased variance (2, D) of each channel.
    def statistics(self, x_TD: Tensor) -> Tensor:
        variance_D, mean_D = torch.var_mean(x_TD, [0], correction=1, keepdim=False)
        return torch.stack([mean_D, variance_D])

    # Attentive pooling and classifier on normalised features, (B, L). With a single query the keys and values need not
    # be formed: head h scores x · (k_h' q_h) and returns v_h (sum a x).
    def logits(self, p: Dict[str, Tensor], x_TD: Tensor, B: int) -> Tensor:
        H, D = self.heads, self.width
        d = D // H
        x_BND = x_TD.view([B, -1, D])
        query, key = p["probe.cls_token"].view([H, 1, d]), p["probe.k.weight"].view([H, d, D])
        key_HD = torch.bmm(query, key).view([H, D]) * d ** -0.5
        a_BNH = torch.softmax(torch.mm(x_TD, key_HD.t()).view([B, -1, H]), 1)
        pooled_BHD = torch.bmm(a_BNH.transpose(1, 2), x_BND)
        value_HBd = torch.bmm(pooled_BHD.transpose(0, 1), p["probe.v.weight"].view([H, d, D]).transpose(1, 2))
        return torch.mm(value_HBd.transpose(0, 1).reshape([B, D]), p["probe.linear.weight"].t())

    # ---- parameters ---------------------------------------------------------------------------------------------

    # By name, as trunk.py wants them: matrices of the trunk in the type in which products run.
    def parameters(self, frozen_E: Tensor, trained: List[Tensor]) -> Dict[str, Tensor]:
        p = self.effective(frozen_E, trained)
        for name in self.trunk_names:
            one = p[name]
            if one.dim() > 1:
                p[name] = one.to(self.dtype)
        return p

    # By name, adapters added to what they adapt.
    def effective(self, frozen_E: Tensor, trained: List[Tensor]) -> Dict[str, Tensor]:
        p: Dict[str, Tensor] = {}
        for i in range(len(self.frozen_names)):
            p[self.frozen_names[i]] = self.view(frozen_E, self.frozen_offsets[i], self.frozen_shapes[i])
        for i in range(len(self.names)):
            p[self.names[i]] = trained[i]
        if self.adapted:
            for i in range(self.blocks):
                name = "trunk.blocks." + str(i) + ".attn"
                q, k, v = torch.unbind(p[name + ".qkv.weight"].view([3, self.width, self.width]), 0)
                q, v = q + self.delta(p, name + ".q"), v + self.delta(p, name + ".v")
                p[name + ".qkv.weight"] = torch.cat([q, k, v], 0)
                p[name + ".proj.weight"] = p[name + ".proj.weight"] + self.delta(p, name + ".proj")
        return p

    # (alpha / r) B A, (D, D).
    def delta(self, p: Dict[str, Tensor], name: str) -> Tensor:
        return torch.mm(p[name + ".lora_B"], p[name + ".lora_A"]) * self.scale

    # What is trained, as views in layout order.
    def views(self, w_F: Tensor) -> List[Tensor]:
        views: List[Tensor] = []
        for i in range(len(self.names)):
            views.append(self.view(w_F, self.offsets[i], self.shapes[i]))
        return views

    def view(self, flat: Tensor, offset: int, shape: List[int]) -> Tensor:
        n = 1
        for size in shape:
            n = n * size
        return torch.narrow(flat, 0, offset, n).view(shape)

    # Gradients side by side (F) as what is trained lies in w_F, padding zero.
    def packed(self, gradients: List[Optional[Tensor]]) -> Tensor:
        pieces: List[Tensor] = []
        for i in range(len(gradients)):
            flat_n = unchecked_cast(Tensor, gradients[i]).reshape([-1])
            pieces.append(flat_n)
            end = self.floats
            if i + 1 < len(gradients):
                end = self.offsets[i + 1]
            padding = end - self.offsets[i] - torch.numel(flat_n)
            if padding > 0:
                pieces.append(torch.new_zeros(flat_n, [padding]))
        return torch.cat(pieces, 0)
