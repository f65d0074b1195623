"""What the command line tools do: read a config, check what can go wrong, run, and tell the user's errors from ours."""
