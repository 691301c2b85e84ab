import random

dice = random.Random(42)
print(dice.random(), dice.getrandbits(100), dice.sample(range(1000), 5), dice.gauss(0, 1))
