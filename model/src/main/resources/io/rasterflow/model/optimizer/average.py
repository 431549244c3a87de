# Exponential moving average of weights, on flat float32 tensors.
#
#   a  average    w  weights, of the same size

class WeightAverage(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool

    # a += rate (w - a) in place.
    def blend(self, a_F: Tensor, w_F: Tensor, rate: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        return torch.lerp_(a_F, w_F, float(rate))
