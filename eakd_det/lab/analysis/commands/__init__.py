"""The commands of ``tools/analysis_tools``: options, files, and what is printed."""
