// SPDX-License-Identifier: GPL-2.0-only
/*
 * plugin.c - instructions of the kernel for one operation, seen by QEMU
 *
 * A TCG plugin: between two marks (qemu/mark.h) that the program in the guest sets
 * around an operation, it counts what the kernel executes, by instruction.  An
 * iteration of a string instruction counts as one.  Interrupts that come in
 * between are counted, too.
 *
 * One virtual CPU runs the program and no other is between marks, so nothing here
 * is shared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../qemu/plugin.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
			       int argc, char **argv);

/* Each instruction that was translated while the guest ran. */
struct place {
	struct place *next;
	uint64_t pc, count;
};

static struct place *places;
static bool open;
static unsigned int opened_by;
static uint64_t executed;
static FILE *report;

static void on_execution(unsigned int cpu, void *place)
{
	if (!open || cpu != opened_by)
		return;
	executed++;
	((struct place *)place)->count++;
}

static void clear(void)
{
	for (struct place *p = places; p; p = p->next)
		p->count = 0;
}

static void run_end(void)
{
	for (struct place *p = places; p; p = p->next)
		if (p->count)
			fprintf(report, "at %#lx %lu\n", p->pc, p->count);
	fflush(report);
}

static void on_mark(unsigned int cpu, void *udata)
{
	switch ((intptr_t)udata) {
	case MARK_BEGIN:
		clear();
		fputs("run\n", report);
		break;
	case MARK_COUNT:
		open = true;
		opened_by = cpu;
		executed = 0;
		break;
	case MARK_CLOSE:
		if (open)
			fprintf(report, "operation %lu\n", executed);
		open = false;
		break;
	case MARK_END:
		run_end();
		break;
	}
}

/* QEMU calls this for one block at a time. */
static struct place *place_new(uint64_t pc)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->pc = pc;
	p->next = places;
	places = p;
	return p;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t pc = qemu_plugin_insn_vaddr(insn);
		int mark = 0;

		/* The upper half of the address space is the kernel's. */
		if (pc >> 63)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_execution, QEMU_PLUGIN_CB_NO_REGS,
				place_new(pc));
		else
			mark = mark_of(insn);
		if (mark)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_mark, QEMU_PLUGIN_CB_NO_REGS,
				(void *)(intptr_t)mark);
	}
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			char **argv)
{
	static const char option[] = "report=";

	(void)info;
	if (argc != 1 || strncmp(argv[0], option, strlen(option))) {
		fprintf(stderr, "instructions: needs report=FILE alone\n");
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
