# An AIM model (arXiv 2401.08541) with its weights, for torch.jit.load in Python or C++, on the CPU or on a GPU.
#
#   B images    C channels    H, W height and width    G patches per side    K = G*G patches    V values of a patch
#   D trunk width
#
# The parameters have the names of ml-aim's checkpoints. Images are normalised as the model was trained.

class Exported(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    grid : int
    blocks : int
    heads : int
    width : int
    eps : float
    layers : List[int]

    # Features (B, K, D): the mean over the default layers' outputs.
    def forward(self, images_BCHW: Tensor) -> Tensor:
        return self.features(images_BCHW, self.layers)

    # Features (B, K, D): the mean over the outputs of the given blocks, 0-based and ascending.
    def features(self, images_BCHW: Tensor, layers: List[int]) -> Tensor:
        return __torch__.embed.mean_of_layers(self.named(), images_BCHW, layers, False, self.grid, self.width,
                                              self.heads, self.eps)

    # Outputs (B, K, D) of every block.
    def block_outputs(self, images_BCHW: Tensor) -> List[Tensor]:
        x_BKV = __torch__.trunk.patchify(images_BCHW, self.grid)
        positions_KD = __torch__.trunk.positions(self.grid, self.width, images_BCHW).to(images_BCHW)
        outputs: List[Tensor] = []
        for x_TD in __torch__.trunk.forward(self.named(), x_BKV, positions_KD, None, None, self.blocks, self.heads,
                                            self.eps):
            outputs.append(x_TD.view([torch.size(x_BKV, 0), torch.size(x_BKV, 1), self.width]))
        return outputs

