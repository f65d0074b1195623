"""Draw images with their annotated boxes."""
