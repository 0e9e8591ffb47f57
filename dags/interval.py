"""Which time a run is about."""

from __future__ import annotations

from datetime import datetime, timedelta


def start(dag_run) -> datetime:
    """The start of a run's data interval; without one (no logical date) that of the day before the run."""
    return dag_run.data_interval_start or _midnight(dag_run) - timedelta(days=1)


def end(dag_run) -> datetime:
    """The first moment after a run's data interval; without one this day's start."""
    return dag_run.data_interval_end or _midnight(dag_run)


def _midnight(dag_run) -> datetime:
    return dag_run.run_after.replace(hour=0, minute=0, second=0, microsecond=0)


def filled(path: str, dag_run) -> str:
    """A path with `{day}` (2026-11-20) and `{hour}` (2026-11-20T08) replaced by the start of the run's interval."""
    if "{day}" not in path and "{hour}" not in path:
        return path
    begin = start(dag_run)
    return path.replace("{day}", f"{begin:%Y-%m-%d}").replace("{hour}", f"{begin:%Y-%m-%dT%H}")
