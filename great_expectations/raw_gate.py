"""Evidence of the raw gate: the committed parts of every partition that has no passing verdict for just these parts,
and the ingest runs that touched them."""

import hashlib
import json
from datetime import timedelta

from evidence import Evidence, hashed, instant, share, total, undecided
from location import each


def collect(lake, run_id):
    commits = lake.jsons(lake.keys("_meta/raw/", ".json"))
    partitions = {}
    for commit in commits:
        partitions.setdefault(partition_of(commit["path"]), []).append(commit)
    fingerprints = {fingerprint(parts): name for name, parts in sorted(partitions.items())}

    evidence = Evidence("raw")
    evidence.subjects = {f: {"partition": fingerprints[f]} for f in undecided(lake, "raw", list(fingerprints))}
    names = {subject["partition"]: f for f, subject in evidence.subjects.items()}
    parts = [commit for name in names for commit in partitions[name]]

    read = hashed(lake, [(c["path"], c["size"], c["sha256"]) for c in parts])
    sizes = dict(zip((c["path"] for c in parts), each(lake.size, [c["path"] for c in parts])))
    evidence.add("raw_parts", [part_row(c, sizes[c["path"]], read) for c in parts], "partition")
    evidence.add("raw_partitions", [partition_row(name, partitions[name]) for name in names], "partition")

    runs = runs_of(lake, names, run_id)
    by_path = {commit["path"]: commit for commit in commits}
    purged = {record["path"]: record for record in lake.jsons(lake.keys("_meta/purged/", ".json"))}
    evidence.add("raw_runs", [run_row(run, by_path, purged) for run in runs], "run")
    evidence.owners = {
        "raw_parts": {name: [f] for name, f in names.items()},
        "raw_partitions": {name: [f] for name, f in names.items()},
        "raw_runs": {run["run_id"]: [names[p] for p in run.get("partitions", []) if p in names] for run in runs},
    }
    return evidence


def fingerprint(parts):
    return hashlib.sha256("\n".join(sorted(part["sha256"] for part in parts)).encode()).hexdigest()


def partition_of(key):
    """`raw/dt=2026-11-20/hour=08/part.jsonl.zst` → `2026-11-20T08`."""
    day, *hour = [segment.partition("=")[2] for segment in key.split("/")[1:-1]]
    return "T".join([day, *hour])


def within(name):
    """First and last instant of a partition, as text; nothing for `unknown`."""
    if name == "unknown":
        return None, None
    start = instant(f"{name}:00:00+00:00" if "T" in name else f"{name}T00:00:00+00:00")
    end = start + timedelta(hours=1 if "T" in name else 24) - timedelta(microseconds=1)
    return start.isoformat(), end.isoformat()


def id_key(text):
    """Ids in the order that the commits use: by length, then as text, which for X's is by number."""
    return None if text is None else f"{len(text):04}{text}"


def part_row(commit, stored_size, read):
    times, ids, received = commit["times"], commit["ids"], instant(commit["received"])
    start, last = within(partition_of(commit["path"]))
    return {
        "partition": partition_of(commit["path"]),
        "size": commit["size"],
        "stored_size": stored_size,
        "sha256": commit["sha256"] if commit["path"] in read else None,
        "read_sha256": read.get(commit["path"]),
        "tweets": commit["tweets"],
        "unique": commit["unique"],
        "retweets": commit["retweets"],
        "language_tweets": total(commit["languages"]),
        "id_min": id_key(ids["min"]),
        "id_max": id_key(ids["max"]),
        "time_first": times["first"],
        "time_last": times["last"],
        "time_latest": (received + timedelta(days=1)).isoformat() if received else None,
        "partition_start": start,
        "partition_last": last,
    }


def partition_row(name, parts):
    tweets = sum(part["tweets"] for part in parts)
    return {
        "partition": name,
        "duplicate_share": share(tweets - sum(part["unique"] for part in parts), tweets),
        "without_language_share": share(sum(part["languages"].get("", 0) for part in parts), tweets),
        "retweet_share": share(sum(part["retweets"] for part in parts), tweets),
    }


def runs_of(lake, partitions, run_id):
    """The run named, and every run that touched one of the partitions, without those that a later run has done again."""
    keys = lake.keys("_meta/runs/ingest/", ".json")
    latest = {}
    for run in sorted(lake.jsons(keys), key=lambda run: (run.get("ended") or "", run["run_id"])):
        if run["run_id"] == run_id or partitions.keys() & set(run.get("partitions", [])):
            latest[work(run)] = run
    return list(latest.values())


def work(run):
    """What a run was asked to read: the same files, or the same interval of the same search. A stream is never the same again."""
    arguments = run.get("arguments") or {}
    inputs = [i["path"] for i in run.get("inputs", [])]
    return json.dumps(inputs or (arguments if arguments.get("since") else run["run_id"]), sort_keys=True)


def tweets_of(part, commits, purged):
    """Tweets that a part was committed with, also where `clean purge` has written it anew or removed it; nothing if it is not there."""
    removed = 0
    while part not in commits:
        record = purged.get(part)
        if record is None:
            return None
        removed, part = removed + record["removed"], record["became"]
        if part is None:
            return removed
    return removed + commits[part]["tweets"]


def run_row(run, commits, purged):
    outputs = [o if isinstance(o, str) else o["path"] for o in run.get("outputs", [])]
    parts = {o for o in outputs if o.startswith("raw/")}
    found = [tweets for part in parts if (tweets := tweets_of(part, commits, purged)) is not None]
    rejected, records = total(run.get("rejected")), run["records"]
    nothing_read = rejected and rejected == records
    return {
        "run": run["run_id"],
        "records": records,
        "accounted": run["consumed"] + total(run.get("notices")) + rejected + run.get("unmatched", 0),
        "consumed": run["consumed"],
        "unique": run["unique"],
        "committed": sum(found),
        "outputs_uncommitted": len(parts) - len(found),
        "reject_rate": 1.0 if nothing_read else share(rejected, records),
        "retyped_rate": share(total(run.get("retyped")), records),
    }
