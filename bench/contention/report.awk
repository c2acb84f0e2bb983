# SPDX-License-Identifier: GPL-2.0-only
#
# report.awk SYMBOLS RUNS REPORT - what was measured, as JSON, a document a line
#
# SYMBOLS  /proc/kallsyms, sorted
# RUNS     the runs in their order: "run", peer, way, processors, with tabs between
# REPORT   what plugin.c wrote: for each run its counts, then the instructions
#          and the lines of its transfers

function string(s) { return "\"" s "\"" }

# The function or variable that ADDRESS (0x...) is in, or "" for other memory.
function symbol(address,    key, low, high, middle) {
	if (address in known)
		return known[address]
	key = substr("0000000000000000" substr(address, 3), length(address) - 1)
	low = 0
	high = symbols
	while (high - low > 1) {
		middle = int((low + high) / 2)
		if (start[middle] <= key)
			low = middle
		else
			high = middle
	}
	# Kernel and modules lie in the uppermost 2 GiB, all other memory below.
	if (key < "ffffffff80000000")
		return known[address] = ""
	return known[address] = name[low]
}

function per_fault(n) { return faults ? n / faults : 0 }

function sample(metric, unit, value) {
	printf "{\"kind\":\"sample\",\"metric\":%s,\"unit\":%s,\"peer\":%s,\"x\":%d,\"value\":%.6g}\n",
		string(metric (way == "threads" ? "" : ", " way)), string(unit),
		string(peer), cpus, value
}

function end_line(    key, comma) {
	if (line == "")
		return
	for (key in functions) {
		line = line comma string(key) ":" sprintf("%.6g", functions[key])
		comma = ","
	}
	print line "}}"
	line = ""
	split("", functions)
}

BEGIN { symbols = runs = run = 0 }

FILENAME == ARGV[1] {
	start[symbols] = $1
	name[symbols++] = $3 ($4 == "" ? "" : " " $4)
	next
}

FILENAME == ARGV[2] {
	split($0, field, "\t")
	run_peer[runs] = field[2]
	run_way[runs] = field[3]
	run_cpus[runs++] = field[4]
	next
}

$1 == "run" {
	end_line()
	peer = run_peer[run]
	way = run_way[run]
	cpus = run_cpus[run]
	faults = $2
	sample("cache-line transfers per fault", "transfers", per_fault($5 + $6))
	sample("lines that came from another processor per fault", "lines", per_fault($8))
	sample("copies invalidated per fault", "copies", per_fault($7))
	printf "{\"kind\":\"run\",\"run\":%d,\"peer\":%s,\"way\":%s,\"cpus\":%d,\"faults\":%d,\"dropped\":%d,\"accesses\":%d,\"reads\":%d,\"writes\":%d}\n",
		run, string(peer), string(way), cpus, $2, $3, $4, $5, $6
	run++
}

$1 == "instruction" {
	printf "{\"kind\":\"function\",\"run\":%d,\"function\":%s,\"transfers\":%.6g}\n",
		run - 1, string(symbol($2)), per_fault($3)
}

$1 == "line" {
	end_line()
	first = 1
	transfers = per_fault($3)
}

# The first one says what the line is.
$1 == "at" {
	if (first) {
		line = sprintf("{\"kind\":\"line\",\"run\":%d,\"address\":%s,\"symbol\":%s,\"transfers\":%.6g,\"functions\":{",
			run - 1, string($2), string(symbol($2)), transfers)
		first = 0
	}
	functions[symbol($3)] += per_fault($4)
}

END { end_line() }
