"""Geometry and data on plain NumPy arrays; knows nothing of Blender, priors or tasks."""
