"""Changes that make MMEngine, mmcv, MMDetection and MMRazor work with current versions of Python and PyTorch.

``import eakd_det`` calls :func:`eakd_det.mm.setup.install`, which imports nothing: each change is made when the package
it concerns is imported.
"""
