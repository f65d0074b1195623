"""The base of every loss: divergence times weight, reduced."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, distributed, nn

from eakd_det.activation import ReadsScores
from eakd_det.arguments import NotNegative, checked, shown_arguments
from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.losses import records
from eakd_det.losses.signature import forward_with, signature_of
from eakd_det.weighting import UniformWeighting, image_weights, site_weights

Unit = Literal['site', 'image']


class Terms(NamedTuple):
    """The parts of a loss before reduction.

    Attributes:
        divergence: Divergence of the student from the teacher, ``(N,)``, with gradient; or ``(N, M)`` where a row has
            parts with weights of their own: the classes of sigmoid scores, the sides of a box.
        weights: Weight of each row or part, of the same shape, without gradient.
        extra: A scalar that belongs to no single row, or None.
        unit: What the ``N`` rows are: 'site', in the order of the sites, or 'image', in the order of the batch.
        rows: Which sites the rows are, ``(N,)``; None for all of them.
        num_objects: Number of sites with an object, a scalar, if ``reduction`` is 'objects'.
    """

    divergence: Tensor
    weights: Tensor
    extra: Tensor | None = None
    unit: Unit = 'site'
    rows: Tensor | None = None
    num_objects: Tensor | None = None


ProposalTerms = Terms  # former name


class ProposalLoss(ReadsScores):
    r"""A divergence of each site (or image), times its weight, reduced.

    .. math:: L = \lambda \cdot \Bigl( \frac{1}{N} \sum_{n=1}^{N} w_n D_n + E \Bigr)

    Subclasses implement :meth:`divergence` and declare ``reads`` and ``unit``. :meth:`terms`, :meth:`forward` and its
    signature follow from these. MMRazor's own ``ConfigurableDistiller`` reads that signature, so a loss works there as
    well.

    Attributes:
        reads: The arguments of :meth:`forward`, in order, and the record that each comes from; see
            :mod:`eakd_det.losses.records`. The weighting sees ``preds_S`` and ``preds_T``. ``gt_labels`` is always
            accepted, and ignored by a loss that does not read it.
        unit: What a row is: 'site' or 'image'. The weight of an image is the mean over its sites, see
            :func:`eakd_det.weighting.image_weights`; ``reads`` must then include ``images`` and the logits.
        default_mapping: ``reads`` in the format of ``loss_forward_mappings``, used where a config maps nothing.

    Args:
        weighting: Config of the weights, or a built weighting. None is ``dict(type='UniformWeighting')``.
        reduction: 'mean' over the rows (of this process, as in the published code), 'sum' (EA-KD's Eq. 14 as printed),
            'objects' for the sum divided by the number of sites with an object (:class:`SiteLoss`), or 'none' for
            ``(N,)``.
        loss_weight: The factor :math:`\lambda`.

    Raises:
        ConfigError: If ``reduction`` is unknown or impossible, or ``loss_weight`` is not a finite number of at least 0.
    """

    reads: ClassVar[dict[str, str]] = records.pairs(preds=records.LOGITS) | {'gt_labels': records.LABELS}
    unit: ClassVar[Unit] = 'site'
    default_mapping: dict[str, dict[str, Any]] = records.mapping(reads)
    _arguments: ClassVar[tuple[str, ...]] = tuple(reads)
    _required: ClassVar[tuple[str, ...]] = ('preds_S', 'preds_T')
    _divergence_arguments: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Derive the default mapping and the signature of ``forward``."""
        super().__init_subclass__(**kwargs)
        parameters = inspect.signature(cls.divergence).parameters
        cls._divergence_arguments = tuple(name for name in parameters if name in (*cls.reads, 'weights'))
        needed = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
        needed |= {'preds_S', 'preds_T'} if cls.unit == 'site' else set()
        cls._required = tuple(name for name in cls.reads if name in needed)
        if 'default_mapping' not in vars(cls):
            cls.default_mapping = records.mapping(cls.reads)
        if cls.forward is ProposalLoss.forward or hasattr(cls.forward, '__signature__'):
            accepted = dict.fromkeys([*cls.reads, 'gt_labels'])
            cls._arguments = tuple(sorted(accepted, key=lambda name: name not in cls._required))
            cls.forward = forward_with(signature_of(cls._arguments, cls._required))  # type: ignore[method-assign]

    @checked
    def __init__(
        self,
        weighting: dict[str, Any] | nn.Module | None = None,
        reduction: Literal['mean', 'sum', 'objects', 'none'] = 'mean',
        loss_weight: NotNegative = 1.0,
    ) -> None:
        super().__init__()
        if reduction == 'objects' and records.OBJECTS not in self.reads.values():
            raise ConfigError(
                f'{type(self).__name__}.reduction: expected one of mean, sum, none, because it reads no objects, '
                f'but got {reduction!r}'
            )
        self.weighting: nn.Module = build_model(dict(type='UniformWeighting') if weighting is None else weighting)
        self.reduction = reduction
        self.loss_weight = loss_weight

    def divergence(self, *args: Any, **kwargs: Any) -> Tensor | tuple[Tensor, Tensor | None]:
        """Compute the divergence of each row, ``(N,)``, differentiable in what comes from the student.

        Subclasses name the arguments they need, among ``reads`` and ``weights`` (of the sites, ``(R,)``); those with a
        default are optional. They may return a pair: the divergence, and a scalar that belongs to no row.
        """
        raise NotImplementedError

    def terms(self, *args: Any, **kwargs: Any) -> Terms:
        """Compute the divergence and weight of each row; arguments as in ``reads``.

        Raises:
            ConfigError: If an argument is missing, unknown or invalid.
        """
        given = self._bind(args, kwargs)
        rows, num_objects = given.pop('rows', None), None
        if self.reduction == 'objects':
            self._check_present(given, ('objects',), " for reduction='objects'")
            num_objects = _mean_over_processes(given['objects'].sum())
        if self.unit == 'site' or 'weights' in self._divergence_arguments:
            given['weights'] = self.site_weights(given)
        result = self.divergence(**{name: given[name] for name in self._divergence_arguments if name in given})
        divergence, extra = result if isinstance(result, tuple) else (result, None)
        weights = given['weights'] if self.unit == 'site' else self.image_weights(divergence, given)
        if weights.dim() < divergence.dim():
            weights = weights.unsqueeze(1).expand_as(divergence)
        return Terms(divergence, weights, extra, self.unit, rows, num_objects)

    def site_weights(self, given: dict[str, Any]) -> Tensor:
        """Return the weight of each site, ``(N,)``, or of each of its parts, ``(N, M)``."""
        predictions = given['preds_S'], given['preds_T']
        if not getattr(self.weighting, 'reads_labels', False):
            return self.weighting(*predictions)
        self._check_present(given, ('gt_labels',), ' for its weighting')
        return self.weighting(*predictions, given['gt_labels'])

    def image_weights(self, divergence: Tensor, given: dict[str, Any]) -> Tensor:
        """Return the weight of each image, ``(N,)``; uniform weights need no logits.

        Raises:
            ConfigError: If logits or images are missing.
        """
        if isinstance(self.weighting, UniformWeighting):
            return torch.ones_like(divergence)
        self._check_present(given, ('preds_S', 'preds_T', 'images'), ' for its weighting')
        weights = given['weights'] if 'weights' in given else self.site_weights(given)
        return image_weights(site_weights(weights), given['images'], len(divergence))

    def reduce(self, terms: Terms) -> Tensor:
        """Return the loss, a scalar, or ``(N,)`` for reduction 'none'; without rows, a zero that has a graph."""
        weighted = terms.weights * terms.divergence * self.loss_weight
        if self.reduction == 'none':
            return weighted if weighted.dim() == 1 else weighted.sum(dim=1)
        total = weighted.sum()
        if self.reduction == 'mean':
            total = total / max(len(weighted), 1)
        elif terms.num_objects is not None:
            total = total / terms.num_objects.clamp(min=1)
        return total if terms.extra is None else total + self.loss_weight * terms.extra

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the loss, a scalar, or ``(N,)`` for reduction 'none'; arguments as in ``reads``."""
        return self.reduce(self.terms(*args, **kwargs))

    def _leave_unread(self, *arguments: str) -> None:
        """Take ``arguments``, which these options do not need, from the default mapping: nothing computes them then."""
        self.default_mapping = {name: read for name, read in self.default_mapping.items() if name not in arguments}

    def log_values(self) -> dict[str, Tensor]:
        """Return scalars without gradient to log with the loss, such as a learned temperature."""
        return {}

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, without those that are None."""
        unknown = [name for name in kwargs if name not in self._arguments[len(args) :]]
        if unknown or len(args) > len(self._arguments):
            raise ConfigError(
                f'{type(self).__name__}: expected arguments {", ".join(self._arguments)}, each once, '
                f'but got {records.arguments(unknown or [f"{len(args)} arguments"])}; see its loss_forward_mappings'
            )
        given = {**dict(zip(self._arguments, args, strict=False)), **kwargs}
        given = {name: value for name, value in given.items() if value is not None}
        self._check_present(given, self._required)
        return given

    def _check_present(self, given: dict[str, Any], names: tuple[str, ...], purpose: str = '') -> None:
        missing = [name for name in names if given.get(name) is None]
        if missing:
            raise ConfigError(
                f'{type(self).__name__}: expected {records.arguments(missing)}{purpose}, but got none; '
                'add them to its loss_forward_mappings'
            )

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return shown_arguments(self)


def _mean_over_processes(value: Tensor) -> Tensor:
    value = value.float()
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(value.div_(distributed.get_world_size()))
    return value
