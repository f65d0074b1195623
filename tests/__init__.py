"""Tests that import OpenMMLab first find its packages as eakd_det makes them: mmcv has its ops from then on."""

import eakd_det  # noqa: F401
