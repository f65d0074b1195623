"""Modules shared by the benchmarks in ``tools/analysis_tools``."""
