    # ---- training: next patch, raster order, prefix attention, normalised pixels (section 3) ----------------------
    #
    #   S prefix length of an image, 1..K-1 (int64)    N = K-1    R the patches that the loss counts

    # Mean loss () over the counted patches; differentiable.
    def loss(self, images_BCHW: Tensor, prefix_B: Tensor) -> Tensor:
        x_BKV = __torch__.trunk.patchify(images_BCHW, self.grid)
        B, K, V = torch.size(x_BKV)
        N = K - 1
        p = self.named()
        prefix_B = prefix_B.to(images_BCHW.device)
        mask = __torch__.trunk.prefix_mask(prefix_B, N, images_BCHW)
        counted_BN = torch.arange(1, K, device=images_BCHW.device).unsqueeze(0) >= prefix_B.unsqueeze(1)
        rows_R = torch.nonzero(counted_BN.view([-1])).view([-1])
        target_RV = x_BKV.narrow(1, 1, N).reshape([-1, V]).index_select(0, rows_R)
        variance, mean = torch.var_mean(target_RV, [-1], correction=1, keepdim=True)
        target_RV = (target_RV - mean) / torch.sqrt(variance + 1e-6)
        positions_ND = __torch__.trunk.positions(self.grid, self.width, images_BCHW).narrow(0, 0, N).to(images_BCHW)
        last_RD = __torch__.trunk.forward(p, x_BKV.narrow(1, 0, N), positions_ND, mask, rows_R, self.blocks,
                                          self.heads, self.eps)[-1]
        return torch.mse_loss(self.pixels(p, last_RD, torch.remainder(rows_R, N)), target_RV, 1)

    # The pixel head: predictions (R, V) from the last block's output at the patches `at_R`.
    def pixels(self, p: Dict[str, Tensor], x_RD: Tensor, at_R: Tensor) -> Tensor:
        x = __torch__.trunk.norm(p, "trunk.post_trunk_norm", x_RD, self.eps)
        x = __torch__.trunk.linear(x, p["head.decoder_projection.weight"]) + p["head.decoder_projection.bias"]
        x = x + __torch__.trunk.positions(self.grid, self.head_width, x).to(x).index_select(0, at_R)
        for i in range(self.head_blocks):
            name = "head.decoder_blocks." + str(i)
            x = x + __torch__.trunk.norm(p, name + ".norm_1", x, self.eps)
            x = x + __torch__.trunk.mlp(p, name + ".mlp", __torch__.trunk.norm(p, name + ".norm_2", x, self.eps))
        x = __torch__.trunk.norm(p, "head.decoder_norm", x, self.eps)
        return __torch__.trunk.linear(x, p["head.decoder_pred.weight"]) + p["head.decoder_pred.bias"]

    # AdamW's moments before the first step: the first ones, then the second ones.
    def new_moments(self) -> List[Tensor]:
        moments: List[Tensor] = []
        for i in range(2):
            for w in self.trained():
                moments.append(torch.zeros_like(w).detach())
        return moments

    # One step on one batch: gradient, clipping of its global norm, AdamW; parameters and moments change in place.
    # t: steps taken, this one included. Returns the loss () before the step.
    def training_step(self, images_BCHW: Tensor, prefix_B: Tensor, moments: List[Tensor], t: int,
                      learning_rate: float) -> Tensor:
        enabled = torch.is_grad_enabled()
        torch.set_grad_enabled(True)
        loss = self.loss(images_BCHW, prefix_B)
        weights = self.trained()
        gradients: List[Tensor] = []
        for gradient in torch.grad([loss], weights):
            gradients.append(unchecked_cast(Tensor, gradient))
        torch.set_grad_enabled(False)
        squares: List[Tensor] = []
        for g in gradients:
            squares.append(torch.sum(g * g))
        norm = float(torch.sqrt(torch.sum(torch.stack(squares))))
        scale = min(1.0, self.clip / (norm + 1e-6))
        n = len(weights)
        for i in range(n):
            self.update(weights[i], gradients[i] * scale, moments[i], moments[n + i], t, learning_rate)
        torch.set_grad_enabled(enabled)
        return loss.detach()

    def update(self, w: Tensor, g: Tensor, m: Tensor, v: Tensor, t: int, learning_rate: float) -> None:
        torch.mul_(m, self.beta1)
        torch.add_(m, g, alpha=1.0 - self.beta1)
        torch.mul_(v, self.beta2)
        torch.addcmul_(v, g, g, value=1.0 - self.beta2)
        if w.dim() > 1:
            torch.mul_(w, 1.0 - learning_rate * self.weight_decay)
        deviation = torch.sqrt(v / (1.0 - self.beta2 ** t)) + self.adam_eps
        torch.addcdiv_(w, m, deviation, value=-learning_rate / (1.0 - self.beta1 ** t))

