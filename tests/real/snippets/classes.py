import dataclasses
import enum


@dataclasses.dataclass
class Point:
    x: int = 3


class Colour(enum.Flag):
    RED = 1
    BLUE = 2


print(Point(), Colour.RED | Colour.BLUE)
