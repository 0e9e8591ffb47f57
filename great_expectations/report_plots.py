"""The plots of the report, by matplotlib, as SVG inside the page.

Colours are written as marks and become CSS variables of the page, so that one drawing serves light and dark. Texts stay
texts. Each plot is drawn twice, for a desk and for a phone. No date and no random id gets in: same facts, same bytes.
"""

import io
import re
from datetime import datetime

import matplotlib

matplotlib.use("svg")
import matplotlib.dates as mdates
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Mark → the CSS variable that takes its place.
INK, QUIET, LINE, KEPT, MUSIC, OTHER = "#010101", "#010102", "#010103", "#010104", "#010105", "#010106"
VARIABLES = {INK: "--ink", QUIET: "--quiet", LINE: "--line", KEPT: "--kept", MUSIC: "--music", OTHER: "--other"}
SIZES = {"desk": (9.4, 2.7), "phone": (3.7, 2.6)}
STYLE = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9.5, "text.color": INK, "axes.labelcolor": QUIET,
    "axes.edgecolor": LINE, "xtick.color": QUIET, "ytick.color": QUIET, "xtick.labelcolor": QUIET, "ytick.labelcolor": QUIET,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "ytick.left": False,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": LINE, "grid.linewidth": 0.8, "axes.axisbelow": True,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
}  # fmt: skip


def over_time(timeline):
    """Stacked tweets by partition: kept, music, other drops."""
    if not timeline:
        return None
    hourly = "T" in timeline[0]["partition"]
    moments = [datetime.fromisoformat(row["partition"] + (":00" if hourly else "")) for row in timeline]

    def draw(axes, size):
        width, below = (0.9 / 24 if hourly else 0.9), [0] * len(timeline)
        for name, colour in (("kept", KEPT), ("music", MUSIC), ("other", OTHER)):
            heights = [row[name] for row in timeline]
            axes.bar(moments, heights, width, bottom=below, color=colour, linewidth=0)
            below = [a + b for a, b in zip(below, heights)]
        locator = mdates.AutoDateLocator(maxticks=8 if size == "desk" else 4, minticks=1, interval_multiples=True)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=True))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))

    return both("time", draw)


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
