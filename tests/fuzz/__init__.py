"""Coverage-guided fuzzing of whatever reads what others wrote: see `tests.fuzz.targets`."""
