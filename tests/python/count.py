#!/usr/bin/env python3
"""The referee: counts tweets in files of any form, without a line of Offkey's own logic.

    python3 count.py FILE...        one JSON object a file, and one for all of them together

consumed: tweets delivered, each copy counted. unique: distinct ids among them. A tweet has an exact id (`id_str`, or else `id` as
digits; never a float) and a text. A notice is a known message that is no tweet. All else is bad. `includes` are not deliveries.
"""

import gzip
import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

V1_NOTICES = {"delete", "limit", "scrub_geo", "status_withheld", "user_withheld", "disconnect", "warning", "friends", "friends_str", "event"}
V2_NOTICES = {"delete", "withheld", "drop", "undrop", "tweet_edit", "scrub_geo", "user_delete", "user_undelete", "user_protect", "user_unprotect",
              "user_withheld", "user_suspend", "user_unsuspend", "user_profile_modification"}


def text_of(path):
    data = Path(path).read_bytes()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        try:
            import zstandard
            data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
        except ImportError:
            data = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    elif data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "surrogateescape")


def values(text):
    """Every JSON value of the text, or None for what is not one. A value may span lines; after it its line must end."""
    decode, at = json.JSONDecoder(strict=True).raw_decode, 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            value, end = decode(text, at)
            good = not any("\udc80" <= c <= "\udcff" for c in text[at:end])  # bytes that were no UTF-8
        except (ValueError, RecursionError):
            end, good = at, False
        line_end = text.find("\n", end)
        at = len(text) if line_end < 0 else line_end
        good = good and not text[end:at].strip()
        yield from (value if isinstance(value, list) else [value]) if good else [None]


def tweet_id(tweet):
    if not isinstance(tweet, dict) or not isinstance(tweet.get("text", tweet.get("full_text")), str):
        return None
    ident = tweet.get("id_str") or tweet.get("id")
    ident = str(ident) if type(ident) in (int, str) else ""
    return ident if ident.isascii() and ident.isdigit() else None


def notice_kind(value):
    data = value.get("data")
    for key in value if data is None else data if isinstance(data, dict) else ():
        if key in (V1_NOTICES if data is None else V2_NOTICES):
            return key
    problems = value["errors"] if isinstance(value.get("errors"), list) and value["errors"] else [value]
    if any(isinstance(p, dict) and ("disconnect_type" in p or str(p.get("type")).endswith("disconnect")) for p in problems):
        return "disconnect"
    if "errors" in value or {"title", "type"} <= value.keys():
        return "problem"
    return "empty_page" if isinstance(value.get("meta"), dict) and not data else None


def count(path):
    ids, notices, bad = [], Counter(), 0
    for value in values(text_of(path)):
        if not isinstance(value, dict):
            bad += 1
            continue
        many = next((value[key] for key in ("data", "statuses") if isinstance(value.get(key), list) and value[key]), None)
        found = [tweet_id(tweet) for tweet in many or [value if tweet_id(value) else value.get("data")]]
        kind = None if many or found[0] else notice_kind(value)
        notices.update([kind] if kind else [])
        ids += [ident for ident in found if ident]
        bad += 0 if kind else found.count(None)
    return ids, notices, bad


def report(name, ids, notices, bad):
    print(json.dumps({"file": name, "consumed": len(ids), "unique": len(set(ids)), "notices": dict(notices), "bad": bad}))


if __name__ == "__main__":
    total = [], Counter(), 0
    for name in sys.argv[1:]:
        ids, notices, bad = count(name)
        report(name, ids, notices, bad)
        total = total[0] + ids, total[1] + notices, total[2] + bad
    if len(sys.argv) > 2:
        report("all", *total)
