"""Stands in for every program that the DAG runs: notes how it was called, prints a summary, ends as it is told.

FAKE_CALLS is the file that gets one JSON line a call. FAKE_EXITS, a JSON object, gives exit codes by stage; a list gives one
code a call, the last of them from then on. FAKE_BATCHES is what `clean plan` answers. Asked to track `sleep`, it sleeps.
"""

import json
import os
import sys
import time
from pathlib import Path


def stage_of(name: str, words: list[str]) -> str:
    """ingest, plan, clean, featurize, promote, gate_raw, gate_clean, gate_dataset or report."""
    if name == "check.py":
        return "gate_" + words[0]
    return words[0] if words and words[0] in ("plan", "promote") else name.removesuffix(".py")


name, words = Path(sys.argv[0]).name, sys.argv[1:]
stage, calls = stage_of(name, words), Path(os.environ["FAKE_CALLS"])
exits = json.loads(os.environ.get("FAKE_EXITS", "{}")).get(stage, 0)
earlier = sum(json.loads(line)["stage"] == stage for line in calls.open()) if calls.exists() else 0
code = exits[min(earlier, len(exits) - 1)] if isinstance(exits, list) else exits

with calls.open("a") as file:
    file.write(
        json.dumps({"stage": stage, "words": words, "code": code, "pid": os.getpid(), "environment": dict(os.environ)}) + "\n"
    )

print(json.dumps({"level": "INFO", "message": f"{stage} begins"}), file=sys.stderr, flush=True)
if "--track=sleep" in words:
    time.sleep(120)
if code:
    print(f"error: {stage} was told to fail\n  hint: tell {stage} to pass", file=sys.stderr)
    sys.exit(code)
summary = {"stage": stage, "consumed": 3, "unique": 2}
if stage == "plan":
    summary["batches"] = json.loads(os.environ.get("FAKE_BATCHES", '[["2026-11-19", "2026-11-20"], ["unknown"]]'))
if stage in ("featurize", "promote"):
    summary |= {"dataset": "sample", "version": "0123456789ab"}
print(json.dumps(summary))
