"""What only OpenMMLab's packages need: nothing that computes a loss imports this room."""
