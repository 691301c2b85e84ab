import math

print(2**500, math.factorial(50), 7**-3, math.sin(1e5), math.exp(-3.3))
print((1234567890123456789**9) % 1000000007, divmod(-7, 3), math.isqrt(10**40), float("1e-320"))
