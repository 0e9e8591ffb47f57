"""Writes the run report: one page that a reviewer opens first, with no network, in light and in dark.

    python great_expectations/report.py LAKE --name tweets --version 0123456789ab --run-id nightly-2026-11-20

It goes to _meta/reports/<run id>/report.html in the lake, beside the Data Docs of the gates. The same lake gives the same
bytes. The last line on stdout is JSON.

exit codes: 0 written · 2 usage · 65 a file is damaged · 66 no such lake or dataset · 70 our bug · 74 storage error (retry) ·
77 credentials
"""

import argparse
import json
import os
import sys
import traceback
import unicodedata
from pathlib import Path
from urllib.parse import quote

import jinja2

import report_facts
import report_plots
from location import Failure, Lake, Missing, checked, name, run_id

HERE = Path(__file__).resolve().parent


def arguments(argv):
    parser = argparse.ArgumentParser(prog="report.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", metavar="LAKE")
    parser.add_argument("--name", type=checked(name), required=True, help="the dataset")
    parser.add_argument("--version", type=checked(name), required=True, help="its version")
    parser.add_argument(
        "--run-id", type=checked(run_id), default=os.environ.get("OFFKEY_RUN_ID"), help="name of this run [env: OFFKEY_RUN_ID]"
    )
    given = parser.parse_args(argv)
    given.run_id = given.run_id or f"report-{given.version}"
    return given


def visible(text):
    """A stranger's text as text: control characters and those that turn the reading direction become signs of themselves."""
    return "".join(character if plain(character) else f"⟨U+{ord(character):04X}⟩" for character in str(text))


def plain(character):
    """Whether a character may be shown as it is; the joiner and the selector of emoji may."""
    return character in "\n\u200d\ufe0f" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")


def number(value):
    return f"{value:,}"


def percent(value):
    """A share as a person reads it: one digit below ten percent, none of false zeros."""
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if 0 < value < 0.995 and 100 * value < 99.95 else f"{100 * value:.0f} %"


def page(facts):
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"combined": lambda first, **more: first | more, "visible": visible, "number": number, "percent": percent, "path": quote}
    return environment.get_template("report.html.j2").render(facts)


def report(given):
    lake = Lake(given.lake)
    if not lake.exists():
        raise Missing(f"{given.lake} is no lake", "run ingest first, or correct the path")
    facts = report_facts.collect(lake, given.name, given.version, given.run_id)
    facts["plots"] = {
        "time": report_plots.over_time(facts["timeline"]),
        "scores": report_plots.scores(facts["scores"]),
    }
    key = f"_meta/reports/{given.run_id}/report.html"
    lake.write(key, page(facts).encode())
    manifest = facts["manifest"]
    return {
        "stage": "report",
        "run_id": given.run_id,
        "consumed": manifest["consumed"],
        "unique": manifest["unique"],
        "kept": manifest["kept"],
        "dataset": given.name,
        "version": given.version,
        "report": lake.url(key),
    }


def main(argv=None):
    given = arguments(argv)
    try:
        told = report(given)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        if failure.hint:
            print(f"hint: {failure.hint}", file=sys.stderr)
        return failure.code
    except Exception as error:
        # The values in a message may be a stranger's words: say where it broke, not with what.
        print(f"error: {type(error).__name__} in the report", file=sys.stderr)
        print("".join(traceback.format_tb(error.__traceback__)), file=sys.stderr)
        return 70
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
