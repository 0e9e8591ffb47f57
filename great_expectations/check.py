"""One gate, one command: looks at what a stage has left in the lake and writes a verdict for each result.

    python great_expectations/check.py raw LAKE
    python great_expectations/check.py clean s3://bucket/lake --run-id nightly-2026-11-20
    python great_expectations/check.py dataset LAKE --name tweets --version 0123456789ab

LAKE is a folder or s3://bucket/prefix (AWS_ENDPOINT_URL, AWS_REGION and the AWS keys are honoured). What has a passing
verdict is not looked at again. A failed critical expectation fails the verdict; a failed warning is listed in it.
The verdicts lie in _meta/gates/, the pages to read in _meta/reports/<run id>/data_docs/. The last line on stdout is JSON.

exit codes: 0 passed · 2 usage · 65 a gate failed, or a file is damaged · 66 no such lake or dataset · 70 our bug ·
74 storage error (retry) · 77 credentials
"""

import argparse
import contextlib
import gc
import importlib.util
import json
import logging
import os
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pyarrow

import clean_gate
import dataset_gate
import raw_gate
from evidence import undecided
from location import Failure, Lake, Missing, checked, each, name, run_id

HERE = Path(__file__).resolve().parent


def arguments(argv):
    parser = argparse.ArgumentParser(prog="check.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gate", choices=["raw", "clean", "dataset"])
    parser.add_argument("lake", metavar="LAKE")
    parser.add_argument("--name", type=checked(name), help="the dataset (gate dataset)")
    parser.add_argument("--version", type=checked(name), help="its version (gate dataset)")
    parser.add_argument(
        "--run-id", type=checked(run_id), default=os.environ.get("OFFKEY_RUN_ID"), help="name of this run [env: OFFKEY_RUN_ID]"
    )
    given = parser.parse_args(argv)
    if given.gate == "dataset" and not (given.name and given.version):
        parser.error("the gate dataset wants --name and --version")
    if given.run_id is None:
        given.run_id = f"gate-{given.gate}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    return given


def collect(lake, given):
    if given.gate == "raw":
        return raw_gate.collect(lake, given.run_id)
    if given.gate == "clean":
        return clean_gate.collect(lake, given.run_id)
    return dataset_gate.collect(lake, given.name, given.version)


def judge(evidence, folder):
    """Runs the checkpoint of every table and builds Data Docs in `folder`. Returns how many expectations were evaluated,
    and the failed ones as (suite, expectation, column, severity, labels); labels are `None` where all rows are meant."""
    os.environ.update(OFFKEY_GATE_FOLDER=str(folder), GX_ANALYTICS_ENABLED="false", DO_NOT_TRACK="1")
    gx = great_expectations()
    context = gx.get_context(mode="file", context_root_dir=HERE)
    run, evaluated, failed = gx.RunIdentifier(run_name=evidence.gate), 0, []
    for suite, frame in evidence.tables.items():
        outcome = context.checkpoints.get(suite).run(batch_parameters={"dataframe": frame}, run_id=run)
        for result in (r for validation in outcome.run_results.values() for r in validation.results):
            evaluated += 1
            if not result.success:
                failed.append((suite, *described(result.expectation_config), labels(result, frame.index.name)))
    pages(context)
    return evaluated, failed


def great_expectations():
    """Great Expectations. It takes seconds to start, two fifths of which are saved here: no expectation of ours asks for
    statistics by scipy, and of what a library makes when it starts nothing is garbage. Only who has something to judge pays the rest."""
    lazily("scipy.stats")
    gc.disable()
    import great_expectations as gx

    gc.freeze()
    gc.enable()
    return gx


def lazily(name):
    """Has a module loaded when something of it is first asked for."""
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, module)
    spec.loader.exec_module(module)


def pages(context):
    """Builds Data Docs of everything in the gate's folder."""
    context.build_data_docs()


def described(config):
    kwargs = config.kwargs
    column = kwargs.get("column") or f"{kwargs['column_A']}, {kwargs['column_B']}"
    return config.type, column, config.severity.value


def labels(result, index):
    """The labels of the rows that failed. An expectation that could not be evaluated failed for all."""
    found = result.result.get("partial_unexpected_index_list") or []
    return sorted({label for entry in found for label in entry[index]}) or None


def verdicts(evidence, evaluated, failed, given, docs):
    """Fingerprint → verdict."""
    found = {
        fingerprint: {
            "gate": evidence.gate,
            "fingerprint": fingerprint,
            **about,
            "success": True,
            "run_id": given.run_id,
            "evaluated": evaluated,
            "failed": [],
            "docs": docs,
        }
        for fingerprint, about in evidence.subjects.items()
    }
    for suite, expectation, column, severity, rows in failed:
        spoken_for = {f for row in rows for f in evidence.speaks_for(suite, row)} if rows else set(found)
        for fingerprint in spoken_for:
            verdict = found[fingerprint]
            verdict["failed"].append({"expectation": expectation, "column": column, "severity": severity, "suite": suite})
            verdict["success"] &= severity != "critical"
    return found


def summary(given, evidence, evaluated, failed, success, docs):
    return {
        "stage": "gate",
        "gate": evidence.gate,
        "run_id": given.run_id,
        "success": success,
        "evaluated": evaluated,
        "judged": len(evidence.subjects),
        "failed": [
            {"expectation": e, "column": c, "severity": s, "suite": suite, "rows": (rows or ["all"])[:5], "of": len(rows or [])}
            for suite, e, c, s, rows in failed
        ],
        "docs": docs,
    }


def fetch(lake, prefix, folder):
    """Brings what earlier gates of this run have left, so that their pages stand beside ours."""
    for part in ("validations", "data_docs/validations", "data_docs/expectations"):
        for key in lake.keys(f"{prefix}/{part}/"):
            target = folder / key.removeprefix(f"{prefix}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(lake.read(key))


def publish(lake, prefix, folder):
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and "static" not in path.parts]
    each(lambda path: lake.write(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes()), files)


def check(given):
    """Collects, judges, publishes. Returns the summary."""
    started = time.monotonic()
    lake = Lake(given.lake)
    if not lake.exists():
        raise Missing(f"{given.lake} is no lake", "run ingest first, or correct the path")
    evidence = collect(lake, given)
    prefix = f"_meta/reports/{given.run_id}"
    docs = lake.url(f"{prefix}/data_docs/index.html")
    if not any(len(table) for table in evidence.tables.values()):
        say("nothing to judge: no result is without a passing verdict")
        return summary(given, evidence, 0, [], True, None)

    pyarrow.default_memory_pool().release_unused()
    say(f"{len(evidence.subjects)} to judge, evidence collected in {time.monotonic() - started:.1f} s")
    with tempfile.TemporaryDirectory(prefix="offkey-gate-") as folder:
        folder = Path(folder)
        fetch(lake, prefix, folder)
        with contextlib.redirect_stdout(sys.stderr):
            evaluated, failed = judge(evidence, folder)
        publish(lake, prefix, folder)
    found = verdicts(evidence, evaluated, failed, given, docs)
    # What a run beside this one has passed meanwhile stays as it is, so that no two write one verdict.
    each(
        lambda f: lake.write(f"_meta/gates/{evidence.gate}/{f}.json", json.dumps(found[f], indent=1).encode() + b"\n"),
        undecided(lake, evidence.gate, list(found)),
    )
    # A run that left nothing in any partition is judged too, and has no verdict to fail.
    success = all(severity != "critical" for *_, severity, _ in failed)
    say(f"{evaluated} expectations evaluated, done in {time.monotonic() - started:.1f} s")
    return summary(given, evidence, evaluated, failed, success, docs)


def say(message):
    print(message, file=sys.stderr)


def main(argv=None):
    given = arguments(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        told = check(given)
    except Failure as failure:
        say(f"error: {failure}")
        if failure.hint:
            say(f"hint: {failure.hint}")
        return failure.code
    except Exception as error:
        # The values in a message may be a stranger's words: say where it broke, not with what.
        say(f"error: {type(error).__name__} in the gate {given.gate}")
        say("".join(traceback.format_tb(error.__traceback__)))
        return 70
    for failure in told["failed"]:
        say(
            f"{failure['severity']}: {failure['suite']}: {failure['expectation']} of {failure['column']} ({', '.join(failure['rows'])})"
        )
    if not told["success"]:
        say(f"error: the gate {given.gate} failed")
        say(f"hint: read {told['docs']}; a bound that is wrong for your data is changed in great_expectations/thresholds.json")
    print(json.dumps(told))
    return 0 if told["success"] else 65


if __name__ == "__main__":
    sys.exit(main())
