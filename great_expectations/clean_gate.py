"""Evidence of the clean gate: the clean result that each partition's pointer names, if no passing verdict stands for it.

Ids and music scores are read of every row; the other columns of a sample of the rows."""

import numpy as np
import pyarrow.compute as pc

from evidence import (
    Evidence, Sample, batches, clean_columns, column, distinct, file_row, hashed, hashes, settings, share, total, undecided,
)  # fmt: skip
from location import each

FILES = ("tweets.parquet", "dropped.parquet", "rejects.jsonl")


def collect(lake, run_id):
    pointers = {p["fingerprint"]: p for p in lake.jsons(lake.keys("_meta/clean/", ".json"))}
    pending = [pointers[f] for f in undecided(lake, "clean", list(pointers))]
    evidence = Evidence("clean", {p["fingerprint"]: {"partition": p["partition"]} for p in pending})

    keys = [(f"{p['path']}/{name}", p["files"][name]) for p in pending for name in FILES if name in p["files"]]
    read = hashed(lake, [(key, file["size"], file["sha256"]) for key, file in keys])
    kept = Sample("clean_rows", "partition", sum(p["kept"] for p in pending))
    dropped = Sample("clean_dropped", "partition", sum(total(p["dropped"]) for p in pending))
    looked = each(lambda pointer: look(lake, pointer, read, kept, dropped), pending)

    evidence.add("clean_partitions", [partition for partition, _, _, _ in looked], "partition")
    evidence.add("clean_files", [file for _, files, _, _ in looked for file in files], "partition")
    evidence.tables["clean_rows"] = kept.frame([frame for _, _, frames, _ in looked for frame in frames])
    evidence.tables["clean_dropped"] = dropped.frame([frame for _, _, _, frames in looked for frame in frames])
    names = {p["partition"]: [p["fingerprint"]] for p in pending}
    evidence.owners = {suite: names for suite in evidence.tables}
    return evidence


def threshold(pointer):
    """The music score at which this result drops, as 32-bit float like the scores; `None` if its arguments do not say."""
    arguments = pointer["arguments"]
    said = arguments.get("music_threshold")
    if said is None:
        said = settings()["music_thresholds"].get(arguments.get("music_preset"))
    return None if said is None else np.float32(said)


def look(lake, pointer, read, kept, dropped):
    """The rows of one partition for each of the four tables."""
    limit, rows = threshold(pointer), {}
    frames, exact = {}, {}
    for name, sample in (("tweets.parquet", kept), ("dropped.parquet", dropped)):
        extra = [{"name": "drop_reason", "type": "string"}] if name == "dropped.parquet" else []
        rows[name], parquet = file_row(lake, f"{pointer['path']}/{name}", pointer["files"][name], read, clean_columns() + extra)
        frames[name], exact[name] = scan(parquet, sample, pointer["partition"], limit) if parquet else ([], None)
        rows[name]["partition"] = pointer["partition"]
    return (
        partition_row(pointer, rows, exact),
        [*rows.values(), rejects_row(lake, pointer, read)],
        frames["tweets.parquet"],
        frames["dropped.parquet"],
    )


def scan(parquet, sample, partition, limit):
    """The sampled rows of a file, and what is counted over all of them."""
    frames, rows, leaks, false_drops = [], 0, 0, 0
    ids = np.empty(parquet.metadata.num_rows, dtype=np.uint64)
    wanted = list(dict.fromkeys(["source", "tweet_id", "music_score", "drop_reason", *sample.columns()]))
    for batch in batches(parquet, wanted):
        own = hashes(column(batch, "tweet_id").cast("string"))
        ids[rows : rows + batch.num_rows] = own ^ hashes(column(batch, "source").cast("string"))
        rows += batch.num_rows
        if limit is not None:
            scores = column(batch, "music_score").cast("float32").to_numpy(zero_copy_only=False)
            music = pc.equal(column(batch, "drop_reason").cast("string"), "music").fill_null(False)
            # A null score is neither below nor above: in a kept row it is a leak, in a dropped one a drop for nothing.
            leaks += int((~(scores < limit)).sum())
            false_drops += int((music.to_numpy(zero_copy_only=False) & ~(scores >= limit)).sum())
        frames.append(sample.take(batch, own, partition))
    counted = {"ids_repeated": rows - distinct(ids)}
    if limit is not None:
        counted |= {"music_leaks": leaks, "music_false_drops": false_drops}
    return frames, counted


def partition_row(pointer, rows, exact):
    dropped, rejected = total(pointer["dropped"]), total(pointer["rejected"])
    duplicates, languages = pointer["dropped"].get("duplicate", 0), pointer["languages"]
    kept, gone = exact["tweets.parquet"] or {}, exact["dropped.parquet"] or {}
    return {
        "partition": pointer["partition"],
        "records": pointer["records"],
        "input_tweets": sum(part["tweets"] for part in pointer["inputs"]),
        "consumed": pointer["consumed"],
        "consumed_and_rejected": pointer["consumed"] + rejected,
        "kept": pointer["kept"],
        "dropped": dropped,
        "dropped_and_stored": dropped - pointer["dropped"].get("deleted", 0),
        "kept_and_dropped": pointer["kept"] + dropped,
        "unique": pointer["unique"],
        "consumed_less_duplicates": pointer["consumed"] - duplicates,
        "tweets_rows": rows["tweets.parquet"].get("stored_rows"),
        "dropped_rows": rows["dropped.parquet"].get("stored_rows"),
        "language_tweets": total(languages),
        "ids_repeated": kept.get("ids_repeated"),
        "music_leaks": kept.get("music_leaks"),
        "music_false_drops": gone.get("music_false_drops"),
        "rejected_rate": share(rejected, pointer["records"]),
        "kept_share": share(pointer["kept"], pointer["unique"]),
        "music_share": share(pointer["dropped"].get("music", 0), pointer["unique"]),
        "undetermined_share": share(languages.get("und", 0), pointer["kept"]),
    }


def rejects_row(lake, pointer, read):
    """`rejects.jsonl` is judged by size and hash; it has neither rows nor columns of a Parquet file."""
    file, key = pointer["files"].get("rejects.jsonl"), f"{pointer['path']}/rejects.jsonl"
    row = {
        "partition": pointer["partition"],
        "columns_missing": 0,
        "columns_unexpected": 0,
        "columns_retyped": 0,
        "columns_moved": 0,
    }
    if file is not None:
        row |= {
            "size": file["size"],
            "stored_size": lake.size(key),
            "sha256": file["sha256"] if key in read else None,
            "read_sha256": read.get(key),
        }
    return row
