"""The functions behind the rows, by guest family."""
