# SPDX-License-Identifier: GPL-2.0-only
"""report.py KERNEL QUICK FILES PAIRS OUT: what bench/pmem/run has measured, as a table
and, in the format of morsel-bench, as a document."""
import collections
import json
import statistics
import sys

kernel, quick, files, pairs, out = sys.argv[1:]
series = collections.defaultdict(list)
for line in open(files):
    metric, peer, nanoseconds = line.rstrip("\n").split("\t")
    series[metric, peer].append(int(nanoseconds) / 1e9)
for line in open(pairs):
    threads, peer, nanoseconds, count = line.split()
    series[f"allocate + free a frame, {threads} threads", peer].append(
        int(nanoseconds) / int(count) / 1e9)

document = {
    "format": 1, "benchmark": "pmem", "quick": quick == "true",
    "machine": {"kernel": kernel},
    "series": [{"metric": metric, "peer": peer, "unit": "s", "samples": samples}
               for (metric, peer), samples in series.items()],
}
with open(out, "w") as file:
    json.dump(document, file, indent=1)
OURS = {"pool", "morselfs, persistent"}
for (metric, peer), samples in sorted(series.items()):
    low, *_, high = sorted(samples) if len(samples) > 1 else samples * 2
    median = statistics.median(samples)
    ours = [statistics.median(s) for (m, p), s in series.items() if m == metric and p in OURS]
    ratio = f"{median / ours[0]:8.2f} x ours" if ours and peer not in OURS else ""
    print(f"{metric:36} {peer:22} {median * 1e3:14.6f} ms [{low * 1e3:.6f} {high * 1e3:.6f}] {ratio}")
