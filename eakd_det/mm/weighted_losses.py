"""EA weights on losses without weights: for losses of sites, of feature maps, and of relations."""

from __future__ import annotations

import inspect
import logging
from types import MethodType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from eakd_det.activation import Activation
from eakd_det.arguments import checked
from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import to_float
from eakd_det.losses import records
from eakd_det.losses.base import ProposalLoss, Terms, Unit
from eakd_det.losses.signature import forward_with
from eakd_det.mm.mmrazor_losses import is_relational, sums_over_batch, why_not_separable
from eakd_det.mm.rowwise import Arguments, count_rows, looped, tensors, vectorised
from eakd_det.weighting import image_index, image_weights

_LOGGER = logging.getLogger(__name__)
_LOGIT_ARGUMENTS = (('preds_S', 'preds_T'), ('logits_S', 'logits_T'), ('student', 'teacher'))
_WEIGHT_ARGUMENTS = ('weight_preds_S', 'weight_preds_T', 'weight_images')


class WeightedLoss(ProposalLoss):
    """The base of :class:`EntropyWeightedLogits`, :class:`EntropyWeightedMaps`, :class:`EntropyWeightedRelations`.

    The arguments of ``forward`` are those of the wrapped loss, then ``weight_preds_S``, ``weight_preds_T`` and
    ``weight_images``; see :func:`eakd_det.mm.entropy_weighted.EntropyWeighted`.

    Args:
        loss: Config of the loss, or a built one. A type name without scope is MMRazor's.
        weighting: Config of the weights; None is ``dict(type='EntropyWeighting')``.

    Raises:
        ConfigError: If the loss has a weighting, or compares rows that would be separated; in use, if there are no
            logits, or their number differs from that of the rows.
    """

    config_key = 'EntropyWeighted'
    reads: ClassVar[dict[str, str]] = {}
    added_mapping: ClassVar[dict[str, dict[str, Any]]] = {
        f'weight_{name}': record
        for name, record in records.mapping(records.pairs(preds=records.LOGITS) | {'images': records.IMAGES}).items()
    }

    @checked
    def __init__(self, loss: dict[str, Any] | nn.Module, weighting: dict[str, Any] | nn.Module | None = None) -> None:
        super().__init__(dict(type='EntropyWeighting') if weighting is None else weighting)
        self.loss: nn.Module = build_model(loss, scope='mmrazor')
        kind = type(self.loss).__name__
        self._name = f'EntropyWeighted({kind})'
        if hasattr(self.loss, 'weighting'):
            raise ConfigError(
                f'EntropyWeighted.loss: expected a loss without weights, but got {kind}; give it '
                "weighting=dict(type='eakd_det.EntropyWeighting') and remove the wrapper"
            )
        self._signature = _with_weight_arguments(self.loss)
        self.forward = MethodType(forward_with(self._signature), self)  # type: ignore[method-assign]

    def terms(self, *args: Any, **kwargs: Any) -> Terms:
        """Compute the value and the weight of each row; the loss is the mean of their products."""
        try:
            arguments = dict(self._signature.bind(self, *args, **kwargs).arguments)
        except TypeError as error:
            wanted = ', '.join(list(self._signature.parameters)[1:])
            raise ConfigError(f'{self._name}: {error}; map {wanted} in its loss_forward_mappings') from error
        del arguments['self']
        student, teacher, images = (arguments.pop(name, None) for name in _WEIGHT_ARGUMENTS)
        if student is None or teacher is None:
            student, teacher = self._own_logits(arguments)
        weights, rows = self.weighting(student, teacher), count_rows(arguments, self._name)
        weights = weights if weights.dim() == 1 else weights.mean(dim=1)  # of sigmoid scores
        values, weights = self._weigh(arguments, rows, weights, images)
        return Terms(values, weights, unit=self.unit)

    def _weigh(self, arguments: Arguments, rows: int, weights: Tensor, images: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return values and weights, ``(n,)`` each, from the weights of sites, ``(R,)``."""
        raise NotImplementedError

    def _own_logits(self, arguments: Arguments) -> tuple[Tensor, Tensor]:
        for names in _LOGIT_ARGUMENTS:
            pair = [arguments.get(name) for name in names]
            if all(isinstance(value, Tensor) and value.dim() == 2 for value in pair):
                return pair[0], pair[1]  # type: ignore[return-value]
        raise ConfigError(
            f'{self._name}: expected class logits for the weights, but got none; use eakd_det.ProposalDistill, which '
            "fills them in (MMRazor's FpnTeacherDistill computes none), or add weight_preds_S and weight_preds_T "
            '(and weight_images, for feature maps) to its loss_forward_mappings'
        )

    def _images(self, images: Tensor | None) -> Tensor:
        if images is None:
            raise ConfigError(
                f'{self._name}: expected the image of each site, but got none; add '
                'weight_images to its loss_forward_mappings: image indices, or the RoIs of roi_head.bbox_roi_extractor'
            )
        return image_index(images)

    def _require_sites(self, rows: int, weights: Tensor) -> None:
        if rows != len(weights):
            raise ConfigError(
                f'{self._name}: expected one row for each of {len(weights)} sites, but got {rows}; '
                "for feature maps set unit='image'"
            )

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f'unit={self.unit!r}'


class _SeparableLoss(WeightedLoss):
    """A loss of single rows."""

    @checked
    def __init__(self, loss: dict[str, Any] | nn.Module, weighting: dict[str, Any] | nn.Module | None = None) -> None:
        super().__init__(loss, weighting)
        kind, reason = type(self.loss).__name__, why_not_separable(self.loss)
        if is_relational(self.loss):
            raise ConfigError(
                f"EntropyWeighted.unit: expected 'sites_of_image', because {kind} compares rows with each other, "
                f'but got {self.unit!r}'
            )
        if reason:
            _LOGGER.info('%s: with uniform weights it differs from %s, which %s', self._name, kind, reason)
        self._is_vectorised = True

    def _values(self, arguments: Arguments, rows: int) -> Tensor:
        """Return the value of each row, ``(rows,)``, scaled so that their mean is the loss."""
        values = self._row_values(arguments, rows)
        return values * rows if sums_over_batch(self.loss) else values

    def _row_values(self, arguments: Arguments, rows: int) -> Tensor:
        if rows == 0:
            return _empty_with_graph(arguments)
        if self._is_vectorised:
            try:
                return to_float(vectorised(self.loss, arguments))
            except RuntimeError as error:
                self._is_vectorised = False
                reason = str(error).splitlines()[0]
                _LOGGER.info('%s: called for each row, %d times per step (%s)', self._name, rows, reason)
        return to_float(looped(self.loss, arguments, [slice(row, row + 1) for row in range(rows)]))


class EntropyWeightedLogits(_SeparableLoss):
    """A loss whose rows are sites (logits, embeddings, RoI features), with the weight of each site."""

    unit: ClassVar[Unit] = 'site'

    def _weigh(self, arguments: Arguments, rows: int, weights: Tensor, images: Tensor | None) -> tuple[Tensor, Tensor]:
        self._require_sites(rows, weights)
        return self._values(arguments, rows), weights


class EntropyWeightedMaps(_SeparableLoss):
    """A loss whose rows are images (feature maps), with the mean weight of each image's sites."""

    unit: ClassVar[Unit] = 'image'

    def why_not(self, activation: Activation) -> str | None:
        """Accept: class scores are only weighed."""
        return None

    def _weigh(self, arguments: Arguments, rows: int, weights: Tensor, images: Tensor | None) -> tuple[Tensor, Tensor]:
        return self._values(arguments, rows), image_weights(weights, self._images(images), rows)


class EntropyWeightedRelations(WeightedLoss):
    """A loss that compares sites with each other (``DISTLoss``), computed for each image.

    The weight of an image is the mean over its sites, and its value counts in proportion to their number.
    """

    unit: ClassVar[Unit] = 'image'

    def _weigh(self, arguments: Arguments, rows: int, weights: Tensor, images: Tensor | None) -> tuple[Tensor, Tensor]:
        self._require_sites(rows, weights)
        index = self._images(images)
        if rows == 0:
            return _empty_with_graph(arguments), weights
        found, group, counts = index.unique(return_inverse=True, return_counts=True)
        values = to_float(looped(self.loss, arguments, [index == image for image in found]))
        fraction = counts.new_ones(counts.shape) if sums_over_batch(self.loss) else counts / rows
        return values * fraction * len(found), image_weights(weights, group, len(found))


def _with_weight_arguments(loss: nn.Module) -> inspect.Signature:
    """Return the signature of ``loss.forward`` as a method, followed by the arguments of the weights."""
    signature = inspect.signature(loss.forward)
    parameters = list(signature.parameters.values())
    kind = inspect.Parameter.KEYWORD_ONLY
    is_rest = [parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters]
    end = is_rest.index(True) if True in is_rest else len(parameters)
    added = [inspect.Parameter(name, kind, default=None) for name in _WEIGHT_ARGUMENTS]
    this = inspect.Parameter('self', inspect.Parameter.POSITIONAL_ONLY)
    return signature.replace(parameters=[this, *parameters[:end], *added, *parameters[end:]])


def _empty_with_graph(arguments: Arguments) -> Tensor:
    """Return an empty tensor, ``(0,)``, in the graph of all tensors in ``arguments``."""
    return torch.cat([to_float(tensor).flatten()[:0] for value in arguments.values() for tensor in tensors(value)])
