"""Tweets that would do harm, through the whole road, and the pages that come of it opened by a browser: all of it is text."""

import html
import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import lakes
import pytest
from road import QUALITY, Road

sys.path.insert(0, str(QUALITY))

import report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--virtual-time-budget=2000", "--dump-dom",
]  # fmt: skip
KEPT, DROPPED = "Justin Bieber bought a bakery", "listen to the new Justin Bieber song"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: NO PAGE IS OPENED BY A BROWSER")


def tweet(number: int, text: str, canary: str) -> dict:
    """A tweet in X's v1.1 form, with a canary in every field that its author writes."""
    moment = lakes.FIRST_DAY + timedelta(minutes=number)
    user = {"id_str": str(1000 + number), "screen_name": canary, "name": canary, "location": canary, "description": canary}
    entities = {"hashtags": [{"text": canary, "indices": [0, 1]}], "urls": [{"url": "https://t.co/x", "expanded_url": f"https://{canary}", "indices": [0, 1]}]}
    return {
        "id_str": lakes.snowflake(moment, number), "created_at": f"{moment:%a %b %d %H:%M:%S +0000 %Y}", "full_text": f"{canary} {text} {number}",
        "user": user, "entities": entities, "lang": "en", "source": canary, "place": {"full_name": canary, "country": canary},
    }  # fmt: skip


@pytest.fixture(scope="module")
def pages(programs, tmp_path_factory) -> Path:
    """The folder of a run's pages: its gates have passed, and then one has failed."""
    folder = tmp_path_factory.mktemp("canaries")
    tweets = [tweet(i, text, canary) for i, (text, canary) in enumerate((t, c) for t in (KEPT, DROPPED) for c in lakes.CANARIES)]
    (folder / "tweets.jsonl").write_text("".join(json.dumps(one) + "\n" for one in tweets))
    road = Road(programs, folder / "lake", OFFKEY_RUN_ID="canaries", OFFKEY_TRACK=f"Justin Bieber,{lakes.CANARIES[0]}")
    road.drive([folder / "tweets.jsonl"])
    pointer = f"_meta/clean/dt={lakes.partition_name(0)}.json"
    assert road.json(pointer)["kept"] == road.json(pointer)["dropped"]["music"] == len(lakes.CANARIES)
    lakes.edit(folder / "lake", pointer, lambda value: value.update(kept=7, fingerprint="f" * 64))
    road.check("clean", code=65)
    return folder / "lake/_meta/reports/canaries"


def opened(page: Path, folder: Path) -> str:
    """A page as the browser has it when all that would run has run."""
    words = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}/profile", page.as_uri()]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.parametrize("canary", lakes.CANARIES[:2])
def test_a_browser_would_run_them(canary, tmp_path):
    (tmp_path / "page.html").write_text(f"<title>quiet</title>{canary}")
    assert "<title>canary-ran</title>" in opened(tmp_path / "page.html", tmp_path)


def test_the_report_shows_them_as_text(pages, tmp_path):
    said = opened(pages / "report.html", tmp_path)
    assert "<title>sample" in said and "run report</title>" in said
    for canary in lakes.CANARIES:
        assert said.count(html.escape(report.visible(canary), quote=False)) >= 2, "kept and dropped"
    assert "<script" not in said and "<img" not in said and "<h1>canary" not in said and "1337" not in said and "\x1b" not in said


def test_data_docs_know_none_of_them(pages, tmp_path):
    found = sorted((pages / "data_docs").rglob("clean_partitions/**/*.html"))
    for page in [pages / "data_docs/index.html", *found]:
        said = opened(page, tmp_path)
        assert "canary" not in said and "<script" not in said, page
    assert any("Failed" in page.read_text() for page in found)
