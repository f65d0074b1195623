"""RoIAlign as a sparse matrix product: each bin is a weighted sum of rows of an ``(H * W, C)`` table."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, pad

from eakd_det.errors import ConfigError
from eakd_det.mm.ops.bilinear_taps import AxisTaps
from eakd_det.mm.ops.ragged import parts, unroll
from eakd_det.mm.ops.torchvision_kernels import torchvision_ops

_MOST_TAPS = 1 << 22  # weighted pixels in one call: about 150 MB of indices and weights


def roi_align(
    features: Tensor,
    rois: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    aligned: bool = True,
) -> Tensor:
    r"""Average bilinear samples of ``features`` in each bin of each RoI.

    .. math:: out_{r,c,i,j} = \frac{1}{g_y g_x} \sum_{s,t} \mathrm{bilinear}(features_{b_r,c},\ y_{r,i,s},\ x_{r,j,t})

    A sample more than one pixel outside the map counts as zero. Results equal mmcv's and torchvision's to rounding.

    A bin is a weighted sum of few pixels, and all bins of all RoIs are one
    :func:`torch.nn.functional.embedding_bag` over a table with a row for each pixel, which for channels-last features
    is their own memory. Maps of one channel, such as masks, are summed along y and then along x (ten times faster).
    Forward and backward are deterministic on a CPU. On CUDA, torchvision's kernel is used if torchvision loads.

    Args:
        features: ``(N, C, H, W)``, any memory format. float16 and bfloat16 are computed in float32.
        rois: ``(R, 5)``: image index, x1, y1, x2, y2 in pixels of the image. No gradient flows to them.
        output_size: Height and width in bins.
        spatial_scale: Size of a pixel of the image in pixels of the map.
        sampling_ratio: Samples along each side of a bin; 0 is one for each pixel of the map that the bin spans.
        aligned: Whether pixel centres lie at half integers; False is the form of MMDetection 1, where an RoI is at
            least one pixel wide.

    Returns:
        ``(R, C, height, width)`` in the dtype and memory format of ``features``. RoIs that are not finite give zeros,
        and so do those without a positive size if ``sampling_ratio`` is 0.

    Source: He et al., Mask R-CNN, ICCV 2017, section 3.

    Example:
        >>> import torch
        >>> features = torch.arange(16.0).view(1, 1, 4, 4)
        >>> roi_align(features, torch.tensor([[0.0, 0, 0, 4, 4]]), output_size=2)
        tensor([[[[ 2.5000,  4.5000],
                  [10.5000, 12.5000]]]])
    """
    if features.dim() != 4 or rois.dim() != 2 or rois.size(1) != 5:
        raise ConfigError(
            f'roi_align: expected features (N, C, H, W) and rois (R, 5), '
            f'but got {tuple(features.shape)} and {tuple(rois.shape)}'
        )
    height, width = (output_size, output_size) if isinstance(output_size, int) else output_size
    kernels = torchvision_ops() if features.is_cuda else None
    if kernels is not None:
        boxes = rois.to(features.dtype)
        return kernels.roi_align(features, boxes, (height, width), spatial_scale, sampling_ratio, aligned)
    dtype = torch.promote_types(features.dtype, torch.float32)
    with torch.no_grad():
        grid = _Grid.of(rois.to(dtype), (height, width), spatial_scale, sampling_ratio, aligned, features.shape)
    table = features.to(dtype).permute(0, 2, 3, 1).reshape(-1, features.size(1))
    pooled = grid.pool_along_each_axis(table) if features.size(1) == 1 else grid.pool(table)
    pooled = pooled.view(len(rois), height, width, features.size(1)).permute(0, 3, 1, 2).to(features.dtype)
    return pooled if _is_channels_last(features) else pooled.contiguous()


def _is_channels_last(features: Tensor) -> bool:
    return features.is_contiguous(memory_format=torch.channels_last) and not features.is_contiguous()


@dataclass(frozen=True)
class _Grid:
    """The bins of all RoIs, each the outer product of its taps along y and x."""

    images: Tensor  # (R,)
    y: AxisTaps
    x: AxisTaps
    size: tuple[int, int]  # of a map

    @classmethod
    def of(
        cls, rois: Tensor, bins: tuple[int, int], scale: float, sampling_ratio: int, aligned: bool, shape: torch.Size
    ) -> _Grid:
        """Place the bins of ``rois`` on maps of ``shape`` ``(N, C, H, W)``."""
        height, width = shape[2:]
        x1, y1, x2, y2 = (rois[:, 1:] * scale - (0.5 if aligned else 0.0)).unbind(1)
        size_y, size_x = (y2 - y1, x2 - x1) if aligned else ((y2 - y1).clamp(min=1), (x2 - x1).clamp(min=1))
        return cls(
            rois[:, 0].long(),
            AxisTaps.of(y1, size_y, bins[0], sampling_ratio, height),
            AxisTaps.of(x1, size_x, bins[1], sampling_ratio, width),
            (height, width),
        )

    def pool(self, table: Tensor) -> Tensor:
        """Sum rows of ``table`` ``(N * H * W, C)``; return ``(R * bins, C)``."""
        counts = self.y.counts[:, :, None] * self.x.counts[:, None, :]
        pooled = []
        for part in parts(counts.flatten(1).sum(1), _MOST_TAPS):
            with torch.no_grad():
                rows, weights = self._outer_product(part)
            pooled.append(_sum_rows(table, rows, weights, counts[part]))
        return torch.cat(pooled) if len(pooled) > 1 else pooled[0]

    def pool_along_each_axis(self, table: Tensor) -> Tensor:
        """Return the result of :meth:`pool` in fewer operations, for small ``C`` and large bins."""
        height, width = self.size
        row, _ = unroll(self.y.counts.sum(1))
        lines = _sum_rows(
            table.view(-1, width * table.size(1)),
            self.images.index_select(0, row) * height + self.y.pixels,
            self.y.weights,
            self.y.counts,
        )
        counts = self.x.counts[:, None, :].expand(-1, self.y.counts.size(1), -1)
        bin_, number = unroll(counts.flatten())
        taps = self.x.starts[:, None, :].expand_as(counts).flatten().index_select(0, bin_) + number
        line, _ = unroll(counts.flatten(0, 1).sum(1))
        rows = line * width + self.x.pixels.index_select(0, taps)
        return _sum_rows(lines.view(-1, table.size(1)), rows, self.x.weights.index_select(0, taps), counts)

    def _outer_product(self, part: slice) -> tuple[Tensor, Tensor]:
        """Return rows of the table and their weights for the RoIs in ``part``, ordered by bin."""
        height, width = self.size
        shape = (-1, self.y.counts.size(1), self.x.counts.size(1))
        # A run is one tap of a bin along y, with all of the bin's taps along x.
        bin_, number = unroll(self.y.counts[part, :, None].expand(shape).flatten())
        tap_y = self.y.starts[part, :, None].expand(shape).flatten()[bin_] + number
        image = self.images[part, None, None].expand(shape).flatten()[bin_]
        run_rows = (image * height + self.y.pixels[tap_y]) * width
        x_counts, x_starts = (t[part, None, :].expand(shape).flatten()[bin_] for t in (self.x.counts, self.x.starts))
        run, number = unroll(x_counts)
        tap_x = x_starts.index_select(0, run) + number
        rows = run_rows.index_select(0, run) + self.x.pixels.index_select(0, tap_x)
        return rows, self.y.weights[tap_y].index_select(0, run) * self.x.weights.index_select(0, tap_x)


def _sum_rows(table: Tensor, rows: Tensor, weights: Tensor, counts: Tensor) -> Tensor:
    """Return weighted sums of consecutive groups of ``rows`` of ``table``, whose sizes are ``counts``."""
    offsets = pad(counts.flatten().cumsum(0), (1, 0))
    return embedding_bag(rows, table, offsets, mode='sum', per_sample_weights=weights, include_last_offset=True)
