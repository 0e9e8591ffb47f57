"""Stands in for check.py and report.py where a test is not about them: passes all that the stages have made, in no time."""

import hashlib
import json
import sys
from pathlib import Path

name, words = Path(sys.argv[0]).name, sys.argv[1:]


def jsons(pattern):
    return [json.loads(path.read_text()) for path in sorted(lake.glob(pattern))]


if name == "report.py":
    print('{"stage": "report"}')
    sys.exit()
gate, lake = words[0], Path(words[1])
if gate == "raw":
    partitions = {}
    for commit in jsons("_meta/raw/**/*.json"):
        partitions.setdefault(commit["path"].rpartition("/")[0], []).append(commit["sha256"])
    passed = [hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest() for parts in partitions.values()]
else:
    made = {"clean": "_meta/clean/**/*.json", "dataset": "datasets/*/*/manifest.json"}
    passed = [result["fingerprint"] for result in jsons(made[gate])]
folder = lake / "_meta/gates" / gate
folder.mkdir(parents=True, exist_ok=True)
for fingerprint in passed:
    (folder / f"{fingerprint}.json").write_text(json.dumps({"gate": gate, "fingerprint": fingerprint, "success": True}))
print(json.dumps({"stage": "gate", "gate": gate, "success": True}))
