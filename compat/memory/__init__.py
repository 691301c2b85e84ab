"""Guest memory: one RAM, a map of areas, and the address space that joins them."""

from compat.memory.areas import Area, Mark, Protection
from compat.memory.backing import Backing
from compat.memory.ram import PAGE, Ram
from compat.memory.space import AddressSpace

__all__ = ["PAGE", "AddressSpace", "Area", "Backing", "Mark", "Protection", "Ram"]
