#!/usr/bin/env python3
"""Write the bundled sample: about 2,000 synthetic tweets around "Justin Bieber", in the wire form of the X API v2.

    python3 generate.py                          # justin-bieber.jsonl.gz beside this file
    python3 generate.py --output sample.jsonl    # plain, or gzip if the name ends in .gz
    python3 generate.py --labels labels.jsonl    # also the truth: {"id", "music": 0|1, "lang"} a line

No person wrote these tweets and no account in them exists: every username ends in `_notreal`. The output depends on
the seed alone, to the byte. The true counts of the file are printed as one line of JSON.
"""

import argparse
import datetime as dt
import gzip
import html
import json
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

from sentences import CHAINS, CLOSERS, EMOJI, EMOJI_BY_KIND, HASHTAGS, HASHTAGS_BY_KIND, OPENERS, SHARED, SLOTS, TOPICS

EPOCH = 1288834974657  # ms; the first moment of the snowflake clock
HOUR = 3_600_000
START = int(dt.datetime(2026, 11, 8, tzinfo=dt.UTC).timestamp()) * 1000
DAYS = 7
SINGER = "jbieber_notreal"
# Share of each language among the original texts, in per cent.
SHARES = {"en": 45, "es": 12, "pt": 9, "id": 6, "ja": 5, "fr": 5, "de": 4, "it": 3, "tr": 3, "nl": 3, "ar": 3, "ko": 2}
PLATFORM_CODE = {"id": "in"}  # the old ISO code, as X still writes it
PROFANE = re.compile(r"bullshit|\bshit|damn|f\*ck|mierda|porra|putain|Scheiß|cazzo|\bkut\b", re.IGNORECASE)
PLACES = [  # name, country, code, west, south, east, north
    ("Toronto", "Canada", "CA", -79.64, 43.58, -79.12, 43.86), ("Stratford", "Canada", "CA", -81.03, 43.34, -80.93, 43.39),
    ("Madrid", "Spain", "ES", -3.89, 40.31, -3.52, 40.64), ("São Paulo", "Brazil", "BR", -46.83, -24.01, -46.37, -23.36),
    ("Jakarta", "Indonesia", "ID", 106.69, -6.37, 106.97, -6.08), ("Osaka", "Japan", "JP", 135.37, 34.59, 135.6, 34.77),
    ("Paris", "France", "FR", 2.22, 48.82, 2.47, 48.9), ("Berlin", "Germany", "DE", 13.09, 52.34, 13.76, 52.68),
    ("Istanbul", "Türkiye", "TR", 28.6, 40.8, 29.4, 41.3), ("Rotterdam", "Netherlands", "NL", 4.38, 51.86, 4.6, 51.99),
]
LOCATIONS = [None, None, None, "Toronto, Ontario", "somewhere", "Madrid", "SP, Brasil", "Jakarta", "大阪", "Earth 🌍", "Paris & Lyon", "İstanbul", "she/her"]
STEMS = ["otter", "maple", "puck", "fern", "tulip", "koala", "pixel", "comet", "lemon", "waffl", "cloud", "piano", "moose", "panda", "tiger",
         "river", "olive", "robin", "acorn", "daisy", "mango", "sunny", "quilt", "zebra", "berry", "storm", "plum", "vinyl", "noodl", "velvt"]
ENTITIES = (  # entity kind, pattern, name of its value; offsets are code points of the escaped text
    ("hashtags", re.compile(r"(?<![\w&])#(\w*[^\W\d]\w*)"), "tag"),
    ("mentions", re.compile(r"(?<!\w)@([a-z0-9_]+)"), "username"),
    ("cashtags", re.compile(r"(?<!\w)\$([A-Z]{2,6})\b"), "tag"),
    ("urls", re.compile(r"https://t\.co/\w{10}"), "url"),
)


@dataclass
class Author:
    id: str
    username: str
    lang: str
    wire: dict


@dataclass
class Tweet:
    id: int
    author: Author
    lang: str
    music: bool
    text: str  # unescaped
    urls: dict = field(default_factory=dict)  # short -> expanded
    refs: list = field(default_factory=list)  # (type, Tweet)
    lost: bool = False  # gone from the platform: never in includes
    history: list = field(default_factory=list)  # ids of this version and the ones before it
    note: str | None = None
    place: tuple | None = None
    point: bool = False
    sensitive: bool = False
    platform_lang: str = "en"
    fame: int = 1  # likes in the end

    @property
    def ms(self):
        return (self.id >> 22) + EPOCH

    def of(self, kind):
        return next((tweet for name, tweet in self.refs if name == kind), None)

    @property
    def root(self):
        parent = self.of("replied_to")
        return parent.root if parent else self


class Dice:
    """Random draws made of `Random.random` alone, the one method whose sequence Python promises to keep."""

    def __init__(self, seed):
        self.random = random.Random(seed).random
        self.decks = {}

    def below(self, n):
        return int(self.random() * n)

    def chance(self, per_cent):
        return self.random() * 100 < per_cent

    def pick(self, items):
        return items[self.below(len(items))]

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items

    def deal(self, name, items):
        """A card from the named deck; no card comes twice before all came once."""
        deck = self.decks.get(name)
        if not deck:
            deck = self.decks[name] = self.shuffled(items)
        return deck.pop()

    def word(self, length, alphabet="abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"):
        return "".join(self.pick(alphabet) for _ in range(length))

    def heavy(self, scale, limit):
        """A number with a long tail: mostly near `scale`, now and then up to `limit`."""
        return min(limit, int(scale / (1 - self.random()) - scale))


def snowflake(ms, low):
    return (ms - EPOCH) << 22 | low


def iso(ms):
    return dt.datetime.fromtimestamp(ms // 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class World:
    """Everything that was said in the invented week."""

    def __init__(self, seed):
        self.dice = Dice(seed)
        self.authors = self.make_authors(700)
        self.singer = self.make_author(SINGER, "en", followers=4_000_000, verified="blue")
        self.by_id = {author.id: author for author in [*self.authors, self.singer]}
        self.by_name = {author.username: author for author in self.by_id.values()}
        self.tweets = []
        self.originals = []
        older = [self.say(self.language(), START - HOUR * (6 + self.dice.below(60))) for _ in range(24)]
        self.make_originals(1200)
        self.make_long_posts(22)
        self.make_answers(170)
        self.make_chains()
        self.make_near_copies(48)
        self.make_edits(26)
        self.make_retweets(older, 345)
        self.tweets.sort(key=lambda tweet: tweet.id)

    # ---- people
    def make_author(self, username, lang, followers, verified):
        dice = self.dice
        born = START - HOUR * 24 * (200 + dice.below(3300)) + dice.below(HOUR)
        wire = {
            "id": str(snowflake(born, dice.below(1 << 22))), "username": username,
            "name": f"{username.split('_')[0].capitalize()} (synthetic) {dice.pick(['', '', '🎧', '🍁', '💜'])}".strip(),
            "created_at": iso(born), "verified": verified is not None, "verified_type": verified or "none",
            "public_metrics": {"followers_count": followers, "following_count": dice.heavy(150, 5000),
                               "tweet_count": 1 + dice.heavy(900, 250_000), "listed_count": followers // 400},
        }
        location = dice.pick(LOCATIONS)
        if location:
            wire["location"] = location
        return Author(wire["id"], username, lang, wire)

    def make_authors(self, count):
        dice, names, authors = self.dice, set(), []
        langs = [lang for lang, share in SHARES.items() for _ in range(share)]
        while len(authors) < count:
            name = f"{dice.pick(STEMS)}{dice.below(100)}_notreal"
            if name in names:
                continue
            names.add(name)
            verified = "business" if dice.chance(1) else "blue" if dice.chance(12) else None
            authors.append(self.make_author(name, langs[len(authors) % len(langs)], dice.heavy(120, 900_000), verified))
        return authors

    def author(self, lang):
        """Somebody who writes in `lang`; few write much, most write once."""
        group = [author for author in self.authors if author.lang == lang]
        draw = self.dice.random()
        return group[int(len(group) * draw * draw)]

    def language(self):
        return self.dice.deal("language", [lang for lang, share in SHARES.items() for _ in range(share)])

    # ---- sentences
    def sentence(self, lang, music):
        dice = self.dice
        templates = [text for kind, texts in TOPICS[lang].values() if kind == music for text in texts]
        return self.fill(lang, dice.deal((lang, music), templates))

    def fill(self, lang, template):
        """The template with its slots filled; a slot that ends in 2 takes a second word of the same kind."""
        def word(match):
            slot = match.group(1).removesuffix("2")
            return self.dice.deal((lang, slot), SLOTS[lang].get(slot) or SHARED[slot])

        return re.sub(r"\{(\w+)\}", word, template)

    def compose(self, lang, music):
        dice = self.dice
        text, gap = self.sentence(lang, music), "" if lang == "ja" else " "
        if dice.chance(28):
            text = dice.deal((lang, "opener"), OPENERS[lang]) + gap + text
        if dice.chance(24):
            text += ("。" if lang == "ja" else dice.pick([". ", "\n\n", " / "])) + self.sentence(lang, music)
        elif dice.chance(45):
            text += dice.pick([". ", "... ", " - ", "! ", "\n\n"]) + dice.deal((lang, "closer"), CLOSERS[lang])
        if lang not in ("ja", "ko", "ar") and dice.chance(16):
            text = text.lower()
        elif lang not in ("ja", "ko", "ar") and dice.chance(30):
            text = text[0].upper() + text[1:]
        elif dice.chance(3):
            text = text.upper()
        if dice.chance(38):
            text += " " + dice.pick(EMOJI_BY_KIND[music] if dice.chance(35) else EMOJI)
        for _ in range(dice.pick([0, 0, 0, 0, 1, 1, 2])):
            tags = HASHTAGS_BY_KIND[music] if dice.chance(20) else HASHTAGS["" if dice.chance(60) else lang]
            tag = dice.pick(tags)
            if tag not in text:
                text += " " + tag
        if dice.chance(3):
            text += f" @{SINGER}"
        return text

    # ---- tweets
    def moment(self):
        """A time within the week: more in the evening than at night."""
        dice = self.dice
        hour = dice.pick([0, 1, 2, 6, 8, 10, 12, 13, 14, 15, 16, 17, 18, 18, 19, 19, 20, 20, 21, 21, 22, 22, 23])
        return START + dice.below(DAYS) * 24 * HOUR + hour * HOUR + dice.below(HOUR)

    def say(self, lang, ms, text=None, music=None, author=None):
        dice = self.dice
        music = dice.chance(45) if music is None else music
        tweet = Tweet(snowflake(ms, dice.below(1 << 22)), author or self.author(lang), lang, music, text or self.compose(lang, music))
        tweet.history = [tweet.id]
        if dice.chance(14):
            self.link(tweet, f"https://{dice.pick(['news', 'music', 'shop', 'blog'])}.example.{dice.pick(['com', 'org', 'net'])}/{dice.word(6).lower()}")
        if dice.chance(6):
            tweet.place, tweet.point = dice.pick(PLACES), dice.chance(40)
        tweet.sensitive = dice.chance(25 if PROFANE.search(tweet.text) else 2)
        code = PLATFORM_CODE.get(lang, lang)
        tweet.platform_lang = "und" if dice.chance(2) else dice.pick(["en", "es", "tl", "fr"]) if dice.chance(2) else code
        tweet.fame = dice.heavy(3, 9000)
        return tweet

    def link(self, tweet, expanded):
        short = "https://t.co/" + self.dice.word(10)
        tweet.urls[short] = expanded
        tweet.text += " " + short

    def make_originals(self, count):
        for _ in range(count):
            tweet = self.say(self.language(), self.moment())
            if not self.fits(tweet):
                continue
            self.originals.append(tweet)
        self.tweets += self.originals

    def fits(self, tweet):
        return len(html.escape(tweet.text, quote=False)) <= 280

    def make_long_posts(self, count):
        for _ in range(count):
            lang, music = self.dice.pick(["en", "en", "en", "es", "pt", "de"]), self.dice.chance(50)
            full = ". ".join(self.sentence(lang, music) for _ in range(4 + self.dice.below(4))) + "."
            while len(full) < 330:
                full += " " + self.sentence(lang, music) + "."
            tweet = self.say(lang, self.moment(), full, music)
            tweet.urls.clear()
            tweet.note = full
            tweet.text = full[:250].rstrip() + "…"
            self.link(tweet, f"https://x.com/i/web/status/{tweet.id}")
            self.originals.append(tweet)
            self.tweets.append(tweet)

    def make_answers(self, count):
        """Replies and quotes of originals, and here and there of one another."""
        dice = self.dice
        for i in range(count):
            parent = dice.pick(self.originals)
            tweet = self.say(parent.lang, parent.ms + 60_000 + dice.below(5 * HOUR))
            replies = i % 5 < 3
            parent.lost = parent.lost or i % 14 == 3
            if replies:
                tweet.text = f"@{parent.author.username} {tweet.text}"
                tweet.refs.append(("replied_to", parent))
            if not replies or i % 40 == 0:
                quoted = min(parent, dice.pick(self.originals), key=lambda other: other.id) if replies else parent
                self.link(tweet, f"https://x.com/{quoted.author.username}/status/{quoted.id}")
                tweet.refs.append(("quoted", quoted))
            if self.fits(tweet) and tweet.ms < START + DAYS * 24 * HOUR:
                self.tweets.append(tweet)
                if dice.chance(30):
                    self.originals.append(tweet)

    def make_chains(self):
        for music, lang, template in CHAINS:
            first = self.moment() % (24 * HOUR) // 2 + START + self.dice.below(5) * 24 * HOUR
            for i in range(11):
                self.tweets.append(self.say(lang, first + i * HOUR // 2 + self.dice.below(HOUR), self.fill(lang, template), music))

    def make_near_copies(self, count):
        dice, sources = self.dice, self.dice.shuffled(t for t in self.originals if not t.refs and not t.note and len(t.text) > 50)
        for source in sources[:count]:
            words = source.text.split(" ")
            how = dice.below(4)
            if how == 0:
                words.append(dice.pick(["!!", "💜", "(via a friend)", "#JB"]))
            elif how == 1 and source.lang != "ja":
                at = dice.pick([i for i, w in enumerate(words) if w.isalpha() and w.lower() not in ("justin", "bieber")])
                words[at] = words[at] + words[at][-1] * 2
            elif how == 2:
                words = [w for i, w in enumerate(words) if i != len(words) // 2 or w.lower() in ("justin", "bieber")]
            copy = self.say(source.lang, source.ms + HOUR + dice.below(30 * HOUR), " ".join(words), source.music)
            copy.urls.update(source.urls)
            if self.fits(copy) and copy.ms < START + DAYS * 24 * HOUR:
                self.tweets.append(copy)

    def make_edits(self, count):
        """Later versions of a tweet: a new id each, by the same hand, within half an hour."""
        dice = self.dice
        for source in dice.shuffled(t for t in self.originals if not t.refs and not t.note and len(t.text) < 230)[:count]:
            last = source
            for version in range(2 if dice.chance(30) else 1):
                text = last.text + (" (edited)" if version else dice.pick([" *fixed a typo", ", I mean it", " edit: thanks!", " !!!"]))
                new = Tweet(snowflake(last.ms + 120_000 + dice.below(600_000), dice.below(1 << 22)), source.author, source.lang, source.music, text,
                            dict(source.urls), place=source.place, point=source.point, sensitive=source.sensitive,
                            platform_lang=source.platform_lang, fame=source.fame + 5)
                new.history = [*last.history, new.id]
                self.tweets.append(new)
                last = new

    def make_retweets(self, older, count):
        """A few originals take most of the retweets; some are older than the week, some are gone by now."""
        dice = self.dice
        shuffled = dice.shuffled(self.originals)
        popular = [t for t in shuffled if len(t.text) > 120][:45] + [t for t in shuffled if 60 < len(t.text) <= 120][:45] + older
        for tweet in popular:
            tweet.fame = 300 + dice.heavy(400, 60_000)
        for tweet in dice.shuffled(popular)[:7]:
            tweet.lost = True
        for source in older:
            if dice.chance(15):
                source.lost = True
        popular = dice.shuffled(popular)
        end = START + DAYS * 24 * HOUR
        for _ in range(count):
            draw = dice.random()
            source = popular[int(len(popular) * draw * draw)]
            ms = max(source.ms, START) + 30_000 + dice.pick([dice.below(HOUR), dice.below(9 * HOUR), dice.below(40 * HOUR)])
            if ms >= end:
                ms = max(source.ms, START) + 30_000 + dice.below(end - max(source.ms, START) - 60_000)
            tweet = self.say(source.lang, ms, "-", source.music)
            tweet.urls, tweet.place, tweet.refs = dict(source.urls), None, [("retweeted", source)]
            tweet.sensitive, tweet.platform_lang = source.sensitive, source.platform_lang
            tweet.text = f"RT @{source.author.username}: {source.note or source.text}"
            if len(tweet.text) > 140:
                tweet.text = tweet.text[:139] + "…"
            self.tweets.append(tweet)


class Wire:
    """The JSON that the API would send, at a moment of reading."""

    def __init__(self, world):
        self.world = world
        self.retweeted = {}
        for tweet in world.tweets:
            source = tweet.of("retweeted")
            if source:
                self.retweeted.setdefault(source.id, []).append(tweet.ms)

    def entities(self, text, urls, cut):
        found = {}
        for kind, pattern, value in ENTITIES:
            for match in pattern.finditer(text):
                if cut and match.end() >= len(text) - 1:
                    continue  # what the "…" cut through is no entity
                item = {"start": match.start(), "end": match.end(), value: match.group(1) if pattern.groups else match.group()}
                if kind == "mentions":
                    item["id"] = self.world.by_name[item["username"]].id
                if kind == "urls":
                    item["expanded_url"] = urls[item["url"]]
                    item["display_url"] = item["expanded_url"].removeprefix("https://")[:26]
                found.setdefault(kind, []).append(item)
        return found

    def metrics(self, tweet, now):
        """Counts grow with age and never shrink from one reading to the next."""
        source = tweet.of("retweeted")
        retweets = sum(1 for ms in self.retweeted.get((source or tweet).id, []) if ms <= now)
        if source:
            return {"retweet_count": self.metrics(source, now)["retweet_count"], "reply_count": 0, "like_count": 0, "quote_count": 0,
                    "bookmark_count": 0, "impression_count": 0}
        age = max(0, now - tweet.ms)
        likes = tweet.fame * age // (age + 6 * HOUR)
        return {"retweet_count": retweets + likes // 9, "reply_count": likes // 14, "like_count": likes, "quote_count": likes // 60,
                "bookmark_count": likes // 25, "impression_count": likes * 37 + age // 600_000}

    def tweet(self, tweet, now):
        text = html.escape(tweet.text, quote=False)
        source, parent = tweet.of("retweeted"), tweet.of("replied_to")
        wire = {"id": str(tweet.id), "author_id": tweet.author.id, "created_at": iso(tweet.ms), "text": text, "lang": tweet.platform_lang,
                "conversation_id": str(tweet.root.id), "edit_history_tweet_ids": [str(i) for i in tweet.history]}
        if tweet.refs:
            wire["referenced_tweets"] = [{"type": kind, "id": str(other.id)} for kind, other in tweet.refs]
        if parent:
            wire["in_reply_to_user_id"] = parent.author.id
        entities = self.entities(text, tweet.urls, cut=source is not None and text.endswith("…"))
        if entities:
            wire["entities"] = entities
        if tweet.place:
            west, south, east, north = tweet.place[3:]
            wire["geo"] = {"place_id": self.place(tweet.place)["id"]}
            if tweet.point:
                wire["geo"]["coordinates"] = {"type": "Point", "coordinates": [round((west + east) / 2, 4), round((south + north) / 2, 4)]}
        if tweet.note:
            note = html.escape(tweet.note, quote=False)
            wire["note_tweet"] = {"text": note}
            inner = self.entities(note, tweet.urls, cut=False)
            if inner:
                wire["note_tweet"]["entities"] = inner
        wire["possibly_sensitive"] = tweet.sensitive
        wire["public_metrics"] = self.metrics(tweet, now)
        return wire

    def place(self, place):
        name, country, code, west, south, east, north = place
        ident = f"{PLACES.index(place) + 1:016x}"
        return {"id": ident, "name": name, "full_name": f"{name}, {country}", "country": country, "country_code": code, "place_type": "city",
                "geo": {"type": "Feature", "bbox": [west, south, east, north], "properties": {}}}

    def around(self, tweets, now):
        """The `includes` and partial `errors` that come with these tweets."""
        users, others, places, errors = {}, {}, {}, []
        for tweet in tweets:
            users[tweet.author.id] = tweet.author.wire
            if tweet.place:
                places[tweet.place] = self.place(tweet.place)
            for _, other in tweet.refs:
                if other.lost:
                    errors.append({"value": str(other.id), "resource_id": str(other.id), "resource_type": "tweet", "parameter": "referenced_tweets.id",
                                   "title": "Not Found Error", "detail": f"Could not find tweet with referenced_tweets.id: [{other.id}].",
                                   "type": "https://api.twitter.com/2/problems/resource-not-found"})
                    continue
                others[other.id] = self.tweet(other, now)
                users[other.author.id] = other.author.wire
                if other.place:
                    places[other.place] = self.place(other.place)
        answer = {"includes": {"users": list(users.values())}}
        if others:
            answer["includes"]["tweets"] = list(others.values())
        if places:
            answer["includes"]["places"] = list(places.values())
        if errors:
            answer["errors"] = errors
        return answer

    def line(self, tweet, now):
        rules = [{"id": "1990000000000000001", "tag": "offkey justin bieber"}]
        if tweet.lang in ("ja", "ko", "ar"):
            rules.append({"id": "1990000000000000002", "tag": "offkey other scripts"})
        return {"data": self.tweet(tweet, now), **self.around([tweet], now), "matching_rules": rules}

    def page(self, tweets, now, next_token):
        meta = {"newest_id": str(tweets[0].id), "oldest_id": str(tweets[-1].id), "result_count": len(tweets)}
        if next_token:
            meta["next_token"] = next_token
        return {"data": [self.tweet(tweet, now) for tweet in tweets], **self.around(tweets, now), "meta": meta}


class File:
    """The recorded file: what arrived, in order, and what it truly holds."""

    def __init__(self, world):
        self.world, self.wire, self.dice = world, Wire(world), Dice("file")
        self.out, self.ids = [], []
        self.counts = {"lines": 0, "blank_lines": 0, "pages": 0, "stream_lines": 0, "consumed": 0, "unique": 0, "notices": {}, "malformed": 0}
        self.record()
        self.counts["consumed"], self.counts["unique"] = len(self.ids), len(set(self.ids))

    def put(self, text, end="\n"):
        self.out.append(text + end)
        self.counts["lines" if text else "blank_lines"] += 1

    @staticmethod
    def json(value, ascii_only=False):
        return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))

    def stream(self, tweet, now):
        self.put(self.json(self.wire.line(tweet, now), self.dice.chance(30)), "\r\n")
        self.counts["stream_lines"] += 1
        self.ids.append(tweet.id)

    def search(self, tweets, now):
        """One search run, newest first; while it pages new tweets push the list down, so pages overlap by a few."""
        tweets, at = sorted(tweets, key=lambda tweet: -tweet.id), 0
        while at < len(tweets):
            page = tweets[at:at + 55 + self.dice.below(45)]
            at += len(page)
            more = at < len(tweets)
            self.put(self.json(self.wire.page(page, now, self.dice.word(45, "abcdefghijklmnopqrstuvwxyz0123456789") if more else None)))
            self.counts["pages"] += 1
            self.ids += [tweet.id for tweet in page]
            at -= min(len(page) - 1, self.dice.below(5)) if more else 0

    def notice(self, kind, value):
        self.put(self.json(value), "\r\n")
        self.counts["notices"][kind] = self.counts["notices"].get(kind, 0) + 1

    def malformed(self, text):
        self.put(text, "\r\n")
        self.counts["malformed"] += 1

    def record(self):
        dice, tweets = self.dice, self.world.tweets
        newest = {tweet.history[0]: tweet for tweet in tweets}  # ids ascend, so the last version stays
        searchable = [t for t in tweets if not t.of("retweeted") and newest[t.history[0]] is t and dice.chance(72)]
        found = {tweet.id for tweet in searchable}
        streamed = [t for t in tweets if t.id not in found or dice.chance(9)]
        victims = self.victims(streamed)
        for day in range(DAYS):
            midnight = START + day * 24 * HOUR
            today = [t for t in streamed if midnight <= t.ms < midnight + 24 * HOUR]
            runs = [(midnight + 12 * HOUR, midnight), (midnight + 24 * HOUR, midnight + 12 * HOUR - HOUR)]  # the second looks back one hour
            for i, tweet in enumerate(today):
                while runs and tweet.ms > runs[0][0]:
                    self.search_run(searchable, *runs.pop(0))
                self.stream(tweet, tweet.ms + 1500 + dice.below(4000))
                if i % 16 == 9:
                    self.put("", "\r\n")
                if day == 3 and i == len(today) // 2:
                    self.reconnect(today[i - 11:i + 1])
                self.accident(day * 1000 + i, tweet)
                if tweet.id in victims:
                    self.delete(victims[tweet.id], tweet.ms + 60_000)
            for run in runs:
                self.search_run(searchable, *run)
        for victim in self.dice.shuffled(searchable)[:2]:
            self.delete(victim, START + DAYS * 24 * HOUR)

    def search_run(self, searchable, until, since):
        self.search([t for t in searchable if since <= t.ms < until], until + 20 * 60_000)
        if until == START + 36 * HOUR:
            self.notice("empty_page", {"meta": {"result_count": 0}})
            self.counts["pages"] += 1

    def victims(self, streamed):
        """After which tweet which one is reported deleted: seen ones, one still to come, ones never seen."""
        popular = next(t.of("retweeted") for t in streamed if t.of("retweeted") and t.of("retweeted").ms > START)
        at = len(streamed) // 9
        gone = [streamed[at], streamed[2 * at], popular, streamed[4 * at + 30], streamed[4 * at + 2], None, None]
        return {streamed[(i + 1) * at + 5].id: victim for i, victim in enumerate(gone)}

    def delete(self, victim, ms):
        ident = victim.id if victim else snowflake(ms - 30 * 24 * HOUR, self.dice.below(1 << 22))
        author = victim.author.id if victim else str(snowflake(START - 9000 * HOUR, self.dice.below(1 << 22)))
        if self.counts["notices"].get("delete", 0) % 2:
            self.notice("delete", {"delete": {"status": {"id": ident, "id_str": str(ident), "user_id": int(author), "user_id_str": author},
                                              "timestamp_ms": str(ms)}})
        else:
            self.notice("delete", {"data": {"delete": {"tweet": {"id": str(ident), "author_id": author}, "event_at": iso(ms)}}})

    def reconnect(self, last):
        """The stream breaks in the middle of a line, says why, and repeats its last tweets on the next connection."""
        self.malformed(self.json(self.wire.line(last[-1], last[-1].ms + 5000))[:417])
        self.notice("disconnect", {"errors": [{"title": "operational-disconnect", "disconnect_type": "UpstreamOperationalDisconnect",
                                               "detail": "This stream has been disconnected upstream for operational reasons.",
                                               "type": "https://api.x.com/2/problems/operational-disconnect"}]})
        for tweet in last:
            self.stream(tweet, tweet.ms + 2 * HOUR // 3)

    def accident(self, moment, tweet):
        """The malformed lines, each at its own place."""
        line = self.json(self.wire.line(tweet, tweet.ms + 1500))
        accidents = {
            12: lambda: line[:230],
            1020: lambda: line + line,
            1055: lambda: "<html><head><title>502 Bad Gateway</title></head><body>upstream went away</body></html>",
            2030: lambda: line.replace('"text":"', '"text":"\\x41 ', 1),
            4015: lambda: self.json({"status": "ok", "service": "sample", "answer": 42}),
            5022: lambda: line[:310] + line,
            6010: lambda: self.json({"data": {"text": "Justin Bieber, but the id was left out"}, "matching_rules": []}),
        }
        if moment in accidents:
            self.malformed(accidents[moment]())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("justin-bieber.jsonl.gz"), help="where the sample goes (default: %(default)s)")
    parser.add_argument("--labels", type=Path, help="write the truth about every tweet here")
    parser.add_argument("--seed", default="offkey", help="another seed gives another sample (default: %(default)s)")
    arguments = parser.parse_args()

    world = World(arguments.seed)
    file = File(world)
    data = "".join(file.out).encode()
    arguments.output.write_bytes(gzip.compress(data, 9, mtime=0) if arguments.output.suffix == ".gz" else data)
    if arguments.labels:
        delivered = set(file.ids)
        lines = (json.dumps({"id": str(t.id), "music": int(t.music), "lang": t.lang}) for t in world.tweets if t.id in delivered)
        arguments.labels.write_text("".join(line + "\n" for line in lines))
    print(json.dumps(file.counts))


if __name__ == "__main__":
    main()
