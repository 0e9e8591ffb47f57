"""Sends what is meant for api.twitter.com and api.x.com to X_SERVER_URL instead.

twarc and tweepy write the address of the API into their code, so there is no setting for it. Both speak through
`requests`; with this folder on PYTHONPATH the last step before the socket takes another address, and not a line of
the clients is touched. Without X_SERVER_URL nothing changes.
"""

import os

BASES = ("https://api.twitter.com", "https://api.x.com")


def rewrite(url: str, base: str) -> str:
    for known in BASES:
        if url.startswith(known + "/"):
            return base + url[len(known) :]
    raise ValueError(f"no request may leave for {url}")


def install(base: str) -> None:
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def elsewhere(adapter, request, **settings):
        moved = request.copy()
        moved.url = rewrite(request.url, base)
        # The adapter of https:// would look for a certificate that a plain socket has not.
        return send(adapter, moved, **settings)

    HTTPAdapter.send = elsewhere


if os.environ.get("X_SERVER_URL"):
    install(os.environ["X_SERVER_URL"])
