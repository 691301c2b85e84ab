"""Printing calls: text for people, JSON Lines for tools."""
