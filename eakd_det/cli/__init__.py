"""The command line tools: read a config, check it, run it, and report a user's errors in one line."""
