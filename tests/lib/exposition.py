"""Prometheus' text format, strictly.

    page = exposition.Page(text)            checked line by line, and as a whole by the parser of Prometheus' own Python client; AssertionError otherwise
    page.value("focusstats_sessions")       one sample; labels as keywords: page.value("focusstats_requests_total", action="health", status="200")
    page.family("focusstats_requests_total")     {tuple of sorted label pairs: value} of all its samples
    page.types                              {family: type}
    page.requests()                         {(action, status): count} of those that are not 0

The grammar is that of https://prometheus.io/docs/instrumenting/exposition_formats/, "Text format details". The client's strict parser is that of
OpenMetrics, which is the same text but for the names of counters in comments and the last line.
"""

import re

import debian

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
NUMBER = r"(?:[+-]?Inf|NaN|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)"
HELP = re.compile(r"# HELP (%s) ((?:[^\\\n]|\\[\\n])+)" % NAME)
TYPE = re.compile(r"# TYPE (%s) (counter|gauge|histogram|summary|untyped)" % NAME)
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (%s)" % (NAME, LABEL, LABEL, NUMBER))


def check(condition, *what):
    if not condition:
        raise AssertionError(": ".join(str(thing) for thing in what))


class Page:
    """A page of metrics."""

    def __init__(self, text):
        self.text = text
        self.types = {}
        self.samples = {}
        self.read()
        self.check_histograms()
        self.check_with_client()

    def read(self):
        family, helped = None, None
        check(self.text.endswith("\n"), "the last line has no newline")
        for line in self.text[:-1].split("\n"):
            if HELP.fullmatch(line):
                helped = HELP.fullmatch(line)[1]
                check(helped not in self.types, "a second HELP", line)
            elif TYPE.fullmatch(line):
                family, kind = TYPE.fullmatch(line).groups()
                check(family == helped, "TYPE does not follow its HELP", line)
                check(family not in self.types, "a second TYPE", line)
                check((kind == "counter") == family.endswith("_total"), "a counter's name ends in _total, and no other", line)
                self.types[family] = kind
            else:
                self.read_sample(line, family)

    def read_sample(self, line, family):
        found = SAMPLE.fullmatch(line)
        check(found, "not a line of the format", repr(line))
        name, labels, number = found.groups()
        pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")
        check(len({label for label, _ in pairs}) == len(pairs), "a label comes twice", line)
        parts = [family + part for part in ("_bucket", "_sum", "_count")] if self.types.get(family) == "histogram" else [family]
        check(name in parts, "does not belong to the TYPE before it", line)
        key = (name, tuple(sorted(pairs)))
        check(key not in self.samples, "comes twice", line)
        value = float(number)
        check(value >= 0 or self.types[family] == "gauge", "is negative", line)
        self.samples[key] = value

    def check_histograms(self):
        for family in (name for name, kind in self.types.items() if kind == "histogram"):
            series = {}
            for (name, labels), value in self.samples.items():
                if name == family + "_bucket":
                    rest = tuple(pair for pair in labels if pair[0] != "le")
                    series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
            check(series, "a histogram without buckets", family)
            for rest, buckets in series.items():
                check(buckets == sorted(buckets) and len({bound for bound, _ in buckets}) == len(buckets), "the bounds do not rise", family, rest)
                check([value for _, value in buckets] == sorted(value for _, value in buckets), "the buckets are not cumulative", family, rest, buckets)
                check(buckets[-1][0] == float("inf"), "no bucket for all", family, rest)
                check(buckets[-1][1] == self.samples[family + "_count", rest], "the last bucket is not the count", family, rest)
                check((family + "_sum", rest) in self.samples, "no sum", family, rest)

    def check_with_client(self):
        parser = debian.module("prometheus_client.openmetrics.parser", "python3-prometheus-client")
        text = re.sub(r"(?m)^(# (?:HELP|TYPE) \w+)_total ", r"\1 ", self.text) + "# EOF\n"
        try:
            families = list(parser.text_string_to_metric_families(text))
        except ValueError as error:
            raise AssertionError("Prometheus' client: %s" % error) from error
        found = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples}
        check(found == self.samples, "Prometheus' client reads other values")

    def value(self, name, **labels):
        return self.samples[name, tuple(sorted(labels.items()))]

    def family(self, name):
        return {labels: value for (sample, labels), value in self.samples.items() if sample == name}

    def requests(self):
        found = {(dict(labels)["action"], dict(labels)["status"]): value for labels, value in self.family("focusstats_requests_total").items()}
        return {key: value for key, value in found.items() if value}
