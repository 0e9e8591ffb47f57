"""Listens without a pause to a live source and feeds the lake that `tweets` works on.

A run listens for as long as `for` says and is followed by the next one, which goes on where it ended: Bluesky's Jetstream is read from
the last event, and the gap in X's stream is filled by search. Every part is committed as it closes, so nothing is lost by ending a run.

Let `tweets` make datasets of it by its schedule: `OFFKEY_SOURCE=lake` in Airflow's environment. Three failures in a row pause this DAG.
"""

import os
from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, Param
from form import PARAMS, default
from runner import DEFAULTS, step

OPTIONS = ["lake", "track", "locations", "max_tweets", "max_spend_usd", "partition_by", "max_reject_rate"]
SOURCE = Param(
    os.environ.get("OFFKEY_COLLECT", "stream"),
    type="string",
    enum=["stream", "bluesky"],
    section="What",
    description="X's stream (it needs X_BEARER_TOKEN) or Bluesky.",
)
FOR = Param(
    default("for", "55m"),
    type="string",
    pattern=r"^(?=.)([0-5]h)?(\d+m)?(\d+s)?$",
    section="When",
    description="How long a run listens, less than six hours, as 55m.",
)

with DAG(
    "collect",
    doc_md=__doc__,
    description="Listen to a live source without a pause",
    schedule="@continuous",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    max_consecutive_failed_dag_runs=3,
    tags=["offkey"],
    params={"source": SOURCE, "for": FOR} | {name: PARAMS[name] for name in OPTIONS},
    default_args=DEFAULTS,
):
    step(
        "listen",
        "ingest",
        options=["source", "for", *OPTIONS],
        execution_timeout=timedelta(hours=6),
        outlets=[Asset("tweets_raw")],
        doc_md="Reads the live source for a while and writes every tweet as one raw line, committed part by part.",
    )
