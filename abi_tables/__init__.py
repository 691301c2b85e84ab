"""Data only: each call, number, error, flag and register convention said once."""
