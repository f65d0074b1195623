"""Pieces of ``tools/analysis_tools/benchmark_step.py``."""
