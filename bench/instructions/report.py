#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""report.py SYMBOLS RUNS REPORT OUT - what plugin.c counted, by operation and function

SYMBOLS  /proc/kallsyms, sorted
RUNS     a line for each run: operation, peer, pages, with tabs between
REPORT   for each run, after a line "run", the instructions of each operation, and
         how often each instruction was executed
OUT      gets a JSON document
"""

import bisect
import collections
import json
import statistics
import sys

SHOWN = 12


def read_symbols(path):
    addresses, names = [], []
    with open(path, encoding="ascii") as symbols:
        for line in symbols:
            address, kind, name, *module = line.split()
            if kind in "tTwW":
                addresses.append(int(address, 16))
                names.append(" ".join([name, *module]))
    return addresses, names


def read_report(path, addresses, names):
    runs = []
    with open(path, encoding="ascii") as report:
        for line in report:
            what, *values = line.split()
            if what == "run":
                runs.append(([], collections.Counter()))
            elif what == "operation":
                runs[-1][0].append(int(values[0]))
            else:
                name = names[bisect.bisect_right(addresses, int(values[0], 16)) - 1]
                runs[-1][1][name] += int(values[1])
    return runs


def main(symbols, runs, report, out):
    counted = read_report(report, *read_symbols(symbols))
    with open(runs, encoding="ascii") as lines:
        titles = [line.rstrip("\n").split("\t") for line in lines]
    if len(titles) != len(counted):
        sys.exit(f"{len(titles)} runs, but {len(counted)} in the report")

    series = []
    for (operation, peer, pages), (sums, functions) in zip(titles, counted):
        by_function = {name: n / len(sums) for name, n in functions.most_common()}
        module = sum(n for name, n in by_function.items() if name.endswith("[morsel]"))
        series.append({
            "metric": f"instructions, {operation}", "unit": "instructions", "peer": peer,
            "axis": "pages", "x": int(pages), "samples": sums, "functions": by_function,
        })
        print(f"\n{operation}, {peer}, {pages} pages: {statistics.mean(sums):.0f}, median"
              f" {statistics.median(sums):.0f}"
              + (f", of these the module's {module:.0f}" if module else ""))
        for name, n in list(by_function.items())[:SHOWN]:
            print(f"  {n:8.0f}  {name}")
    with open(out, "w", encoding="ascii") as file:
        json.dump({"format": 1, "benchmark": "instructions", "series": series}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
