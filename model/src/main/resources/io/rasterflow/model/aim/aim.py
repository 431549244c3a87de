# AIM, autoregressive image models (arXiv 2401.08541, section 3): objective, training step and evaluation.
#
#   B images    C channels    P patch side    G patches per side    K = G*G patches    V = P*P*C values of a patch
#   N tokens: K, or K-1 where each predicts the next (the last patch predicts nothing)     T = B*N
#   D trunk width    h head width    R rows: the tokens whose output predicts a patch
#   S prefix length of an image: query i sees key j when j <= i or j < S;  outputs S-1..K-2 predict patches S..K-1
#
# A model is a chain of groups of parameters: embedding; blocks of the trunk; entrance, blocks and exit of the head. The
# forward pass keeps what the backward pass needs; the backward pass runs over a range of groups, so that the gradients
# of the last groups can travel while the first are still computed. Layers are in blocks.py (training) and trunk.py
# (evaluation).

class Aim(Module):
    __parameters__ = []
    __buffers__ = []
    training : bool
    grid : int
    blocks : int
    heads : int
    width : int
    head_kind : int
    head_blocks : int
    head_width : int
    head_heads : int
    eps : float
    kind : int
    masked : bool
    target : int
    order : List[int]
    recomputed : int
    names : List[str]
    shapes : List[List[int]]
    offsets : List[int]
    buckets : List[int]
    groups : List[int]
    p : Dict[str, Tensor]
    terms : List[Dict[str, List[Tensor]]]
    codebook : List[Tensor]
    images : int
    tokens : int
    bias : List[List[Tensor]]
    rows : List[Tensor]
    flow : List[Tensor]
    kept : List[List[List[Tensor]]]

    # ---- entry points -----------------------------------------------------------------------------------------------

    # What matrices are multiplied as: the weights themselves, or where products run in another type cast copies.
    def operands(self, weights: List[Tensor]) -> List[Tensor]:
        torch.set_grad_enabled(False)
        operands: List[Tensor] = []
        for weights_F in weights:
            operands.append(__torch__.blocks.operand(weights_F, self.kind))
        return operands

    # Binds the parameters to views of flat storage, one tensor per bucket.
    def bind(self, weights: List[Tensor], operands: List[Tensor]) -> Tensor:
        torch.set_grad_enabled(False)
        for i in range(len(self.names)):
            bucket = weights[self.buckets[i]]
            if len(self.shapes[i]) > 1:
                bucket = operands[self.buckets[i]]
            self.p[self.names[i]] = self.view(bucket, i)
        self.terms = __torch__.aim.no_terms(self.groups[-1] + 1)
        return weights[0]

    # Lets the operands follow the weights after they have changed in place: once per step, not once per use.
    def refresh(self, weights: List[Tensor], operands: List[Tensor]) -> Tensor:
        torch.set_grad_enabled(False)
        if self.kind != 0:
            for i in range(len(weights)):
                torch.copy_(operands[i], __torch__.blocks.operand(weights[i], self.kind))
        return weights[0]

    # The k-means centroids (L, V) of token targets.
    def set_codebook(self, centroids_LV: Tensor) -> Tensor:
        self.codebook = [centroids_LV.clone()]
        return self.codebook[0]

    # Overwrites in place, across devices too.
    def copy(self, to_F: Tensor, from_F: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        return torch.copy_(to_F, from_F)

    def clear(self, buckets: List[Tensor]) -> Tensor:
        for bucket_F in buckets:
            torch.zero_(bucket_F)
        return buckets[0]

    # Overwrites the values from `start` on with as many as there are in the part, or the part with them.
    def write(self, whole_F: Tensor, start: Tensor, part_F: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        torch.copy_(torch.narrow(whole_F, 0, int(start), torch.numel(part_F)), part_F)
        return part_F

    def read(self, whole_F: Tensor, start: Tensor, part_F: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        return torch.copy_(part_F, torch.narrow(whole_F, 0, int(start), torch.numel(part_F)))

    # Sum over the rows of their loss (); keeps what `backward` needs. rows_R counts through the (B, N) tokens; of the
    # first `recomputed` blocks only the input is kept.
    def forward(self, images_BCHW: Tensor, prefix_B: Tensor, rows_R: Tensor, recomputed: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        self.recomputed = int(recomputed)
        loss, d = self.loss_of(images_BCHW, prefix_B, rows_R, True)
        self.flow = [d]
        return loss

    # Backward through the groups from `groups[0]` to before `groups[1]`, the last group first, and their terms added to
    # a bucket of flat storage, where those of the first slice of a micro-batch replace what was there.
    def backward(self, groups: Tensor, first: Tensor, gradient_F: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        start, end = int(groups[0]), int(groups[1])
        for i in range(end - start):
            self.derive_group(end - 1 - i)
            self.add_group(end - 1 - i, bool(first), gradient_F)
        return gradient_F

    # The two halves of it for one group: its terms, which are this program's own, ...
    def derive(self, group: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        self.derive_group(int(group))
        return group

    # ... and their addition, which another thread may run while this program derives those of other groups.
    def add(self, group: Tensor, first: Tensor, gradient_F: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        self.add_group(int(group), bool(first), gradient_F)
        return gradient_F

    # Sum over the rows of their loss ().
    def loss(self, images_BCHW: Tensor, prefix_B: Tensor, rows_R: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        loss, d = self.loss_of(images_BCHW, prefix_B, rows_R, False)
        self.release()
        return loss

    # Of every row the pixels that it predicts (R, V) and its loss (R): the sum of these is `loss`. Predictions of
    # normalised pixels get the mean and the variance of the patch that they predict.
    def predicted_pixels(self, images_BCHW: Tensor, prefix_B: Tensor, rows_R: Tensor) -> List[Tensor]:
        torch.set_grad_enabled(False)
        x_BKV = self.patches(images_BCHW)
        target_RV = self.predicted_patches(x_BKV, rows_R)
        predicted_RV = self.outputs(self.inputs(x_BKV), prefix_B, rows_R, False).float()
        pixels_RV = predicted_RV
        if self.target == 0:
            pixels_RV = __torch__.aim.denormalised(predicted_RV, target_RV)
            target_RV = __torch__.aim.normalised(target_RV)
        self.release()
        return [pixels_RV, torch.mean(torch.mse_loss(predicted_RV, target_RV, 0), [1])]

    # Prediction (B, K, V) of every output under the prefix mask, in the order of the objective.
    def predictions(self, images_BCHW: Tensor, prefix_B: Tensor) -> Tensor:
        torch.set_grad_enabled(False)
        x_BKV = self.patches(images_BCHW)
        B, K, V = torch.size(x_BKV)
        out = self.outputs(x_BKV, prefix_B, torch.arange(B * K, device=ops.prim.device(x_BKV)), False)
        self.release()
        return out.float().view([B, K, -1])

    # Frozen features: for each set of blocks the mean of their outputs under bidirectional attention (B, K, D), or its
    # mean over the patches (B, D) too. picked_SL: 1 where a set takes a block; the blocks after the L-th are not run.
    def features(self, images_BCHW: Tensor, picked_SL: Tensor, pooled_S: Tensor) -> List[Tensor]:
        sets, blocks = torch.size(picked_SL)
        outputs = self.first_outputs(images_BCHW, blocks)
        means: List[Tensor] = []
        for s in range(sets):
            taken: List[Tensor] = []
            for i in range(blocks):
                if bool(picked_SL[s][i]):
                    taken.append(outputs[i])
            mean_BND = taken[0]
            for i in range(1, len(taken)):
                mean_BND = mean_BND + taken[i]
            mean_BND = mean_BND / len(taken)
            if bool(pooled_S[s]):
                mean_BND = torch.mean(mean_BND, [1])
            means.append(mean_BND)
        return means

    # Outputs (B, K, D) of every block under bidirectional attention.
    def block_outputs(self, images_BCHW: Tensor) -> List[Tensor]:
        return self.first_outputs(images_BCHW, self.blocks)

    # The same of the first blocks alone.
    def first_outputs(self, images_BCHW: Tensor, blocks: int) -> List[Tensor]:
        torch.set_grad_enabled(False)
        x_BKV = __torch__.trunk.patchify(images_BCHW, self.grid)
        positions = __torch__.trunk.positions(self.grid, self.width, x_BKV)
        outputs: List[Tensor] = []
        for x_TD in __torch__.trunk.forward(self.p, x_BKV, positions, None, None, blocks, self.heads, self.eps):
            outputs.append(x_TD.view([torch.size(x_BKV, 0), torch.size(x_BKV, 1), self.width]))
        return outputs

    # ---- objective (sections 3.1 and 4.4) -----------------------------------------------------------------------------

    # The loss and its gradient with respect to the predictions of the rows.
    def loss_of(self, images_BCHW: Tensor, prefix_B: Tensor, rows_R: Tensor, keep: bool) -> Tuple[Tensor, Tensor]:
        x_BKV = self.patches(images_BCHW)
        V = torch.size(x_BKV, 2)
        target_RV = self.predicted_patches(x_BKV, rows_R)
        predicted = self.outputs(self.inputs(x_BKV), prefix_B, rows_R, keep).float()
        if self.target == 2:
            return __torch__.aim.token_loss(predicted, __torch__.aim.normalised(target_RV), self.codebook[0])
        if self.target == 0:
            target_RV = __torch__.aim.normalised(target_RV)
        loss = torch.mse_loss(predicted, target_RV, 2) / V
        return loss, torch.mul_(torch.sub_(predicted, target_RV), 2.0 / V)

    # The patches (B, N, V) that are looked at.
    def inputs(self, x_BKV: Tensor) -> Tensor:
        N = torch.size(x_BKV, 1)
        if not self.masked:
            N = N - 1
        return x_BKV.narrow(1, 0, N)

    # The patches (R, V) that the rows predict.
    def predicted_patches(self, x_BKV: Tensor, rows_R: Tensor) -> Tensor:
        B, K, V = torch.size(x_BKV)
        N = torch.size(self.inputs(x_BKV), 1)
        image_R = torch.floor_divide(rows_R, N)
        return x_BKV.reshape([B * K, V]).index_select(0, image_R * K + (rows_R - image_R * N) + (K - N))

    # Images (B, C, H, W) to patches (B, K, V) in the objective's order.
    def patches(self, images_BCHW: Tensor) -> Tensor:
        x_BKV = __torch__.trunk.patchify(images_BCHW, self.grid)
        if len(self.order) > 0:
            x_BKV = x_BKV.index_select(1, torch.tensor(self.order, device=ops.prim.device(x_BKV)))
        return x_BKV

    # Positions (N, width) of the tokens in the objective's order.
    def positions(self, width: int, like: Tensor) -> Tensor:
        positions = __torch__.trunk.positions(self.grid, width, like)
        if len(self.order) > 0:
            positions = positions.index_select(0, torch.tensor(self.order, device=ops.prim.device(like)))
        return positions.narrow(0, 0, self.tokens)

    # ---- forward, group by group ------------------------------------------------------------------------------------

    # Predictions of the rows from patches (B, N, V).
    def outputs(self, x_BNV: Tensor, prefix_B: Tensor, rows_R: Tensor, keep: bool) -> Tensor:
        B, N, V = torch.size(x_BNV)
        self.images = B
        self.tokens = N
        # A copy, since the caller's memory may be gone when the backward pass comes.
        self.rows = [rows_R.clone()]
        self.kept = __torch__.aim.no_groups()
        x = self.embed(x_BNV, rows_R, keep)
        if not self.masked:
            self.bias = [__torch__.blocks.bias_of(__torch__.trunk.prefix_mask(prefix_B, N, x), prefix_B, self.heads)]
        for i in range(self.blocks):
            y, kept = self.trunk_block(i, x)
            self.keep(keep, i < self.recomputed, x, kept)
            x = y
        if self.head_kind == 0:
            y, mean, rstd = __torch__.blocks.norm(self.p, "trunk.post_trunk_norm", x, self.eps)
            self.keep(keep, False, x, [[x, mean, rstd]])
            x = y
        else:
            x = self.head(x, prefix_B, keep)
        return self.exit(x, keep)

    def head(self, x: Tensor, prefix_B: Tensor, keep: bool) -> Tensor:
        y, mean, rstd = __torch__.blocks.norm(self.p, "trunk.post_trunk_norm", x, self.eps)
        y = __torch__.blocks.operand(y, self.kind)
        self.keep(keep, False, x, [[x, y, mean, rstd]])
        x = __torch__.blocks.affine(self.p, "head.decoder_projection", y)
        positions = self.positions(self.head_width, x)
        if self.full_head():
            x = torch.add_(x.view([self.images, self.tokens, self.head_width]), positions)
            x = x.view([self.images * self.tokens, self.head_width])
            if not self.masked and self.head_heads != self.heads:
                mask = __torch__.trunk.prefix_mask(prefix_B, self.tokens, x)
                self.bias.append(__torch__.blocks.bias_of(mask, prefix_B, self.head_heads))
        else:
            torch.add_(x, positions.index_select(0, torch.remainder(self.rows[0], self.tokens)))
        for i in range(self.head_blocks):
            y, kept = self.head_block(i, x)
            self.keep(keep, self.blocks + i < self.recomputed, x, kept)
            x = y
        return x

    # Patch embedding, norm, the mask's token in place of hidden patches, positions.
    def embed(self, x_BNV: Tensor, rows_R: Tensor, keep: bool) -> Tensor:
        B, N, V = torch.size(x_BNV)
        D = self.width
        patches = __torch__.blocks.operand(x_BNV.reshape([B * N, V]), self.kind)
        weight = self.p["preprocessor.patchifier.proj.weight"].permute([0, 2, 3, 1]).reshape([D, V])
        x = torch.addmm(self.p["preprocessor.patchifier.proj.bias"].type_as(patches), patches, weight.t())
        y, mean, rstd = __torch__.blocks.norm(self.p, "preprocessor.patchifier.norm", x, self.eps)
        if self.masked:
            token = self.p["head.mask_token"].type_as(y).unsqueeze(0).expand([torch.size(rows_R, 0), D])
            torch.index_copy_(y, 0, rows_R, token)
        self.keep(keep, False, x, [[x, mean, rstd, patches]])
        torch.add_(y.view([B, N, D]), self.positions(D, y))
        return y

    # Whether the head's blocks attend, so that all tokens pass through them.
    def full_head(self) -> bool:
        return self.head_kind == 2 and self.head_blocks > 0

    def trunk_block(self, i: int, x: Tensor) -> Tuple[Tensor, List[List[Tensor]]]:
        rows: Optional[Tensor] = None
        if i == self.blocks - 1 and not self.full_head():
            rows = self.rows[0]
        return __torch__.blocks.block(self.p, "trunk.blocks." + str(i), x, self.images, self.tokens, self.heads,
                                      self.eps, self.kind, self.trunk_bias(), rows)

    def head_block(self, i: int, x: Tensor) -> Tuple[Tensor, List[List[Tensor]]]:
        name = "head.decoder_blocks." + str(i)
        if self.head_kind == 1:
            return __torch__.blocks.head_block(self.p, name, x, self.eps, self.kind)
        rows: Optional[Tensor] = None
        if i == self.head_blocks - 1:
            rows = self.rows[0]
        return __torch__.blocks.block(self.p, name, x, self.images, self.tokens, self.head_heads, self.eps, self.kind,
                                      self.head_bias(), rows)

    # The last norm of an MLP or transformer head, and the predictions.
    def exit(self, x: Tensor, keep: bool) -> Tensor:
        if self.head_kind == 0:
            y = __torch__.blocks.operand(x, self.kind)
            self.keep(keep, False, x, [[y]])
        else:
            y, mean, rstd = __torch__.blocks.norm(self.p, "head.decoder_norm", x, self.eps)
            y = __torch__.blocks.operand(y, self.kind)
            self.keep(keep, False, x, [[y, x, mean, rstd]])
        return __torch__.blocks.affine(self.p, "head.decoder_pred", y)

    # Of a recomputed block only its input is kept.
    def keep(self, keep: bool, recompute: bool, x: Tensor, kept: List[List[Tensor]]) -> None:
        if keep:
            if recompute:
                kept = [[x]]
            self.kept.append(kept)

    # ---- backward, group by group -----------------------------------------------------------------------------------

    def derive_group(self, group: int) -> None:
        kept, self.kept[group] = self.kept[group], __torch__.aim.nothing()
        d = self.flow[0]
        self.flow = __torch__.aim.no_tensors()
        self.flow = [self.group_backward(group, d, kept)]
        if group == 0:
            self.release()

    # Where nothing came for a parameter its gradient is zero, and so is the padding behind each.
    def add_group(self, group: int, first: bool, gradient_F: Tensor) -> None:
        for i in range(len(self.names)):
            if self.groups[i] == group:
                view = self.view(gradient_F, i)
                if first:
                    size = torch.numel(view)
                    torch.zero_(torch.narrow(gradient_F, 0, self.offsets[i] + size, (size + 15) // 16 * 16 - size))
                if self.names[i] in self.terms[group]:
                    __torch__.blocks.accumulate(self.terms[group].pop(self.names[i]), view, first)
                elif first:
                    torch.zero_(view)

    def group_backward(self, group: int, d: Tensor, kept: List[List[Tensor]]) -> Tensor:
        terms = self.terms[group]
        entrance = self.blocks + 1
        if group == 0:
            return self.embed_backward(terms, d, kept[0])
        if group < entrance:
            return self.trunk_block_backward(terms, group - 1, d, kept)
        if group == entrance:
            return self.entrance_backward(terms, d, kept[0])
        if group <= entrance + self.head_blocks and self.head_kind != 0:
            return self.head_block_backward(terms, group - entrance - 1, d, kept)
        return self.exit_backward(terms, d, kept[0])

    def exit_backward(self, terms: Dict[str, List[Tensor]], d: Tensor, kept: List[Tensor]) -> Tensor:
        d = __torch__.blocks.operand(d, self.kind)
        dy = __torch__.blocks.affine_backward(self.p, terms, "head.decoder_pred", d, kept[0])
        if self.head_kind == 0:
            return dy
        return __torch__.blocks.norm_backward(self.p, terms, "head.decoder_norm", dy, kept[1], kept[2], kept[3])

    def head_block_backward(self, terms: Dict[str, List[Tensor]], i: int, d: Tensor,
                            kept: List[List[Tensor]]) -> Tensor:
        if len(kept) == 1:
            y, kept = self.head_block(i, kept[0][0])
        name = "head.decoder_blocks." + str(i)
        if self.head_kind == 1:
            return __torch__.blocks.head_block_backward(self.p, terms, name, d, kept, self.kind)
        rows: Optional[Tensor] = None
        if i == self.head_blocks - 1:
            rows = self.rows[0]
        return __torch__.blocks.block_backward(self.p, terms, name, d, kept, self.images, self.tokens,
                                               self.head_heads, self.kind, self.head_bias(), rows)

    def entrance_backward(self, terms: Dict[str, List[Tensor]], d: Tensor, kept: List[Tensor]) -> Tensor:
        if self.head_kind == 0:
            x, mean, rstd = kept
        else:
            x, y, mean, rstd = kept
            d = __torch__.blocks.operand(d, self.kind)
            d = __torch__.blocks.affine_backward(self.p, terms, "head.decoder_projection", d, y)
        return __torch__.blocks.norm_backward(self.p, terms, "trunk.post_trunk_norm", d, x, mean, rstd)

    def trunk_block_backward(self, terms: Dict[str, List[Tensor]], i: int, d: Tensor,
                             kept: List[List[Tensor]]) -> Tensor:
        if len(kept) == 1:
            y, kept = self.trunk_block(i, kept[0][0])
        rows: Optional[Tensor] = None
        if i == self.blocks - 1 and not self.full_head():
            rows = self.rows[0]
        return __torch__.blocks.block_backward(self.p, terms, "trunk.blocks." + str(i), d, kept, self.images,
                                               self.tokens, self.heads, self.kind, self.trunk_bias(), rows)

    def embed_backward(self, terms: Dict[str, List[Tensor]], d: Tensor, kept: List[Tensor]) -> Tensor:
        x, mean, rstd, patches = kept
        if self.masked:
            rows_R = self.rows[0]
            terms["head.mask_token"] = [torch.sum(d.index_select(0, rows_R), [0])]
            d = torch.index_fill(d, 0, rows_R, 0.0)
        d = __torch__.blocks.norm_backward(self.p, terms, "preprocessor.patchifier.norm", d, x, mean, rstd)
        terms["preprocessor.patchifier.proj.bias"] = [torch.sum(d, [0])]
        d = __torch__.blocks.operand(d, self.kind)
        D, C, P, Q = torch.size(self.p["preprocessor.patchifier.proj.weight"])
        weight = torch.mm(d.t(), patches).view([D, P, Q, C]).permute([0, 3, 1, 2])
        terms["preprocessor.patchifier.proj.weight"] = [weight]
        return d

    # ---- state between the calls ------------------------------------------------------------------------------------

    def trunk_bias(self) -> List[Tensor]:
        bias = __torch__.aim.no_tensors()
        if len(self.bias) > 0:
            bias = self.bias[0]
        return bias

    def head_bias(self) -> List[Tensor]:
        bias = __torch__.aim.no_tensors()
        if len(self.bias) > 0:
            bias = self.bias[-1]
        return bias

    def release(self) -> None:
        self.kept = __torch__.aim.no_groups()
        self.flow = __torch__.aim.no_tensors()
        self.bias = __torch__.aim.nothing()
        self.rows = __torch__.aim.no_tensors()

    # ---- parameters in flat storage ---------------------------------------------------------------------------------

    # Parameter i as a view of its bucket.
    def view(self, bucket_F: Tensor, i: int) -> Tensor:
        n = 1
        for size in self.shapes[i]:
            n = n * size
        return torch.narrow(bucket_F, 0, self.offsets[i], n).view(self.shapes[i])

# Pixels normalised per patch, with the unbiased variance.
def normalised(x_RV: Tensor) -> Tensor:
    variance, mean = torch.var_mean(x_RV, [-1], correction=1, keepdim=True)
    return (x_RV - mean) / torch.sqrt(variance + 1e-6)

# The inverse: values in the terms of normalised patches as pixels.
def denormalised(values_RV: Tensor, x_RV: Tensor) -> Tensor:
    variance, mean = torch.var_mean(x_RV, [-1], correction=1, keepdim=True)
    return values_RV * torch.sqrt(variance + 1e-6) + mean

# Cross-entropy against the nearest centroid, summed over the rows, and its gradient.
def token_loss(logits_RL: Tensor, patches_RV: Tensor, centroids_LV: Tensor) -> Tuple[Tensor, Tensor]:
    lengths_L = torch.sum(centroids_LV * centroids_LV, [1])
    distance_RL = lengths_L.unsqueeze(0) - 2 * torch.mm(patches_RV, centroids_LV.t())
    token_R1 = torch.argmin(distance_RL, 1, True)
    loss = torch.sum(torch.logsumexp(logits_RL, [1], True) - torch.gather(logits_RL, 1, token_R1))
    d = torch.softmax(logits_RL, 1)
    return loss, torch.scatter_add_(d, 1, token_R1, torch.full_like(d.narrow(1, 0, 1), -1.0))

def nothing() -> List[List[Tensor]]:
    nothing: List[List[Tensor]] = []
    return nothing

def no_tensors() -> List[Tensor]:
    none: List[Tensor] = []
    return none

def no_groups() -> List[List[List[Tensor]]]:
    none: List[List[List[Tensor]]] = []
    return none

def no_terms(groups: int) -> List[Dict[str, List[Tensor]]]:
    terms: List[Dict[str, List[Tensor]]] = []
    for group in range(groups):
        none: Dict[str, List[Tensor]] = {}
        terms.append(none)
    return terms
