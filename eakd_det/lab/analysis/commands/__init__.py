"""The analyses of ``eakd-analyze``, one a module: options, files, and what is printed."""
