"""EA weights for any loss of MMRazor, under one name."""

from __future__ import annotations

from typing import Any, Literal

from torch import nn

from eakd_det.arguments import require
from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.mm.mmrazor_losses import is_relational, rows_of
from eakd_det.mm.weighted_losses import (
    EntropyWeightedLogits,
    EntropyWeightedMaps,
    EntropyWeightedRelations,
    WeightedLoss,
)

__all__ = ['EntropyWeighted', 'EntropyWeightedLogits', 'EntropyWeightedMaps', 'EntropyWeightedRelations']

_KINDS: dict[str, type[WeightedLoss]] = {
    'site': EntropyWeightedLogits,
    'image': EntropyWeightedMaps,
    'sites_of_image': EntropyWeightedRelations,
    'proposal': EntropyWeightedLogits,  # former names
    'proposals_of_image': EntropyWeightedRelations,
}


def EntropyWeighted(  # noqa: N802  a type in configs
    loss: dict[str, Any] | nn.Module,
    weighting: dict[str, Any] | nn.Module | None = None,
    unit: Literal['site', 'image', 'sites_of_image', 'proposal', 'proposals_of_image'] | None = None,
) -> WeightedLoss:
    r"""Wrap a loss of MMRazor so that each site or image gets EA's weight.

    .. math:: L = \frac{1}{n} \sum_{i=1}^{n} w_i\, \ell(\mathrm{row}_i)
        \quad\text{(or the sum, for a loss that sums over its batch)}

    where :math:`\ell(\mathrm{row}_i)` is the wrapped loss of a batch with row i alone. The arguments are those of the
    wrapped loss and three optional ones for the weights: ``weight_preds_S`` and ``weight_preds_T``, class logits
    ``(R, C)`` of the same sites, and ``weight_images``, the image of each. ``ProposalDistiller`` maps these, so that
    only the ``type`` in a config changes; MMRazor's distiller needs them in ``loss_forward_mappings``. Without them, a
    wrapped loss of logits is weighted by its own arguments.

    With uniform weights this equals the wrapped loss if that is a mean or a sum over its batch. MMRazor's ``PKDLoss``,
    ``FBKDLoss`` and ``L2Loss(dist=True)`` are neither.

    Rows are computed together by ``torch.func.vmap``. A loss that cannot be batched is called for each row, and a log
    message reports it. For KD and DKD prefer :class:`~eakd_det.losses.KDLoss` and :class:`~eakd_det.losses.DKDLoss`:
    they are faster and safe at large logits, and MMRazor's ``DKDLoss`` sums where its config asks for the mean.

    Args:
        loss: Config of the loss, or a built one. A type name without scope is MMRazor's.
        weighting: Config of the weights; None is ``dict(type='EntropyWeighting')``.
        unit: Meaning of the rows of the wrapped loss's tensors. 'site' (formerly 'proposal') builds
            :class:`EntropyWeightedLogits`, 'image' :class:`EntropyWeightedMaps`, 'sites_of_image' (formerly
            'proposals_of_image') :class:`EntropyWeightedRelations`. None is 'site' for MMRazor's losses of logits and
            'image' for those of feature maps; any other loss needs a unit.

    Raises:
        ConfigError: If the loss has a weighting, compares rows that ``unit`` would separate, or needs a ``unit``; in
            use, if there are no logits, or their number differs from that of the rows.

    Example:
        >>> import torch
        >>> loss = EntropyWeighted(dict(type='KLDivergence'), weighting=dict(type='EntropyWeighting', tau=3.0))
        >>> loss(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor(0.1026)
    """
    require('EntropyWeighted.unit', unit, Literal[tuple(_KINDS)] | None)
    built: nn.Module = build_model(loss, scope='mmrazor')
    rows = unit or rows_of(built)
    if rows is None and not is_relational(built) and not hasattr(built, 'weighting'):
        raise ConfigError(
            f"EntropyWeighted.unit: expected 'site' or 'image' for {type(built).__name__}, whose rows may be either, "
            'but got None'
        )
    return _KINDS[rows or 'site'](built, weighting)
