"""The heaviest and lightest sites of a photo, with the entropies of both networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData

from eakd_det.building import build_model
from eakd_det.checkpoint import load_detector_weights
from eakd_det.distillation import ProposalDistill
from eakd_det.export import Detector
from eakd_det.export.detector import WEIGHTS
from eakd_det.export.validation import Photo
from eakd_det.inspection.runs import FinishedRun

TAU = 3.0  # of the entropies, as in the log of a training


@dataclass(frozen=True)
class WeighedSite:
    """A site of the student's loss.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the photo.
        weight: Its weight in the distillation loss.
        teacher: The teacher's entropy at T' = 3, in nats.
        student: The student's.
        is_object: Whether the site has an object.
    """

    box: tuple[float, ...]
    weight: float
    teacher: float
    student: float
    is_object: bool


class SiteWeigher:
    """The distillation of a run with its final student, to weigh the sites of photos.

    Args:
        run: The run, whose method is one of this package.
    """

    def __init__(self, run: FinishedRun) -> None:
        cfg = run.cfg.model.copy()
        cfg.pop('inherit', None)  # the student has its own weights already
        self.algorithm: ProposalDistill = build_model(cfg)
        load_detector_weights(self.algorithm.student, run.distilled / WEIGHTS, 'student')
        self.algorithm.eval()

    def weigh(self, detector: Detector, photo: Photo, number: int = 12) -> list[WeighedSite]:
        """Return the ``number`` heaviest and the ``number`` lightest sites of a photo, the heaviest first.

        The sites are those of a training step on the photo, with the networks' evaluation statistics. None are
        returned if no loss of the run weighs sites.

        Args:
            detector: The student, which prepares the photo.
            photo: The photo with its objects.
            number: Number of sites of each kind.
        """
        data = detector.prepare(photo.path)
        sample = data['data_samples']
        factors = np.array([*sample.scale_factor] * 2, np.float32)
        boxes = torch.from_numpy(photo.boxes * factors)
        sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.from_numpy(photo.labels))
        sample.ignored_instances = InstanceData(bboxes=boxes[:0], labels=torch.from_numpy(photo.labels[:0]))
        observed = self._observe(data)
        weights = next((terms.weights for terms in observed.terms.values() if terms.unit == 'site'), None)
        if observed.step is None or weights is None or not len(weights):
            return []
        step = observed.step
        order = weights.argsort(descending=True)
        chosen = order if len(order) <= 2 * number else torch.cat([order[:number], order[-number:]])
        entropies = [step.scores.entropy(side.logits, TAU)[chosen].tolist() for side in (step.teacher, step.student)]
        places = (step.boxes[chosen].numpy(force=True) / factors).tolist()
        facts = zip(places, weights[chosen].tolist(), *entropies, step.sites.is_object[chosen].tolist(), strict=True)
        return [WeighedSite(tuple(box), *rest) for box, *rest in facts]

    def _observe(self, data: dict[str, Any]) -> Any:
        algorithm = self.algorithm
        batch = algorithm.data_preprocessor(
            dict(inputs=[data['inputs']], data_samples=[data['data_samples']]), training=False
        )
        observation = algorithm.distiller.observe_next_step()
        state = np.random.get_state()
        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad():  # the sampler draws among the proposals
                torch.manual_seed(0)
                np.random.seed(0)
                algorithm.loss(batch['inputs'], batch['data_samples'])
        finally:
            np.random.set_state(state)
            algorithm.distiller.observer = None
        return observation
