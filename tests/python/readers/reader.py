"""Somebody's DAG that runs whenever `tweets` has published a new version of the dataset."""

from datetime import datetime

from airflow.sdk import DAG, Asset, task

DATASET = Asset("tweets_dataset")

with DAG("reader", schedule=[DATASET], start_date=datetime(2026, 1, 1)):

    @task(inlets=[DATASET])
    def read(triggering_asset_events=None) -> str:
        """The version that was published: see the summary of `promote` for what else an event tells."""
        return triggering_asset_events[DATASET][-1].extra["version"]

    read()
