"""The ops that MMDetection takes from a compiled mmcv, in PyTorch alone: no compiler, any Python, any torch >= 2.1.

``finder`` decides which ops are in use and is all that is imported before mmcv; ``ext`` and ``mmcv_functions`` speak
mmcv's signatures; every other module is one op as a pure function on tensors.
"""
