// SPDX-License-Identifier: GPL-2.0-only
/*
 * plugin.c - cache-line transfers of page faults, seen by QEMU
 *
 * A TCG plugin: it hears of each load and store of the guest's kernel.  Between
 * two marks (qemu/mark.h) that the program in the guest sets around one access to a
 * new page, what the kernel does for this fault goes through a model of the
 * caches (directory.c); nothing else does.  Left out are interrupts that come in
 * between: an entry to the kernel is known by how its stubs begin, a return by
 * IRET, and only what is one entry deep is the fault itself.
 *
 * Each virtual CPU has its own state, written by its own thread only; totals and
 * the tally are under run_lock, and so is the report.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"
#include "../qemu/plugin.h"
#include "tally.h"

/* In a run in which faults mix: so many lines, and others may go on. */
#define SLICE 64

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
			       int argc, char **argv);

struct counts {
	uint64_t faults, dropped, accesses, reads, writes, invalidations, lines;
};

static struct vcpu {
	/* Not 0: between two marks; that of the first. */
	int open;
	/* Entries to the kernel that have not returned yet. */
	unsigned int depth, entries;
	struct counts counts;
	uint64_t last_line, moves;
	/* Those of this fault. */
	struct transfer *transfers;
	size_t used, room;
} __attribute__((aligned(128))) vcpus[DIRECTORY_CPUS];

static pthread_mutex_t run_lock = PTHREAD_MUTEX_INITIALIZER;
static struct counts run;
static bool run_mixed;
static FILE *report;

static void transfer_add(struct vcpu *v, uint64_t line, uint64_t vaddr,
			 uint64_t pc)
{
	if (v->used == v->room) {
		v->room = v->room ? 2 * v->room : 256;
		v->transfers =
			realloc(v->transfers, v->room * sizeof(*v->transfers));
		if (!v->transfers)
			abort();
	}
	v->transfers[v->used++] = (struct transfer){ line, vaddr, pc };
}

/* @pc is the instruction's address. */
static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info,
		      uint64_t vaddr, void *pc)
{
	struct vcpu *v = &vcpus[cpu];
	struct qemu_plugin_hwaddr *where;
	uint64_t line;

	if (!v->open || v->depth != 1)
		return;
	where = qemu_plugin_get_hwaddr(info, vaddr);
	if (!where || qemu_plugin_hwaddr_is_io(where))
		return;
	line = qemu_plugin_hwaddr_phys_addr(where) >> LINE_SHIFT;

	/* What reads and writes in one go wants the line for itself at once. */
	if (qemu_plugin_mem_is_store(info)) {
		unsigned int others = directory_write(cpu, line);

		if (others) {
			v->counts.writes++;
			v->counts.invalidations += others;
			transfer_add(v, line, vaddr, (uint64_t)pc);
		}
	} else if (directory_read(cpu, line)) {
		v->counts.reads++;
		transfer_add(v, line, vaddr, (uint64_t)pc);
	}
	v->counts.accesses++;
	if (run_mixed && line != v->last_line && ++v->moves % SLICE == 0)
		sched_yield();
	v->last_line = line;
}

static void on_entry(unsigned int cpu, void *udata)
{
	struct vcpu *v = &vcpus[cpu];

	(void)udata;
	v->entries++;
	v->depth++;
}

static void on_return(unsigned int cpu, void *udata)
{
	struct vcpu *v = &vcpus[cpu];

	(void)udata;
	if (v->depth)
		v->depth--;
}

static void window_open(struct vcpu *v, int mark)
{
	v->open = mark;
	v->depth = 0;
	v->entries = 0;
	v->used = 0;
	memset(&v->counts, 0, sizeof(v->counts));
}

/* How many different lines its transfers were of. */
static unsigned int lines_of(const struct vcpu *v)
{
	unsigned int lines = 0;

	for (size_t i = 0, k; i < v->used; i++) {
		for (k = 0; k < i; k++)
			if (v->transfers[k].line == v->transfers[i].line)
				break;
		lines += k == i;
	}
	return lines;
}

/* One that did not fault, or whose nesting is not understood, does not count. */
static void window_close(struct vcpu *v)
{
	bool counted = v->open == MARK_COUNT;

	v->open = 0;
	if (!counted)
		return;

	pthread_mutex_lock(&run_lock);
	if (v->depth || !v->entries) {
		run.dropped++;
	} else {
		run.faults++;
		run.accesses += v->counts.accesses;
		run.reads += v->counts.reads;
		run.writes += v->counts.writes;
		run.invalidations += v->counts.invalidations;
		run.lines += lines_of(v);
		for (size_t i = 0; i < v->used; i++)
			tally_add(&v->transfers[i]);
	}
	pthread_mutex_unlock(&run_lock);
}

static void run_begin(bool mixed)
{
	pthread_mutex_lock(&run_lock);
	directory_clear();
	tally_clear();
	memset(&run, 0, sizeof(run));
	run_mixed = mixed;
	pthread_mutex_unlock(&run_lock);
}

static void run_end(void)
{
	pthread_mutex_lock(&run_lock);
	fprintf(report, "run %lu %lu %lu %lu %lu %lu %lu\n", run.faults,
		run.dropped, run.accesses, run.reads, run.writes,
		run.invalidations, run.lines);
	tally_write(report);
	fflush(report);
	pthread_mutex_unlock(&run_lock);
}

static void on_mark(unsigned int cpu, void *udata)
{
	struct vcpu *v = &vcpus[cpu];
	int mark = (intptr_t)udata;

	switch (mark) {
	case MARK_BEGIN:
	case MARK_BEGIN_MIXED:
		run_begin(mark == MARK_BEGIN_MIXED);
		break;
	case MARK_END:
		run_end();
		break;
	case MARK_WARM:
	case MARK_COUNT:
		window_open(v, mark);
		break;
	case MARK_CLOSE:
		window_close(v);
		break;
	case MARK_WAIT:
		sched_yield();
		break;
	}
}

static bool is(const struct qemu_plugin_insn *insn, const char *bytes,
	       size_t size)
{
	return qemu_plugin_insn_size(insn) == size &&
	       !memcmp(qemu_plugin_insn_data(insn), bytes, size);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	bool clac = true;

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t pc = qemu_plugin_insn_vaddr(insn);

		/* The upper half of the address space is the kernel's. */
		if (!(pc >> 63)) {
			int mark = mark_of(insn);

			if (mark)
				qemu_plugin_register_vcpu_insn_exec_cb(
					insn, on_mark, QEMU_PLUGIN_CB_NO_REGS,
					(void *)(intptr_t)mark);
			continue;
		}
		/* CLAC (which ends a block), CLD: a stub of the interrupts. */
		if (clac && is(insn, "\xfc", 1))
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_entry, QEMU_PLUGIN_CB_NO_REGS, NULL);
		clac = is(insn, "\x0f\x01\xca", 3);
		/* IRETQ */
		if (is(insn, "\x48\xcf", 2))
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_return, QEMU_PLUGIN_CB_NO_REGS, NULL);
		qemu_plugin_register_vcpu_mem_cb(insn, on_access,
						 QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW,
						 (void *)pc);
	}
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			char **argv)
{
	static const char option[] = "report=";

	if (argc != 1 || strncmp(argv[0], option, strlen(option))) {
		fprintf(stderr, "contention: needs report=FILE alone\n");
		return -1;
	}
	if (!info->system_emulation ||
	    info->system.max_vcpus > DIRECTORY_CPUS) {
		fprintf(stderr, "contention: at most %d processors\n",
			DIRECTORY_CPUS);
		return -1;
	}
	report = fopen(argv[0] + strlen(option), "we");
	if (!report) {
		perror(argv[0]);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
