"""The plots of the report, by matplotlib, as SVG inside the page.

Colours are written as marks and become CSS variables of the page, so that one drawing serves light and dark. Texts stay
texts. Each plot is drawn twice, for a desk and for a phone. No date and no random id gets in: same facts, same bytes.
"""

import io
import os
import re
import shutil
from datetime import datetime, timedelta

# The image has its list of fonts ready; in a container whose root cannot be written it would be made anew by every run.
if "OFFKEY_FONTS" in os.environ:
    shutil.copytree(os.environ["OFFKEY_FONTS"], os.environ["MPLCONFIGDIR"], dirs_exist_ok=True)

import matplotlib

matplotlib.use("svg")
import matplotlib.dates as mdates
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Mark → the CSS variable that takes its place.
INK, QUIET, LINE, KEPT, MUSIC, OTHER = "#010101", "#010102", "#010103", "#010104", "#010105", "#010106"
VARIABLES = {INK: "--ink", QUIET: "--quiet", LINE: "--line", KEPT: "--kept", MUSIC: "--music", OTHER: "--other"}
SIZES = {"desk": (9.4, 2.7), "phone": (3.7, 2.6)}
BARS = 100
UNITS = {
    "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1),
    "month": timedelta(days=30.4), "quarter": timedelta(days=91), "year": timedelta(days=365),
}  # fmt: skip
STYLE = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9.5, "text.color": INK, "axes.labelcolor": QUIET,
    "axes.edgecolor": LINE, "xtick.color": QUIET, "ytick.color": QUIET, "xtick.labelcolor": QUIET, "ytick.labelcolor": QUIET,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "ytick.left": False,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": LINE, "grid.linewidth": 0.8, "axes.axisbelow": True,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
}  # fmt: skip


def over_time(timeline):
    """Stacked tweets by time: kept, music, other drops. Each bar is a partition, or as long a time as keeps the bars few."""
    if not timeline:
        return None
    bars, unit = lengthened(timeline)
    drawn = both("time", lambda axes, size: draw_time(axes, size, bars))
    return drawn | {"unit": unit}


def draw_time(axes, size, bars):
    """A bar from its first moment to the next one's, less a little air."""
    begins, widths = [begin for begin, _, _ in bars], [0.88 * (end - begin) for begin, end, _ in bars]
    below = [0] * len(bars)
    for name, colour in (("kept", KEPT), ("music", MUSIC), ("other", OTHER)):
        heights = [counts[name] for _, _, counts in bars]
        axes.bar(begins, heights, widths, bottom=below, color=colour, linewidth=0, align="edge")
        below = [a + b for a, b in zip(below, heights)]
    locator = mdates.AutoDateLocator(maxticks=8 if size == "desk" else 4, minticks=1, interval_multiples=True)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=True))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def lengthened(timeline):
    """The timeline as `(begin, end, counts)`, and what a bar stands for: the shortest time of which there are at most BARS."""
    hourly = "T" in timeline[0]["partition"]
    rows = [(datetime.fromisoformat(row["partition"] + (":00" if hourly else "")), row) for row in timeline]
    span = max(moment for moment, _ in rows) - min(moment for moment, _ in rows)
    units = [unit for unit in UNITS if hourly or unit != "hour"]
    unit = next((unit for unit in units if span / UNITS[unit] < BARS), units[-1])
    bars = {}
    for moment, row in rows:
        begin = first_of(unit, moment)
        counts = bars.setdefault(begin, dict.fromkeys(("kept", "music", "other"), 0))
        for name in counts:
            counts[name] += row[name]
    return [(begin, first_of(unit, begin + 1.5 * UNITS[unit]), counts) for begin, counts in sorted(bars.items())], unit


def first_of(unit, moment):
    """The first moment of the hour, day, week, month, quarter or year that a moment lies in."""
    if unit == "hour":
        return moment.replace(minute=0, second=0)
    day = moment.replace(hour=0, minute=0, second=0)
    if unit in ("day", "week"):
        return day - timedelta(days=day.weekday() if unit == "week" else 0)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    return day.replace(day=1, month=(day.month - 1) // months * months + 1)


def scores(facts):
    """How many tweets have which music score, and where the threshold cuts."""
    if not sum(facts["kept"]) + sum(facts["dropped"]):
        return None
    left, width = facts["edges"][:-1], facts["edges"][1] - facts["edges"][0]

    def draw(axes, size):
        axes.bar(left, facts["kept"], width * 0.9, align="edge", color=KEPT, linewidth=0)
        axes.bar(left, facts["dropped"], width * 0.9, align="edge", bottom=facts["kept"], color=MUSIC, linewidth=0)
        for limit in facts["limits"]:
            axes.axvline(limit, color=INK, linewidth=1, dashes=(3, 2))
            axes.annotate(
                f"threshold {limit:g}", (limit, 1), (4, -2), ("data", "axes fraction"), "offset points", va="top", color=INK
            )
        # Nearly all tweets score nothing: on an even scale the rest would not be seen.
        axes.set_yscale("symlog", linthresh=10)
        axes.set_ylim(0, 2 * max(map(sum, zip(facts["kept"], facts["dropped"]))))
        axes.set_xlim(0, facts["edges"][-1])
        axes.set_xlabel("music score")

    return both("scores", draw)


def both(name, draw):
    return {size: svg(f"{name}-{size}", size, draw) for size in SIZES}


def svg(name, size, draw):
    with plt.rc_context(STYLE | {"svg.hashsalt": name}):
        figure, axes = plt.subplots(figsize=SIZES[size], layout="constrained")
        draw(axes, size)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        plt.close(figure)
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    # The page says how wide; ids are told apart; fonts and colours are the page's.
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    # A style inside SVG would hold for the whole page.
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    for mark, variable in VARIABLES.items():
        text = text.replace(mark, f"var({variable})")
    return text
