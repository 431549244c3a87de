    # Logits (B, L) of the attentive probe (section 4.2) on the default layers, by its running statistics.
    def logits(self, images_BCHW: Tensor) -> Tensor:
        p = self.named()
        x_BKD = self.features(images_BCHW, self.layers)
        B, K, D = torch.size(x_BKD)
        H, d = self.heads, D // self.heads
        x_BKD = (x_BKD - p["head.bn.running_mean"]) * torch.rsqrt(p["head.bn.running_var"] + 1e-6)
        x_TD = x_BKD.reshape([B * K, D])
        k = __torch__.trunk.linear(x_TD, p["head.k.weight"]).view([B, K, H, d]).permute([0, 2, 1, 3])
        v = __torch__.trunk.linear(x_TD, p["head.v.weight"]).view([B, K, H, d]).permute([0, 2, 1, 3])
        q = p["head.cls_token"].view([1, H, 1, d]).expand([B, H, 1, d])
        a_BH1K = torch.softmax(torch.matmul(q, k.transpose(2, 3)) * d ** -0.5, -1)
        z_BD = torch.matmul(a_BH1K, v).transpose(1, 2).reshape([B, D])
        return __torch__.trunk.linear(z_BD, p["head.linear.weight"])

