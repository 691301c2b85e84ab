"""Shims and state that only Linux guests have."""
