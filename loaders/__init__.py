"""Executable files: bytes to Image."""
