"""Tweets in, a dataset without music out, with a gate after every stage.

    ingest ≫ gate ≫ plan ≫ clean (mapped) ≫ gate ≫ featurize ≫ gate ≫ promote, report

Everything but `ingest` looks at the whole lake and does what is not done yet, so a run may be repeated, killed, backfilled in any
order or run beside another. A step with *nothing to do* shows as skipped and the road goes on, for an earlier run may have left
work; a failed gate ends it, and the dataset that people read stays as it was.
"""

import os
from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, chain
from form import PARAMS, begin, default, since, until
from runner import DEFAULTS, step

SOURCE = ["source", "lake", "input", "track", "locations", "archive", "for"]
SOURCE += ["max_tweets", "max_spend_usd", "partition_by", "max_reject_rate"]
FILTER = ["lake", "languages", "retweets", "pseudonymise"]
FILTER += ["music_preset", "music_threshold", "no_music_concerts", "music_fan_votes", "profile", "lexicon"]
DATASET = ["lake", "name", "since", "until", "split_by", "split", "cuts", "near_copies", "drop_near_copies"]
DATASET += ["hash_bits", "tfidf", "compression"]
RUN = {"run_id": "{{ run_id }}"}
VERSION = {"name": "{{ params.name }}", "version": "{{ ti.xcom_pull('featurize')['version'] }}"}
PLACE = "{{ params.lake }}/datasets/{{ params.name }}/" + VERSION["version"]

with DAG(
    "tweets",
    doc_md=__doc__,
    description="Search tweets, take music out, publish a gated dataset",
    schedule=CronDataIntervalTimetable(os.environ.get("OFFKEY_SCHEDULE", "0 0 * * *"), timezone="UTC"),
    start_date=datetime.fromisoformat(os.environ.get("OFFKEY_START", "2026-01-01")),
    catchup=default("catchup", False),  # the past costs money: set this, or ask for it with `airflow backfill create`
    max_active_runs=2,
    dagrun_timeout=timedelta(days=1),
    tags=["offkey"],
    params=PARAMS,
    user_defined_macros={"since": since, "until": until},
    default_args=DEFAULTS,
):
    ingest = step(
        "ingest",
        "ingest",
        options=SOURCE,
        flags={"since": "{{ since(dag_run, params) }}", "until": "{{ until(dag_run, params) }}"},
        execution_timeout=timedelta(hours=6),
        begin=begin,
        doc_md="Reads the source and writes every tweet as one raw line. What was paid for is committed as it comes.",
    )
    gate_raw = step(
        "gate_raw", "quality", "check.py", "raw", "{{ params.lake }}", flags=RUN, outlets=[Asset("tweets_raw")],
        doc_md="Great Expectations on raw partitions that have no verdict yet: parse rate, ids, clock, languages, duplicates.",
    )  # fmt: skip
    plan = step(
        "plan", "clean", "plan", options=FILTER, flags={"batches": os.environ.get("OFFKEY_BATCHES", "16"), "gated": True},
        take="batches", doc_md="Lists the partitions that passed and whose clean result is missing or stale, in OFFKEY_BATCHES batches.",
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
        "featurize", "featurize", options=DATASET, flags={"gated": True},
        retries=8,  # a result of a run beside this one may not be judged yet
        doc_md="Merges the lake's clean results, makes features, splits them and writes a dataset version.",
    )  # fmt: skip
    gate_dataset = step(
        "gate_dataset", "quality", "check.py", "dataset", "{{ params.lake }}", flags=VERSION | RUN, trigger_rule="all_success",
        doc_md="Great Expectations on the dataset version: types, ranges, split shares, leakage, balance.",
    )  # fmt: skip
    promote = step(
        "promote", "featurize", "promote", PLACE, flags={"gated": True, "fresh": True}, trigger_rule="all_success",
        outlets=[Asset("tweets_dataset")],
        doc_md="Moves `current.json` to the version, unless a run beside this one has more. An older one, by hand, is the rollback.",
    )  # fmt: skip
    report = step(
        "report", "quality", "report.py", "{{ params.lake }}", flags=VERSION | RUN, trigger_rule="all_done_min_one_success",
        doc_md="Writes the run's report, one HTML file. Also when the gate refused the version: then it says why.",
    )  # fmt: skip

    chain(ingest, gate_raw, plan, clean, gate_clean, featurize, gate_dataset, promote)
    # Not after `promote`: a run fails by its last steps, and the report is written after a failed gate too.
    [featurize, gate_dataset] >> report
