"""EA weights for any loss of MMRazor, by one name."""

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
    r"""Give any MMRazor loss EA's weight for each site or image.

    .. math:: L = \frac{1}{n} \sum_{i=1}^{n} w_i\, \ell(\mathrm{row}_i)
        \quad\text{(or the sum, for a loss that sums over its batch)}

    where :math:`\ell(\mathrm{row}_i)` is the wrapped loss of a batch with nothing but row i in it. The arguments are
    the wrapped loss's own, and up to three more for the weights: ``weight_preds_S`` and ``weight_preds_T``, class
    logits ``(R, C)`` of the same sites, and ``weight_images``, the image of each. ``ProposalDistiller`` fills these
    in, so that only the ``type`` in a config changes. In MMRazor's own distiller they are named in
    ``loss_forward_mappings``; without them the wrapped loss's own arguments are the logits, if it compares logits.

    With uniform weights this is the wrapped loss, wherever that is a mean or a sum over its batch. MMRazor's
    ``PKDLoss``, ``FBKDLoss`` and ``L2Loss(dist=True)`` are neither.

    Rows are computed together by ``torch.func.vmap``; a loss that cannot be batched is called once a row, and a log
    line reports it. For KD and DKD of sites :class:`~eakd_det.losses.KDLoss` and :class:`~eakd_det.losses.DKDLoss` are
    the better choice: cheaper, safe at large logits, and MMRazor's ``DKDLoss`` takes a sum where its config says mean.

    Args:
        loss: Config of the loss, or a built one. A bare type name means MMRazor's.
        weighting: Config of the weights. Defaults to ``dict(type='EntropyWeighting')``.
        unit: What the rows of the wrapped loss's tensors are. 'site' (formerly 'proposal') builds
            :class:`EntropyWeightedLogits`, 'image' :class:`EntropyWeightedMaps`, 'sites_of_image' (formerly
            'proposals_of_image') :class:`EntropyWeightedRelations`. Defaults to None: 'site' for MMRazor's losses of
            logits, 'image' for those of feature maps; any other loss needs it.

    Raises:
        ConfigError: If the loss has a weighting of its own, compares rows that ``unit`` would take apart, or needs a
            ``unit``; in use, if no logits are found, or their number does not fit the rows.

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
            f"EntropyWeighted.unit: expected 'site' or 'image', because the rows of {type(built).__name__} can be "
            'either, but got None'
        )
    return _KINDS[rows or 'site'](built, weighting)
