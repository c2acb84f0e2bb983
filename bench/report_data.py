# SPDX-License-Identifier: GPL-2.0-only
"""Result documents as bench/result.c writes them: read, checked, and asked for.

Nothing here draws or judges.  Quantiles are those of bench/result.c, so that the
report shows the numbers that the benchmark printed.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

FORMAT = 1


class Malformed(Exception):
    """One line that says which file is no result document, and why."""


@dataclass(frozen=True)
class Series:
    """One number measured again and again, for one peer at one place of an axis."""

    metric: str
    unit: str
    peer: str
    axis: str | None
    x: float | None
    samples: tuple  # sorted

    def quantile(self, q):
        return self.samples[int(q * (len(self.samples) - 1) + 0.5)]

    @property
    def median(self):
        return self.quantile(0.5)

    @property
    def p10(self):
        return self.quantile(0.1)

    @property
    def p90(self):
        return self.quantile(0.9)


@dataclass(frozen=True)
class Metric:
    """The series of one document that belong into one figure and one table."""

    name: str
    unit: str
    axis: str | None
    series: tuple

    def peers(self):
        """In the order in which the benchmark names them."""
        return list(dict.fromkeys(s.peer for s in self.series))

    def at(self, peer, x=None):
        for s in self.series:
            if s.peer == peer and s.x == x:
                return s
        return None

    def of(self, peer):
        """All of one peer, by x."""
        return sorted((s for s in self.series if s.peer == peer), key=lambda s: s.x or 0)

    def reference(self):
        """The peer that the others are compared with: the plain morsel, or the first one."""
        peers = self.peers()
        if "morsel" in peers:
            return "morsel"
        return next((p for p in peers if "morsel" in p), None)


@dataclass(frozen=True)
class Document:
    path: Path
    raw: bytes
    benchmark: str
    configuration: str  # of its name, may be empty
    date: str
    quick: bool
    machine: dict
    options: dict
    missing: tuple  # of (peer, why)
    metrics: tuple = field(repr=False)

    @property
    def name(self):
        return self.path.stem

    @property
    def label(self):
        """What tells it from other documents of its benchmark."""
        return self.configuration or str(self.machine.get("kernel", self.name))

    def metric(self, name):
        return next((m for m in self.metrics if m.name == name), None)


def _typed(where, value, kinds, what):
    # True is an int to Python.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise Malformed(f"{where} is not {what}")
    return value


def _number(where, value):
    _typed(where, value, (int, float), "a number")
    if not math.isfinite(value):
        raise Malformed(f"{where} is not finite")
    return value


def _text(where, value):
    _typed(where, value, (str,), "a text")
    if not value or not value.isprintable():
        raise Malformed(f"{where} is empty or holds control characters")
    return value


def _get(where, mapping, key):
    if key not in mapping:
        raise Malformed(f'{where} has no "{key}"')
    return mapping[key]


def _series(where, raw):
    _typed(where, raw, (dict,), "an object")
    metric, unit, peer = (
        _text(f'"{key}" of {where}', _get(where, raw, key)) for key in ("metric", "unit", "peer")
    )
    axis, x = _get(where, raw, "axis"), _get(where, raw, "x")
    if (axis is None) != (x is None):
        raise Malformed(f'{where} has an "axis" without "x", or the other way round')
    if axis is not None:
        _text(f'"axis" of {where}', axis)
        _number(f'"x" of {where}', x)
    samples = _typed(f'"samples" of {where}', _get(where, raw, "samples"), (list,), "a list")
    for i, sample in enumerate(samples):
        _number(f"sample {i} of {where}", sample)
    return Series(metric, unit, peer, axis, x, tuple(sorted(samples)))


def _metrics(raw):
    found, seen = {}, set()
    for i, one in enumerate(raw):
        s = _series(f"series {i}", one)
        key = (s.metric, s.peer, s.x)
        if key in seen:
            raise Malformed(f"series {i} is there twice: {s.metric}, {s.peer}, {s.x}")
        seen.add(key)
        first = found.setdefault(s.metric, [s])[0]
        if (first.unit, first.axis) != (s.unit, s.axis):
            raise Malformed(f"series {i} has another unit or axis than others of {s.metric}")
        if s is not first:
            found[s.metric].append(s)
    # What was not measured even once is as good as absent.
    metrics = []
    for name, series in found.items():
        measured = tuple(s for s in series if s.samples)
        if measured:
            metrics.append(Metric(name, series[0].unit, series[0].axis, measured))
    return tuple(metrics)


def _missing(raw):
    for i, one in enumerate(raw):
        where = f'"missing" {i}'
        _typed(where, one, (dict,), "an object")
        yield tuple(_text(f'"{key}" of {where}', _get(where, one, key)) for key in ("peer", "why"))


def _document(path, data):
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise Malformed(f"no JSON: {e}") from None
    _typed("the document", raw, (dict,), "an object")
    if _number('"format"', _get("the document", raw, "format")) != FORMAT:
        raise Malformed(f'"format" is not {FORMAT}')
    wanted = {
        "benchmark": (str,),
        "date": (str,),
        "quick": (bool,),
        "machine": (dict,),
        "options": (dict,),
        "missing": (list,),
        "series": (list,),
    }
    names = {str: "a text", bool: "true or false", dict: "an object", list: "a list"}
    for key, kinds in wanted.items():
        _typed(f'"{key}"', _get("the document", raw, key), kinds, names[kinds[0]])
    benchmark, stem = _text('"benchmark"', raw["benchmark"]), path.stem
    if stem != benchmark and not stem.startswith(benchmark + "-"):
        raise Malformed(f'its "benchmark" is {benchmark}, which its name does not begin with')
    return Document(
        path,
        data,
        benchmark,
        stem[len(benchmark) + 1 :],
        raw["date"],
        raw["quick"],
        raw["machine"],
        raw["options"],
        tuple(_missing(raw["missing"])),
        _metrics(raw["series"]),
    )


# As the thesis has them; others follow by name.
ORDER = (
    "faults populate map attach transfer memcached model processes fork growth files build"
    " contention pmem"
).split()


def read(directory):
    """All documents of @directory, those of one benchmark next to each other."""
    documents = []
    for path in sorted(Path(directory).glob("*.json")):
        try:
            documents.append(_document(path, path.read_bytes()))
        except Malformed as e:
            raise Malformed(f"{path}: {e}") from None
        except OSError as e:
            raise Malformed(f"{path}: {e.strerror}") from None

    def place(d):
        known = d.benchmark in ORDER
        return (not known, ORDER.index(d.benchmark) if known else 0, d.benchmark, d.name)

    return sorted(documents, key=place)
