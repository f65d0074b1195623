"""Proposals of a data set with both predictions: one compact file, which all analyses read."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically
from eakd_det.functional import ea_weight, entropy

_ARRAYS = ('student_logits', 'teacher_logits', 'labels', 'boxes', 'images', 'image_paths', 'classes')
_EMBEDDINGS = ('student_embeddings', 'teacher_embeddings')


@dataclasses.dataclass(frozen=True)
class ProposalTable:
    """``N`` proposals, row by row, in the order of the images.

    Args:
        student_logits: ``(N, C)`` float32, background last.
        teacher_logits: ``(N, C)`` float32.
        labels: Assigned class, ``(N,)``; background is ``C - 1``.
        boxes: ``(N, 4)`` as x1, y1, x2, y2 in pixels of the image file, before the pipeline.
        images: Index into ``image_paths`` of each proposal, ``(N,)``.
        image_paths: Files of the images, ``(I,)``.
        classes: Names of the ``C - 1`` foreground classes.
        student_embeddings: Input of the student's classifier, ``(N, D)``, or None if it was not collected.
        teacher_embeddings: The teacher's, ``(N, D')``, or None.
        origin: Origin of the table: config, checkpoints, split, seed.

    Example:
        >>> table = ProposalTable(
        ...     student_logits=np.zeros((2, 3), np.float32),
        ...     teacher_logits=np.array([[4, 0, 0], [0, 0, 4]], np.float32),
        ...     labels=np.array([1, 2]), boxes=np.zeros((2, 4), np.float32), images=np.array([0, 0]),
        ...     image_paths=np.array(['a.jpg']), classes=np.array(['cat', 'dog']))
        >>> table.is_foreground.tolist(), table.teacher_errs.tolist()
        ([True, False], [True, False])
    """

    student_logits: np.ndarray
    teacher_logits: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    images: np.ndarray
    image_paths: np.ndarray
    classes: np.ndarray
    student_embeddings: np.ndarray | None = None
    teacher_embeddings: np.ndarray | None = None
    origin: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def background(self) -> int:
        """Label of the background."""
        return self.student_logits.shape[1] - 1

    @property
    def is_foreground(self) -> np.ndarray:
        """Whether an object was assigned to the proposal, ``(N,)``."""
        return self.labels != self.background

    @property
    def teacher_errs(self) -> np.ndarray:
        """Whether the teacher's most likely class is not the assigned one, ``(N,)``."""
        return self.teacher_logits.argmax(axis=1) != self.labels

    @property
    def student_errs(self) -> np.ndarray:
        """Whether the student's most likely class is not the assigned one, ``(N,)``."""
        return self.student_logits.argmax(axis=1) != self.labels

    def weights(self, tau: float = 3.0, mode: str = 'ea') -> np.ndarray:
        """Return the weight of each proposal, ``(N,)``, see :func:`eakd_det.functional.ea_weight`."""
        return ea_weight(_tensor(self.student_logits), _tensor(self.teacher_logits), tau, mode).numpy()

    def entropies(self, tau: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
        """Return the entropies of student and teacher in nats, ``(N,)`` each."""
        return entropy(_tensor(self.student_logits), tau).numpy(), entropy(_tensor(self.teacher_logits), tau).numpy()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a ``.npz`` file, compressed."""
        arrays = {name: getattr(self, name) for name in (*_ARRAYS, *_EMBEDDINGS) if getattr(self, name) is not None}
        content = io.BytesIO()
        np.savez_compressed(content, **arrays, origin=np.array(json.dumps(self.origin)))
        write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ProposalTable:
        """Read a file written by :meth:`save`, without executing anything in it.

        Raises:
            ConfigError: If the file is missing or not such a table.
        """
        hint = 'make one with eakd-analyze collect'
        if not Path(path).is_file():
            raise ConfigError(f'table: expected a table of proposals, but there is no file {path}; {hint}')
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ConfigError(f'table: expected a table of proposals, but {path} is not ({error}); {hint}') from error
        absent = [name for name in (*_ARRAYS, 'origin') if name not in arrays]
        if absent:
            raise ConfigError(f'table: expected a table of proposals, but {path} has no {", ".join(absent)}; {hint}')
        origin = json.loads(str(arrays.pop('origin')))
        return cls(**{name: arrays[name] for name in (*_ARRAYS, *_EMBEDDINGS) if name in arrays}, origin=origin)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))
