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
        x_BKV = __torch__.trunk.patchify(images_BCHW, self.grid)
        B, K, V = torch.size(x_BKV)
        every = torch.arange(B * K)
        last_TD = self.trunk(p, x_BKV, __torch__.trunk.prefix_mask(prefix_B, K, self.dtype), every)[-1]
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
        x_BKV = __torch__.trunk.patchify(images_BCHW, self.grid)
        outputs: List[Tensor] = []
        for x_TD in self.trunk(self.named(self.views(weights_F)), x_BKV, None, None):
            outputs.append(x_TD.view([torch.size(x_BKV, 0), torch.size(x_BKV, 1), self.width]))
        return outputs

    # ---- objective (section 3.1) --------------------------------------------------------------------------------

    def loss_sum(self, p: Dict[str, Tensor], images_BCHW: Tensor, prefix_B: Tensor) -> Tensor:
        x_BKV = __torch__.trunk.patchify(images_BCHW, self.grid)
        B, K, V = torch.size(x_BKV)
        N = K - 1
        counted_BN = torch.arange(1, K).unsqueeze(0) >= prefix_B.unsqueeze(1)
        rows_R = torch.nonzero(counted_BN.view([-1])).view([-1])
        target_RV = self.normalised(x_BKV.narrow(1, 1, N).reshape([-1, V]).index_select(0, rows_R))
        mask = __torch__.trunk.prefix_mask(prefix_B, N, self.dtype)
        last_RD = self.trunk(p, x_BKV.narrow(1, 0, N), mask, rows_R)[-1]
        predicted_RV = self.head(p, last_RD, rows_R, N).float()
        return torch.mse_loss(predicted_RV, target_RV, 2) / V

    # Pixels normalised per patch, with the unbiased variance.
    def normalised(self, x_RV: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x_RV, [-1], correction=1, keepdim=True)
        return (x_RV - mean) / torch.sqrt(variance + 1e-6)

    # Outputs (T, D) of every block; of the last block only the rows asked for, since nothing reads the others.
    def trunk(self, p: Dict[str, Tensor], x_BNV: Tensor, mask: Optional[Tensor],
              rows_R: Optional[Tensor]) -> List[Tensor]:
        positions = __torch__.trunk.positions(self.grid, self.width).narrow(0, 0, torch.size(x_BNV, 1))
        return __torch__.trunk.forward(p, x_BNV, positions, mask, rows_R, self.blocks, self.heads, self.eps)

    # ---- pixel head (section 3.2): blocks whose attention is the identity ----------------------------------------

    # Predictions (R, V) from the last block's output at rows of a (B, N) grid of tokens.
    def head(self, p: Dict[str, Tensor], x_RD: Tensor, rows_R: Tensor, N: int) -> Tensor:
        x = __torch__.trunk.norm(p, "trunk.post_trunk_norm", x_RD, self.eps)
        x = __torch__.trunk.linear(x, p["head.decoder_projection.weight"]) + p["head.decoder_projection.bias"]
        x = x + __torch__.trunk.positions(self.grid, self.head_width).index_select(0, torch.remainder(rows_R, N))
        for i in range(self.head_blocks):
            name = "head.decoder_blocks." + str(i)
            x = x + __torch__.trunk.norm(p, name + ".norm_1", x, self.eps)
            x = x + __torch__.trunk.mlp(p, name + ".mlp", __torch__.trunk.norm(p, name + ".norm_2", x, self.eps))
        x = __torch__.trunk.norm(p, "head.decoder_norm", x, self.eps)
        return __torch__.trunk.linear(x, p["head.decoder_pred.weight"]) + p["head.decoder_pred.bias"]

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
