"""The meaning of class scores for the parts of a loss: one softmax, or a sigmoid each."""

from __future__ import annotations

from typing import Literal

from torch import nn

from eakd_det.errors import ConfigError

Activation = Literal['softmax', 'sigmoid']


class ReadsScores(nn.Module):
    """A loss, weighting or temperature that reads class scores and depends on their meaning.

    Attributes:
        activation: 'softmax' over the columns, or a 'sigmoid' for each. It is the head's, and
            :func:`set_activation` sets it when the model is built. Defaults to 'softmax'.
    """

    activation: Activation = 'softmax'

    def why_not(self, activation: Activation) -> str | None:
        """Return the reason, as the end of a sentence, if such scores are not supported, else None."""
        return 'reads each row as one softmax' if activation == 'sigmoid' else None

    def score_readers(self) -> dict[str, ReadsScores]:
        """Return its parts that read the same scores, by name."""
        return {name: part for name, part in self.named_children() if isinstance(part, ReadsScores)}


def set_activation(loss: nn.Module, activation: Activation, key: str = 'activation') -> nn.Module:
    """Set the meaning of class scores in a loss and its parts, and return the loss.

    Args:
        loss: Any module.
        activation: 'softmax' or 'sigmoid'.
        key: Config key of the loss, for messages.

    Raises:
        ConfigError: If a part does not support such scores.

    Example:
        >>> import torch
        >>> from eakd_det.losses import KDLoss
        >>> loss = set_activation(KDLoss(weighting=dict(type='EntropyWeighting', tau=1.0)), 'sigmoid')
        >>> loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
        tensor(0.1197)
    """
    if not isinstance(loss, ReadsScores):
        return loss
    reason = loss.why_not(activation)
    if reason is not None:
        raise ConfigError(
            f'{key}: expected support for the {activation} scores of the student, but {type(loss).__name__} {reason}'
        )
    loss.activation = activation
    for name, part in loss.score_readers().items():
        set_activation(part, activation, f'{key}.{name}')
    return loss
