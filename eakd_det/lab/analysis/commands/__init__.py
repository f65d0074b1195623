"""The analyses of ``eakd-analyze``, one per module: options, files and printed output."""
