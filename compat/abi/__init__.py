"""Text to frozen data: rows, grids, types, structs and conventions."""
