# SPDX-License-Identifier: GPL-2.0-only
"""Figures: the series of one metric as SVG and PNG, by gnuplot.

As in the thesis: medians, with bars from the 10th to the 90th percentile.  All
positions on the x axis, and the marks of logarithmic axes, are computed here;
gnuplot only draws.  Colours belong to kinds of memory, dashes and points to
their variants, so that a peer looks the same in all figures and nobody needs
to tell colours apart.
"""

import math
import subprocess
from dataclasses import dataclass, replace

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Failed(Exception):
    """gnuplot is not there, or said why it could not draw."""


# Units: what a value is read in.

SCALES = {
    "s": ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1, "s")),
    "bytes": ((1, "B"), (1 << 10, "KiB"), (1 << 20, "MiB"), (1 << 30, "GiB"), (1 << 40, "TiB")),
}
QUANTITIES = {"s": "time", "bytes": "memory", "requests/s": "throughput"}


def scale(unit, value):
    """The factor and name of the largest unit that @value is not below."""
    scales = SCALES.get(unit, ((1, unit),))
    return next((s for s in reversed(scales) if abs(value) >= s[0]), scales[0])


def digits(value, n=4):
    """@n significant digits, and never an exponent."""
    if not value:
        return "0"
    return f"{value:.{max(0, n - 1 - math.floor(math.log10(abs(value))))}f}"


def quantity(unit, value):
    factor, name = scale(unit, value)
    shown = value / factor
    whole = round(shown)
    return f"{whole if math.isclose(shown, whole) else digits(shown)} {name}"


# Axes: where an x lies, and how it is called.


@dataclass(frozen=True)
class Axis:
    label: str
    kind: str = "linear"  # log2, log10 or inverse
    unit: str = ""

    def name(self, x):
        if self.unit:
            return quantity(self.unit, x)
        if self.kind == "log2" and x > 0 and math.log2(x).is_integer():
            return "2" + str(int(math.log2(x))).translate(SUPERSCRIPTS)
        return f"{x:.12g} %" if self.kind == "inverse" else f"{x:.12g}"


AXES = {
    "threads": Axis("threads"),
    "processors": Axis("processors"),
    "CPUs": Axis("CPUs"),
    "order": Axis("order of the morsel (512ᴺ pages)"),
    "pages": Axis("pages of 4 KiB", "log2"),
    "pages populated": Axis("pages populated, of 4 KiB", "log2"),
    "pages from one to the next": Axis("pages from one that is populated to the next", "log2"),
    "file bytes": Axis("size of the file", "log2", "bytes"),
    "bytes": Axis("memory that is populated and mapped", "log2", "bytes"),
    "processes": Axis("processes", "log10"),
    "percentile": Axis("percentile of requests (inverse logarithmic)", "inverse"),
}


def axis(metric):
    return AXES.get(metric.axis) or Axis(metric.axis)


def drawn(metric):
    """What of it has a place in a figure: 100 % of the requests lie beyond the axis."""
    inverse = axis(metric).kind == "inverse"
    return [s for s in metric.series if not inverse or 0 <= s.x < 100]


def place(kind, x, smallest):
    """Where @x lies; @smallest is the smallest positive one there is."""
    if kind == "inverse":
        return -math.log10(1 - x / 100)
    if kind == "linear":
        return x
    log = math.log2 if kind == "log2" else math.log10
    # Zero is a place of its own, left of all others.
    return log(x) if x > 0 else log(smallest) - 1


def nice_step(span, most):
    """1, 2 or 5 times a power of ten, so that at most @most of them fit."""
    step = 10 ** math.floor(math.log10(span / most))
    return next(step * n for n in (1, 2, 5, 10) if span / (step * n) <= most)


def x_marks(how, xs):
    """(place, name) of the marks below an axis for @xs."""
    smallest = min((x for x in xs if x > 0), default=1)
    if how.kind == "inverse":
        worst = max(xs)
        wanted = [0.0] + [p for p in (90, 99, 99.9, 99.99, 99.999, 99.9999) if p <= worst]
    elif how.kind == "linear":
        step = max(1, nice_step(max(xs) - min(xs) or 1, 12))
        wanted = [i * step for i in range(math.ceil(min(xs) / step), int(max(xs) / step) + 1)]
        if len(xs) <= 8:
            wanted = xs
    elif how.kind == "log2":
        powers = [math.floor(math.log2(x)) for x in xs if x > 0] or [0]
        most = 6 if how.unit else 11  # names are long, or short
        step = max(1, math.ceil((max(powers) - min(powers)) / most))
        wanted = [2.0**p for p in range(min(powers), max(powers) + 1, step)]
    else:
        wanted = [x for x in xs if x > 0]
        if len(wanted) > 8:
            powers = range(math.floor(math.log10(wanted[0])), math.ceil(math.log10(wanted[-1])) + 1)
            wanted = [10.0**p for p in powers]
    if how.kind.startswith("log") and min(xs) == 0:
        wanted = [0.0, *wanted]
    marked = [(place(how.kind, x, smallest), how.name(x)) for x in wanted]
    # Names must not run into each other.
    near = (marked[-1][0] - marked[0][0]) * 0.035
    kept = marked[:1]
    for one in marked[1:]:
        if one[0] - kept[-1][0] > near:
            kept.append(one)
    return kept


@dataclass(frozen=True)
class Range:
    """Of the y axis: of all figures of a metric, so that they compare."""

    low: float
    high: float
    log: bool
    unit: str
    typical: float  # in its unit all are read

    @staticmethod
    def over(unit, series):
        low, high = min(s.p10 for s in series), max(s.p90 for s in series)
        if low > 0 and high / low >= 20:
            return Range(low / 1.6, high * 1.6, True, unit, high)
        return Range(min(0, low), high * 1.08 or 1, False, unit, high)

    def with_room(self):
        """For a number beside the largest."""
        by = (self.high / self.low) ** 0.3 if self.log else 1.3
        return replace(self, high=self.high * by)

    @property
    def factor(self):
        """What values are divided by."""
        return 1 if self.log else scale(self.unit, self.typical)[0]

    @property
    def label(self):
        what = QUANTITIES.get(self.unit, self.unit)
        if self.log:
            return f"{what} (logarithmic)"
        name = scale(self.unit, self.typical)[1]
        return what if name == what else f"{what} [{name}]"

    def marks(self):
        """(value, name) on a logarithmic axis."""
        binary = self.unit == "bytes"
        log = math.log2 if binary else math.log10
        first, last = math.ceil(log(self.low)), math.floor(log(self.high))
        step = max(1, math.ceil((last - first) / 9))
        if binary and step > 1:
            step += step % 2
            first += -first % step
        values = [float(2 if binary else 10) ** p for p in range(first, last + 1, step)]
        if not binary and last - first < 2:
            decades = range(first - 1, last + 1)
            values = [10.0**p * n for p in decades for n in (1, 2, 5)]
        return [(v, quantity(self.unit, v)) for v in values if self.low <= v <= self.high]


# Looks of peers.  The hues are distinguishable with any colour vision when they
# meet in one figure, and have contrast on white as on black.

MORSEL, BLUE_GREEN, VERMILION, PURPLE = "#0072B2", "#009E73", "#D55E00", "#CC79A7"
SKY, OCHRE, OLIVE, GREY = "#3A9BD0", "#B8860B", "#7A8B1A", "#808080"

# The beginning of a peer's name, the longest that fits, is its kind.
HUES = {
    "morsel": MORSEL,
    "memcached on a morsel": MORSEL,
    "memcached": VERMILION,
    "shared anonymous": VERMILION,
    "POSIX shm": BLUE_GREEN,
    "memfd": SKY,
    "tmpfs": OCHRE,
    "private anonymous": PURPLE,
    "pipe": PURPLE,
    "hugetlbfs": GREY,
    "memset": GREY,
    "ext4 file": OLIVE,
}
# The rest of its name: a dash type, and a point that is filled or not.
VARIANTS = ((1, True), (2, False), (4, True), (3, False), (5, True))
FIRST_VARIANT = ("", "huge=never", "ioctl", "write", "by SCM_RIGHTS")
SECOND_VARIANT = ("MAP_POPULATE", "huge=always", "huge", "THP", "order 3", "vmsplice")
# Outlined and filled points of gnuplot, one pair for each hue.
POINTS = {
    MORSEL: (6, 7),
    VERMILION: (4, 5),
    BLUE_GREEN: (8, 9),
    PURPLE: (10, 11),
    SKY: (12, 13),
    OCHRE: (14, 15),
    OLIVE: (2, 2),
    GREY: (1, 1),
}


@dataclass(frozen=True)
class Look:
    hue: str
    dash: int
    point: int
    width: float


def look(peer):
    kind = max((k for k in HUES if peer.startswith(k)), key=len, default="")
    hue = HUES.get(kind, GREY)
    variant = peer[len(kind) :].lstrip(", ")
    if variant in FIRST_VARIANT:
        dash, filled = VARIANTS[0]
    elif variant in SECOND_VARIANT:
        dash, filled = VARIANTS[1]
    else:
        # By the name alone, or it would change from figure to figure.
        dash, filled = VARIANTS[2 + sum(variant.encode()) % 3]
    width = 2.4 if hue == MORSEL else 1.6
    return Look(hue, dash, POINTS[hue][filled], width)


# gnuplot.


def quoted(text):
    """In single quotes gnuplot expands nothing."""
    return "'" + text.replace("'", "''") + "'"


def marks(which, these):
    # The name of a mark is a format.
    named = (f"{quoted(name.replace('%', '%%'))} {at:.12g}" for at, name in these)
    return f"set {which}tics (" + ", ".join(named) + ")"


def block(name, lines):
    return [f"${name} << END", *lines, "END"]


COMMON = (
    "set encoding utf8",
    "set border 3 lc rgb 'black'",
    "set grid lc rgb '#a0a0a0' lt 1 lw 0.5 dt 3",
    "set tics nomirror out scale 0.6",
    "set xtics offset 0,0.3",
    "set tmargin 2",
    "set title offset 0,-0.4",
)


# gnuplot's own would clear what lies under their middle.
ERROR_BAR = "vectors heads size screen 0.0035,90 fixed"


def value_axis(which, range_):
    yield f"set {which}label {quoted(range_.label)}"
    low, high = range_.low / range_.factor, range_.high / range_.factor
    yield f"set {which}range [{low:.12g}:{high:.12g}]"
    if range_.log:
        yield f"set logscale {which}"
        yield marks(which, range_.marks())


def lines(title, metric, range_):
    """A script that draws a line for each peer."""
    how = axis(metric)
    shown = drawn(metric)
    if how.kind.startswith("log") and any(s.x < 0 for s in shown):
        how = Axis(how.label)
    xs = sorted({s.x for s in shown})
    smallest = min((x for x in xs if x > 0), default=1)
    at = {x: place(how.kind, x, smallest) for x in xs}
    pad = (at[xs[-1]] - at[xs[0]]) * 0.03 or 0.5
    yield f"set title {quoted(title)}"
    yield f"set xlabel {quoted(how.label)} offset 0,0.5"
    yield f"set xrange [{at[xs[0]] - pad:.12g}:{at[xs[-1]] + pad:.12g}]"
    yield marks("x", x_marks(how, xs))
    yield from value_axis("y", range_)
    peers = [p for p in metric.peers() if any(s.peer == p for s in shown)]
    rows = math.ceil(len(peers) / 2)
    # Below the axis, its marks and its label.
    yield f"set bmargin {rows + 4.5}"
    yield f"set key bmargin center Left reverse maxrows {rows} samplen 3 width 1"
    curves, keys, f = [], [], range_.factor
    for i, peer in enumerate(peers):
        data = (
            f"{at[s.x]:.12g} {s.median / f:.12g} {s.p10 / f:.12g} {s.p90 / f:.12g}"
            for s in metric.of(peer)
            if s in shown
        )
        yield from block(f"peer{i}", data)
        k = look(peer)
        paint = f"lc rgb '{k.hue}' lw {k.width}"
        point = f"pt {k.point} ps 0.8"
        curves += [
            f"$peer{i} using 1:2 with points {paint} {point} notitle",
            f"$peer{i} using 1:3:(0):($4-$3) with {ERROR_BAR} {paint} notitle",
            f"$peer{i} using 1:2 with lines {paint} dt {k.dash} notitle",
        ]
        keys.append(f"keyentry with linespoints {paint} dt {k.dash} {point} title {quoted(peer)}")
    # Those that come first, the morsel above all, lie on top.
    yield "plot " + ", \\\n\t".join([*reversed(curves), *keys])


def bars(title, groups, range_):
    """A script that draws a bar for each peer, and a group for each of @groups, (label, metric)."""
    rows, names, headings, y = [], [], [], 0
    for label, metric in groups:
        if len(groups) > 1:
            headings.append((y, label))
            y -= 1
        for peer in metric.peers():
            rows.append((y, metric.at(peer)))
            names.append((y, peer))
            y -= 1
        y -= 0.5
    f = range_.factor
    left = range_.low / f
    yield f"set title {quoted(title)}"
    yield from value_axis("x", range_.with_room())
    yield f"set yrange [{y + 1}:{0.8}]"
    yield marks("y", names)
    yield "set ytics scale 0"
    yield "set grid noytics"
    yield "unset key"
    for at, label in headings:
        yield f"set label {quoted(label)} at graph 0.005, first {at} left"
    yield from block(
        "rows",
        (
            f"{s.median / f:.12g} {at} {s.p10 / f:.12g} {s.p90 / f:.12g}"
            f' {int(look(s.peer).hue[1:], 16)} "{quantity(s.unit, s.median)}"'
            for at, s in rows
        ),
    )
    yield (
        f"plot $rows using 1:2:({left:.12g}):1:($2-0.38):($2+0.38):5 with boxxyerror"
        " lc rgb variable fs solid 0.75 noborder, \\\n"
        f"\t$rows using 3:2:($4-$3):(0) with {ERROR_BAR} lc rgb 'black', \\\n"
        "\t$rows using 4:2:6 with labels left offset 0.7,0"
    )


LINES_SIZE = (600, 450)


def bars_size(metrics):
    grouped = len(metrics) > 1
    rows = sum(len(m.peers()) + (1.5 if grouped else 0.5) for m in metrics)
    return 720, round(130 + 24 * rows)


def draw(script, base, size):
    """Runs @script, lines, for @base.svg and @base.png, which is twice that size."""
    wide, tall = size
    text = "\n".join(
        [
            f"set terminal svg size {wide},{tall} dynamic noenhanced font 'DejaVu Sans,13'"
            " background 'white'",
            f"set output {quoted(str(base) + '.svg')}",
            *COMMON,
            *script,
            f"set terminal pngcairo size {2 * wide},{2 * tall} fontscale 2 linewidth 2 pointscale 2"
            " noenhanced font 'DejaVu Sans,11'",
            f"set output {quoted(str(base) + '.png')}",
            "replot",
            "unset output",
            "",
        ]
    )
    try:
        done = subprocess.run(["gnuplot"], input=text, text=True, capture_output=True, check=False)
    except FileNotFoundError:
        raise Failed("gnuplot is not there: scripts/deps bench installs it") from None
    if done.returncode or done.stderr.strip():
        said = " ".join(done.stderr.split())
        raise Failed(f"gnuplot, drawing {base.name}: {said or done.returncode}")
