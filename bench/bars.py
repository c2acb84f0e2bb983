# SPDX-License-Identifier: GPL-2.0-only
"""The bars: what the measured ratios must reach.

BARS, at the end, is the table.  Each line says how a number is computed from the
medians of one document, that is of one boot, and what it must reach; bench/report
shows both.  What is not there counts as not measured, and never as met.
"""

import math
from dataclasses import dataclass

MET, MISSED, ABSENT = "met", "missed", "not measured"


class NotMeasured(Exception):
    """What is not in a document."""


def _median(metric, peer, x):
    s = metric.at(peer, x)
    if s is None:
        at = "" if x is None else f" at {metric.axis} = {x:g}"
        raise NotMeasured(f"no {peer}{at}")
    return s.median


def _quotient(top, bottom):
    if not bottom > 0 or top < 0:
        raise NotMeasured("a median is not positive")
    return top / bottom


@dataclass(frozen=True)
class Ratio:
    """Of two medians: @top to @bottom, each (peer, x)."""

    top: tuple
    bottom: tuple

    def of(self, metric):
        return _quotient(_median(metric, *self.top), _median(metric, *self.bottom))


@dataclass(frozen=True)
class Seconds:
    """A median as it is: a limit for people who wait, whatever others take."""

    peer: str

    def of(self, metric):
        return _median(metric, self.peer, None)


@dataclass(frozen=True)
class Excess:
    """As Ratio, of what both have more than @base, which every process has."""

    top: tuple
    bottom: tuple
    base: tuple

    def of(self, metric):
        base = _median(metric, *self.base)
        return _quotient(_median(metric, *self.top) - base, _median(metric, *self.bottom) - base)


@dataclass(frozen=True)
class Spread:
    """The slowest to the fastest of all places from @first to @last, which must be there."""

    peer: str
    first: int
    last: int

    def of(self, metric):
        for x in (self.first, self.last):
            _median(metric, self.peer, x)
        medians = [s.median for s in metric.of(self.peer) if self.first <= s.x <= self.last]
        return _quotient(max(medians), min(medians))


@dataclass(frozen=True)
class Worst:
    """The largest ratio of @top to @bottom at any place from @first on that both have."""

    top: str
    bottom: str
    first: int

    def of(self, metric):
        for peer in (self.top, self.bottom):
            _median(metric, peer, self.first)
        return max(
            _quotient(s.median, metric.at(self.bottom, s.x).median)
            for s in metric.of(self.top)
            if s.x >= self.first and metric.at(self.bottom, s.x)
        )


COMPARE = {
    ">=": (lambda value, limit: value >= limit, "at least"),
    "<=": (lambda value, limit: value <= limit, "at most"),
    "<": (lambda value, limit: value < limit, "below"),
}


@dataclass(frozen=True)
class Bar:
    what: str
    benchmark: str
    metric: str
    value: object  # Ratio, Seconds, Excess, Spread or Worst
    direction: str  # of COMPARE
    limit: float
    thesis: str  # and what peers reach
    pti: bool | None = None  # only on machines with, or without, page-table isolation
    needs: tuple = ()  # of (option, at least): what was measured must be of a size
    percent: bool = False  # how people read it

    @property
    def wanted(self):
        limit = f"{self.limit * 100:g} %" if self.percent else f"{self.limit:.4g}"
        return f"{COMPARE[self.direction][1]} {limit}"

    def holds(self, value):
        return COMPARE[self.direction][0](value, self.limit)

    def rounded(self, value):
        """As few digits, but at least three, as show on which side of the limit it is."""
        unit, sign = (0.01, " %") if self.percent else (1, "")
        point = math.floor(math.log10(value / unit)) if value else 0
        for digits in range(2, 12):
            text = f"{value / unit:.{max(0, digits - point)}f}"
            if self.holds(float(text) * unit) == self.holds(value):
                break
        return text + sign


@dataclass(frozen=True)
class Row:
    bar: Bar
    document: object  # or None: no document has it
    value: float | None
    verdict: str
    why: str = ""  # it is not measured

    @property
    def number(self):
        return "" if self.value is None else self.bar.rounded(self.value)


def _row(bar, document):
    metric = document.metric(bar.metric)
    if metric is None:
        raise NotMeasured(f"no {bar.metric}")
    value = bar.value.of(metric)
    why = ""
    if document.quick:
        why = "a quick run"
    for option, least in bar.needs:
        has = document.options.get(option)
        if not isinstance(has, (int, float)) or has < least:
            why = f'its options name no "{option}" of at least {least}'
    if why:
        return Row(bar, document, value, ABSENT, why)
    return Row(bar, document, value, MET if bar.holds(value) else MISSED)


def rows(documents):
    """Of each bar one row for each document that has the data, or one that says why none has."""
    for bar in BARS:
        found, why = [], f"no document of {bar.benchmark}"
        for document in documents:
            if document.benchmark != bar.benchmark:
                continue
            if bar.pti is not None and document.machine.get("pti") is not bar.pti:
                if not why.startswith(document.benchmark):
                    why = f"no document of {bar.benchmark} with PTI {'on' if bar.pti else 'off'}"
                continue
            try:
                found.append(_row(bar, document))
            except NotMeasured as e:
                why = f"{document.name} has {e}"
        yield from found or [Row(bar, None, None, ABSENT, why)]


FAULTS = "population by faults"
POPULATE = "explicit population"
MAP = "map + touch + unmap"
TRANSFER = "time per 32-MiB packet"
SHM, SHM_POPULATED = "POSIX shm", "POSIX shm, MAP_POPULATE"
ANONYMOUS = "shared anonymous"
MORSELFS, TMPFS = "morselfs", "tmpfs"
MEMCACHED = ("memcached on a morsel", None), ("memcached", None)
PERSISTENT = ("morselfs, persistent", None)
PAIR = "allocate + free a frame"
GIB = 1 << 30

BARS = (
    Bar("population by faults, 1 thread: times as fast as shared anonymous memory",
        "faults", FAULTS, Ratio((ANONYMOUS, 1), ("morsel", 1)), ">=", 2.1,
        "thesis 1.3; a first throwaway module 1.89", pti=False),
    Bar("population by faults, 1 thread: times as fast as shared anonymous memory",
        "faults", FAULTS, Ratio((ANONYMOUS, 1), ("morsel", 1)), ">=", 1.8,
        "thesis 1.3; a first throwaway module 1.60", pti=True),
    Bar("population by faults, 2 threads: times as fast as shared anonymous memory",
        "faults", FAULTS, Ratio((ANONYMOUS, 2), ("morsel", 2)), ">=", 2.0,
        "thesis up to 2", pti=False),
    Bar("population by faults: 2 threads of the morsel, times as fast as 1",
        "faults", FAULTS, Ratio(("morsel", 1), ("morsel", 2)), ">=", 1.9,
        "thesis up to 2"),
    Bar("explicit population: times as fast as shared anonymous memory with MAP_POPULATE",
        "populate", POPULATE, Ratio((f"{ANONYMOUS}, MAP_POPULATE", None), ("morsel, ioctl", None)),
        ">=", 3.5, "a first throwaway module 3.4 (batches: exmap)"),
    Bar("explicit population: its time to that of memset of the same memory",
        "populate", POPULATE, Ratio(("morsel, ioctl", None), ("memset of the same memory", None)),
        "<=", 1.1, "a first throwaway module 1.1"),
    Bar("map + unmap alone, 2^0 to 2^18 populated pages: slowest to fastest",
        "attach", "map + unmap of a populated object", Spread("morsel", 1, 1 << 18),
        "<=", 1.2, "thesis: constant"),
    Bar("map + touch + unmap, 2^16 pages: times as fast as POSIX shm with MAP_POPULATE",
        "map", MAP, Ratio((SHM_POPULATED, 1 << 16), ("morsel", 1 << 16)), ">=", 14,
        "thesis over 10; a first throwaway module 12.9"),
    Bar("map + touch + unmap, 2^16 pages: times as fast as POSIX shm by faults",
        "map", MAP, Ratio((SHM, 1 << 16), ("morsel", 1 << 16)), ">=", 12,
        "thesis over 10; a first throwaway module 10.6"),
    Bar("map + touch + unmap, 1 page: its time to that of POSIX shm",
        "map", MAP, Ratio(("morsel", 1), (SHM, 1)), "<=", 2,
        "a first throwaway module 7"),
    Bar("map + touch + unmap, from 16 pages up: its time to that of POSIX shm, at worst",
        "map", MAP, Worst("morsel", SHM, 16), "<", 1,
        "thesis crosses over at 2^5; a first throwaway module at 64 to 256"),
    Bar("map alone, 2^18 pages: times as fast as POSIX shm with MAP_POPULATE",
        "map", "map", Ratio((SHM_POPULATED, 1 << 18), ("morsel", 1 << 18)), ">=", 1000,
        "thesis: constant to linear"),
    Bar("transfer of 32-MiB packets: its time to that of filling them alone",
        "transfer", TRANSFER, Ratio(("morsel", None), ("filling alone", None)), "<=", 1.12,
        "thesis 1.07"),
    Bar("transfer of 32-MiB packets: times as fast as POSIX shm",
        "transfer", TRANSFER, Ratio((SHM, None), ("morsel", None)), ">=", 2.5,
        "thesis 1.9"),
    Bar("model of at least 4 GiB, all pages mapped: its time to that of the page-cached file",
        "model", "time until every page is mapped", Ratio(("morsel, order 3", 1), ("ext4 file", 1)),
        "<=", 0.001, "DIMES'23 0.2 % (6.82 GiB)", needs=(("model bytes", 4 * GIB),), percent=True),
    Bar("page tables for 1 GiB in each of 1000 processes: their memory to that of POSIX shm",
        "processes", "page-table memory",
        Excess(("morsel", 1000), (SHM, 1000), ("no object", 1000)), "<=", 0.01,
        "mshare: 878 GB of page tables for 1500 clients", percent=True),
    Bar("fork with 4 GiB populated and mapped: times as fast as private anonymous memory",
        "fork", "fork", Ratio(("private anonymous", 4 * GIB), ("morsel", 4 * GIB)), ">=", 100,
        "on-demand-fork 65 at 1 GiB"),
    Bar("file of 1 GiB on morselfs, map + touch + unmap: times as fast as on tmpfs",
        "files", MAP, Ratio((TMPFS, GIB), (MORSELFS, GIB)), ">=", 10,
        "thesis over 10, of objects without a name"),
    Bar("file on morselfs, open + map + close + unmap, 4 KiB to 512 GiB: slowest to fastest",
        "files", "open + map + close + unmap", Spread(MORSELFS, 4096, 512 * GIB), "<=", 1.5,
        "thesis: constant"),
    Bar("file on morselfs, read: its throughput to that on tmpfs",
        "files", "read of a file", Ratio((TMPFS, None), (MORSELFS, None)), ">=", 0.9,
        "", needs=(("bytes read and written", GIB // 4),), percent=True),
    Bar("file on morselfs, written over: its throughput to that on tmpfs",
        "files", "write over a file", Ratio((TMPFS, None), (MORSELFS, None)), ">=", 0.9,
        "", needs=(("bytes read and written", GIB // 4),), percent=True),
    Bar("git clone to morselfs: its speed to that on tmpfs",
        "build", "git clone", Ratio((TMPFS, None), (MORSELFS, None)), ">=", 0.9,
        "", percent=True),
    Bar("make on morselfs: its speed to that on tmpfs",
        "build", "make", Ratio((TMPFS, None), (MORSELFS, None)), ">=", 0.9,
        "", percent=True),
    Bar("memcached on a morsel: its throughput to that of the stock one",
        "memcached", "throughput", Ratio(*MEMCACHED), ">=", 0.95,
        "thesis: average latency within 2 %", percent=True),
    Bar("memcached on a morsel: its p99 latency to that of the stock one",
        "memcached", "latency p99", Ratio(*MEMCACHED), "<=", 1.05,
        "thesis: average latency within 2 %", percent=True),
    Bar("cache-line transfers per fault, 48 simulated CPUs: to those of shared anonymous memory",
        "contention", "cache-line transfers per fault", Ratio(("morsel", 48), (ANONYMOUS, 48)),
        "<=", 1 / 3, "thesis: 3 times as fast on two NUMA nodes"),
    Bar("persistent file of 1 GiB, map + touch: times as fast as on XFS (DAX)",
        "pmem", "map + touch", Ratio(("xfs", None), PERSISTENT), ">=", 10,
        "", needs=(("file bytes", GIB),)),
    Bar("persistent file of 1 GiB, map + touch: times as fast as on ext4 (DAX)",
        "pmem", "map + touch", Ratio(("ext4", None), PERSISTENT), ">=", 10,
        "", needs=(("file bytes", GIB),)),
    Bar("population by faults of a persistent file: times as fast as of one in memory",
        "pmem", FAULTS, Ratio(("morselfs, volatile", None), PERSISTENT), ">=", 0.8, ""),
    Bar("allocator of persistent frames, 1 processor: times as fast as the kernel's",
        "pmem", PAIR, Ratio(("buddy", 1), ("pool", 1)), ">=", 1.0, "LLFree: faster"),
    Bar("allocator of persistent frames, 2 processors: times as fast as the kernel's",
        "pmem", PAIR, Ratio(("buddy", 2), ("pool", 2)), ">=", 1.0, "LLFree: faster"),
    Bar("mount after a crash with 8 GiB populated, seconds",
        "pmem", "mount after a crash", Seconds(PERSISTENT[0]), "<=", 2, "",
        needs=(("bytes at the crash", 8 * GIB),)),
)
