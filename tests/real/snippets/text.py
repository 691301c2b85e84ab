print("\u00fc\u6f22".encode(), "stra\u00dfe".upper(), f"{3.14159:08.3f} {12345678:,} {0.1 + 0.2!r}")
