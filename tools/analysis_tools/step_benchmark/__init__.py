"""Modules shared by the benchmarks in ``tools/analysis_tools``."""

import eakd_det  # noqa: F401  # first: MMDetection needs its ops where mmcv has none
