"""The rows of the table that `make bench` prints, in Markdown: what was measured, ours, what stands beside it, and the ratio of the two.

A row is of rounds: in each, ours and the other were measured one right after the other, so that what else the machine does falls on both. Ratios are of
the rounds, and the figure is their median with the least and the greatest; absolute figures are medians, and mean little on a machine that others share.
"""

import argparse
import statistics

HEAD = "| what | ours | beside it | ratio (least to greatest) | to reach |\n|---|---|---|---|---|"


def options():
    """The options that all scripts have."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a short trial, whose figures mean little")
    parser.add_argument("--rounds", type=int)
    return parser


def number(value):
    """Three digits that count, thousands with commas."""
    if abs(value) >= 100:
        return "{:,.0f}".format(value)
    return "%.3g" % value


def spread(values, form=number):
    return "%s (%s to %s)" % (form(statistics.median(values)), form(min(values)), form(max(values)))


def row(what, ours, name, beside, unit, least=None, most=None):
    """Ours and what is beside it, a figure a round. The ratio ours / beside is to be at `least`, or at `most`; with neither it is only reported."""
    if len(ours) != len(beside) or not ours:
        raise ValueError("%s: %d rounds beside %d" % (what, len(ours), len(beside)))
    ratios = [mine / other for mine, other in zip(ours, beside)]
    wanted, reached = "", True
    if least is not None:
        wanted, reached = "≥ %s" % number(least), statistics.median(ratios) >= least
    elif most is not None:
        wanted, reached = "≤ %s" % number(most), statistics.median(ratios) <= most
    print("| %s | %s %s | %s: %s %s | %s | %s |" % (what, number(statistics.median(ours)), unit, name, number(statistics.median(beside)), unit,
                                                   spread(ratios, "{:.2f}".format), wanted + ("" if reached else " (not reached)")), flush=True)
    return reached


def figure(what, values, unit, most=None):
    """A figure by itself, in absolute terms."""
    reached = most is None or statistics.median(values) <= most
    wanted = "" if most is None else "≤ %s %s" % (number(most), unit)
    print("| %s | %s %s | | | %s |" % (what, spread(values), unit, wanted + ("" if reached else " (not reached)")), flush=True)
    return reached
