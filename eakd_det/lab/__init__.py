"""The laboratory: grids of runs, analyses, the demo. Only ``tools`` and the table of public names import it."""
