"""Shims that every POSIX-like guest shares."""
