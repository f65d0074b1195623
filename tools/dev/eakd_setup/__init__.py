"""What ``tools/dev/bootstrap.py`` does, in the standard library alone (Python >= 3.8)."""
