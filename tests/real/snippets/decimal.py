from decimal import Decimal, getcontext

getcontext().prec = 50
print(Decimal(2).sqrt(), Decimal(1) / 7, Decimal("1e-9").ln())
