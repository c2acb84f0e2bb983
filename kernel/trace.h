/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - tracepoints: /sys/kernel/tracing/events/morsel
 *
 * Each names the morsel by its ID as it was handed out.  The fields are listed
 * in morsel(4).
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM morsel

#if !defined(MORSEL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MORSEL_TRACE_H

#include <linux/tracepoint.h>

/* A morsel has come to be; @flags are MORSEL_CREATE_*. */
TRACE_EVENT(morsel_create,
	TP_PROTO(u64 id, unsigned int order, u32 flags, u64 address),
	TP_ARGS(id, order, flags, address),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, address)
		__field(u32, order)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->address = address;
		__entry->order = order;
		__entry->flags = flags;
	),
	TP_printk("id=0x%016llx order=%u flags=0x%x address=0x%llx", __entry->id,
		  __entry->order, __entry->flags, __entry->address)
);

/* Nobody can reach it any more; its frames are about to be freed. */
TRACE_EVENT(morsel_destroy,
	TP_PROTO(u64 id, long data, long table),
	TP_ARGS(id, data, table),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(long, data)
		__field(long, table)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->data = data;
		__entry->table = table;
	),
	TP_printk("id=0x%016llx data_frames=%ld table_frames=%ld", __entry->id,
		  __entry->data, __entry->table)
);

DECLARE_EVENT_CLASS(morsel_slot,
	TP_PROTO(u64 id, unsigned long addr, unsigned int level),
	TP_ARGS(id, addr, level),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned long, addr)
		__field(u32, level)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->addr = addr;
		__entry->level = level;
	),
	TP_printk("id=0x%016llx addr=0x%lx level=%u", __entry->id, __entry->addr,
		  __entry->level)
);

/* The entry above a table of @level at @addr points into the morsel now. */
DEFINE_EVENT(morsel_slot, morsel_attach,
	TP_PROTO(u64 id, unsigned long addr, unsigned int level),
	TP_ARGS(id, addr, level)
);

/*
 * The entry is the kernel's own again.  Who runs then need not be who uses the
 * address space, and the flush of the TLBs is still to come.
 */
DEFINE_EVENT(morsel_slot, morsel_detach,
	TP_PROTO(u64 id, unsigned long addr, unsigned int level),
	TP_ARGS(id, addr, level)
);

DECLARE_EVENT_CLASS(morsel_pages,
	TP_PROTO(u64 id, u64 first, u64 last, long count),
	TP_ARGS(id, first, last, count),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, first)
		__field(u64, last)
		__field(long, count)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->first = first;
		__entry->last = last;
		__entry->count = count;
	),
	TP_printk("id=0x%016llx first=%llu last=%llu count=%ld", __entry->id,
		  __entry->first, __entry->last, __entry->count)
);

/*
 * Pages from @first to @last are there, of which @count were missing from the
 * tables for the rights that were asked for.
 */
DEFINE_EVENT(morsel_pages, morsel_populate,
	TP_PROTO(u64 id, u64 first, u64 last, long count),
	TP_ARGS(id, first, last, count)
);

/* @count pages from @first to @last were taken out. */
DEFINE_EVENT(morsel_pages, morsel_punch,
	TP_PROTO(u64 id, u64 first, u64 last, long count),
	TP_ARGS(id, first, last, count)
);

#endif /* MORSEL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
