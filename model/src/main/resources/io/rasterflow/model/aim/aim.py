# AIM, autoregressive image models (arXiv 2401.08541, section 3): trunk, pixel head and the next-patch objective.
#
#   B images    C channels    P patch side    G patches per side    K = G*G patches    V = P*P*C values of a patch
#   N tokens: K, or K-1 where the loss is taken (the last patch predicts nothing)     T = B*N
#   D trunk width    H heads    d = D/H    E head width    R rows: the tokens whose prediction is asked for
#   S prefix length of an image: query i sees key j when j <= i or j < S;  outputs S-1..K-2 predict patches S..K-1
#
# Tensor names end in their shape. Matrix products run in self.dtype; the residual stream, norms and loss in float32.

class Aim(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    patch : int
    channels : int
    grid : int
    blocks : int
    heads : int
    width : int
    head_blocks : int
    head_width : int
    eps : float
    dtype : int
    names : List[str]
    shapes : List[List[int]]
    offsets : List[int]
    floats : int

    # ---- entry points -------------------------------------------------------------------------------------------

    # Sum of the counted patches' losses (), and its gradient with respect to weights_F, written to gradient_F.
    def gradients(self, weights_F: Tensor, images_BCHW: Tensor, prefix_B: Tensor, gradient_F: Tensor) -> Tensor:
        torch.set_grad_enabled(True)
        leaves = self.leaves(weights_F)
        loss = self.loss_sum(self.named(leaves), images_BCHW, prefix_B)
        gradients = torch.grad([loss], leaves)
        torch.set_grad_enabled(False)
        self.pack(gradients, gradient_F)
        return loss.detach()

    # Sum of the counted patches' losses ().
    def loss(self, weights_F: Tensor, images_BCHW: Tensor, prefix_B: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        return self.loss_sum(self.named(self.views(weights_F)), images_BCHW, prefix_B)

    # Mean prediction (B, K, V) of every output under the prefix mask.
    def predictions(self, weights_F: Tensor, images_BCHW: Tensor, prefix_B: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        p = self.named(self.views(weights_F))
        x_BKV = self.patchify(images_BCHW)
        B, K, V = torch.size(x_BKV)
        every = torch.arange(B * K)
        last_TD = self.trunk(p, x_BKV, self.prefix_mask(prefix_B, K), every)[-1]
        return self.head(p, last_TD, every, K).view([B, K, V])

    # Frozen features: mean over the last blocks' outputs under bidirectional attention, written to
    # features_XND[start:start+B].
    def features(self, weights_F: Tensor, images_BCHW: Tensor, last: Tensor, start: Tensor,
                 features_XND: Tensor) -> Tensor:
        outputs = self.block_outputs(weights_F, images_BCHW)
        n = min(int(last), len(outputs))
        mean_BND = outputs[-1]
        for i in range(1, n):
            mean_BND = mean_BND + outputs[len(outputs) - 1 - i]
        into = torch.narrow(features_XND, 0, int(start), torch.size(mean_BND, 0))
        return torch.copy_(into, mean_BND / n)

    # Outputs (B, K, D) of every block under bidirectional attention.
    def block_outputs(self, weights_F: Tensor, images_BCHW: Tensor) -> List[Tensor]:
        torch.set_grad_enabled(False)
        x_BKV = self.patchify(images_BCHW)
        outputs: List[Tensor] = []
        for x_TD in self.trunk(self.named(self.views(weights_F)), x_BKV, None, None):
            outputs.append(x_TD.view([torch.size(x_BKV, 0), torch.size(x_BKV, 1), self.width]))
        return outputs

    # ---- objective (section 3.1) --------------------------------------------------------------------------------

    def loss_sum(self, p: Dict[str, Tensor], images_BCHW: Tensor, prefix_B: Tensor) -> Tensor:
        x_BKV = self.patchify(images_BCHW)
        B, K, V = torch.size(x_BKV)
        N = K - 1
        counted_BN = torch.arange(1, K).unsqueeze(0) >= prefix_B.unsqueeze(1)
        rows_R = torch.nonzero(counted_BN.view([-1])).view([-1])
        target_RV = self.normalised(x_BKV.narrow(1, 1, N).reshape([-1, V]).index_select(0, rows_R))
        last_RD = self.trunk(p, x_BKV.narrow(1, 0, N), self.prefix_mask(prefix_B, N), rows_R)[-1]
        predicted_RV = self.head(p, last_RD, rows_R, N).float()
        return torch.mse_loss(predicted_RV, target_RV, 2) / V

    # Pixels normalised per patch, with the unbiased variance.
    def normalised(self, x_RV: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x_RV, [-1], correction=1, keepdim=True)
        return (x_RV - mean) / torch.sqrt(variance + 1e-6)

    # Images (B, C, H, W) to patches (B, K, V): raster order, values (row, column, channel) with the channel fastest.
    def patchify(self, images_BCHW: Tensor) -> Tensor:
        B = torch.size(images_BCHW, 0)
        G, P, C = self.grid, self.patch, self.channels
        return images_BCHW.view([B, C, G, P, G, P]).permute([0, 2, 4, 3, 5, 1]).reshape([B, G * G, P * P * C])

    # 0 where query i sees key j, else -inf: (B, 1, N, N).
    def prefix_mask(self, prefix_B: Tensor, N: int) -> Tensor:
        j = torch.arange(N)
        causal_NN = j.unsqueeze(0) <= j.unsqueeze(1)
        prefix_B1N = j.view([1, 1, N]) < prefix_B.view([-1, 1, 1])
        hidden_BNN = torch.logical_not(causal_NN | prefix_B1N)
        zeros = torch.zeros([torch.size(prefix_B, 0), N, N], dtype=self.dtype)
        return torch.masked_fill(zeros, hidden_BNN, -inf).unsqueeze(1)

    # ---- trunk (section 3.2) ------------------------------------------------------------------------------------

    # Outputs (T, D) of every block; of the last block only the rows asked for, since nothing reads the others.
    def trunk(self, p: Dict[str, Tensor], x_BNV: Tensor, mask: Optional[Tensor],
              rows_R: Optional[Tensor]) -> List[Tensor]:
        B, N, V = torch.size(x_BNV)
        D = self.width
        embed = p["preprocessor.patchifier.proj.weight"].permute([0, 2, 3, 1]).reshape([D, V])
        x = self.linear(x_BNV.reshape([B * N, V]), embed) + p["preprocessor.patchifier.proj.bias"]
        x = self.norm(p, "preprocessor.patchifier.norm", x)
        x = (x.view([B, N, D]) + self.positions(D).narrow(0, 0, N)).view([B * N, D])
        bias = self.attention_bias(mask)
        outputs: List[Tensor] = []
        for i in range(self.blocks):
            name = "trunk.blocks." + str(i)
            y = self.norm(p, name + ".norm_1", x)
            a = self.attention(p, name + ".attn.qkv.weight", y, B, N, bias)
            if i == self.blocks - 1 and rows_R is not None:
                a = a.index_select(0, rows_R)
                x = x.index_select(0, rows_R)
            x = x + self.linear(a, p[name + ".attn.proj.weight"])
            x = x + self.mlp(p, name + ".mlp", self.norm(p, name + ".norm_2", x))
            outputs.append(x)
        return outputs

    # The mask in the form that attention wants it, made once for all blocks: (B*H, N, N) for the plain products of
    # short sequences, which the fused kernel would slow down; else (B, 1, N, N).
    def attention_bias(self, mask: Optional[Tensor]) -> Optional[Tensor]:
        if mask is not None:
            B, one, N, M = torch.size(mask)
            if N <= 64:
                return mask.expand([B, self.heads, N, N]).reshape([B * self.heads, N, N])
        return mask

    # Softmax attention of all heads before the output projection, (T, D).
    def attention(self, p: Dict[str, Tensor], name: str, y_TD: Tensor, B: int, N: int,
                  bias: Optional[Tensor]) -> Tensor:
        H = self.heads
        d = self.width // H
        qkv = self.linear(y_TD, p[name]).view([B, N, 3, H, d]).permute([2, 0, 3, 1, 4])
        if N > 64:
            q, k, v = torch.unbind(qkv, 0)
            z_BHNd = torch.scaled_dot_product_attention(q, k, v, bias)
            return z_BHNd.transpose(1, 2).reshape([B * N, H * d])
        q, k, v = torch.unbind(qkv.reshape([3, B * H, N, d]), 0)
        scale = d ** -0.5
        if bias is not None:
            scores = torch.baddbmm(bias, q, k.transpose(1, 2), beta=1.0, alpha=scale)
        else:
            scores = torch.bmm(q, k.transpose(1, 2)) * scale
        z = torch.bmm(torch.softmax(scores, -1), v)
        return z.view([B, H, N, d]).transpose(1, 2).reshape([B * N, H * d])

    # Fixed sin/cos positions (K, D), base 10000: the first half of the channels encodes the column, the second the row.
    def positions(self, D: int) -> Tensor:
        G = self.grid
        w = torch.pow(10000.0, torch.arange(D // 4, dtype=6) / (-(D // 4)))
        angle_Gw = torch.arange(G, dtype=6).unsqueeze(1) * w.unsqueeze(0)
        wave_Gh = torch.cat([torch.sin(angle_Gw), torch.cos(angle_Gw)], 1)
        column = wave_Gh.unsqueeze(0).expand([G, G, D // 2])
        row = wave_Gh.unsqueeze(1).expand([G, G, D // 2])
        return torch.cat([column, row], 2).view([G * G, D])

    # ---- pixel head (section 3.2): blocks whose attention is the identity ----------------------------------------

    # Predictions (R, V) from the last block's output at rows of a (B, N) grid of tokens.
    def head(self, p: Dict[str, Tensor], x_RD: Tensor, rows_R: Tensor, N: int) -> Tensor:
        x = self.norm(p, "trunk.post_trunk_norm", x_RD)
        x = self.linear(x, p["head.decoder_projection.weight"]) + p["head.decoder_projection.bias"]
        x = x + self.positions(self.head_width).index_select(0, torch.remainder(rows_R, N))
        for i in range(self.head_blocks):
            name = "head.decoder_blocks." + str(i)
            x = x + self.norm(p, name + ".norm_1", x)
            x = x + self.mlp(p, name + ".mlp", self.norm(p, name + ".norm_2", x))
        x = self.norm(p, "head.decoder_norm", x)
        return self.linear(x, p["head.decoder_pred.weight"]) + p["head.decoder_pred.bias"]

    # ---- layers -------------------------------------------------------------------------------------------------

    def norm(self, p: Dict[str, Tensor], name: str, x: Tensor) -> Tensor:
        weight, bias = p[name + ".weight"], p[name + ".bias"]
        return torch.layer_norm(x, torch.size(weight), weight, bias, self.eps)

    def mlp(self, p: Dict[str, Tensor], name: str, x: Tensor) -> Tensor:
        hidden = torch.gelu(self.linear(x, p[name + ".fc1.weight"]))
        return self.linear(hidden, p[name + ".fc2.weight"])

    def linear(self, x_TI: Tensor, weight_OI: Tensor) -> Tensor:
        return torch.mm(x_TI.to(self.dtype), weight_OI.t())

    # ---- parameters in one flat tensor ----------------------------------------------------------------------------

    # The parameters as views, in layout order.
    def views(self, weights_F: Tensor) -> List[Tensor]:
        views: List[Tensor] = []
        for i in range(len(self.names)):
            shape = self.shapes[i]
            n = 1
            for size in shape:
                n = n * size
            views.append(torch.narrow(weights_F, 0, self.offsets[i], n).view(shape))
        return views

    # The same views, each the root of its own gradient.
    def leaves(self, weights_F: Tensor) -> List[Tensor]:
        leaves: List[Tensor] = []
        for view in self.views(weights_F):
            leaves.append(view.detach().requires_grad_(True))
        return leaves

    # By checkpoint name; matrices cast to the products' type once for all of their uses.
    def named(self, parameters: List[Tensor]) -> Dict[str, Tensor]:
        named: Dict[str, Tensor] = {}
        for i in range(len(self.names)):
            one = parameters[i]
            if one.dim() > 1:
                one = one.to(self.dtype)
            named[self.names[i]] = one
        return named

    # The gradients side by side as the parameters lie in weights_F, padding zero.
    def pack(self, gradients: List[Optional[Tensor]], gradient_F: Tensor) -> None:
        pieces: List[Tensor] = []
        end = 0
        for i in range(len(gradients)):
            gap = self.offsets[i] - end
            if gap > 0:
                pieces.append(torch.zeros([gap]))
            piece = gradients[i]
            if piece is not None:
                flat = piece.reshape([-1])
                pieces.append(flat)
                end = self.offsets[i] + torch.numel(flat)
            else:
                end = self.offsets[i]
        if self.floats > end:
            pieces.append(torch.zeros([self.floats - end]))
        torch.cat(pieces, 0, out=gradient_F)
