"""The search itself: a program of its own, with numpy, pyarrow and LightGBM; it knows nothing of the workspace."""
