# Frozen features (arXiv 2401.08541, section 4.2): the mean over some blocks' outputs under bidirectional attention.
#
#   B images    C channels    G patches per side    K = G*G patches    V values of a patch    D trunk width
#   L layers whose outputs are averaged, 0-based, ascending

class Embedder(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    grid : int
    width : int
    heads : int
    eps : float
    dtype : int
    names : List[str]

    # (B, D) if pooled over the patches, else (B, K, D).
    def features(self, images_BCHW: Tensor, layers_L: Tensor, normed: Tensor, pooled: Tensor,
                 weights: List[Tensor]) -> Tensor:
        torch.set_grad_enabled(False)
        layers: List[int] = []
        for i in range(torch.numel(layers_L)):
            layers.append(int(layers_L[i]))
        x_BKD = __torch__.embed.mean_of_layers(self.named(weights), images_BCHW, layers, int(normed) == 1, self.grid,
                                               self.width, self.heads, self.eps)
        if int(pooled) == 1:
            return torch.mean(x_BKD, [1])
        return x_BKD

    # By checkpoint name; matrices in the type of the products.
    def named(self, weights: List[Tensor]) -> Dict[str, Tensor]:
        named: Dict[str, Tensor] = {}
        for i in range(len(self.names)):
            one = weights[i]
            if one.dim() > 1:
                one = one.to(self.dtype)
            named[self.names[i]] = one
        return named

# Mean (B, K, D) of the outputs of the given blocks, behind the trunk's final norm if `normed`.
def mean_of_layers(p: Dict[str, Tensor], images_BCHW: Tensor, layers: List[int], normed: bool, grid: int, width: int,
                   heads: int, eps: float) -> Tensor:
    x_BKV = __torch__.trunk.patchify(images_BCHW, grid)
    positions_KD = __torch__.trunk.positions(grid, width, images_BCHW).to(images_BCHW)
    blocks = layers[-1] + 1
    outputs = __torch__.trunk.forward(p, x_BKV, positions_KD, None, None, blocks, heads, eps)
    mean_TD = outputs[layers[0]]
    for i in range(1, len(layers)):
        mean_TD = mean_TD + outputs[layers[i]]
    mean_TD = mean_TD / len(layers)
    if normed:
        mean_TD = __torch__.trunk.norm(p, "trunk.post_trunk_norm", mean_TD, eps)
    return mean_TD.view([torch.size(x_BKV, 0), torch.size(x_BKV, 1), width])
