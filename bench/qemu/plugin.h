/* SPDX-License-Identifier: GPL-2.0-only */
/* plugin.h - what our plugins for QEMU have in common */
#ifndef QEMU_PLUGIN_H
#define QEMU_PLUGIN_H

#include <string.h>

#include "mark.h"
#include "qemu-plugin.h"

/* Which mark the instruction is, or 0. */
static inline int mark_of(const struct qemu_plugin_insn *insn)
{
	const char *bytes = qemu_plugin_insn_data(insn);
	const size_t opcode = sizeof(MARK_OPCODE) - 1;
	uint32_t value;

	if (qemu_plugin_insn_size(insn) != opcode + sizeof(value) ||
	    memcmp(bytes, MARK_OPCODE, opcode))
		return 0;
	memcpy(&value, bytes + opcode, sizeof(value));
	return (value & ~0xffu) == MARK_MAGIC ? value & 0xff : 0;
}

#endif /* QEMU_PLUGIN_H */
