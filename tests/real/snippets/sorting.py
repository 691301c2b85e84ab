import random

numbers = list(range(20000))
random.Random(1).shuffle(numbers)
numbers.sort()
print(sum(a * b for a, b in enumerate(numbers)))
