"""The bundled sample made large, for benchmarks without real tweets: amplify.py OUT N

Writes N tweets, each a line `{"data": …, "includes": …}`: new ids a few milliseconds apart, one word of the text changed, and
a quarter of the lines repeated from the 20,000 before. The same N gives the same bytes. It is still the sample's few grammars:
real tweets take longer to read and clean.
"""

import gzip
import json
import random
import sys
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "examples/sample/justin-bieber.jsonl.gz"
REPEATED, REACH = 0.25, 20_000
FIRST = 1_400_000_000_000_000_000


def tweets() -> list[dict]:
    """The sample's tweets, each with what its page included for it."""
    found = []
    for line in gzip.open(SAMPLE, "rt", encoding="utf-8"):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        data = value.get("data") if isinstance(value, dict) else None
        for tweet in data if isinstance(data, list) else [data]:
            if isinstance(tweet, dict) and {"id", "text", "author_id"} <= tweet.keys():
                users = [user for user in value.get("includes", {}).get("users", []) if user["id"] == tweet["author_id"]]
                found.append({"data": tweet, "includes": {"users": users}})
    return found


def main(out: str, count: int):
    base, chance, recent, ident = tweets(), random.Random(7), [], FIRST
    with open(out, "w", encoding="utf-8") as file:
        for number in range(count):
            if recent and chance.random() < REPEATED:
                file.write(chance.choice(recent))
                continue
            value = base[number % len(base)]
            ident += chance.randrange(1, 50_000_000)
            words = value["data"]["text"].split(" ")
            words[chance.randrange(len(words))] = chance.choice(base)["data"]["text"].split(" ")[-1]
            tweet = value["data"] | {"id": str(ident), "text": " ".join(words), "edit_history_tweet_ids": [str(ident)]}
            line = json.dumps({**value, "data": tweet}, ensure_ascii=False) + "\n"
            file.write(line)
            if len(recent) < REACH:
                recent.append(line)
            else:
                recent[chance.randrange(REACH)] = line


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
