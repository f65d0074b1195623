"""The pixels that the bins of RoIs read along one axis, and their weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from eakd_det.mm.ops.ragged import starts_of, unroll


@dataclass(frozen=True)
class AxisTaps:
    """The pixels that each bin reads along one axis, one bin after another in flat tensors.

    Attributes:
        counts: Pixels of each bin, ``(R, bins)``.
        starts: Index of each bin's first entry in ``pixels`` and ``weights``, ``(R, bins)``.
        pixels: Indices along the axis, ``(taps,)``.
        weights: Mean bilinear weight of the pixel over the bin's samples, ``(taps,)``.
    """

    counts: Tensor
    starts: Tensor
    pixels: Tensor
    weights: Tensor

    @classmethod
    def of(cls, low: Tensor, size: Tensor, bins: int, sampling_ratio: int, length: int) -> AxisTaps:
        """Sample the bins of intervals on an axis of ``length`` pixels.

        Args:
            low: Start of each interval, ``(R,)``, in pixels; 0 is the centre of the first pixel.
            size: Length of each interval, ``(R,)``, in pixels.
            bins: Number of bins of an interval.
            sampling_ratio: Samples in a bin; 0 is one for each pixel that a bin spans, rounded up.
            length: Number of pixels. Samples more than one pixel beyond the ends count as zero.

        Example:
            >>> taps = AxisTaps.of(torch.tensor([0.0]), torch.tensor([2.0]), bins=1, sampling_ratio=1, length=4)
            >>> taps.pixels, taps.weights
            (tensor([1]), tensor([1.]))
        """
        bin_, at, weight = _samples(low, size, bins, sampling_ratio)
        inside = (at >= -1) & (at <= length)
        bin_, at, weight = bin_[inside], at[inside].clamp(0, length - 1), weight[inside]
        lower = at.long()
        upper = (lower + 1).clamp(max=length - 1)
        fraction = at - lower
        total = len(low) * bins
        first = lower.new_full((total,), length).scatter_reduce(0, bin_, lower, 'amin')
        span = int((upper - first[bin_]).max()) + 1 if len(bin_) else 0
        dense = at.new_zeros(total, span)
        dense.view(-1).scatter_add_(0, bin_ * span + lower - first[bin_], (1 - fraction) * weight)
        dense.view(-1).scatter_add_(0, bin_ * span + upper - first[bin_], fraction * weight)
        bin_, column = dense.nonzero(as_tuple=True)
        counts = torch.bincount(bin_, minlength=total)
        starts = starts_of(counts).view(-1, bins)
        return cls(counts.view(-1, bins), starts, first[bin_] + column, dense[bin_, column])


def _samples(low: Tensor, size: Tensor, bins: int, sampling_ratio: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return bin, position and weight of each sample, with mmcv's rounding of positions."""
    step = size / bins
    number = torch.full_like(step, sampling_ratio) if sampling_ratio > 0 else step.ceil()
    number = number.where(step.isfinite() & low.isfinite(), 0).clamp(min=0).long()
    bin_, index = unroll(number.repeat_interleave(bins))
    roi = bin_ // bins
    at = low[roi] + (bin_ % bins) * step[roi] + (index + 0.5) * step[roi] / number[roi]
    return bin_, at, (1.0 / number.to(step.dtype))[roi]
