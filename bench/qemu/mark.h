/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program in the guest tells the plugin: an instruction that does
 * nothing, "nopl MARK(%rax)", and that the plugin knows by its bytes.
 */
#ifndef QEMU_MARK_H
#define QEMU_MARK_H

#define MARK_MAGIC 0x6d6f7200
#define MARK_OPCODE "\x0f\x1f\x80"

#define MARK_BEGIN 1 /* a run: all caches are empty, nothing is counted yet */
#define MARK_BEGIN_MIXED 2 /* ... in which faults of several processors mix */
#define MARK_END 3
#define MARK_WARM 4 /* a fault follows: that is tracked */
#define MARK_COUNT 5 /* ... and counted */
#define MARK_CLOSE 6 /* it is over */
#define MARK_WAIT 7 /* let other processors go on */

#define mark(what)                                       \
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long %c0" \
		     :                                   \
		     : "i"(MARK_MAGIC | (what))          \
		     : "memory")

#endif /* QEMU_MARK_H */
