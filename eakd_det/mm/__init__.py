"""OpenMMLab only: how MMEngine, mmcv, MMDetection and MMRazor are made to work with today's Python and PyTorch.

:func:`eakd_det.mm.setup.install` is called by ``import eakd_det``. It imports nothing; what has to be done is done when
one of these packages is imported.
"""
