# K-means over the patches of images: the vocabulary of the token target (arXiv 2401.08541, section 4.4).
#
#   B images    C channels    P patch side    G patches per side    V = P*P*C values of a patch    N patches in all
#   K centroids    M patches that the first centroids are drawn from    n patches of a chunk
#
# Patches are normalised as in the loss: by the mean and the unbiased variance of each.

class KMeans(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    grid : int

    # Writes the normalised patches of images to patches_NV[start:]; returns those rows.
    def patches(self, images_BCHW: Tensor, start: Tensor, patches_NV: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        G = self.grid
        B, C, height, width = torch.size(images_BCHW)
        P = height // G
        x_nV = images_BCHW.view([B, C, G, P, G, P]).permute([0, 2, 4, 3, 5, 1]).reshape([B * G * G, P * P * C])
        variance, mean = torch.var_mean(x_nV, [-1], correction=1, keepdim=True)
        into = torch.narrow(patches_NV, 0, int(start), torch.size(x_nV, 0))
        return torch.copy_(into, (x_nV - mean) / torch.sqrt(variance + 1e-6))

    # k-means++ (Arthur and Vassilvitskii, 2007): each centroid is drawn with a probability proportional to its squared
    # distance from those before it. u_K: uniform draws. Returns (K, V).
    def seeds(self, sample_MV: Tensor, u_K: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        M = torch.size(sample_MV, 0)
        norm_M = torch.sum(sample_MV * sample_MV, [1])
        nearest_M = torch.ones([M])
        chosen: List[Tensor] = []
        for k in range(torch.numel(u_K)):
            total_M = torch.cumsum(nearest_M.double(), 0)
            wanted = torch.select(total_M, 0, M - 1) * torch.select(u_K, 0, k)
            i = min(int(torch.sum(total_M <= wanted)), M - 1)
            centroid_V = torch.select(sample_MV, 0, i)
            chosen.append(centroid_V)
            distance_M = norm_M + torch.select(norm_M, 0, i) - 2.0 * torch.mv(sample_MV, centroid_V)
            distance_M = torch.clamp(distance_M, 0.0)
            if k == 0:
                nearest_M = distance_M
            else:
                nearest_M = torch.minimum(nearest_M, distance_M)
        return torch.stack(chosen, 0)

    # One iteration of Lloyd's algorithm in place. A centroid that no patch is nearest to moves to a patch that is far from
    # its own. Returns the mean squared distance before the iteration and the number of centroids that moved so: (2).
    def iterate(self, patches_NV: Tensor, centroids_KV: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        N, V = torch.size(patches_NV)
        K = torch.size(centroids_KV, 0)
        half_K = 0.5 * torch.sum(centroids_KV * centroids_KV, [1])
        sum_KV = torch.zeros([K, V])
        count_K = torch.zeros([K])
        distances: List[Tensor] = []
        rows = max(256, 4194304 // K)
        start = 0
        while start < N:
            n = min(rows, N - start)
            x_nV = torch.narrow(patches_NV, 0, start, n)
            score_nK = half_K - torch.mm(x_nV, centroids_KV.t())
            best_n, nearest_n = torch.min(score_nK, 1)
            distances.append(2.0 * best_n + torch.sum(x_nV * x_nV, [1]))
            sum_KV = torch.index_add(sum_KV, 0, nearest_n, x_nV)
            count_K = torch.index_add(count_K, 0, nearest_n, torch.ones([n]))
            start = start + n
        distance_N = torch.clamp(torch.cat(distances, 0), 0.0)
        distortion = torch.mean(distance_N.double())
        torch.copy_(centroids_KV, sum_KV / torch.clamp(count_K, 1.0).unsqueeze(1))
        empty_E = torch.nonzero(count_K == 0.0).view([-1])
        E = torch.numel(empty_E)
        if E > 0:
            far, where_E = torch.topk(distance_N, E)
            torch.index_copy_(centroids_KV, 0, empty_E, torch.index_select(patches_NV, 0, where_E))
        return torch.stack([distortion, torch.tensor(float(E), dtype=7)], 0)
