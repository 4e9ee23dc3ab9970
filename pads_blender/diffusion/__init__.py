"""The prior and the posterior sampler; NumPy only at import time, knows nothing of Blender."""
