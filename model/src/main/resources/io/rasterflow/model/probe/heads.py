# What the trained heads of probes share. R heads see the same batches and differ in the learning rate alone.
#
#   F floats of one head    B images of a batch    L labels    k labels of a prediction

# Mean cross-entropy (R) over the images of each head's logits (R, B, L).
def losses(logits_RBL: Tensor, labels_B: Tensor) -> Tensor:
    R, B, L = torch.size(logits_RBL)
    labels_RB = labels_B.unsqueeze(0).expand([R, B])
    each = torch.cross_entropy_loss(logits_RBL.reshape([R * B, L]), labels_RB.reshape([R * B]), None, 0)
    return torch.mean(each.view([R, B]), [1])

# One step of AdamW (0.9, 0.999) in place with every head's own gradient norm and learning rate. t: steps taken before.
#   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g²;  w -= lr wd w;  w -= lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)
def step(w_RF: Tensor, g_RF: Tensor, m_RF: Tensor, v_RF: Tensor, peak_R: Tensor, t: int, steps: int,
         weight_decay: float, clip: float) -> None:
    norm_R1 = torch.linalg_vector_norm(g_RF, 2, [1], True)
    g_RF = torch.mul(g_RF, torch.clamp(clip / (norm_R1 + 1e-6), None, 1.0))
    rate_R1 = __torch__.heads.learning_rates(peak_R, t, steps).float().unsqueeze(1)
    torch.lerp_(m_RF, g_RF, 0.1)
    torch.addcmul_(torch.mul_(v_RF, 0.999), g_RF, g_RF, value=0.001)
    root_RF = torch.sqrt(v_RF / (1.0 - 0.999 ** (t + 1))) + 1e-8
    torch.mul_(w_RF, 1.0 - rate_R1 * weight_decay)
    torch.sub_(w_RF, torch.div(m_RF, root_RF) * (rate_R1 / (1.0 - 0.9 ** (t + 1))))

# Cosine from each peak (R) to 1e-5, or to the peak where that is lower, over all steps.
def learning_rates(peak_R: Tensor, t: int, steps: int) -> Tensor:
    floor_R = torch.clamp(peak_R, None, 1e-5)
    return floor_R + (peak_R - floor_R) * (0.5 * (1.0 + torch.cos(3.141592653589793 * t / steps)))

# The labels of the k largest logits (R, B, k), the largest first, and the sum (R) of the images' cross-entropies.
def best(logits_RBL: Tensor, labels_B: Tensor, k: int) -> Tuple[Tensor, Tensor]:
    values, labels_RBk = torch.topk(logits_RBL, k, -1)
    sum_R = torch.mul(__torch__.heads.losses(logits_RBL, labels_B).double(), torch.numel(labels_B))
    return (labels_RBk, sum_R)
