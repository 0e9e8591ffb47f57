#!/usr/bin/env python3
"""Looks for what stands in two splits of a dataset version and may not. Shares no code with featurize: it reads the Parquet
files and manifest.json, and takes every pair of similar texts by its true Jaccard, without hashes or sampling.

    leaks.py VERSION                      # one JSON line: how many leaks of each kind, with a few ids; exit 1 if there is one
    leaks.py VERSION --grown-from OLDER   # the same, and rows that lie in another split than in an older version

Kinds: `author`, `conversation` and `time` by what the manifest says it was split by, and always
    family      one tweet twice, two versions of one edited tweet, or a retweet ("RT @name: …", also cut) and its original
    near_copy   two texts of at least 20 letters whose sets of 5 characters in a row are alike to 0.8 (text_clean, NFKC, lower case)
"""

import argparse
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import combinations
from math import ceil
from pathlib import Path

import pyarrow.parquet as pq

ALIKE = Fraction(4, 5)  # exact: no pair is missed by rounding
SHINGLE = 5
LETTERS = 20
COLUMNS = [
    "source", "tweet_id", "author_id", "username", "conversation_id", "created_at", "edit_id", "text", "text_clean", "split",
]  # fmt: skip
RETWEET = re.compile(r"\s*RT @(\w+):?\s+(.*)", re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("version", type=Path)
    parser.add_argument("--grown-from", type=Path)
    given = parser.parse_args()
    found = leaks(given.version)
    if given.grown_from:
        found["moved"] = moved(given.grown_from, given.version)
    print(json.dumps({kind: {"leaks": len(pairs), "examples": pairs[:5]} for kind, pairs in found.items()}))
    return 1 if any(found.values()) else 0


def rows_of(version: Path) -> list[dict]:
    """Every row of the files that the manifest names, with the split that its file is in."""
    manifest, rows = json.loads((version / "manifest.json").read_text()), []
    for file in manifest["files"]:
        part = pq.read_table(version / file["path"], columns=COLUMNS).to_pylist()
        assert len(part) == file["rows"] and all(row["split"] == file["split"] for row in part), file["path"]
        rows += part
    return rows


def leaks(version: Path) -> dict[str, list[list[str]]]:
    """By kind: the pairs, as ids, of what stands in two splits."""
    rows = rows_of(version)
    split_by = json.loads((version / "manifest.json").read_text())["arguments"]["split_by"]
    found = {"family": same(rows, lambda row: row["tweet_id"]) + versions(rows) + retweets(rows), "near_copy": near_copies(rows)}
    if split_by in ("author", "conversation"):
        found[split_by] = same(rows, lambda row: row[f"{split_by}_id"])
    if split_by == "time":
        found["time"] = out_of_time(rows)
    return {kind: [[row["tweet_id"] for row in pair] for pair in pairs] for kind, pairs in found.items()}


def moved(older: Path, newer: Path) -> list[list[str]]:
    """Rows of both versions that lie in different splits."""
    before = {(row["source"], row["tweet_id"]): row["split"] for row in rows_of(older)}
    return [[row["tweet_id"]] for row in rows_of(newer) if before.get((row["source"], row["tweet_id"]), row["split"]) != row["split"]]


def same(rows, key) -> list[tuple[dict, dict]]:
    """A pair for each key, not null, that stands in more than one split."""
    first, pairs = {}, []
    for row in rows:
        value = (row["source"], key(row))
        if value[1] is not None and first.setdefault(value, row)["split"] != row["split"]:
            pairs.append((first[value], row))
    return pairs


def versions(rows) -> list[tuple[dict, dict]]:
    """Versions of one tweet: the first has the id that the others name."""
    return same(rows, lambda row: row["edit_id"] or row["tweet_id"])


def retweets(rows) -> list[tuple[dict, dict]]:
    """Rows whose text is a retweet by hand or by X, cut or not, with the tweet of that name that begins so."""
    by_name, pairs = defaultdict(list), []
    for row in rows:
        by_name[row["source"], (row["username"] or "").lower()].append(row)
    for row in rows:
        if not (found := RETWEET.fullmatch(row["text"])):
            continue
        name, said = found.groups()
        said = said.rstrip().removesuffix("…").rstrip()
        if letters(said) >= LETTERS:
            originals = by_name.get((row["source"], name.lower()), [])
            pairs += [(other, row) for other in originals if other["text"].startswith(said) and other["split"] != row["split"]]
    return pairs


def out_of_time(rows) -> list[tuple[dict, dict]]:
    """Rows that were posted before one of an earlier split. What has no time counts as the oldest."""
    pairs, latest = [], None
    for split in ("train", "validation", "test"):
        part = sorted((row for row in rows if row["split"] == split and row["created_at"]), key=lambda row: row["created_at"])
        if part and latest and part[0]["created_at"] <= latest["created_at"]:
            pairs.append((latest, part[0]))
        latest = part[-1] if part else latest
    return pairs


def near_copies(rows) -> list[tuple[dict, dict]]:
    """Every pair of alike texts in two splits. Of equal texts one a split is compared, which is enough to find each leak."""
    texts = {}
    for row in rows:
        text = unicodedata.normalize("NFKC", row["text_clean"]).lower()
        if letters(text) >= LETTERS:
            texts.setdefault((text, row["split"]), row)
    shingles = [(row, {text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)}) for (text, _), row in texts.items()]
    return [
        (shingles[a][0], shingles[b][0])
        for a, b in candidates([grams for _, grams in shingles])
        if shingles[a][0]["split"] != shingles[b][0]["split"] and alike(shingles[a][1], shingles[b][1])
    ]


def candidates(sets: list[set[str]]) -> set[tuple[int, int]]:
    """Pairs that may be alike, none left out: two alike sets share one of their rarest members, for of n members at least
    0.8 n are shared, so not all of the rarest n − ⌈0.8 n⌉ + 1 can be missing in the other."""
    often = Counter(gram for grams in sets for gram in grams)
    holders = defaultdict(list)
    for number, grams in enumerate(sets):
        rarest = sorted(grams, key=lambda gram: (often[gram], gram))
        for gram in rarest[: len(grams) - ceil(ALIKE * len(grams)) + 1]:
            holders[gram].append(number)
    return {
        (a, b)
        for held in holders.values()
        for a, b in combinations(held, 2)
        if min(len(sets[a]), len(sets[b])) >= ALIKE * max(len(sets[a]), len(sets[b]))
    }


def alike(a: set, b: set) -> bool:
    both = len(a & b)
    return both >= ALIKE * (len(a) + len(b) - both)


def letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


if __name__ == "__main__":
    sys.exit(main())
