"""Distillation losses from predictions at shared sites and from MMRazor's recorders."""

from __future__ import annotations

import reprlib
from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmrazor.models import ConfigurableDistiller
from torch import Tensor, nn

from eakd_det.activation import set_activation
from eakd_det.arguments import Count, Positive, checked
from eakd_det.distillation.loss_mappings import (
    KEY,
    Mappings,
    check_losses,
    check_mappings,
    check_parts,
    check_record_is_there,
    complete_mappings,
    initialize_recorders,
)
from eakd_det.distillation.observation import Step, StepObservation
from eakd_det.distillation.proposal_recorder import (
    drop_unused_records,
    forget_records,
    record_prediction,
    with_reserved_recorders,
)
from eakd_det.distillation.statistics import StepStatistics, log_names
from eakd_det.errors import ConfigError
from eakd_det.losses.records import BOXES, CORNERS, EMBEDDINGS, PREDICTOR, VALUABLE
from eakd_det.sites import HeadPredictor, Scores, Wanted


class ProposalDistiller(ConfigurableDistiller):
    """MMRazor's ``ConfigurableDistiller`` with the predictions at the sites of the step as additional records.

    A loss of this package (``eakd_det.KDLoss``, ``eakd_det.DKDLoss``, ...) needs no mapping: its ``default_mapping``
    applies. Any other loss is mapped as in MMRazor, and may read the records of :mod:`eakd_det.losses.records`.

    Args:
        distill_losses: Losses by name; the names must contain 'loss' (MMEngine sums only those).
        student_recorders: MMRazor recorders on the student.
        teacher_recorders: MMRazor recorders on the teacher, of which only backbone, neck and head run.
        connectors: MMRazor connectors; their parameters are trained, and saved with the student's checkpoint.
        loss_forward_mappings: The record of each loss argument.
        distill_deliveries: Must be empty, because student and teacher share their proposals.
        statistics_interval: Steps between two readings of the weight statistics; ``tools/train.py`` sets it to the
            logger's interval. A log with a shorter interval repeats the last reading.
        entropy_tau: Temperature of the logged entropies.
        init_cfg: As in MMEngine.

    Attributes:
        records_modules: Whether the config has recorders on modules of the networks.
        wanted: What the losses read of a prediction beside its logits.
        needs_boxes: Whether any loss reads boxes or runs a head on other features.
        needs_corners: Whether any loss reads corners of boxes.
        student_sources: Sources of the student's recorders.
        teacher_sources: Sources of the teacher's recorders.
        observer: Records the next steps, see :meth:`observe_next_step`.

    Raises:
        ConfigError: If a loss has no mapping, a mapping is invalid, a reserved name is used, or there are deliveries.

    Example:
        >>> distiller = ProposalDistiller(distill_losses=dict(loss_kd=dict(
        ...     type='eakd_det.KDLoss', weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))
    """

    config_key = 'model.distiller'

    @checked
    def __init__(
        self,
        distill_losses: dict[str, Any] | None = None,
        student_recorders: dict[str, Any] | None = None,
        teacher_recorders: dict[str, Any] | None = None,
        connectors: dict[str, Any] | None = None,
        loss_forward_mappings: Mappings | None = None,
        distill_deliveries: dict[str, Any] | None = None,
        statistics_interval: Count = 50,
        entropy_tau: Positive = 3.0,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        if distill_deliveries:
            raise ConfigError(
                'model.distiller.distill_deliveries: expected none, because student and teacher share their proposals, '
                f'but got {reprlib.repr(distill_deliveries)}'
            )
        check_losses(distill_losses)
        self._log_names = log_names(distill_losses or {})
        check_parts('model.distiller.student_recorders', student_recorders)
        check_parts('model.distiller.teacher_recorders', teacher_recorders)
        check_parts('model.distiller.connectors', connectors, several=True)
        self.records_modules = bool(student_recorders or teacher_recorders)
        try:
            with DefaultScope.overwrite_default_scope('mmrazor'):
                super().__init__(
                    student_recorders=with_reserved_recorders(student_recorders, 'model.distiller.student_recorders'),
                    teacher_recorders=with_reserved_recorders(teacher_recorders, 'model.distiller.teacher_recorders'),
                    connectors=connectors,
                    distill_losses=distill_losses,
                    loss_forward_mappings=loss_forward_mappings,
                    init_cfg=init_cfg,
                )
        except (AssertionError, ImportError, KeyError, TypeError) as error:
            reason = str(error.args[0] if error.args else error)  # str of a KeyError is a quoted repr
            raise ConfigError(f'model.distiller: {" ".join(reason.split())}') from error
        self.loss_forward_mappings: Mappings = complete_mappings(self.distill_losses, loss_forward_mappings)
        sides = self.student_recorders, self.teacher_recorders
        check_mappings(self.distill_losses, self.loss_forward_mappings, *sides, self.connectors)
        mappings = self.loss_forward_mappings.values()
        read = {record['recorder'] for mapping in mappings for record in mapping.values()}
        for recorders in sides:
            drop_unused_records(recorders, read)
        self.wanted = Wanted(EMBEDDINGS in read, bool(read & {BOXES, CORNERS, PREDICTOR}), _after(self.distill_losses))
        self.needs_boxes = bool(read & {BOXES, PREDICTOR})
        self.needs_corners = CORNERS in read
        self.needs_valuable_region = VALUABLE in read
        self.student_sources, self.teacher_sources = (
            [recorder.source for recorder in recorders.recorders.values()] for recorders in sides
        )
        self.statistics = StepStatistics(statistics_interval, entropy_tau)
        self.observer: StepObservation | None = None
        self._step: Step | None = None

    def set_scores(self, scores: Scores) -> None:
        """Set the meaning of the logits in the losses; a loss that does not support it is a :class:`ConfigError`."""
        for name, loss in self.distill_losses.items():
            set_activation(loss, scores.activation, f'model.distiller.distill_losses.{name}')

    def prepare_from_student(self, model: nn.Module) -> None:
        """Attach the student's recorders to ``model``; an unknown source is a :class:`ConfigError`."""
        initialize_recorders(self.student_recorders, model, 'student')

    def prepare_from_teacher(self, model: nn.Module) -> None:
        """Attach the teacher's recorders to ``model``; an unknown source is a :class:`ConfigError`."""
        initialize_recorders(self.teacher_recorders, model, 'teacher')

    def observe_next_step(self) -> StepObservation:
        """Return the observation of the next steps, shared by all callers until :attr:`observer` is set to None."""
        if self.observer is None:
            self.observer = StepObservation()
        return self.observer

    def record_step(self, step: Step, predictors: tuple[HeadPredictor, HeadPredictor]) -> None:
        """Record both predictions of ``step``, the student's with gradient.

        ``predictors`` are the student's and the teacher's head as functions of features at the same sites.
        """
        self._step = step
        if self.observer is not None:
            self.observer.step = step.detach()
        record_prediction(self.student_recorders, step, step.student, predictors[0])
        record_prediction(self.teacher_recorders, step, step.teacher, predictors[1])

    def compute_distill_losses(self) -> dict[str, Tensor]:
        """Compute every loss from its records and update the statistics."""
        losses: dict[str, Tensor] = {}
        for name, mapping in self.loss_forward_mappings.items():
            arguments = {key: self._record_of(name, key, record) for key, record in mapping.items()}
            loss = self.distill_losses[name]
            if hasattr(loss, 'terms'):  # a loss of this package
                terms = loss.terms(**arguments)
                losses[name] = loss.reduce(terms)
                self._add_weights(name, terms)
            else:
                losses[name] = loss(**arguments)
        self._add_fractions(losses)
        return losses

    def _add_fractions(self, losses: dict[str, Tensor]) -> None:
        """Add the fraction of the distillation loss that each of several losses contributes."""
        if len(losses) > 1:
            values = {name: value.detach().double().mean() for name, value in losses.items()}
            total = torch.stack(list(values.values())).sum().clamp_min(1e-12)
            for name, value in values.items():
                self.statistics.add_value(f'{self._log_names[name]}share', value / total)

    def _add_weights(self, name: str, terms: Any) -> None:
        if self.observer is not None:
            self.observer.keep_terms(name, terms)
        if self._step is not None:
            self.statistics.add_weights(self._log_names[name], terms, self._step.sites.is_object)

    def end_step(self, distillation: Tensor, detection: Tensor) -> dict[str, Tensor]:
        """Drop the step's tensors, and return the statistics if they are due."""
        if self._step is not None:
            student, teacher = self._step.student, self._step.teacher
            self.statistics.add_entropies(self._step.scores, student.logits, teacher.logits)
        ratio = distillation.detach().double() / detection.detach().double().clamp_min(1e-12)
        self.statistics.add_value('ratio_to_detection', ratio)
        for name, loss in self.distill_losses.items():
            for key, value in (loss.log_values() if hasattr(loss, 'log_values') else {}).items():
                self.statistics.add_value(f'{self._log_names[name]}{key}', value)
        self.forget()
        return self.statistics.end_step()

    def forget(self) -> None:
        """Drop all records, so that no activation outlives its step."""
        self._step = None
        forget_records(self.student_recorders)
        forget_records(self.teacher_recorders)

    def _record_of(self, loss_name: str, argument: str, record: dict[str, Any]) -> Any:
        manager = self.student_recorders if record['from_student'] else self.teacher_recorders
        check_record_is_there(f'{KEY}.{loss_name}.{argument}', manager.get_recorder(record['recorder']), record)
        return self.get_record(**record)


def _after(losses: nn.ModuleDict) -> int:
    """Return after how many convolutions of a head a loss reads its maps, 0 if none does."""
    found = {name: int(after) for name, loss in losses.items() if (after := getattr(loss, 'after', 0))}
    if len(set(found.values())) > 1:
        raise ConfigError(
            f'model.distiller.distill_losses: expected one value of after, but got '
            f'{", ".join(f"{value} in {name}" for name, value in found.items())}'
        )
    return next(iter(found.values()), 0)
