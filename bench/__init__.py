"""What `./dev bench` measures: one module for each measure, its last results in `results/`."""
