"""EA weights for losses that know nothing of weights: a wrapper around any MMRazor loss."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from eakd_det.building import build_model
from eakd_det.errors import ConfigError, require_choice
from eakd_det.functional._inputs import to_float
from eakd_det.losses.base import ProposalTerms
from eakd_det.losses.mmrazor_losses import is_relational, sums_over_batch, unit_of, why_not_separable
from eakd_det.losses.rowwise import Arguments, count_rows, each_row, looped, tensors, vectorised
from eakd_det.weighting.images import image_index, image_weights

_LOGGER = logging.getLogger(__name__)
UNITS = ('proposal', 'image', 'proposals_of_image')
_LOGIT_ARGUMENTS = (('preds_S', 'preds_T'), ('logits_S', 'logits_T'), ('student', 'teacher'))
_WEIGHT_ARGUMENTS = ('weight_preds_S', 'weight_preds_T', 'weight_images')


class EntropyWeighted(nn.Module):
    r"""Any MMRazor loss, with EA's weight for each proposal or image.

    .. math:: L = \frac{1}{n} \sum_{i=1}^{n} w_i\, \ell(\mathrm{row}_i)
        \quad\text{(or the sum, for a loss that sums over its batch)}

    where :math:`\ell(\mathrm{row}_i)` is the wrapped loss of a batch with nothing but row i in it. Its arguments are
    the wrapped loss's own, and up to three more for the weights: ``weight_preds_S`` and ``weight_preds_T``, class
    logits ``(R, C)`` of the same proposals, and ``weight_images``, the image of each. ``ProposalDistiller`` fills
    these in from the shared proposals, so that only the ``type`` in a config changes. In MMRazor's own distiller they
    are named in ``loss_forward_mappings``; without them the wrapped loss's own arguments are the logits, if it
    compares logits.

    With uniform weights this is the wrapped loss, wherever that is a mean or a sum over its batch. MMRazor's
    ``PKDLoss``, ``FBKDLoss`` and ``L2Loss(dist=True)`` are neither.

    Rows are computed together by ``torch.func.vmap``; a loss that cannot be batched is called once a row, which a log
    line says. For KD and DKD of proposals :class:`~eakd_det.losses.KDLoss` and :class:`~eakd_det.losses.DKDLoss` are
    the better choice: cheaper, safe at large logits, and MMRazor's ``DKDLoss`` takes a sum where its
    config says mean.

    Args:
        loss: Config of the loss, or a built one. A bare type name means MMRazor's.
        weighting: Config of the weights. Defaults to ``dict(type='EntropyWeighting')``.
        unit: What the rows of the wrapped loss's tensors are. 'proposal': row n is proposal n, and weighs
            :math:`w_n`. 'image': row i is image i, and weighs the mean over its proposals
            (:func:`~eakd_det.weighting.images.image_weights`). 'proposals_of_image': rows are proposals, but the loss
            compares them with each other (relational losses, ``DISTLoss``), so it is computed image by image, each
            with that mean. Defaults to None: 'proposal' for MMRazor's losses of logits, 'image' for those of feature
            maps (:func:`~eakd_det.losses.mmrazor_losses.unit_of`); any other loss needs it.

    Raises:
        ConfigError: If the loss has a weighting of its own, compares rows that ``unit`` would take apart, or needs a
            ``unit``; in use, if no logits are found, or their number does not fit the rows.

    Example:
        >>> import torch
        >>> loss = EntropyWeighted(dict(type='KLDivergence'), weighting=dict(type='EntropyWeighting', tau=3.0))
        >>> loss(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor(0.1026)
    """

    added_mapping: ClassVar[dict[str, dict[str, Any]]] = {
        'weight_preds_S': dict(recorder='proposal_logits', from_student=True),
        'weight_preds_T': dict(recorder='proposal_logits', from_student=False),
        'weight_images': dict(recorder='proposal_images', from_student=True),
    }

    def __init__(
        self,
        loss: dict[str, Any] | nn.Module,
        weighting: dict[str, Any] | nn.Module | None = None,
        unit: str | None = None,
    ) -> None:
        super().__init__()
        self.loss: nn.Module = build_model(loss, scope='mmrazor')
        self.weighting: nn.Module = build_model(dict(type='EntropyWeighting') if weighting is None else weighting)
        unit = unit_of(self.loss) if unit is None else require_choice('EntropyWeighted.unit', unit, UNITS)
        self._name = f'EntropyWeighted({type(self.loss).__name__})'
        self._is_vectorised = True
        self.unit: str = self._checked(unit)
        self._signature = _with_weight_arguments(self.loss.forward)

    def _checked(self, unit: str | None) -> str:
        kind = type(self.loss).__name__
        if hasattr(self.loss, 'weighting'):
            raise ConfigError(
                f'EntropyWeighted.loss: expected a loss without weights, but got {kind}; give it '
                "weighting=dict(type='eakd_det.EntropyWeighting') and leave the wrapper out"
            )
        if is_relational(self.loss) and unit != 'proposals_of_image':
            raise ConfigError(
                f"EntropyWeighted.unit: expected 'proposals_of_image', because {kind} compares rows with each other "
                f'and says nothing of one row, but got {unit!r}'
            )
        if unit is None:
            raise ConfigError(
                f"EntropyWeighted.unit: expected 'proposal' or 'image', because the rows of {kind} can be either, "
                'but got None'
            )
        reason = why_not_separable(self.loss)
        if reason:
            _LOGGER.info('%s: with uniform weights it is not %s, which %s', self._name, kind, reason)
        return unit

    @property
    def forward(self) -> Callable[..., Tensor]:  # type: ignore[override]
        """The loss, a scalar. MMRazor checks mappings against its signature, which is the wrapped loss's and more."""
        call = functools.partial(self._forward)
        call.__signature__ = self._signature  # type: ignore[attr-defined]
        return call

    def _forward(self, *args: Any, **kwargs: Any) -> Tensor:
        arguments = self._signature.bind(*args, **kwargs).arguments
        return self.reduce(self.terms(**arguments))

    def reduce(self, terms: ProposalTerms) -> Tensor:
        """The loss from its terms, a scalar."""
        return (terms.weights * terms.divergence).sum() / max(len(terms.weights), 1)

    def terms(
        self,
        weight_preds_S: Tensor | None = None,
        weight_preds_T: Tensor | None = None,
        weight_images: Tensor | None = None,
        **arguments: Any,
    ) -> ProposalTerms:
        """Value and weight of each row (or of each image, for 'proposals_of_image').

        Args:
            weight_preds_S: The student's class logits, ``(R, C)``.
            weight_preds_T: The teacher's, ``(R, C)``.
            weight_images: The image of each proposal, ``(R,)``, or RoIs, ``(R, 5)``. Needed for weights of images.
            **arguments: What the wrapped loss is called with.

        Returns:
            Values, scaled so that the mean over them is the loss, and weights.

        Raises:
            ConfigError: If no logits are found, or their number does not fit the rows.
        """
        if weight_preds_S is None or weight_preds_T is None:
            weight_preds_S, weight_preds_T = self._own_logits(arguments)
        weights = self.weighting(weight_preds_S, weight_preds_T)
        rows = count_rows(arguments, self._name)
        if self.unit != 'image' and rows != len(weights):
            raise ConfigError(
                f'{self._name}: expected one row for each of {len(weights)} proposals (unit={self.unit!r}), but got '
                f"{rows}; for feature maps set unit='image'"
            )
        if self.unit == 'proposals_of_image':
            return self._terms_of_images(arguments, weights, self._images(weight_images))
        if self.unit == 'image':
            weights = image_weights(weights, self._images(weight_images), rows)
        values = self._values(arguments, rows)
        values = values * rows if sums_over_batch(self.loss) else values
        return ProposalTerms(values, weights, unit='image' if self.unit == 'image' else 'site')

    def _own_logits(self, arguments: Arguments) -> tuple[Tensor, Tensor]:
        for names in _LOGIT_ARGUMENTS:
            pair = [arguments.get(name) for name in names]
            if all(isinstance(value, Tensor) and value.dim() == 2 for value in pair):
                return pair[0], pair[1]  # type: ignore[return-value]
        raise ConfigError(
            f'{self._name}: expected the class logits that the weights come from, but got none; add weight_preds_S and '
            'weight_preds_T (and weight_images, for feature maps) to its loss_forward_mappings'
        )

    def _images(self, images: Tensor | None) -> Tensor:
        if images is None:
            raise ConfigError(
                f'{self._name}: expected the image of each proposal (unit={self.unit!r}), but got none; add '
                'weight_images to its loss_forward_mappings: image indices, or the RoIs of roi_head.bbox_roi_extractor'
            )
        return image_index(images)

    def _values(self, arguments: Arguments, rows: int) -> Tensor:
        if rows == 0:
            return _connected_nothing(arguments)
        if self._is_vectorised:
            try:
                return to_float(vectorised(self.loss, arguments))
            except RuntimeError as error:
                self._is_vectorised = False
                reason = str(error).splitlines()[0]
                _LOGGER.info('%s: called once a row, %d times a step (%s)', self._name, rows, reason)
        return to_float(looped(self.loss, arguments, each_row(rows)))

    def _terms_of_images(self, arguments: Arguments, weights: Tensor, images: Tensor) -> ProposalTerms:
        if len(weights) == 0:
            return ProposalTerms(_connected_nothing(arguments), weights, unit='image')
        found, group, counts = images.unique(return_inverse=True, return_counts=True)
        values = to_float(looped(self.loss, arguments, [images == index for index in found]))
        share = counts.new_ones(counts.shape) if sums_over_batch(self.loss) else counts / len(images)
        return ProposalTerms(values * share * len(found), image_weights(weights, group, len(found)), unit='image')

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        return f'unit={self.unit!r}'


def _with_weight_arguments(forward: Callable[..., Any]) -> inspect.Signature:
    """The signature of ``forward`` with the three arguments of the weights after it."""
    signature = inspect.signature(forward)
    parameters = list(signature.parameters.values())
    kind = inspect.Parameter.KEYWORD_ONLY
    is_rest = [parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters]
    end = is_rest.index(True) if True in is_rest else len(parameters)
    added = [inspect.Parameter(name, kind, default=None) for name in _WEIGHT_ARGUMENTS]
    return signature.replace(parameters=parameters[:end] + added + parameters[end:])


def _connected_nothing(arguments: Arguments) -> Tensor:
    """No values, ``(0,)``, connected to all tensors there are."""
    return torch.cat([to_float(tensor).flatten()[:0] for value in arguments.values() for tensor in tensors(value)])
