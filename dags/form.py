"""The form of a run: its parameters, checked before anything starts. Each is a flag (`max_tweets` is `--max-tweets`).

A scheduled run takes the defaults. They come from the flags' own variables in Airflow's environment: `OFFKEY_LAKE`,
`OFFKEY_TRACK`, and so on.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta

from airflow.sdk import Param
from runner import ROOT

PATH = r"^(s3://[^/\s]+(/.*)?|/.*)$"
TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"
UP = r"(^|/)\.\.(/|$)"


def default(name: str, otherwise=None):
    """The default of a parameter: `OFFKEY_<NAME>`, as JSON where it is no text."""
    value = os.environ.get(f"OFFKEY_{name.upper()}")
    if value is None:
        return otherwise
    return [value] if isinstance(otherwise, list) else value if isinstance(otherwise, str) else json.loads(value)


def choice(name: str, values: list[str], section: str, description: str) -> Param:
    """One of a few words; the first is the default."""
    return Param(default(name, values[0]), type="string", enum=values, section=section, description=description)


def time(description: str) -> Param:
    """A point in time, or none."""
    return Param(None, type=["null", "string"], format="date-time", pattern=TIME, section="When", description=description)


def number(name: str, kind: str, section: str, description: str, **bounds) -> Param:
    """A number, or none."""
    return Param(default(name), type=["null", kind], section=section, description=description, **bounds)


PARAMS = {
    "source": choice(
        "source",
        ["file", "search", "stream", "bluesky"],
        "What",
        "Where tweets come from. `search` and `stream` need X_BEARER_TOKEN.",
    ),
    "input": Param(
        default("input", []),
        type=["null", "array"],
        items={"type": "string", "pattern": PATH, "not": {"pattern": UP}},
        section="What",
        description="For `file`: one path or s3:// location a line. Plain, gzip or zstd.",
    ),
    "track": Param(
        default("track", []),
        type=["null", "array"],
        items={"type": "string", "minLength": 1, "maxLength": 4096, "pattern": r"^[^\r\n]*$"},
        section="What",
        description="The search: one phrase a line. With `file`: none takes every tweet.",
    ),
    "since": time("First moment. Empty: the run's data interval; with `file`, every tweet."),
    "until": time("First moment after. Empty: the run's data interval; with `file`, every tweet."),
    "for": Param(
        default("for", ""),
        type="string",
        pattern=r"^([0-9]+(s|m|h|d))?$",
        section="When",
        description="For `stream` and `bluesky`: how long to listen, as 30m.",
    ),
    "partition_by": choice(
        "partition_by", ["day", "hour"], "When", "Grain of a new lake; hourly schedules want `hour`. It never changes."
    ),
    "languages": Param(
        default("languages", ""),
        type="string",
        pattern="^([a-z]{2,3}(,[a-z]{2,3})*)?$",
        section="Filter",
        description="Languages to keep, as en,es. Empty: all.",
    ),
    "music_preset": choice(
        "music_preset", ["balanced", "precision", "recall"], "Filter", "How readily a tweet counts as music: `recall` drops most."
    ),
    "retweets": choice(
        "retweets", ["fold", "keep", "drop"], "Filter", "Retweets: fold into the original, keep as rows, or drop."
    ),
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
    "name": Param(
        default("name", "tweets"),
        type="string",
        pattern="^[a-z0-9][a-z0-9._-]{0,63}$",
        section="Where",
        description="Name of the dataset.",
    ),
    "split_by": choice(
        "split_by", ["author", "conversation", "id", "time"], "Where", "What may not stand in two splits at once."
    ),
}


def since(dag_run, params) -> str:
    """Where a run starts to read: as asked, else its data interval, else (no logical date) the day before."""
    return _bound(dag_run, params, "since", dag_run.data_interval_start, days=1)


def until(dag_run, params) -> str:
    """Where a run stops to read: as asked, else its data interval, else (no logical date) this day's start."""
    return _bound(dag_run, params, "until", dag_run.data_interval_end, days=0)


def _bound(dag_run, params, name: str, interval, days: int) -> str:
    """Only `search` reads an interval unasked: a file is read whole, and the live sources go on from their cursors."""
    if params[name] or params["source"] != "search":
        return params[name] or ""
    day = dag_run.run_after.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    return (interval or day).strftime("%Y-%m-%dT%H:%M:%SZ")
