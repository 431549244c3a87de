# What this machine can do at best: products of the step's shapes, and copies.

class Floor(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    tokens : int
    width : int
    kind : int

    # Matrix products x W^T, dy W and dy^T x of an MLP's first layer: 3 * 2 * tokens * width * 4 width operations.
    def products(self, rounds: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        dtype = 6
        if self.kind == 1:
            dtype = 15
        x = torch.ones([self.tokens, self.width], dtype=dtype)
        weight = torch.ones([4 * self.width, self.width], dtype=dtype)
        dy = torch.ones([self.tokens, 4 * self.width], dtype=dtype)
        for i in range(int(rounds)):
            torch.mm(x, weight.t(), out=dy)
            torch.mm(dy, weight, out=x)
            torch.mm(dy.t(), x, out=weight)
        return x

    # Reads and writes 256 MiB each.
    def copies(self, rounds: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        a = torch.ones([64 * 1024 * 1024])
        b = torch.ones([64 * 1024 * 1024])
        for i in range(int(rounds)):
            torch.copy_(a, b)
        return a
