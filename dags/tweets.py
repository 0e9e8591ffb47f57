"""Tweets in, a dataset without music out, with a gate after every stage.

    ingest ≫ gate ≫ plan ≫ clean (mapped) ≫ gate ≫ featurize ≫ gate ≫ promote, report

Everything but `ingest` looks at the whole lake and does what is not done yet, so a run may be repeated, killed, backfilled in any
order or run beside another. A step with *nothing to do* shows as skipped and the road goes on, for an earlier run may have left
work; a failed gate ends it, and the dataset that people read stays as it was.
"""

import os
from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, chain
from form import PARAMS, since, until
from runner import explain, step

BATCHES = os.environ.get("OFFKEY_BATCHES", "16")
FILTER = ["lake", "languages", "music_preset", "retweets"]
RUN = {"run_id": "{{ run_id }}"}
VERSION = {"name": "{{ params.name }}", "version": "{{ ti.xcom_pull('featurize')['version'] }}"}
DATASET = "{{ params.lake }}/datasets/{{ params.name }}/" + VERSION["version"]

with DAG(
    "tweets",
    doc_md=__doc__,
    description="Search tweets, take music out, publish a gated dataset",
    schedule=CronDataIntervalTimetable(os.environ.get("OFFKEY_SCHEDULE", "0 0 * * *"), timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,  # the past costs money: ask for it with `airflow backfill create`
    max_active_runs=2,
    tags=["offkey"],
    params=PARAMS,
    user_defined_macros={"since": since, "until": until},
    default_args={
        "owner": "offkey",
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=1),
        "on_failure_callback": explain,
        "trigger_rule": "none_failed",  # a skipped step had nothing to do
    },
):
    ingest = step(
        "ingest",
        "ingest",
        options=["source", "lake", "input", "track", "for", "max_tweets", "max_spend_usd", "partition_by", "max_reject_rate"],
        flags={"since": "{{ since(dag_run, params) }}", "until": "{{ until(dag_run, params) }}"},
        execution_timeout=timedelta(hours=6),
        doc_md="Reads the source and writes every tweet as one raw line. What was paid for is committed as it comes.",
    )
    gate_raw = step(
        "gate_raw", "quality", "check.py", "raw", "{{ params.lake }}", flags=RUN, outlets=[Asset("tweets_raw")],
        doc_md="Great Expectations on raw partitions that have no verdict yet: parse rate, ids, clock, languages, duplicates.",
    )  # fmt: skip
    plan = step(
        "plan", "clean", "plan", options=FILTER, flags={"batches": BATCHES}, take="batches",
        doc_md="Lists the partitions whose clean result is missing or stale, in at most OFFKEY_BATCHES batches.",
    )  # fmt: skip
    clean = step(
        "clean", "clean", options=FILTER, flags={"gated": True}, each=plan.output.map(lambda batch: {"partition": batch}),
        doc_md="Gives each tweet of a batch its one fate: duplicate, deleted, retweet, edited, language, music, or kept.",
    )  # fmt: skip
    gate_clean = step(
        "gate_clean", "quality", "check.py", "clean", "{{ params.lake }}", flags=RUN, outlets=[Asset("tweets_clean")],
        doc_md="Great Expectations on new clean results: schema, uniqueness, empty text, music left, the ledger.",
    )  # fmt: skip
    featurize = step(
        "featurize", "featurize", options=["lake", "name", "since", "until", "split_by"], flags={"gated": True},
        doc_md="Merges the lake's clean results, makes features, splits them and writes a dataset version.",
    )  # fmt: skip
    gate_dataset = step(
        "gate_dataset", "quality", "check.py", "dataset", "{{ params.lake }}", flags=VERSION | RUN, trigger_rule="all_success",
        doc_md="Great Expectations on the dataset version: types, ranges, split shares, leakage, balance.",
    )  # fmt: skip
    promote = step(
        "promote", "featurize", "promote", DATASET, flags={"gated": True}, trigger_rule="all_success",
        outlets=[Asset("tweets_dataset")],
        doc_md="Moves `current.json` to the version. Promoting an older version by hand is the rollback.",
    )  # fmt: skip
    report = step(
        "report", "quality", "report.py", "{{ params.lake }}", flags=VERSION | RUN, trigger_rule="all_done_min_one_success",
        doc_md="Writes the run's report, one HTML file. Also when the gate refused the version: then it says why.",
    )  # fmt: skip

    chain(ingest, gate_raw, plan, clean, gate_clean, featurize, gate_dataset, promote)
    # Not after `promote`: a run fails by its last steps, and the report is written after a failed gate too.
    [featurize, gate_dataset] >> report
