import re

print(re.findall(r"(\w+)=(\d+)", "a=1 bb=22 c=x d=4"))
print(re.sub("(?i)[aeiou]", ".", "Hello World"), re.split(r"\s*,\s*", "a , b,c"))
