"""Replacements in PyTorch for the compiled ops of mmcv: no compiler, any Python, any torch >= 2.1.

``finder`` selects the ops and is the only module imported before mmcv; ``ext`` and ``mmcv_functions`` have mmcv's
signatures; every other module is one op as a pure function on tensors.
"""
