"""Tweets of the tests' own, a few for every hour of some days, and the double of X's API over them."""

import json
import subprocess
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

TOKEN = "offkey-test-token"
TOPICS = [
    "Justin Bieber and the rain, day {n}",
    "listening to the new Justin Bieber song again, number {n} 🎵",
    "my dog is called Justin Bieber and so is his {n}th bone",
    "Justin Bieber was seen at the bakery, order {n}",
    "tickets for the Justin Bieber concert in row {n}!",
    "ayer vi a Justin Bieber en la calle {n} con su perro",
]


def corpus(file: Path, first: datetime, days: int, an_hour: int = 2):
    """Writes v2 lines of `days` days from `first` on (with its time zone). Every tenth is a retweet of the one before."""
    lines, before = [], None
    for number in range(days * 24 * an_hour):
        at = first + timedelta(hours=number / an_hour, seconds=7 * (number % 60))
        milliseconds = int(at.timestamp() * 1000)
        tweet = {
            "id": str((milliseconds - 1288834974657) << 22 | number),
            "text": TOPICS[number % len(TOPICS)].format(n=number),
            "author_id": str(100 + number % 17),
            "created_at": f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z",
            "lang": "es" if number % len(TOPICS) == 5 else "en",
        }
        author = {"id": tweet["author_id"], "username": f"notreal_{tweet['author_id']}", "name": "Not Real"}
        line = {"data": tweet, "includes": {"users": [author]}}
        if number % 10 == 9:
            tweet["text"] = f"RT @notreal_{before['author_id']}: {before['text']}"
            tweet["referenced_tweets"] = [{"type": "retweeted", "id": before["id"]}]
            line["includes"]["tweets"] = [before]
        before = tweet
        lines.append(json.dumps(line) + "\n")
    file.write_text("".join(lines))


def by_day(file: Path, folder: Path):
    """Deals the tweets of a corpus out to a file a day, `2026-01-05.jsonl` and so on."""
    for line in file.read_text().splitlines(keepends=True):
        with (folder / f"{json.loads(line)['data']['created_at'][:10]}.jsonl").open("a") as out:
            out.write(line)


@contextmanager
def serving(programs: Path, *words: str):
    """Starts the double and gives its address. All of the corpus is in the past unless `--live` says otherwise."""
    server = subprocess.Popen([programs / "x-server", "--no-limits", *map(str, words)], stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        assert line.startswith("listening on "), line
        yield line.split()[-1]
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
