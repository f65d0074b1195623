"""A loss of chosen sites: all of them, those with an object or around one, or those the teacher is surest of."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from eakd_det.arguments import Count, checked
from eakd_det.losses import records
from eakd_det.losses.base import ProposalLoss

CHOOSES_BY = {'images': records.IMAGES, 'objects': records.OBJECTS, 'valuable': records.VALUABLE}
_OF_SITES = (records.LOGITS, records.LABELS, records.BOXES, records.CORNERS, *CHOOSES_BY.values())
SiteChoice: TypeAlias = Literal['all', 'objects', 'valuable'] | Count


class SiteLoss(ProposalLoss):
    """A loss whose sites can be chosen, and which can be divided by the number of objects.

    Dense heads have 10,000 to 100,000 sites in an image, nearly all of them background: their own losses divide by the
    number of sites with an object, and a mean over all sites would all but vanish beside these.

    Args:
        sites: Which sites count: 'all'; 'objects', those with an object; 'valuable', those around one
            (:func:`eakd_det.functional.valuable_region`; for dense heads); or a number k, in each image the k sites
            with the highest score of the teacher (background excepted). Defaults to 'all'.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`ProposalLoss`. With ``reduction='objects'``
            the sum is divided by the number of sites with an object, at least 1, averaged over processes as
            MMDetection does.

    Raises:
        ConfigError: If an argument is out of range; in use, if objects or images are missing for what is asked.

    Example:
        >>> from eakd_det.losses import KDLoss
        >>> student, teacher = torch.zeros(3, 2), torch.tensor([[0.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
        >>> is_object = torch.tensor([False, True, False])
        >>> KDLoss(sites='objects')(student, teacher, objects=is_object)
        tensor(0.3278)
        >>> KDLoss(reduction='objects')(student, teacher, objects=is_object)
        tensor(0.8301)
    """

    reads: ClassVar[dict[str, str]] = {**ProposalLoss.reads, **CHOOSES_BY}

    @checked
    def __init__(self, sites: SiteChoice = 'all', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sites = sites
        if sites != 'valuable':
            self._leave_unread('valuable')

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        given = super()._bind(args, kwargs)
        if self.sites == 'all':
            return given
        if self.sites == 'objects' or self.sites == 'valuable':
            self._check_present(given, (self.sites,), f' for sites={self.sites!r}')
            rows = (given[self.sites] > 0).nonzero().squeeze(1)
        else:
            self._check_present(given, ('images',), f' for sites={self.sites}')
            rows = self._surest(self.sites, given['preds_T'], given['images'])
        chosen = {name: value[rows] for name, value in given.items() if self.reads.get(name) in _OF_SITES}
        return {**given, **chosen, 'rows': rows, 'objects': given.get('objects')}

    def _surest(self, count: int, preds_T: Tensor, images: Tensor) -> Tensor:
        """Return the ``count`` surest rows of each image, in order."""
        scores = preds_T.detach() if self.activation == 'sigmoid' else preds_T.detach().softmax(dim=1)[:, :-1]
        order = scores.max(dim=1).values.argsort(descending=True, stable=True)
        order = order[images[order].argsort(stable=True)]
        counts = images.bincount()
        rank = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts)[images[order]]
        return order[rank < count].sort().values
