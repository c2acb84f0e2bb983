# SPDX-License-Identifier: GPL-2.0-only
"""report.html: one file that holds all there is: bars, figures, tables, raw data.

It loads nothing from elsewhere.  What it links to beside itself, the raw
documents, is embedded as well.
"""

import base64
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from html import escape
from urllib.parse import quote

import bars
import report_figures as figures
from report_methods import GENERAL, METHODS

STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --dim: #595959; --back: #fff; --line: #c9c9c9;
  --shade: #f3f4f5; --link: #005a9c; --met: #00664a; --missed: #a83a00; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e4e4; --dim: #a8a8a8; --back: #17191b;
  --line: #45494d; --shade: #22262a; --link: #7ab8ec; --met: #4fc79f; --missed: #ff9463; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem clamp(0.8rem, 3vw, 3rem) 4rem; max-width: 100rem;
  color: var(--text); background: var(--back);
  font: 1rem/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 1rem 0 0.3rem; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 3rem 0 0.5rem; padding-top: 0.6rem;
  border-top: 2px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.6rem 0 0.4rem; }
p, ul { max-width: 48rem; margin: 0.5rem 0; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; padding: 0; max-width: none;
  list-style: none; }
.dim { color: var(--dim); }
.scroll { overflow-x: auto; margin: 0.8rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; line-height: 1.35; }
caption { text-align: left; font-weight: 600; padding: 0.4rem 0; }
th, td { padding: 0.22rem 0.7rem 0.22rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--line); background: var(--back); }
tbody th { font-weight: 400; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.raw { overflow-wrap: anywhere; min-width: 14rem; }
tr.first > * { border-top: 1px solid var(--text); }
tr.morsel > * { font-weight: 600; }
.met, .missed, .absent { white-space: nowrap; font-weight: 700; }
.bar { white-space: nowrap; }
.met { color: var(--met); } .missed { color: var(--missed); } .absent { color: var(--dim); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr));
  gap: 1.2rem; margin: 1rem 0; align-items: start; }
figure { margin: 0; max-width: 48rem; overflow-x: auto; border: 1px solid var(--line);
  padding: 0.4rem; }
figure > svg { display: block; width: 100%; min-width: 22rem; height: auto; }
figure > object { display: block; width: 100%; min-width: 40rem; }
figure.wide { max-width: none; grid-column: 1 / -1; }
figcaption { font-size: 0.85rem; color: var(--dim); }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 36rem), 1fr));
  gap: 0 2.5rem; align-items: start; }
.tables .scroll { max-height: 42rem; overflow: auto; margin-bottom: 1rem; }
.tables > * { max-width: 56rem; }
.tables table { width: 100%; }
.tables thead th { position: sticky; top: 0; }
@media (max-width: 44rem) {
  table.cards thead { display: none; }
  table.cards, table.cards tbody, table.cards tr, table.cards td, table.cards th {
    display: block; border: 0; padding: 0; text-align: left; }
  table.cards tr { border-bottom: 1px solid var(--line); padding: 0.5rem 0; }
  table.cards th { font-weight: 600; white-space: normal; }
  table.cards td { display: inline-block; margin-right: 1.2rem; }
  table.cards td:empty { display: none; }
  table.cards td[data-of]:not(:empty)::before { content: attr(data-of) ": "; color: var(--dim);
    font-weight: 400; }
}
@media print {
  :root { --text: #000; --dim: #444; --back: #fff; --line: #999; --link: #000; --met: #00664a;
    --missed: #a83a00; }
  body { font-size: 9.5pt; padding: 0; max-width: none; }
  .figures, .tables { display: block; }
  .tables .scroll, .scroll, figure { max-height: none; overflow: visible; }
  .tables thead th { position: static; }
  figure, tr { break-inside: avoid; }
  figure { margin: 0.6rem 0; max-width: 13cm; }
  tbody th { min-width: 5.5cm; } .tables tbody th { min-width: 0; }
  figure > svg, figure > object { min-width: 0; }
  h2, h3, caption { break-after: avoid; }
  nav { display: none; }
}
"""

VERDICTS = {bars.MET: "met", bars.MISSED: "missed", bars.ABSENT: "absent"}


def attribute(name, value):
    return f' {name}="{escape(str(value), quote=True)}"'


def element(name, content, **attributes):
    """@content is HTML; class_ and such are for words of Python."""
    return (
        f"<{name}"
        + "".join(
            attribute(k.rstrip("_").replace("_", "-"), v)
            for k, v in attributes.items()
            if v is not None
        )
        + f">{content}</{name}>"
    )


def cell(text, class_=None, of=None, name="td"):
    return element(name, escape(text), class_=class_, data_of=of)


def table(head, body, caption=None, class_=None):
    """@head: (text, class) of each column; @body: rows of HTML."""
    top = "".join(element("th", escape(t), class_=c, scope="col") for t, c in head)
    return element(
        "table",
        (element("caption", escape(caption)) if caption else "")
        + element("thead", element("tr", top))
        + element("tbody", "\n".join(body)),
        class_=class_,
    )


def scrolling(content):
    # By the keyboard as well.
    return element("div", content, class_="scroll", tabindex=0)


def link(text, path):
    """To a file beside the page."""
    return element("a", escape(text), href=quote(path.name))


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


# Figures.


def inline_svg(text, name, title):
    """What gnuplot drew, as part of a page: in its colours, with names of its own."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<title>.*?</title>|<desc>.*?</desc>", "", text, flags=re.S)
    # The background, and two filters that nothing uses.
    text = re.sub(r'<rect x="0" y="0" [^>]*fill="#ffffff"/>', "", text, count=1)
    text = re.sub(r"<filter.*?</filter>", "", text, flags=re.S)
    text = re.sub(r"""(\bid=|\bhref=)(['"])(#?)""", rf"\1\2\3{name}-", text)
    text = re.sub(
        r"""(stroke|fill|color)=(['"])(?:black|rgb\(\s*0,\s*0,\s*0\))\2""",
        r"\1=\2currentColor\2",
        text,
    )
    # Or everything that says currentColor is that of itself.
    text = text.replace(' color="currentColor"', "").replace(" color='currentColor'", "")
    text = text.replace(
        'font-family="DejaVu Sans"', 'font-family="DejaVu Sans, Verdana, sans-serif"'
    )
    label = attribute("aria-label", title)
    return re.sub(r"[ \t]*\n\s*", "\n", text.replace("<svg", f'<svg role="img"{label}', 1)).strip()


def figure(drawn):
    """@drawn: a Figure of bench/report."""
    svg = inline_svg(drawn.svg.read_text(encoding="utf-8"), slug(drawn.svg.stem), drawn.title)
    links = link("SVG", drawn.svg) + " " + link("PNG", drawn.png)
    return element("figure", svg + element("figcaption", links))


def flame(path):
    """A picture of somebody else's making, with styles and scripts: a document in the document."""
    data = path.read_bytes()
    root = ElementTree.fromstring(data)
    box = root.get("viewBox", "").split()
    wide, tall = box[2:4] if len(box) == 4 else (root.get("width"), root.get("height"))
    uri = "data:image/svg+xml;base64," + base64.b64encode(data).decode()
    caption = f"{escape(path.stem)} {link('SVG', path)}"
    shape = f"aspect-ratio: {float(wide):g} / {float(tall):g}" if wide and tall else None
    picture = element(
        "object",
        escape(path.stem),
        type="image/svg+xml",
        data=uri,
        style=shape,
        aria_label=f"flame graph {path.stem}",
    )
    return element("figure", picture + element("figcaption", caption), class_="wide")


# Tables.


def bars_table(rows):
    head = [
        ("what", None),
        ("measured", "n"),
        ("bar", None),
        ("", None),
        ("document", None),
        ("thesis, peers", None),
    ]
    body, before = [], None
    for row in rows:
        bar, verdict = row.bar, VERDICTS[row.verdict]
        what = bar.what + ("" if bar.pti is None else f" (PTI {'on' if bar.pti else 'off'})")
        document = ""
        if row.document:
            document = element("a", escape(row.document.name), href=f"#{row.document.benchmark}")
        if row.why:
            document += element("span", escape(f" ({row.why})"), class_="dim")
        body.append(
            element(
                "tr",
                cell(what, name="th")
                + cell(row.number, "n", "measured")
                + cell(bar.wanted, "bar", "bar")
                + cell(row.verdict, verdict)
                + element("td", document, data_of="document")
                + cell(bar.thesis, "dim", "thesis, peers"),
                class_="first" if bar is not before else None,
            )
        )
        before = bar
    return scrolling(table(head, body, class_="cards"))


def measured_table(document, metric):
    how, reference = figures.axis(metric), metric.reference()
    head = [("peer", None)]
    if metric.axis:
        head.append((metric.axis, "n"))
    head += [(t, "n") for t in ("median", "p10", "p90", "n")]
    head.append(("to morsel", "n"))
    body = []
    for peer in metric.peers():
        for i, s in enumerate(metric.of(peer)):
            base = reference and metric.at(reference, s.x)
            ratio = f"{figures.digits(s.median / base.median)} ×" if base and base.median else "–"
            line = cell(peer if not i else "", name="th")
            if metric.axis:
                line += cell(how.name(s.x), "n")
            for value in (s.median, s.p10, s.p90):
                line += cell(figures.quantity(s.unit, value), "n")
            line += cell(str(len(s.samples)), "n") + cell(ratio, "n")
            marked = ("first" if not i else "") + (" morsel" if peer == reference else "")
            body.append(element("tr", line, class_=marked.strip() or None))
    return scrolling(table(head, body, f"{metric.name}, {document.label}"))


MACHINE = (
    "kernel",
    "build",
    "cpu",
    "cpus",
    "nodes",
    "memory",
    "hypervisor",
    "pti",
    "levels",
    "morsel",
    "cmdline",
)
NAMES = {
    "cpu": "CPU",
    "cpus": "CPUs",
    "pti": "PTI",
    "levels": "levels of page tables",
    "morsel": "version of the module",
    "cmdline": "command line of the kernel",
}


def said(key, value):
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key == "memory" and isinstance(value, (int, float)):
        return figures.quantity("bytes", value)
    return str(value)


def machine(documents):
    """What the documents have in common once, and the rest for each."""
    keys = [k for k in MACHINE if any(k in d.machine for d in documents)]
    keys += sorted({k for d in documents for k in d.machine} - set(keys))
    same, differ = [], []
    for key in keys:
        values = {said(key, d.machine.get(key)) for d in documents}
        (same if len(values) == 1 else differ).append(key)
    common = [
        element(
            "tr", cell(NAMES.get(k, k), name="th") + cell(said(k, documents[0].machine[k]), "raw")
        )
        for k in same
    ]
    head = [("document", None), ("date", None), ("options", None)]
    head += [(NAMES.get(k, k), None) for k in differ] + [("raw data", None)]
    body = []
    for d in documents:
        options = ", ".join(f"{k} {said('', v)}" for k, v in d.options.items())
        if d.quick:
            options = "a quick run, " + options
        uri = "data:application/json;base64," + base64.b64encode(d.raw).decode()
        links = link("beside", d.path) + " "
        links += element("a", "embedded", download=d.path.name, href=uri)
        line = cell(d.name, name="th") + cell(d.date, None, "date") + cell(options, None, "options")
        line += "".join(
            cell(
                said(k, d.machine.get(k)),
                "raw" if k in ("cmdline", "build") else None,
                NAMES.get(k, k),
            )
            for k in differ
        )
        body.append(element("tr", line + element("td", links, data_of="raw data")))
    parts = []
    if common:
        parts.append(scrolling(table([("all documents", None), ("", None)], common)))
    parts.append(scrolling(table(head, body, class_="cards")))
    return "\n".join(parts)


# The page.


def benchmark(name, documents, drawn, flames):
    title, text = METHODS.get(name, (name, ""))
    parts = [element("h2", escape(title)), element("p", escape(text)) if text else ""]
    missing = [
        element(
            "li", escape(f"{peer}: {why}") + element("span", escape(f" ({d.name})"), class_="dim")
        )
        for d in documents
        for peer, why in d.missing
    ]
    if missing:
        parts.append(element("h3", "Missing peers"))
        parts.append(element("ul", "".join(missing)))
    pictures = [figure(f) for f in drawn] + [flame(p) for p in flames]
    parts.append(element("div", "\n".join(pictures), class_="figures"))
    tables = [measured_table(d, m) for d in documents for m in d.metrics]
    parts.append(element("div", "\n".join(tables), class_="tables"))
    return element("section", "\n".join(parts), id=name)


def page(documents, rows, drawn, flames):
    """@drawn: figures by benchmark; @flames: paths of flame graphs by benchmark."""
    names = list(dict.fromkeys(d.benchmark for d in documents))
    names += [n for n in flames if n not in names]
    links = [("bars", "Bars"), ("machines", "Machines and raw data")]
    links += [(n, n) for n in names]
    contents = element(
        "nav",
        element(
            "ul", "".join(element("li", element("a", escape(t), href=f"#{i}")) for i, t in links)
        ),
    )
    sections = [
        benchmark(
            n, [d for d in documents if d.benchmark == n], drawn.get(n, []), flames.get(n, [])
        )
        for n in names
    ]
    count = Counter(row.verdict for row in rows)
    verdicts = ", ".join(f"{count[v]} {v}" for v in VERDICTS)
    dates = sorted(d.date for d in documents)
    when = f"{dates[0]} to {dates[-1]}" if documents else "nothing"
    body = "\n".join(
        [
            element("h1", "Morsels, measured"),
            element("p", escape(f"{len(documents)} result documents, {when}."), class_="dim"),
            contents,
            element(
                "section",
                element("h2", "Bars")
                + element(
                    "p",
                    escape(
                        "Ratios of medians, each within one boot, beside what they must reach."
                        " What no document holds is not measured, and never met."
                        f" {verdicts}."
                    ),
                )
                + bars_table(rows),
                id="bars",
            ),
            element(
                "section",
                element("h2", "Machines and raw data")
                + element("p", escape(GENERAL))
                + (machine(documents) if documents else ""),
                id="machines",
            ),
            *sections,
        ]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Morsels, measured</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )
