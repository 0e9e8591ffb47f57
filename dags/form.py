"""The form of a run: its parameters, checked before anything starts. Each is a flag (`max_tweets` is `--max-tweets`).

A scheduled run takes the defaults. They come from the flags' own variables in Airflow's environment: `OFFKEY_LAKE`,
`OFFKEY_TRACK`, and so on. Airflow's page checks each field by itself; `begin` checks what they say together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import interval
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException
from runner import ROOT, StepRefused

PATH = r"^(s3://[^/\s]+(/.*)?|/.*)$"
DAY = r"\d{4}-\d{2}-\d{2}(T\d{2})?"
TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"
UP = r"(^|/)\.\.(/|$)"


def default(name: str, otherwise=None):
    """The default of a parameter: `OFFKEY_<NAME>`, as JSON where it is no text."""
    value = os.environ.get(f"OFFKEY_{name.upper()}")
    if value is None:
        return otherwise
    if isinstance(otherwise, list):
        return [value]
    return value if isinstance(otherwise, str) else json.loads(value)


def choice(name: str, values: list[str], section: str, description: str) -> Param:
    """One of a few words; the first is the default."""
    return Param(default(name, values[0]), type="string", enum=values, section=section, description=description)


def switch(name: str, section: str, description: str) -> Param:
    """On or off; off unless the environment says otherwise."""
    return Param(default(name, False), type="boolean", section=section, description=description)


def text(name: str, pattern: str, section: str, description: str, otherwise: str | None = None) -> Param:
    """A text of a certain form. Without a default it may be left empty, which the form sends as null, and wants to be allowed."""
    kind = ["null", "string"] if otherwise is None else "string"
    value = os.environ.get(f"OFFKEY_{name.upper()}") or otherwise
    return Param(value, type=kind, pattern=pattern, section=section, description=description)


def file(name: str, section: str, description: str) -> Param:
    """A file on the worker, or none."""
    return Param(
        os.environ.get(f"OFFKEY_{name.upper()}"),
        type=["null", "string"],
        pattern=r"^(?!.*/\.\.(/|$))/.*[^/]$",
        section=section,
        description=description,
    )


def time(description: str) -> Param:
    """A point in time, or none."""
    return Param(None, type=["null", "string"], format="date-time", pattern=TIME, section="When", description=description)


def number(name: str, kind: str, section: str, description: str, **bounds) -> Param:
    """A number, or none."""
    return Param(default(name), type=["null", kind], section=section, description=description, **bounds)


PARAMS = {
    "source": choice(
        "source",
        ["file", "search", "stream", "bluesky", "lake"],
        "What",
        "Where tweets come from. `search` and `stream` need X_BEARER_TOKEN; `lake` reads nothing new and works on what `collect` has brought.",
    ),
    "input": Param(
        default("input", []),
        type=["null", "array"],
        items={"type": "string", "pattern": PATH, "not": {"pattern": UP}},
        section="What",
        description="For `file`: a path or s3:// location a line, plain, gzip or zstd. `{day}` and `{hour}` become the interval's.",
    ),
    "track": Param(
        default("track", []),
        type=["null", "array"],
        items={"type": "string", "minLength": 1, "maxLength": 4096, "pattern": r"^[^\r\n]*$"},
        section="What",
        description="The search: one phrase a line. With `file`: none takes every tweet.",
    ),
    "locations": file("locations", "What", "Also tweets from these boxes: a file, west,south,east,north a line."),
    "archive": text("archive", "^(recent|all)$", "What", "How far back `search` goes: `recent`, or `all`, X's full archive. Empty: as `since` wants."),
    "since": time("First moment. Empty: the run's data interval; with `file`, every tweet."),
    "until": time("First moment after. Empty: the run's data interval; with `file`, every tweet."),
    "for": text("for", r"^(?=.)(\d+h)?(\d+m)?(\d+s)?$", "When", "For `stream` and `bluesky`: how long to listen, as 30m or 1h30m."),
    "partition_by": choice(
        "partition_by", ["day", "hour"], "When", "Grain of a new lake; hourly schedules want `hour`. It never changes."
    ),
    "languages": text("languages", "^[a-z]{2,3}(,[a-z]{2,3})*$", "Filter", "Languages to keep, as en,es. Empty: all."),
    "music_preset": choice(
        "music_preset", ["balanced", "precision", "recall"], "Filter", "How readily a tweet counts as music: `recall` drops most."
    ),
    "music_threshold": number(
        "music_threshold", "number", "Filter", "Drop from this music score on, instead of the preset's.", exclusiveMinimum=0
    ),
    "no_music_concerts": switch("no_music_concerts", "Filter", "Concerts, tours and tickets are not music."),
    "music_fan_votes": switch("music_fan_votes", "Filter", "Fan votes are music, also where they name none."),
    "profile": file("profile", "Filter", "Names, songs and tours of the searched artist. Empty: Justin Bieber's."),
    "lexicon": file("lexicon", "Filter", "Terms that extend or replace those of the bundled lexicon."),
    "retweets": choice(
        "retweets", ["fold", "keep", "drop"], "Filter", "Retweets: fold into the original, keep as rows, or drop."
    ),
    "pseudonymise": switch("pseudonymise", "Filter", "Name authors and mentions by pseudonyms; the worker's OFFKEY_PSEUDONYM_KEY is the key."),
    "max_tweets": number("max_tweets", "integer", "Limits", "Stop after so many tweets.", minimum=1),
    "max_spend_usd": number("max_spend_usd", "number", "Limits", "Stop before the API's bill passes this.", minimum=0),
    "max_reject_rate": Param(
        default("max_reject_rate", 0.01),
        type="number",
        minimum=0,
        maximum=1,
        section="Limits",
        description="Fail when a greater share of lines cannot be read.",
    ),
    "lake": Param(
        default("lake", str(ROOT / "lake")),
        type="string",
        allOf=[{"pattern": PATH}, {"not": {"pattern": UP}}],
        section="Where",
        description="Where everything is written: an absolute folder or s3://bucket/prefix.",
    ),
    "name": text("name", "^[a-z0-9][a-z0-9._-]{0,63}$", "Dataset", "Name of the dataset.", "tweets"),
    "split_by": choice(
        "split_by", ["author", "conversation", "id", "time"], "Dataset", "What may not stand in two splits; `time` wants `cuts`."
    ),
    "split": text(
        "split", r"^\d{1,3},\d{1,3}(,\d{1,3})?$", "Dataset", "Percentages of train, validation, test, or of train, test.", "80,10,10"
    ),
    "cuts": text("cuts", f"^{DAY}(,{DAY})?$", "Dataset", "With `time`: when validation and test begin, as 2026-11-01,2026-11-08."),
    "near_copies": number(
        "near_copies", "number", "Dataset", "From which similarity (Jaccard) on two texts are near copies.", exclusiveMinimum=0, maximum=1
    ),
    "drop_near_copies": switch("drop_near_copies", "Dataset", "Keep only the earliest of near copies."),
    "hash_bits": number("hash_bits", "integer", "Dataset", "Hash the tokens to vectors of 2^N columns; 18 is usual.", minimum=0, maximum=24),
    "tfidf": switch("tfidf", "Dataset", "With `hash_bits`: TF-IDF weights too, fitted on train only."),
    "compression": choice("compression", ["zstd", "snappy"], "Dataset", "Of the Parquet files; `snappy` for readers that know no zstd."),
}


def since(dag_run, params) -> str:
    """Where a run starts to read: as asked, else its data interval, else (no logical date) the day before."""
    return _bound(params, "since", interval.start(dag_run))


def until(dag_run, params) -> str:
    """Where a run stops to read: as asked, else its data interval, else (no logical date) this day's start."""
    return _bound(params, "until", interval.end(dag_run))


def _bound(params, name: str, moment) -> str:
    """Only `search` reads an interval unasked: a file is read whole, and the live sources go on from their cursors."""
    if params[name] or params["source"] != "search":
        return params[name] or ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def begin(params):
    """Before the first task does anything: refuses a form that cannot be, and reads nothing where nothing is to be read."""
    if faults := list(contradictions(params)):
        raise StepRefused(f"the form cannot be: {'; '.join(faults)}. hint: start the run again with another form", 2)
    if params["source"] == "lake":
        raise AirflowSkipException("nothing is read: the lake is taken as it is")


def contradictions(params) -> Iterator[str]:
    """Where two fields of a form do not fit. The programs would say so too, but some of them after others have spent money."""
    since, until = (params[name] and datetime.fromisoformat(params[name]) for name in ("since", "until"))
    if since and until and since >= until:
        yield f"`since` ({params['since']}) is not before `until` ({params['until']}), the first moment after"
    if params["source"] == "stream" and (since or until):
        yield "a stream is listened to now and has no `since` or `until`: `search` has what is past"
    if params["split_by"] == "time" and not params["cuts"]:
        yield "`split_by` is time and `cuts` is empty: it says when validation and test begin"
    if params["split_by"] != "time" and params["cuts"]:
        yield f"`cuts` cut by time, and `split_by` is {params['split_by']}"
    if any(later <= earlier for earlier, later in pairwise((params["cuts"] or "").split(","))):
        yield f"`cuts` ({params['cuts']}) are not in order"
    if (together := sum(map(int, params["split"].split(",")))) != 100:
        yield f"the percentages of `split` ({params['split']}) make {together}, not 100"
    if params["tfidf"] and not params["hash_bits"]:
        yield "`tfidf` weighs hashed tokens, and `hash_bits` is empty: 18 is usual"
