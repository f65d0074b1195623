"""A generated detection data set: digits on photographs."""

from __future__ import annotations

from eakd_det.lab.scenes.digit_scenes import DigitScenes, make_digit_scenes

__all__ = ['DigitScenes', 'make_digit_scenes']
