import json

value = json.loads('{"a": [1, 2.5, null, true, "\\u00e4"], "b": {"c": -1e-7}}')
print(json.dumps(value, sort_keys=True, indent=1))
