# SPDX-License-Identifier: GPL-2.0-only
"""report.py QUICK FILES PAIRS OUT - what bench/pmem/run has measured

FILES  lines of three fields with tabs between: metric, peer, nanoseconds; or "option" or
       "machine", name, value
PAIRS  lines of allocator.c: processors, peer, nanoseconds, pairs
OUT    gets a document of the format of morsel-bench; the table is printed
"""

import collections
import datetime
import json
import statistics
import sys

OURS = {"pool", "morselfs, persistent"}


def read(files, pairs):
    """Samples in seconds by (metric, peer, processors or None), options, the machine."""
    series = collections.defaultdict(list)
    told = {"option": {}, "machine": {"cpus": 2, "pti": False}}
    with open(files, encoding="utf-8") as lines:
        for line in lines:
            what, name, value = line.rstrip("\n").split("\t")
            if what in told:
                told[what][name] = int(value) if value.isdecimal() else value
            else:
                series[what, name, None].append(int(value) / 1e9)
    with open(pairs, encoding="utf-8") as lines:
        for line in lines:
            threads, peer, nanoseconds, count = line.split()
            series["allocate + free a frame", peer, int(threads)].append(
                int(nanoseconds) / int(count) / 1e9
            )
    return series, told["option"], told["machine"]


def table(series):
    for (metric, peer, threads), samples in sorted(series.items(), key=str):
        median = statistics.median(samples)
        ours = next(
            s for (m, p, t), s in series.items() if (m, t) == (metric, threads) and p in OURS
        )
        ratio = "" if peer in OURS else f" {median / statistics.median(ours):8.2f} x ours"
        title = metric + (f", {threads} threads" if threads else "")
        print(
            f"{title:36} {peer:22}"
            f" {median * 1e3:14.6f} ms [{min(samples) * 1e3:.6f} {max(samples) * 1e3:.6f}]{ratio}"
        )


def main(quick, files, pairs, out):
    series, options, machine = read(files, pairs)
    document = {
        "format": 1,
        "benchmark": "pmem",
        "quick": quick == "true",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine,
        "options": options,
        "missing": [],
        "series": [
            {
                "metric": metric,
                "unit": "s",
                "peer": peer,
                "axis": threads and "threads",
                "x": threads,
                "samples": samples,
            }
            for (metric, peer, threads), samples in series.items()
        ],
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
    table(series)


if __name__ == "__main__":
    main(*sys.argv[1:])
