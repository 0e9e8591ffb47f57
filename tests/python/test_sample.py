"""The bundled sample is what its generator writes, is valid in itself, and names nobody."""

import codecs
import gzip
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATOR = ROOT / "examples" / "sample" / "generate.py"
BUNDLED = ROOT / "examples" / "sample" / "justin-bieber.jsonl.gz"
COUNT = ROOT / "tests" / "python" / "count.py"
INVENTED = re.compile(r"[a-z]{2,7}\d{0,2}_notreal")
ESCAPE = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}


def run(*arguments):
    done = subprocess.run([sys.executable, *map(str, arguments)], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(the generator's own counts, its output, its labels)"""
    folder = tmp_path_factory.mktemp("sample")
    counts, = run(GENERATOR, "--output", folder / "sample.jsonl", "--labels", folder / "labels.jsonl")
    labels = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]
    return counts, (folder / "sample.jsonl").read_bytes(), labels


@pytest.fixture(scope="module")
def lines():
    """Every line of the bundled sample that is JSON."""
    found = []
    for line in gzip.decompress(BUNDLED.read_bytes()).decode().split("\n"):
        try:
            found.append(json.loads(line))
        except ValueError:
            pass
    return found


def delivered(line):
    data = line.get("data", [])
    return [tweet for tweet in (data if isinstance(data, list) else [data]) if "id" in tweet]


@pytest.fixture(scope="module")
def tweets(lines):
    """Every tweet in the bundled sample, delivered or included, each copy."""
    found = [tweet for line in lines for tweet in delivered(line) + line.get("includes", {}).get("tweets", [])]
    assert len(found) > 2000
    return found


def test_the_bundled_file_is_what_the_generator_writes(made):
    assert gzip.decompress(BUNDLED.read_bytes()) == made[1]


def test_the_referee_counts_what_the_generator_wrote(made):
    counted, = run(COUNT, BUNDLED)
    truth = made[0]
    assert (counted["consumed"], counted["unique"], counted["bad"]) == (truth["consumed"], truth["unique"], truth["malformed"])
    assert counted["notices"] == truth["notices"]
    assert made[1].count(b"\n") == truth["lines"] + truth["blank_lines"]


def test_every_delivered_tweet_has_one_label(made, lines):
    assert {label["id"] for label in made[2]} == {tweet["id"] for line in lines for tweet in delivered(line)}
    assert len(made[2]) == made[0]["unique"]
    assert 0.40 < sum(label["music"] for label in made[2]) / len(made[2]) < 0.50
    assert len({label["lang"] for label in made[2]}) >= 10


def test_the_time_in_the_id_is_created_at(tweets):
    for tweet in tweets:
        seconds = ((int(tweet["id"]) >> 22) + 1288834974657) // 1000
        assert datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z") == tweet["created_at"]


def test_entities_cut_their_own_words_out_of_the_text(tweets):
    kinds = set()
    for tweet in tweets:
        for part in (tweet, tweet.get("note_tweet", {})):
            for kind, items in part.get("entities", {}).items():
                kinds.add(kind)
                for item in items:
                    prefix, name = {"hashtags": ("#", "tag"), "mentions": ("@", "username"), "cashtags": ("$", "tag"), "urls": ("", "url")}[kind]
                    assert part["text"][item["start"]:item["end"]] == prefix + item[name]
    assert kinds == {"hashtags", "mentions", "cashtags", "urls"}


def test_no_text_is_longer_than_its_form_allows(tweets):
    for tweet in tweets:
        plain = re.sub("&(amp|lt|gt);", lambda match: ESCAPE[match[0]], tweet["text"])
        retweet = any(other["type"] == "retweeted" for other in tweet.get("referenced_tweets", []))
        assert len(plain) <= (140 if retweet else 280)
        assert retweet == tweet["text"].startswith("RT @")


def test_counts_of_a_tweet_never_shrink_from_one_copy_to_the_next(lines):
    last = {}
    for tweet in (tweet for line in lines for tweet in delivered(line)):
        before = last.get(tweet["id"], {})
        assert all(tweet["public_metrics"][name] >= count for name, count in before.items())
        last[tweet["id"]] = tweet["public_metrics"]


def test_nobody_in_the_sample_exists(lines, tweets):
    users = [user for line in lines for user in line.get("includes", {}).get("users", [])]
    assert all("(synthetic)" in user["name"] for user in users)
    named = {user["username"] for user in users}
    for tweet in tweets:
        named |= set(re.findall(r"@(\w+)", tweet["text"]))
        for url in tweet.get("entities", {}).get("urls", []):
            assert re.fullmatch(r"https://(\w+\.example\.(com|org|net)/\w+|x\.com/\w+_notreal/status/\d+|x\.com/i/web/status/\d+)", url["expanded_url"])
    assert {name for name in named if not INVENTED.fullmatch(name)} == set()


TWEET = {"id": 1346889436626259968, "id_str": "1346889436626259968", "text": "ねえ 👩🏽‍💻", "lang": "ja"}
OTHER = {"id": "1346889436626259969", "text": "b"}


@pytest.mark.parametrize("name, data, consumed, unique, bad", [
    ("lines", b'{"id":"1","text":"a"}\r\n\r\n{"id":"1","text":"a"}\r\n', 2, 1, 0),
    ("page", json.dumps({"data": [TWEET, OTHER, {"id": "3"}], "includes": {"tweets": [OTHER]}}).encode(), 2, 2, 1),
    ("statuses", json.dumps({"statuses": [TWEET, TWEET], "search_metadata": {}}).encode(), 2, 1, 0),
    ("pretty", (json.dumps(TWEET, indent=2) + "\n" + json.dumps(OTHER, indent=2)).encode(), 2, 2, 0),
    ("array", json.dumps([TWEET, OTHER, 7], indent=1).encode(), 2, 2, 1),
    ("utf-16", codecs.BOM_UTF16_LE + (json.dumps(TWEET, ensure_ascii=False) + "\r\n").encode("utf-16-le"), 1, 1, 0),
    ("two on a line", (json.dumps(TWEET) + json.dumps(OTHER) + "\n").encode(), 0, 0, 1),
    ("cut", (json.dumps(TWEET)[:30] + "\n" + json.dumps(OTHER)).encode(), 1, 1, 1),
    ("float id", b'{"id":1.3468894366262600e18,"text":"a"}', 0, 0, 1),
    ("not utf-8", b'{"id":"1","text":"a\xff"}\n{"id":"2","text":"b"}', 1, 1, 1),
    ("members", gzip.compress(b'{"id":"1","text":"a"}\n') + gzip.compress(b'{"id":"2","text":"a"}\n'), 2, 2, 0),
])
def test_the_referee_reads_every_form(tmp_path, name, data, consumed, unique, bad):
    (tmp_path / "file").write_bytes(data)
    counted, = run(COUNT, tmp_path / "file")
    assert (counted["consumed"], counted["unique"], counted["bad"]) == (consumed, unique, bad), name
