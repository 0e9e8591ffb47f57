"""Small lakes in the JSON and Parquet that the binaries write, for tests of the gates and the report.

Every tweet in them is invented here, by counting through a few words: nothing is real, nothing is random.
`good(folder)` builds a lake that passes every gate; `edit`, `rewrite` and `forget_verdicts` then break it.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

REPOSITORY = Path(__file__).resolve().parents[2]
COLUMNS = json.loads((REPOSITORY / "great_expectations" / "columns.json").read_text())
ARROW = {
    "string": pa.string(), "bool": pa.bool_(), "timestamp[us, UTC]": pa.timestamp("us", "UTC"), "list<string>": pa.list_(pa.string()),
    "float32": pa.float32(), "float64": pa.float64(), "int64": pa.int64(), "uint32": pa.uint32(),
}  # fmt: skip
FEATURES = [
    {"name": "char_count", "type": "int64", "nullable": False, "role": "feature", "unit": "count"},
    {"name": "upper_ratio", "type": "float32", "nullable": False, "role": "feature", "unit": "ratio"},
    {"name": "hour_sin", "type": "float32", "nullable": True, "role": "feature", "unit": "sine"},
    {"name": "near_copy_group", "type": "string", "nullable": True, "role": "group"},
    {"name": "split", "type": "string", "nullable": False, "role": "split"},
]
DATASET_COLUMNS = COLUMNS + FEATURES
FIRST_DAY = datetime(2026, 11, 16, tzinfo=UTC)
RUN = "run-1"
NAME = "tweets"

# Texts that would do harm if anything took them for more than text.
CANARIES = [
    "<script>document.title='canary-ran'</script>",
    "<img src=x onerror=\"document.title='canary-ran'\">",
    "{{ 7 * 191 }} {% raw %} ${HOME} canary-braces",
    "\x1b[31mcanary-ansi\x1b[0m \x07\x00\u202ecanary-bidi",
    "</style></svg></td><h1>canary-markup</h1>",
    '=cmd|" /C calc"!A0 canary-formula',
]
WORDS = "the river runs past our old bakery while rain falls on roofs and somebody saw JB near a museum today".split()
MUSIC = ["song", "album", "concert", "tour", "guitar"]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def put(root, key, data):
    """Writes bytes or JSON at a key of a lake."""
    path = Path(root) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def load(root, key):
    return json.loads((Path(root) / key).read_text())


def edit(root, key, change):
    """Changes a JSON file in place: `change` gets the value and may return another."""
    value = load(root, key)
    put(root, key, change(value) or value)


def table(rows, columns):
    return pa.table(
        {c["name"]: pa.array([row.get(c["name"]) for row in rows], ARROW[c["type"]]) for c in columns},
        schema=pa.schema([pa.field(c["name"], ARROW[c["type"]]) for c in columns]),
    )


def write_parquet(root, key, rows):
    """Writes a table; returns what a pointer says of the file."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd")
    data = sink.getvalue().to_pybytes()
    put(root, key, data)
    return {"size": len(data), "sha256": sha256(data), "rows": rows.num_rows}


def snowflake(moment, number):
    return str(((int(moment.timestamp() * 1000) - 1288834974657) << 22) + number)


def tweet(day, number, authors=40):
    """One invented clean row."""
    moment = FIRST_DAY + timedelta(days=day, seconds=600 * (number % 140), milliseconds=number)
    words = [WORDS[(number * 7 + i * (day + 3)) % len(WORDS)] for i in range(6 + number % 5)]
    identity = snowflake(moment, number)
    text = " ".join(words).capitalize()
    return {
        "source": "x", "tweet_id": identity, "author_id": str(1000 + (number * 13) % authors),
        "username": f"user{(number * 13) % authors}", "user_name": "An invented person",
        "conversation_id": identity, "created_at": moment, "first_seen": moment, "last_seen": moment, "counts_at": moment,
        "text": text, "text_clean": text.lower(), "text_truncated": False, "tokens": words,
        "hashtags": [WORDS[number % 9]] if number % 3 == 0 else [], "mentions": [], "cashtags": [],
        "urls": [f"https://news{number % 4}.example/a/{number}"] if number % 4 == 0 else [], "music_terms": [],
        "lang": ["en", "en", "en", "es", "pt", "und"][number % 6], "lang_platform": "en", "lang_source": "platform",
        "lang_confidence": 0.9, "lang_confident": True, "music_score": (number % 5) * 0.5,
        "retweet_count": number % 7, "reply_count": 0, "quote_count": 0, "like_count": number % 11, "bookmark_count": None,
        "impression_count": None, "followers_count": 10 * number, "following_count": 5, "listed_count": 0,
        "statuses_count": 100, "copies": 1, "retweets_seen": number % 2, "is_reply": False, "is_quote": False,
        "verified": None, "possibly_sensitive": False, "profanity": False, "place_name": None, "place_country": None,
        "lon": -79.4 if number % 10 == 0 else None, "lat": 43.7 if number % 10 == 0 else None,
        "edit_id": None, "text_key": sha256(text.encode())[:16], "raw_part": "part-0", "raw_line": number,
    }  # fmt: skip


def dropped(day, number, reason):
    row = tweet(day, number) | {"drop_reason": reason}
    if reason == "music":
        term = MUSIC[number % len(MUSIC)]
        row |= {"music_score": 3.0 + number % 3, "music_terms": [term], "text": f"New {term} by JB, number {number}"}
    return row


def partition_name(day):
    return (FIRST_DAY + timedelta(days=day)).strftime("%Y-%m-%d")


def add_raw(root, day, rows, run=RUN):
    """One raw part with its commit. Returns the commit."""
    name, part = partition_name(day), f"part-{day}"
    lines = "".join(json.dumps({"id": row["tweet_id"], "text": row["text"]}) + "\n" for row in rows)
    data = pa.compress(lines.encode() or b"\n", codec="zstd", asbytes=True)
    key = f"raw/dt={name}/{part}.jsonl.zst"
    put(root, key, data)
    ids, times = [int(r["tweet_id"]) for r in rows], [r["created_at"] for r in rows]
    commit = {
        "part": part, "path": key, "size": len(data), "sha256": sha256(data), "tweets": len(rows), "unique": len(set(ids)),
        "received": stamp(max(times)) if times else None, "source": "x", "via": "file",
        "times": {"first": stamp(min(times)), "last": stamp(max(times))}, "ids": {"min": str(min(ids)), "max": str(max(ids))},
        "retweets": len(rows) // 10, "touches": [name], "languages": count(r["lang_platform"] or "" for r in rows),
    }  # fmt: skip
    put(root, f"_meta/raw/dt={name}/{part}.json", commit)
    return commit


def count(values):
    counts = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items()))


def run_manifest(commits, rejected=None, run=RUN):
    consumed = sum(c["tweets"] for c in commits)
    rejected = {"not_json": 1} if rejected is None else rejected
    return {
        "stage": "ingest", "run_id": run, "started": "2026-11-20T08:00:00.000000Z", "ended": "2026-11-20T08:01:00.000000Z",
        "version": "0.1.0", "arguments": {"source": "file", "track": ["Justin Bieber"], "input": ["invented.jsonl"]},
        "records": consumed + sum(rejected.values()) + 2, "consumed": consumed, "unique": sum(c["unique"] for c in commits),
        "read": 0, "kept": 0, "dropped": {}, "rejected": rejected, "notices": {"delete": 1}, "unmatched": 1,
        "partitions": sorted({c["touches"][0] for c in commits}),
        "inputs": [{"path": "invented.jsonl", "size": 1, "sha256": "0" * 64, "records": consumed + sum(rejected.values()) + 2}],
        "outputs": [c["path"] for c in commits], "retyped": {},
    }  # fmt: skip


def add_clean(root, day, kept, gone, commits):
    """One clean result with its pointer. Returns the pointer."""
    name = partition_name(day)
    fingerprint = sha256(f"clean {name}".encode())
    path = f"clean/dt={name}/{fingerprint}"
    stored = [row for row in gone if row["drop_reason"] != "deleted"]  # what was deleted is counted and not kept
    files = {
        "tweets.parquet": write_parquet(root, f"{path}/tweets.parquet", table(kept, COLUMNS)),
        "dropped.parquet": write_parquet(
            root, f"{path}/dropped.parquet", table(stored, COLUMNS + [{"name": "drop_reason", "type": "string"}])
        ),
        "rejects.jsonl": {"size": 0, "sha256": sha256(b""), "rows": 0},
    }
    put(root, f"{path}/rejects.jsonl", b"")
    reasons, consumed = count(r["drop_reason"] for r in gone), len(kept) + len(gone)
    times, ids = [r["created_at"] for r in kept], [int(r["tweet_id"]) for r in kept]
    pointer = {
        "partition": name, "fingerprint": fingerprint, "path": path, "files": files,
        "inputs": [{"part": c["part"], "sha256": c["sha256"], "tweets": c["tweets"]} for c in commits], "tombstones": "",
        "arguments": {"languages": [], "music_preset": "balanced", "music_threshold": None, "retweets": "fold"},
        "versions": {"binary": "0.1.0", "rules": "1", "schema": "1", "lexicon": "1", "profile": "1"},
        "records": consumed, "consumed": consumed, "unique": consumed - reasons.get("duplicate", 0), "read": 0,
        "kept": len(kept), "dropped": reasons, "rejected": {}, "notices": {}, "unmatched": 0,
        "languages": count(r["lang"] for r in kept),
        "music_terms": count(t for r in gone for t in r["music_terms"]),
        "times": {"first": stamp(min(times)) if times else None, "last": stamp(max(times)) if times else None},
        "ids": {"min": str(min(ids)) if ids else None, "max": str(max(ids)) if ids else None},
        "samples": {"music": [r["tweet_id"] for r in gone if r["drop_reason"] == "music"][:5]},
    }  # fmt: skip
    put(root, f"_meta/clean/dt={name}.json", pointer)
    return pointer


def split_of(author):
    return ["train", "train", "train", "train", "train", "train", "train", "train", "validation", "test"][int(author) % 10]


def featured(row, split=None):
    return row | {
        "char_count": len(row["text"]), "upper_ratio": 0.05, "hour_sin": 0.5, "near_copy_group": None,
        "split": split or split_of(row["author_id"]),
    }  # fmt: skip


def add_dataset(root, rows, pointers, version="000000000001", name=NAME, gone=None, **arguments):
    """One dataset version from clean rows. Returns its manifest."""
    folder, rows = f"datasets/{name}/{version}", [featured(row) for row in rows]
    files, splits = [], {}
    for split in ("train", "validation", "test"):
        own = [row for row in rows if row["split"] == split]
        path = f"data/{split}-00000-of-00001.parquet"
        files.append({"path": path, "split": split, **write_parquet(root, f"{folder}/{path}", table(own, DATASET_COLUMNS))})
        splits[split] = {"rows": len(own), "share": len(own) / len(rows) if rows else 0.0}
    gone = gone or {}
    clean_dropped = {}
    for pointer in pointers:
        for reason, n in pointer["dropped"].items():
            clean_dropped[reason] = clean_dropped.get(reason, 0) + n
    read = sum(p["kept"] for p in pointers)
    totals = {key: sum(p[key] for p in pointers) for key in ("records", "consumed", "unique")}
    times = [r["created_at"] for r in rows]
    manifest = {
        "dataset": name, "version": version, "fingerprint": sha256(f"dataset {name} {version}".encode()), **totals,
        "read": read, "kept": len(rows), "dropped": gone, "rejected": {}, "notices": {}, "unmatched": 0,
        "clean": {"kept": read, "dropped": clean_dropped}, "splits": splits, "files": files, "beside": {},
        "inputs": [{"partition": p["partition"], "fingerprint": p["fingerprint"], "kept": p["kept"]} for p in pointers],
        "tombstones": "", "arguments": {"split": "80,10,10", "split_by": "author", **arguments},
        "versions": {"binary": "0.1.0", "schema": "1"}, "interval": {"since": None, "until": None},
        "times": {"first": stamp(min(times)) if times else None, "last": stamp(max(times)) if times else None},
        "ids": {"min": None, "max": None}, "languages": count(r["lang"] for r in rows), "samples": {},
    }  # fmt: skip
    put(root, f"{folder}/manifest.json", manifest)
    put(root, f"{folder}/schema.json", {"columns": DATASET_COLUMNS})
    put(root, f"{folder}/README.md", b"# invented\n")
    return manifest


def promote(root, manifest):
    key = f"datasets/{manifest['dataset']}/{manifest['version']}/manifest.json"
    put(root, f"datasets/{manifest['dataset']}/current.json", {
        "dataset": manifest["dataset"], "version": manifest["version"], "fingerprint": manifest["fingerprint"], "manifest": key,
    })  # fmt: skip


def fates(day, tweets, canaries=()):
    """Kept and dropped rows of a day: every reason, and canaries on both sides."""
    kept = [tweet(day, n) for n in range(tweets)]
    reasons = ["music"] * 24 + ["duplicate"] * 12 + ["language"] * 6 + ["retweet"] * 5 + ["deleted", "edited"]
    gone = [dropped(day, tweets + i, reason) for i, reason in enumerate(reasons[: max(tweets // 2, 1)])]
    for i, text in enumerate(canaries):
        kept.append(tweet(day, 5000 + i) | {"text": text, "music_score": 2.75, "hashtags": [text], "username": text})
        gone.append(dropped(day, 6000 + i, "music") | {"text": text, "music_score": 3.25, "music_terms": [text]})
    return kept, gone


def good(root, days=2, tweets=120, canaries=(), dataset=True):
    """A lake that every gate passes: `days` partitions, one run, one dataset version. Returns the dataset's manifest."""
    put(root, "_meta/lake.json", {"lake": 1, "grain": "day"})
    commits, pointers, rows = [], [], []
    for day in range(days):
        kept, gone = fates(day, tweets, canaries)
        commit = add_raw(root, day, kept + gone)
        pointers.append(add_clean(root, day, kept, gone, [commit]))
        commits.append(commit)
        rows += kept
    put(root, f"_meta/runs/ingest/{RUN}.json", run_manifest(commits))
    if not dataset:
        return None
    manifest = add_dataset(root, rows, pointers)
    return manifest


def rewrite(root, key, change, about=None):
    """Changes a Parquet file by a function of its Arrow table, and says so in the JSON at `about`, if given: a function
    that finds the file's entry in it. So the only fault is the one that was seeded."""
    changed = change(pq.read_table(Path(root) / key))
    stat = write_parquet(root, key, changed)
    if about:
        manifest, find = about
        edit(root, manifest, lambda value: find(value).update(stat))
    return changed


def with_column(rows, name, change):
    """The table with one column changed as a list of Python values."""
    values = change(rows.column(name).to_pylist())
    field = rows.schema.field(name)
    return rows.set_column(rows.schema.get_field_index(name), field, pa.array(values, field.type))
