"""A foreign websocket client against the double's Jetstream, and its events against real ones if they are at hand."""

import json
import os
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

FOLDER = os.environ.get("OFFKEY_API")


@pytest.fixture
def subscribe(double):
    def open_socket(query: str = ""):
        # The client stops reading when it holds unread messages, so it does not see the answer to its close.
        address = double.url.replace("http", "ws") + "/subscribe?" + query
        return connect(address, compression=None, proxy=None, close_timeout=0.1)

    return open_socket


def take(socket, count: int) -> list[dict]:
    return [json.loads(socket.recv(timeout=20)) for _ in range(count)]


def test_a_cursor_replays(double, subscribe):
    with subscribe("wantedCollections=app.bsky.feed.post") as socket:
        first = take(socket, 60)
    with subscribe(f"wantedCollections=app.bsky.feed.post&cursor={first[20]['time_us']}") as socket:
        assert take(socket, 40) == first[20:]
    posts = {f"at://{event['did']}/{event['commit']['collection']}/{event['commit']['rkey']}"
             for event in first if event["kind"] == "commit" and event["commit"]["operation"] != "delete"}  # fmt: skip
    assert posts <= set(double.ledger()["posts"])


def test_it_closes_cleanly_and_uncleanly(double, subscribe):
    silence = {"silence": {"seconds": 3600}}
    double.faults({"on": "jetstream", "script": [{"tweets": 2}, {"keep_alives": {"count": 2}}, {"tweets": 1}, silence]})
    with subscribe() as socket:
        take(socket, 3)
    double.faults({"on": "jetstream", "script": [{"tweets": 2}, {"cut": "eof"}]})
    with subscribe() as socket:
        take(socket, 2)
        with pytest.raises(ConnectionClosedError):
            socket.recv(timeout=20)
    double.faults({"on": "jetstream", "script": [{"tweets": 1}, "end"]})
    with subscribe() as socket:
        assert len(list(socket)) == 1
    with pytest.raises(InvalidStatus):
        subscribe("compress=true")


def members(value, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {path}.union(*(members(part, f"{path}.{name}") for name, part in value.items()))
    if isinstance(value, list):
        return {path}.union(*(members(part, path + "[]") for part in value))
    return {path}


@pytest.mark.skipif(not FOLDER, reason="NO COMPARISON: set OFFKEY_API to the folder with jetstream_v1_events.jsonl")
def test_events_have_the_members_of_real_ones(subscribe):
    def by_kind(events) -> dict[tuple, set[str]]:
        kinds: dict[tuple, set[str]] = {}
        for event in events:
            commit = event.get("commit", {})
            kind = (event["kind"], commit.get("operation"), commit.get("collection"))
            kinds.setdefault(kind, set()).update(members(event))
        return kinds

    with subscribe() as socket:
        own = by_kind(take(socket, 300))
    real = by_kind(json.loads(line) for line in (Path(FOLDER) / "jetstream_v1_events.jsonl").read_text().splitlines())
    shared = own.keys() & real.keys()
    assert {kind[0] for kind in shared} == {"commit", "identity", "account"}
    # An account that is gone says so; posts embed what they quote; some identities carry their handle.
    rare = {".account.status", ".identity.handle", ".commit.record.embed.record"}
    for kind in shared:
        extra = {member for member in own[kind] - real[kind] if not any(member.startswith(known) for known in rare)}
        assert extra == set(), kind
