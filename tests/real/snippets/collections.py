import itertools
from collections import Counter, OrderedDict, deque

print(Counter("mississippi").most_common(2), OrderedDict(a=1), deque([1, 2], maxlen=1))
print(list(itertools.combinations("abcd", 2))[-1])
