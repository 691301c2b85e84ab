from collections.abc import Iterator


async def five() -> int:
    return 5


def squares() -> Iterator[int]:
    yield from (n * n for n in range(5))


coroutine = five()
try:
    coroutine.send(None)
except StopIteration as stop:
    print(list(squares()), stop.value)
