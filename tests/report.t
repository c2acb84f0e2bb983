#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bench/report, with results that are made up here.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/results"

# series METRIC PEER AXIS X SAMPLE...: axis and x as in JSON
series() {
	local metric=$1 peer=$2 axis=$3 x=$4 samples

	shift 4
	samples=$(IFS=, && echo "$*")
	echo "{\"metric\":\"$metric\",\"unit\":\"s\",\"peer\":\"$peer\",\"axis\":$axis,\"x\":$x,\"samples\":[$samples]}"
}

# document NAME BENCHMARK QUICK PTI SERIES...
document() {
	local name=$1 benchmark=$2 quick=$3 pti=$4

	shift 4
	cat >"$tmp/results/$name.json" <<-EOF
	{ "format": 1, "benchmark": "$benchmark", "quick": $quick, "date": "2020-02-02T20:20:20Z",
	  "machine": { "kernel": "6.12 <made up>", "cmdline": "a=\"b\" & c", "cpus": 2, "pti": $pti },
	  "options": { "rounds": 3 },
	  "missing": [ { "peer": "hugetlbfs", "why": "too few huge pages & more" } ],
	  "series": [ $(IFS=, && echo "$*") ] }
	EOF
}

threads='"threads"'
document "faults-pti=off" faults false false \
	"$(series "population by faults" morsel "$threads" 1 1 1.0 1.2)" \
	"$(series "population by faults" "shared anonymous" "$threads" 1 2.1 2.5 2)" \
	"$(series "population by faults" morsel "$threads" 2 0.7 0.7 0.7)"
document "faults-pti=on" faults true true \
	"$(series "population by faults" morsel "$threads" 1 1)" \
	"$(series "population by faults" "shared anonymous" "$threads" 1 3)"
document transfer transfer false false \
	"$(series "time per 32-MiB packet" morsel null null 1 1 1)" \
	"$(series "time per 32-MiB packet" "POSIX shm" null null 2.4999 2.4999)" \
	"$(series "time per 32-MiB packet" "filling alone" null null)"
document memcached memcached false false \
	"$(series "latency distribution, get" memcached '"percentile"' 0 1e-3)" \
	"$(series "latency distribution, get" memcached '"percentile"' 99.9 5e-3)" \
	"$(series "latency distribution, get" memcached '"percentile"' 100 1e-1)"
cat >"$tmp/results/faults-flame.svg" <<'EOF'
<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"><style>text { fill: red }</style></svg>
EOF

# Bars.

check "--bars" bench/report --bars "$tmp/results"
bench/report --bars "$tmp/results" >"$tmp/bars"
check "it writes nothing" test ! -e "$tmp/results/report"
# row TEXT: the lines about it, without its name
row() { grep -F "$1" "$tmp/bars" | sed 's/   */|/g' | cut -d'|' -f1-3; }
is "a bar that is met, if barely" "$(row "1 thread: times as fast as shared anonymous memory (PTI off)")" \
	"met|2.10|at least 2.1"
is "one that is missed" "$(row "2 threads of the morsel" | head -n 1)" "missed|1.43|at least 1.9"
is "one missed by less than the digits that people read" \
	"$(row "transfer of 32-MiB packets: times as fast")" "missed|2.4999|at least 2.5"
is "what a quick run shows does not count" \
	"$(row "1 thread: times as fast as shared anonymous memory (PTI on)")" "not measured|3.00|at least 1.8"
is "nor does a peer without samples" "$(grep "to that of filling them alone" "$tmp/bars" | sed 's/.*alone //')" \
	"(transfer has no filling alone)"
is "nor what was not run" "$(grep "^not measured.* fork " "$tmp/bars" | sed 's/.*memory //')" "(no document of fork)"
is "the last line counts them" "$(tail -n 1 "$tmp/bars" | sed 's/[0-9]* not/N not/')" "1 met, 2 missed, N not measured"

# The report.

check "figures and the report" bench/report "$tmp/results"
out=$tmp/results/report
is "figures" "$(cd "$out" && echo *.svg)" \
	"faults-flame.svg faults-pti=off-population-by-faults.svg faults-pti=on-population-by-faults.svg \
memcached-latency-distribution-get.svg transfer-time-per-32-mib-packet.svg"
is "each as PNG, too" "$(cd "$out" && file_type() { head -c 4 "$1" | tail -c 3; } &&
	for f in *.png; do file_type "$f"; done)" PNGPNGPNGPNG
check "raw data lies beside it" cmp "$tmp/results/transfer.json" "$out/transfer.json"

cat >"$tmp/page.py" <<'EOF'
"""Is the page well-formed, and does it need nothing but itself and what lies beside it?"""
import base64
import pathlib
import sys
import urllib.parse
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}
page = pathlib.Path(sys.argv[1])
raw = {}


class Page(HTMLParser):
    open, ids, targets, seen = [], set(), set(), set()

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.check(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        self.check(tag, attrs)

    def check(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), f"{tag} has an attribute twice"
        assert tag not in ("script", "link", "iframe"), tag
        self.seen.add(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name == "id":
                assert value not in self.ids, f"id {value} is there twice"
                self.ids.add(value)
            elif name in ("href", "src", "data", "xlink:href"):
                if value.startswith("#"):
                    self.targets.add(value[1:])
                elif value.startswith("data:"):
                    content = base64.b64decode(value.split(",", 1)[1], validate=True)
                    raw[dict(attrs).get("download")] = content
                else:
                    assert (page.parent / urllib.parse.unquote(value)).is_file(), value

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"{tag} at {self.getpos()}"


parser = Page()
text = page.read_text(encoding="utf-8")
parser.feed(text)
parser.close()
assert not parser.open, parser.open
assert parser.targets <= parser.ids, parser.targets - parser.ids
assert {"svg", "table", "object"} <= parser.seen
assert "url(" not in text and "@import" not in text
for document in page.parent.glob("*.json"):
    assert raw[document.name] == document.read_bytes(), document
for said in ("too few huge pages &amp; more", "6.12 &lt;made up&gt;"):
    assert said in text, said
EOF
check "the page is well-formed, and one file" /usr/bin/python3 "$tmp/page.py" "$out/report.html"
check "figures are SVG" /usr/bin/python3 -c '
import sys, xml.etree.ElementTree as e
for f in sys.argv[1:]:
    assert e.parse(f).getroot().tag == "{http://www.w3.org/2000/svg}svg", f' "$out"/*.svg
verdict() { grep -c "<td class=\"$1\">$2</td>" "$out/report.html"; }
is "it tells met" "$(verdict met met)" 1
is "from missed" "$(verdict missed missed)" 2
is "from not measured" "$(verdict absent "not measured")" "$(grep -c "^not measured" "$tmp/bars")"

# What is no result.

# refused NAME SENTENCE, with the document on standard input
refused() {
	rm -rf "$tmp/bad"
	mkdir "$tmp/bad"
	cat >"$tmp/bad/$1.json"
	is "refused: $2" "$(bench/report "$tmp/bad" 2>&1; echo "$?"; ls "$tmp/bad")" \
		"report: $tmp/bad/$1.json: $2"$'\n'1$'\n'"$1.json"
}
good=$tmp/results/transfer.json
refused transfer "no JSON: Expecting value: line 1 column 1 (char 0)" </dev/null
refused transfer '"format" is not 1' < <(sed 's/"format": 1/"format": 2/' "$good")
refused transfer 'the document has no "series"' < <(sed 's/"series"/"serious"/' "$good")
refused transfer 'sample 0 of series 1 is not a number' < <(sed 's/2.4999/"fast"/' "$good")
refused transfer 'sample 0 of series 1 is not finite' < <(sed 's/2.4999/NaN/' "$good")
refused transfer 'series 1 is there twice: time per 32-MiB packet, morsel, None' < <(sed 's/POSIX shm/morsel/' "$good")
refused map 'its "benchmark" is transfer, which its name does not begin with' <"$good"
is "no directory" "$(bench/report "$tmp/none" 2>&1)" "report: $tmp/none: no such directory"

finish
