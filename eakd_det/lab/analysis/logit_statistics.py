r"""Mean, spread and range of logits, and how far those of the student are from the teacher's; raw and standardised.

LS (Sun et al., CVPR 2024) shows these on classifiers: its Fig. 5 maps mean and standard deviation of the logits of each
sample, its Fig. 3 the logits of one sample and the mean difference by class. Here the samples are proposals, and
background is a class.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from eakd_det.functional import standardize
from eakd_det.lab.analysis.proposal_table import ProposalTable


@dataclasses.dataclass(frozen=True)
class LogitSummary:
    """Logits of one network, means over proposals.

    Args:
        mean: Mean of the logits of a proposal.
        std: Their standard deviation (n - 1).
        range: The largest minus the smallest.
        target: The logit of the assigned class.
    """

    mean: float
    std: float
    range: float
    target: float


def standardized(logits: np.ndarray) -> np.ndarray:
    """Return the standardised logits, ``(N, C)``, see :func:`eakd_det.functional.standardize`.

    Example:
        >>> standardized(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])).round(4).tolist()
        [[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]]
    """
    return standardize(torch.from_numpy(np.ascontiguousarray(logits))).numpy()


def mean_and_std(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (n - 1) of the logits of each proposal, ``(N,)`` each.

    Example:
        >>> mean_and_std(np.array([[1.0, 2.0, 3.0]]))
        (array([2.]), array([1.]))
    """
    return logits.mean(axis=1), logits.std(axis=1, ddof=1)


def summarize(logits: np.ndarray, labels: np.ndarray) -> LogitSummary:
    """Return the summary of ``logits``, ``(N, C)``, with assigned classes ``labels``, ``(N,)``.

    Example:
        >>> summarize(np.array([[1.0, 2.0, 6.0]]), np.array([2]))
        LogitSummary(mean=3.0, std=2.6457513110645907, range=5.0, target=6.0)
    """
    means, stds = mean_and_std(logits)
    ranges = logits.max(axis=1) - logits.min(axis=1)
    targets = logits[np.arange(len(labels)), labels]
    return LogitSummary(*(float(values.mean()) for values in (means, stds, ranges, targets)))


def class_difference(student: np.ndarray, teacher: np.ndarray, labels: np.ndarray) -> np.ndarray:
    r"""Return how far the mean logits of each class are apart, ``(C, C)``, as in the published code.

    .. math:: D_{yk} = \bigl|\, \overline{z^S_{\cdot k}} - \overline{z^T_{\cdot k}} \,\bigr|
        \text{ over the proposals of class } y

    The diagonal, the logits of the assigned classes, is left out (NaN), and so are classes without a proposal.

    Args:
        student: ``(N, C)``.
        teacher: ``(N, C)``.
        labels: Assigned class, ``(N,)``.

    Example:
        >>> class_difference(np.array([[4.0, 1.0], [2.0, 0.0]]), np.array([[5.0, 0.0], [5.0, 0.0]]), np.array([0, 0]))
        array([[nan, 0.5],
               [nan, nan]])
    """
    difference = np.full((student.shape[1],) * 2, np.nan)
    for label in np.unique(labels):
        rows = labels == label
        difference[label] = np.abs(student[rows].mean(axis=0) - teacher[rows].mean(axis=0))
    np.fill_diagonal(difference, np.nan)
    return difference


def example_proposal(table: ProposalTable) -> int:
    """Return a typical proposal with an object: of those that the teacher gets right, the median range of logits.

    If there are none, it is chosen among all proposals.
    """
    rows = np.flatnonzero(table.is_foreground & ~table.teacher_errs)
    rows = rows if len(rows) else np.arange(len(table))
    logits = table.teacher_logits[rows]
    return int(rows[np.argsort(logits.max(axis=1) - logits.min(axis=1), kind='stable')[len(rows) // 2]])
