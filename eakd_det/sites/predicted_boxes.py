"""What losses read of boxes: the predicted ones in one form, and the sites that lie around annotated ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.sites.predictions import Prediction, Sites


class PredictsBoxes(ABC):
    """The part of a :class:`eakd_det.sites.SiteHead` that compares boxes."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Config key of the head."""

    @abstractmethod
    def why_no_corners(self) -> str | None:
        """Return why its predicted boxes cannot be compared, in one line that begins with a config key, or None."""

    @abstractmethod
    def decode(self, boxes: Tensor, sites: Sites) -> Tensor:
        """Return its predicted boxes in pixels of the network's input, ``(N, 4)``.

        Args:
            boxes: Those of its own :class:`Prediction`, for a head whose :meth:`why_no_corners` returned None.
            sites: Where they were predicted.
        """

    def why_no_valuable_region(self) -> str | None:
        """Return why no sites lie around an object, in one line that begins with a config key, or None."""
        return (
            f"{self.key}: expected a dense head, for a loss with sites='valuable', but got the head of a two-stage "
            'detector, whose sites are proposals'
        )

    def valuable_region(self, sites: Sites, objects: Sequence[Tensor]) -> Tensor:
        """Return :func:`eakd_det.functional.valuable_region` of each image's sites, ``(N,)``.

        Args:
            sites: The sites, of a head whose :meth:`why_no_valuable_region` returned None.
            objects: The annotated boxes of each image, ``(G, 4)`` each.
        """
        raise ConfigError(self.why_no_valuable_region() or f'{self.key} has no valuable region')

    def with_corners(self, prediction: Prediction, sites: Sites, places: Tensor) -> Prediction:
        """Return its own prediction with ``corners``, for a head whose :meth:`why_no_corners` returned None.

        Args:
            prediction: What it predicted at ``sites``.
            sites: The sites.
            places: The box of each site, ``(N, 4)``, from the student's head.
        """
        if prediction.boxes is None:
            raise ConfigError(f'{self.key}: expected boxes for a loss that compares them, but got none')
        centre = (places[:, :2] + places[:, 2:]) / 2
        size = (places[:, 2:] - places[:, :2]).clamp(min=1)  # a proposal may be empty
        corners = (self.decode(prediction.boxes, sites) - centre.repeat(1, 2)) / size.repeat(1, 2)
        return replace(prediction, corners=corners)
