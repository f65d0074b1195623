"""Read what a box head computes while it computes it, so that nothing is computed twice."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from mmdet.models import BBoxHead
from torch import Tensor, nn

from eakd_det.distillation.proposals import ProposalOutputs, SampledProposals


class EmbeddingTap:
    """Keeps the input of a box head's classifier for as long as the ``with`` block runs.

    Args:
        head: The box head.
        enabled: With False nothing is kept and :attr:`embeddings` stays None.
    """

    def __init__(self, head: BBoxHead, enabled: bool = True) -> None:
        self._classifier: nn.Module = head.fc_cls
        self._enabled = enabled
        self.embeddings: Tensor | None = None

    def __enter__(self) -> EmbeddingTap:
        if self._enabled:
            self._handle = self._classifier.register_forward_pre_hook(self._keep)
        return self

    def _keep(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.embeddings = inputs[0]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._enabled:
            self._handle.remove()


class ProposalTap:
    """Keeps the sampled proposals that pass through one box head's loss during the ``with`` block.

    ``BBoxHead.loss_and_target`` is the one place in MMDetection where logits, boxes and assigned labels of the
    sampled proposals meet, in standard and in cascade heads alike. It is wrapped on this one instance and given back
    whatever happens. The detector's own result is passed on untouched, so its losses stay what they were.

    Args:
        head: The student's box head (of one stage, in a cascade).
        with_embeddings: Whether to keep the classifier's input, too.
    """

    def __init__(self, head: BBoxHead, with_embeddings: bool = False) -> None:
        self._head = head
        self._embeddings = EmbeddingTap(head, with_embeddings)
        self.proposals: SampledProposals | None = None

    def __enter__(self) -> ProposalTap:
        original = self._head.loss_and_target

        def keep_and_pass_on(*args: Any, **kwargs: Any) -> dict:
            result = original(*args, **kwargs)
            self.proposals = SampledProposals(
                rois=kwargs['rois'].detach(),
                labels=result['bbox_targets'][0],
                outputs=ProposalOutputs(kwargs['cls_score'], self._embeddings.embeddings, kwargs['bbox_pred']),
            )
            return result

        self._embeddings.__enter__()
        self._head.loss_and_target = keep_and_pass_on
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del self._head.loss_and_target
        self._embeddings.__exit__(kind, error, traceback)
