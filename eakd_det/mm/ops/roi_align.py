"""RoIAlign as one sparse matrix product: each output bin is a weighted sum of rows of an ``(H * W, C)`` table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.mm.ops.ragged import parts, starts_of, unroll
from eakd_det.mm.ops.torchvision_kernels import torchvision_ops

_MOST_TAPS = 1 << 22  # pixels with a weight in one call: about 150 MB of indices and weights


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

    A sample more than one pixel outside of the map counts as zero, as in mmcv and torchvision, whose results these are to rounding.
    Bilinear weights are products of a weight along y and one along x, so a bin is a sum over few pixels, and all bins
    of all RoIs are one :func:`torch.nn.functional.embedding_bag` over a table with one row a pixel.
    Where the features are channels-last the table is their own memory. Forward and backward are deterministic on a CPU.

    On CUDA torchvision's kernel is used where torchvision loads.

    Args:
        features: ``(N, C, H, W)``, any memory format. float16 and bfloat16 are computed in float32.
        rois: ``(R, 5)``: image index, x1, y1, x2, y2 in pixels of the image. No gradient flows to them.
        output_size: Height and width in bins.
        spatial_scale: Pixels of the map a pixel of the image.
        sampling_ratio: Samples along each side of a bin; 0 takes one for each pixel of the map that the bin spans.
        aligned: Whether pixel centres lie at half integers; False is the form of MMDetection 1, where an RoI is at
            least one pixel wide.

    Returns:
        ``(R, C, height, width)`` in the dtype and memory format of ``features``. RoIs of no or negative size, and those that are
        not finite, are zero where ``sampling_ratio`` is 0.

    Raises:
        ConfigError: If ``features`` or ``rois`` have other shapes.

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
    bins = [
        F.embedding_bag(pixels, table, offsets, mode='sum', per_sample_weights=weights, include_last_offset=True)
        for pixels, weights, offsets in grid.bags()
    ]
    pooled = torch.cat(bins) if len(bins) > 1 else bins[0]
    pooled = pooled.view(len(rois), height, width, features.size(1)).permute(0, 3, 1, 2).to(features.dtype)
    return pooled if _is_channels_last(features) else pooled.contiguous()


def _is_channels_last(features: Tensor) -> bool:
    return features.is_contiguous(memory_format=torch.channels_last) and not features.is_contiguous()


@dataclass
class _Axis:
    """Pixels and weights along one axis, row by row; a row is one bin of one RoI."""

    counts: Tensor  # (R * bins,) taps in a row
    starts: Tensor  # (R * bins,) where its taps begin in
    pixels: Tensor  # (taps,)
    weights: Tensor  # (taps,)

    @classmethod
    def of(cls, low: Tensor, size: Tensor, bins: int, sampling_ratio: int, length: int) -> _Axis:
        """Sum up the bilinear weights of all samples of a bin, for RoIs from ``low`` that are ``size`` long."""
        step = size / bins
        samples = torch.full_like(step, sampling_ratio) if sampling_ratio > 0 else step.ceil()
        samples = samples.where(step.isfinite() & low.isfinite(), 0).clamp(min=0).long()
        row, number = unroll(samples.repeat_interleave(bins))
        roi, bin_ = row // bins, row % bins
        at = low[roi] + bin_ * step[roi] + (number + 0.5) * step[roi] / samples[roi]
        inside = (at >= -1) & (at <= length)
        row, at, weight = row[inside], at[inside].clamp(0, length - 1), (1 / samples[roi])[inside].to(at.dtype)
        lower = at.long()
        upper = (lower + 1).clamp(max=length - 1)
        fraction = at - lower
        rows = len(low) * bins
        first = lower.new_full((rows,), length).scatter_reduce(0, row, lower, 'amin')
        span = int((upper - first[row]).max()) + 1 if len(row) else 0
        dense = at.new_zeros(rows, span)
        dense.view(-1).scatter_add_(0, row * span + lower - first[row], (1 - fraction) * weight)
        dense.view(-1).scatter_add_(0, row * span + upper - first[row], fraction * weight)
        row, column = dense.nonzero(as_tuple=True)
        counts = torch.bincount(row, minlength=rows)
        return cls(counts, starts_of(counts), first[row] + column, dense[row, column])


@dataclass
class _Grid:
    """What every output bin sums up: the outer product of its rows along y and x."""

    y: _Axis
    x: _Axis
    bins: tuple[int, int]
    image_starts: Tensor  # (R,) row of the table where the RoI's image begins
    width: int

    @classmethod
    def of(
        cls, rois: Tensor, bins: tuple[int, int], scale: float, sampling_ratio: int, aligned: bool, shape: torch.Size
    ) -> _Grid:
        """Lay the bins of ``rois`` over maps of ``shape`` ``(N, C, H, W)``."""
        height, width = shape[2:]
        x1, y1, x2, y2 = (rois[:, 1:] * scale - (0.5 if aligned else 0.0)).unbind(1)
        size_y, size_x = (y2 - y1, x2 - x1) if aligned else ((y2 - y1).clamp(min=1), (x2 - x1).clamp(min=1))
        return cls(
            _Axis.of(y1, size_y, bins[0], sampling_ratio, height),
            _Axis.of(x1, size_x, bins[1], sampling_ratio, width),
            bins,
            rois[:, 0].long() * (height * width),
            width,
        )

    def bags(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Give rows of the table, their weights and where each bin begins, for as many RoIs at a time as fit."""
        rows_y, rows_x = (axis.counts.view(-1, bins) for axis, bins in zip((self.y, self.x), self.bins, strict=True))
        counts = rows_y[:, :, None] * rows_x[:, None, :]  # (R, bins, bins)
        for rois in parts(counts.flatten(1).sum(1), _MOST_TAPS):
            pixels, weights = self._outer(torch.arange(rois.start, rois.stop, device=counts.device))
            yield pixels, weights, F.pad(counts[rois].flatten().cumsum(0), (1, 0))

    def _outer(self, rois: Tensor) -> tuple[Tensor, Tensor]:
        height, width = self.bins
        shape = (len(rois), height, width)
        row_y = (rois[:, None, None] * height + torch.arange(height, device=rois.device)[:, None]).expand(shape).flatten()
        row_x = (rois[:, None, None] * width + torch.arange(width, device=rois.device)).expand(shape).flatten()
        # A run is one pixel along y of one bin; every run has the bin's taps along x.
        bin_, number = unroll(self.y.counts[row_y])
        tap_y, row_x = self.y.starts[row_y][bin_] + number, row_x[bin_]
        run_pixels = self.image_starts.repeat_interleave(height)[row_y][bin_] + self.y.pixels[tap_y] * self.width
        run, number = unroll(self.x.counts[row_x])
        tap_x = self.x.starts[row_x].index_select(0, run) + number
        pixels = run_pixels.index_select(0, run) + self.x.pixels.index_select(0, tap_x)
        return pixels, self.y.weights[tap_y].index_select(0, run) * self.x.weights.index_select(0, tap_x)
