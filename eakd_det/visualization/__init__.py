"""Pictures of images with their annotated boxes."""
