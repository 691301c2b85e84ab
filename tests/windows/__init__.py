"""Tests of the Windows guest."""
