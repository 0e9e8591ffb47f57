"""Data Docs that need no network and run no script.

The pages of Great Expectations load Bootstrap, jQuery, Vega and others from seven hosts, and without them the index is
empty. These views use our own templates in place of the few that do so, and forbid every script and every connection
by a content security policy: even a value that slipped into a page could do nothing there.
"""

from pathlib import Path

from great_expectations.render.view.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader

TEMPLATES = Path(__file__).parent / "templates"


class _Offline:
    def __init__(self, **options):
        super().__init__(**options)
        self.env.loader = ChoiceLoader([FileSystemLoader(TEMPLATES), self.env.loader])


class Page(_Offline, DefaultJinjaPageView):
    """A suite, or the result of one validation."""


class Index(_Offline, DefaultJinjaIndexPageView):
    """The list of all validations and suites of a run."""
