import struct

print(struct.pack(">IhQd", 1, -2, 3, 1.5).hex(), struct.unpack("<f", b"\0\0\x80?"), struct.calcsize("P"))
