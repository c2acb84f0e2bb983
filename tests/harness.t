#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The judges judged: what vm/run and vm/klog-check have to notice, they notice.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

klog_check() { vm/klog-check "$@" "$tmp/log" >"$tmp/found"; }

bad=(
	'BUG: kernel NULL pointer dereference, address: 0000000000000000'
	'BUG: unable to handle page fault for address: ffff888000000000'
	'kernel BUG at mm/memory.c:123!'
	'BUG: Bad page state in process a.out  pfn:1234'
	'BUG: Bad rss-counter state mm:00000000 type:MM_ANONPAGES val:1'
	'BUG: non-zero pgtables_bytes on freeing mm: 4096'
	'mm/pgtable-generic.c:50: bad pmd 00000000(8000000012345067)'
	'mm/memory.c:200: bad pud 00000000(0000000000000067)'
	'WARNING: CPU: 1 PID: 77 at kernel/fork.c:100 foo+0x10/0x20 [morsel]'
	'Oops: 0002 [#1] PREEMPT SMP PTI'
	'Oops: general protection fault, probably for non-canonical address'
	'general protection fault, probably for non-canonical address 0xdead: 0000 [#1]'
	'invalid opcode: 0000 [#1] PREEMPT SMP'
	'Kernel panic - not syncing: Fatal exception'
	'Call Trace:'
	'refcount_t: underflow; use-after-free.'
	'WARNING: possible recursive locking detected'
	'WARNING: possible circular locking dependency detected'
	'INFO: possible recursive locking detected'
	'WARNING: inconsistent lock state'
	'WARNING: suspicious RCU usage'
	'BUG: sleeping function called from invalid context at mm/page_alloc.c:1'
	'BUG: scheduling while atomic: a.out/77/0x00000002'
	'BUG: KASAN: use-after-free in morsel_attach+0x1/0x2'
	'BUG: KCSAN: data-race in morsel_populate / morsel_populate'
	'UBSAN: array-index-out-of-bounds in tree.c:1:2'
	'BUG: KFENCE: out-of-bounds read in morsel_attach+0x1/0x2'
	'rcu: INFO: rcu_preempt self-detected stall on CPU'
	'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:'
	'rcu: rcu_preempt kthread starved for 5250 jiffies!'
	'watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a.out:77]'
	'INFO: task a.out:77 blocked for more than 120 seconds.'
	'morsel: 3 data and 1 table frames leaked'
)
for line in "${bad[@]}"; do
	printf '[    1.000000] Run /init as init process\r\n[    2.000000] %s\r\n' "$line" >"$tmp/log"
	klog_check
	is "klog-check trips on: $line" "$? $(<"$tmp/found")" "1 [    2.000000] $line"
done

cat >"$tmp/log" <<'END'
[    0.000000] Kernel command line: console=ttyS1 oops=panic panic=-1
[    0.100000] rcu: Hierarchical RCU implementation.
[    0.100000] rcu: 	RCU restricting CPUs from NR_CPUS=8192 to nr_cpu_ids=2.
[    0.100000] 	Tasks RCU enabled.
[    0.200000] x86/bugs: Spectre V2 : Mitigation: Retpolines
[    0.300000] debug: unmapping init memory
[    0.500000] rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.
[    9.000000] morsel: loading out-of-tree module taints kernel.
[    9.100000] demo[172]: segfault at 7f2400000000 ip 0000 sp 0000 error 7 in morsel-demo[400000+5000]
END
klog_check
is "klog-check lets a healthy log pass" "$?" 0

cat >"$tmp/log" <<'END'
[    5.000000] hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[    5.000001] CPU: 1 UID: 0 PID: 77 Comm: hog Tainted: G           OE      6.12
[    5.000002] Call Trace:
[    5.000003]  <TASK>
[    5.000004] memory: usage 32768kB, limit 32768kB, failcnt 88
[    5.000005] Memory cgroup out of memory: Killed process 77 (hog) total-vm:3000kB
END
klog_check
is "klog-check trips on an OOM report" "$?" 1
klog_check --oom
is "klog-check --oom lets it pass" "$?" 0
sed -i 's/^[^]]*\] //' "$tmp/log"
klog_check --oom
is "klog-check --oom lets it pass without times" "$?" 0
sed -i '3a\[    5.000002] BUG: Bad page state in process hog  pfn:1234' "$tmp/log"
klog_check --oom
is "klog-check --oom trips on more in it" "$? $(wc -l <"$tmp/found")" "1 1"
echo '[    6.000000] Call Trace:' >"$tmp/log"
klog_check --oom
is "klog-check --oom trips on another call trace" "$?" 1

# race FUNCTION: a report of KCSAN in which one has got there by way of FUNCTION
race() {
	cat >"$tmp/log" <<-END
		[    4.000000] ==================================================================
		[    4.000001] BUG: KCSAN: data-race in __mod_node_page_state / fold_diff

		[    4.000003] write to 0xffff88813fffa0c0 of 8 bytes by task 77 on cpu 0:
		[    4.000004]  fold_diff+0x8e/0xc0
		[    4.000005]  $1
		[    4.000006] read to 0xffff88813fffa0c0 of 8 bytes by task 78 on cpu 1:
		[    4.000007]  __mod_node_page_state+0x41/0xa0
		[    4.000008] Reported by Kernel Concurrency Sanitizer on:
		[    4.000009] CPU: 1 UID: 0 PID: 78 Comm: b Tainted: G           O       6.12
		[    4.000010] ==================================================================
	END
}
race 'tree_frame_free+0x3d/0x80 [morsel]'
klog_check
is "klog-check trips on a data race of ours" "$? $(<"$tmp/found")" \
	"1 [    4.000001] BUG: KCSAN: data-race in __mod_node_page_state / fold_diff"
race 'free_unref_page+0x3d/0x80'
klog_check
is "klog-check lets one of the kernel pass" "$?" 0
race 'asm_sysvec_apic_timer_interrupt+0x16/0x20'
sed -i '6a\[    4.000005]  tree_descend+0x77/0x110 [morsel]' "$tmp/log"
klog_check
is "klog-check lets one of an interrupt pass" "$?" 0
sed -i '5i\[    4.000004] BUG: Bad page state in process b  pfn:1234' "$tmp/log"
klog_check
is "klog-check trips on a line inside of that" "$? $(wc -l <"$tmp/found")" "1 1"
race 'free_unref_page+0x3d/0x80'
sed -i '8,$d' "$tmp/log"
klog_check
is "klog-check trips on a data race without an end" "$? $(wc -l <"$tmp/found")" "1 1"

: >"$tmp/log"
vm/klog-check "$tmp/log" 2>/dev/null
is "klog-check refuses an empty log" "$?" 2

# run_all NAME STATUS: run-all, on a test that prints what stands on standard input
mkdir -p "$tmp/tree/tests/guest" "$tmp/tree/build/tests/guest"
cp tests/tap-problem.sh "$tmp/tree/tests"
cp tests/guest/run-all "$tmp/tree/tests/guest"
printf '#!/bin/sh\necho same\n' >"$tmp/tree/build/tests/guest/stats"
chmod +x "$tmp/tree/build/tests/guest/stats"
run_all() {
	{ echo 'cat <<END'; cat; echo END; echo "exit ${3-0}"; } >"$tmp/tree/tests/guest/said.sh"
	"$tmp/tree/tests/guest/run-all" said.sh >"$tmp/out"
	is "run-all: $1" "$?" "$2"
}
run_all "a test that passes" 0 < <(printf 'ok 1 - a\nok 2 - b\n1..2\n')
like() { grep -qxE "$1" "$tmp/out"; }
check "run-all: it counts its points" like 'ok 1 - said.sh, 2 points, [0-9]+ s'
run_all "a point that was skipped" 0 < <(printf 'ok 1 - a # SKIP why\nok 2 - b # SKIP why\nok 3 - c\n1..3\n')
check "run-all: and those skipped" like 'ok 1 - said.sh, 3 points, 2 skipped, [0-9]+ s'
run_all "a point that failed, with status 0" 1 < <(printf 'ok 1 - a\nnot ok 2 - b\n1..2\n')
run_all "a status that is not 0" 1 3 < <(printf 'ok 1 - a\n1..1\n')
run_all "a plan that is not kept" 1 < <(printf 'ok 1 - a\nok 2 - b\n1..1\n')
run_all "two plans" 1 < <(printf 'ok 1 - a\n1..1\nok 2 - b\n1..1\n')
run_all "no plan" 1 < <(printf 'ok 1 - a\n')
run_all "nothing said" 1 </dev/null

# guest NAME STATUS [OPTION...] -- COMMAND...: vm/run ends with that status
guest() {
	local name=$1 wanted=$2 got

	shift 2
	vm/run --no-module "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	if [ "$got" = "$wanted" ]; then
		pass "vm/run: $name: status $wanted"
	else
		fail "vm/run: $name: status $wanted" \
			< <(echo "got $got"; cat "$tmp/out" "$tmp/err")
	fi
}

head -c 200000 /usr/lib/x86_64-linux-gnu/libc.so.6 >"$tmp/bytes"
guest success 0 -- cat "$tmp/bytes"
check "vm/run: output arrives byte for byte" cmp "$tmp/bytes" "$tmp/out"
guest failure 1 -- false
# shellcheck disable=SC2016 # for the guest's shell
guest "kernel 6.1, 5 levels" 42 --kernel 6.1 --cpu max -- \
	bash -c 'grep -qw la57 /proc/cpuinfo && [[ $(uname -r) = 6.1.* ]] && exit 42'
is "vm/run: output so far is nothing" "$(<"$tmp/out")" ""
guest "arguments keep their shape" 0 -- bash -c 'printf "<%s>" "$@"' bash 'a  b' "\$c'" '' $'d\ne'
is "vm/run: arguments arrived" "$(<"$tmp/out")" "<a  b><\$c'><><d"$'\n'"e>"
guest "a line in the kernel log" 125 -- bash -c 'echo "WARNING: fake" >/dev/kmsg'
check "vm/run: it names the line" grep 'WARNING: fake' "$tmp/err"
guest "a panic" 125 -- bash -c 'echo c >/proc/sysrq-trigger; sleep 60'
guest "the guest gone" 125 -- bash -c 'echo b >/proc/sysrq-trigger; sleep 60'
guest "a kernel without an init" 125 --append rdinit=/nonexistent -- true
is "vm/run: a boot that fails is tried again" \
	"$(grep -c 'ended before there was a guest' "$tmp/err")" 3
guest "the time limit" 124 --timeout 30 -- sleep 100
guest "a background process is no obstacle" 0 -- bash -c 'sleep 1000 & exit 0'
# shellcheck disable=SC2016 # for the guest's shell
guest "two nodes" 0 --nodes 2 --mem 1G -- bash -c 'cd /sys/devices/system/node &&
	cat node?/cpulist && awk "/MemTotal/ { print int(\$4 / 400000) }" node?/meminfo'
is "vm/run: CPUs and memory are split" "$(tr '\n' ' ' <"$tmp/out")" "0 1 1 1 "
mkdir "$tmp/shared, for all"
echo here >"$tmp/shared, for all/in"
# shellcheck disable=SC2016 # for the guest's shell
guest "a shared directory" 0 --share "$tmp/shared, for all" -- \
	bash -c 'cat "$1/in" >"$1/out" && rm "$1/in" && echo lost >"$1.lost"' bash "$tmp/shared, for all"
is "vm/run: what is written there stays, and nothing beside it" \
	"$(cd "$tmp" && cat shared*/out && ls -d shared*)" "here"$'\n'"shared, for all"
guest "a shared directory that is none" 125 --share "$tmp/nonexistent" -- true
# The sizes tell which is which.
pmem() { cat <<-'END'
	mkdir -p /run/pmem
	cd /sys/block && echo "$(<pmem0/size) $(<pmem1/size)"
	cat /sys/bus/nd/devices/region0/persistence_domain
	[ ! "$1" ] || mkfs.ext4 -q -b 4096 /dev/pmem0 || exit
	mount -t ext4 -o dax=always /dev/pmem0 /run/pmem || exit
	cat /run/pmem/here 2>/dev/null
	uname -r | cut -d. -f1,2 >/run/pmem/here
	sync
END
}
nvdimms=(--nvdimm "$tmp/a, b:128M" --nvdimm "$tmp/c:64M")
guest "two NVDIMMs, DAX" 0 "${nvdimms[@]}" -- bash -c "$(pmem)" bash make
is "vm/run: in their order, with lasting caches" "$(<"$tmp/out")" "258048 126976"$'\n'"cpu_cache"
guest "them again, kernel 6.1" 0 --kernel 6.1 "${nvdimms[@]}" --nvdimm-domain mem-ctrl -- \
	bash -c "$(pmem)" bash
is "vm/run: what was written there stayed" "$(<"$tmp/out")" \
	"258048 126976"$'\n'"memory_controller"$'\n'"6.12"
guest "an NVDIMM of another size" 125 --nvdimm "$tmp/c:128M" -- true
guest "an NVDIMM that is none" 125 --nvdimm "$tmp/nonexistent" -- true
guest "an unknown domain" 125 --nvdimm "$tmp/c" --nvdimm-domain moon -- true

guest "killed" 137 --kill 3 -- bash -c 'echo here; sleep 100'
is "vm/run: what it printed before that is there" "$(<"$tmp/out")" here
guest "killed after a line in the kernel log" 137 --kill '0:it begins' --timeout 60 -- \
	bash -c 'sleep 1; echo here; sleep 1; echo "it begins" >/dev/kmsg; sleep 100'
is "vm/run: and not before that" "$(<"$tmp/out")" here
guest "killed, but the kernel log has a line" 125 --kill 3 -- \
	bash -c 'echo "WARNING: fake" >/dev/kmsg; sleep 100'
guest "done before it is killed" 7 --kill 60 -- bash -c 'exit 7'
guest "a time that is none" 125 --kill soon -- true
guest "an unknown option" 125 --nonsense -- true

finish
