# The vote of the nearest neighbours on frozen features averaged over the patches.
#
#   X images with known labels    n images to label    D width    K neighbours    L labels    k labels of a prediction

class NearestNeighbours(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    classes : int
    neighbours : int
    temperature : float

    # The k labels (1, n, k) with the most votes for the images in the order, the strongest first. A neighbour at
    # cosine c has exp(c / temperature) votes. known: the images that may vote, as indices into features_XD.
    def predict(self, features_XD: Tensor, labels_X: Tensor, known: Tensor, features_nD: Tensor, order: Tensor,
                k: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        known_XD = self.directions(features_XD.index_select(0, known))
        known_labels_X = labels_X.index_select(0, known)
        K = min(self.neighbours, torch.numel(known))
        best: List[Tensor] = []
        for some in torch.split(order, 256):
            cosine_BX = torch.mm(self.directions(features_nD.index_select(0, some)), known_XD.t())
            cosine_BK, nearest_BK = torch.topk(cosine_BX, K, -1)
            labels_BK = known_labels_X.index_select(0, nearest_BK.view([-1])).view(torch.size(nearest_BK))
            votes_BL = torch.zeros([torch.numel(some), self.classes], dtype=6)
            weight_BK = torch.exp((cosine_BK - 1.0) / self.temperature)
            votes_BL = torch.scatter_add(votes_BL, 1, labels_BK, weight_BK)
            values, labels_Bk = torch.topk(votes_BL, int(k), -1)
            best.append(labels_Bk)
        return torch.cat(best, 0).unsqueeze(0)

    def directions(self, x_XD: Tensor) -> Tensor:
        length_X1 = torch.linalg_vector_norm(x_XD, 2, [1], True)
        return x_XD / torch.clamp(length_X1, 1e-12)
