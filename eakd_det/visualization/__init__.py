"""Pictures: detections side by side."""

from __future__ import annotations

from eakd_det.visualization.detections import DetectedScene, draw_detections, draw_ground_truth, match, side_by_side

__all__ = ['DetectedScene', 'draw_detections', 'draw_ground_truth', 'match', 'side_by_side']
