"""Properties of MMRazor's losses that their separation into rows depends on."""

from __future__ import annotations

from torch import nn

_OF_SITES = ('CrossEntropyLoss', 'DKDLoss', 'KDSoftCELoss', 'KLDivergence', 'WSLD')
_OF_IMAGES = ('ABLoss', 'ATLoss', 'ChannelWiseDivergence', 'FBKDLoss', 'FTLoss', 'MGDLoss', 'OFDLoss', 'PKDLoss')
_RELATIONAL = ('AngleWiseRKD', 'CRDLoss', 'DISTLoss', 'DistanceWiseRKD')
_ROOTS = "takes roots of sums over the batch; here it is the mean of each row's roots"
_NOT_SEPARABLE = {
    'PKDLoss': 'normalises each channel over all images of the batch; here each image is normalised by itself',
    'FBKDLoss': _ROOTS,
}


def is_relational(loss: nn.Module) -> bool:
    """Return whether ``loss`` compares the rows of its batch with each other."""
    return type(loss).__name__ in _RELATIONAL


def rows_of(loss: nn.Module) -> str | None:
    """Return the unit of the rows of ``loss``: 'site' for losses of class logits, 'image' for losses of feature maps.

    It is None for a loss that takes either (``L1Loss``, ``L2Loss``), compares rows, or is not MMRazor's.

    Example:
        >>> from mmrazor.models.losses import KLDivergence, L2Loss, PKDLoss
        >>> rows_of(KLDivergence()), rows_of(PKDLoss()), rows_of(L2Loss())
        ('site', 'image', None)
    """
    name = type(loss).__name__
    return 'site' if name in _OF_SITES else 'image' if name in _OF_IMAGES else None


def why_not_separable(loss: nn.Module) -> str | None:
    """Return why ``loss`` is neither a mean nor a sum over its rows, or None if nothing is known against it."""
    if type(loss).__name__ == 'L2Loss' and getattr(loss, 'dist', False):
        return _ROOTS
    return _NOT_SEPARABLE.get(type(loss).__name__)


def sums_over_batch(loss: nn.Module) -> bool:
    """Return whether ``loss`` is a sum over the rows of its batch; all others are treated as means.

    MMRazor's ``DKDLoss`` passes ``size_average`` to PyTorch, which overrides ``reduction``: it sums for every value but
    'batchmean'.

    Example:
        >>> from mmrazor.models.losses import DKDLoss
        >>> sums_over_batch(DKDLoss(reduction='mean')), sums_over_batch(DKDLoss(reduction='batchmean'))
        (True, False)
    """
    reduction = getattr(loss, 'reduction', None)
    if type(loss).__name__ == 'DKDLoss':
        return reduction != 'batchmean'
    if getattr(loss, 'size_average', None) is False:
        return getattr(loss, 'reduce', None) is not False
    return reduction == 'sum'
