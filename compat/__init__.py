"""The engine: runs a loaded image and serves its traps. It knows no guest by name."""
