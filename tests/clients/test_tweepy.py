"""tweepy, unmodified, against the double: only the base URL differs (see rewrite/sitecustomize.py)."""

import pytest
import sitecustomize as rewrite
import tweepy
from double import TOKEN
from requests.adapters import HTTPAdapter


@pytest.fixture(autouse=True)
def elsewhere(double, monkeypatch):
    monkeypatch.setattr(HTTPAdapter, "send", HTTPAdapter.send)
    rewrite.install(double.url)


@pytest.fixture
def client():
    return tweepy.Client(TOKEN)


class Listener(tweepy.StreamingClient):
    """Collects so many tweets, then leaves."""

    def __init__(self, wanted: int):
        super().__init__(TOKEN)
        self.wanted, self.answers, self.problems, self.disconnects = wanted, [], [], 0

    def on_response(self, response):
        self.answers.append(response)
        if len(self.answers) == self.wanted:
            self.disconnect()

    def on_errors(self, errors):
        self.problems += errors

    def on_disconnect(self):
        self.disconnects += 1


def test_search_pages(double, client):
    paged = tweepy.Paginator(
        client.search_recent_tweets, "bieber", max_results=50, expansions=["author_id", "referenced_tweets.id", "geo.place_id"],
        tweet_fields=["created_at", "entities", "public_metrics", "lang"], user_fields=["location"], place_fields=["geo"],
    )  # fmt: skip
    answers = list(paged)
    found = [str(tweet.id) for answer in answers for tweet in answer.data]
    assert len(answers) > 2 and len(set(found)) == len(found)
    assert set(found) == set(double.ledger()["searched"])
    tweet = answers[0].data[0]
    assert tweet.created_at.tzinfo and tweet.public_metrics["retweet_count"] >= 0
    users = {user.id for answer in answers for user in answer.includes["users"]}
    assert {tweet.author_id for answer in answers for tweet in answer.data} <= users


def test_archive_and_counts(double, client):
    found = client.search_all_tweets("bieber", max_results=500)
    counted = client.get_recent_tweets_count("bieber", granularity="day")
    assert counted.meta["total_tweet_count"] == found.meta["result_count"]
    assert sum(row["tweet_count"] for row in counted.data) == found.meta["result_count"]


def test_errors_are_its_own(double, client):
    with pytest.raises(tweepy.BadRequest, match="invalid operator"):
        client.search_recent_tweets("foo:bar")
    with pytest.raises(tweepy.Unauthorized):
        tweepy.Client("wrong").search_recent_tweets("bieber")
    for refusal, kind in [
        ("rate_limit", tweepy.TooManyRequests), ("client_forbidden", tweepy.Forbidden), ({"status": 503}, tweepy.TwitterServerError),
    ]:  # fmt: skip
        double.faults({"on": "search", "refuse": {"with": refusal}})
        with pytest.raises(kind):
            client.search_recent_tweets("bieber")


def test_rules_and_stream(double):
    listener = Listener(30)
    tried = listener.add_rules(tweepy.StreamRule("bieber"), dry_run=True)
    assert tried.meta["summary"]["created"] == 1 and not listener.get_rules().data
    added = listener.add_rules([tweepy.StreamRule("bieber", "one"), tweepy.StreamRule("justin lang:es", "two"), tweepy.StreamRule("is:reply")])
    assert added.meta["summary"] == {"created": 2, "not_created": 1, "valid": 2, "invalid": 1}
    assert listener.add_rules(tweepy.StreamRule("bieber")).errors[0]["title"] == "DuplicateRule"
    assert [rule.tag for rule in listener.get_rules().data] == ["one", "two"]

    listener.filter(tweet_fields=["lang", "created_at"], expansions=["author_id"])
    found = [answer.data for answer in listener.answers]
    assert len({tweet.id for tweet in found}) == 30
    assert {str(tweet.id) for tweet in found} <= double.matching("bieber OR (justin lang:es)", "stream")
    for answer in listener.answers:
        tags = {rule.tag for rule in answer.matching_rules}
        assert tags in ({"one"}, {"one", "two"} if answer.data.lang == "es" else {"one"})
        assert answer.includes["users"][0].id == answer.data.author_id

    rules = [rule.id for rule in listener.get_rules().data]
    assert listener.delete_rules(rules).meta["summary"]["deleted"] == 2
    assert not listener.get_rules().data


def test_stream_survives_what_tweepy_survives(double):
    listener = Listener(40)
    listener.add_rules(tweepy.StreamRule("bieber", "one"))
    partial = {"partial_errors": 2}
    double.faults(
        {"on": "stream", "script": [{"pieces": {"tweets": 3, "bytes": 7}}, "split_line_end", {"together": 3}, {"keep_alives": {"count": 2}}, "end"]},
        {"on": "stream", "script": ["split_character", partial, {"tweets": 3}, {"half_then": "eof"}]},
    )
    listener.filter()
    assert len(listener.answers) == 40
    assert double.ledger()["totals"]["requests"]["stream"] == 3
    assert listener.problems
