"""The context block with which FGD compares relations between the cells of a map."""

from __future__ import annotations

from torch import Tensor, nn

from eakd_det.functional._inputs import to_float


class ContextBlock(nn.Module):
    r"""Add to each cell what the whole map contains (GcBlock; Cao et al., GCNet, ICCVW 2019).

    .. math:: R(f)_x = f_x + W_2\, \mathrm{ReLU}\Bigl( \mathrm{LN}\bigl( W_1 \sum_{x'} \mathrm{softmax}_{x'}(w f_{x'})
        f_{x'} \bigr) \Bigr)

    :math:`W_2` starts at 0, so that :math:`R(f) = f` at first. GCNet's bias of :math:`w` is left out: it does not
    change a softmax.

    Args:
        channels: Width of the maps, at least 2; half of it is the width inside.

    Example:
        >>> import torch
        >>> maps = torch.randn(2, 8, 6, 9)
        >>> torch.equal(ContextBlock(8)(maps), maps)
        True
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.attention = nn.Conv2d(channels, 1, 1, bias=False)
        last = nn.Conv2d(inner, channels, 1)
        self.transform = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.LayerNorm((inner, 1, 1)), nn.ReLU(), last)
        nn.init.kaiming_normal_(self.attention.weight)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps with their context, ``(N, D, H, W)``, in float32 or better."""
        weights = to_float(self.attention(maps)).flatten(2).softmax(dim=2)
        context = (to_float(maps).flatten(2) * weights).sum(dim=2)[:, :, None, None]
        return to_float(maps) + to_float(self.transform(context.to(maps.dtype)))
