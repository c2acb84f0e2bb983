// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output, for people and as JSON.  JSON is written by hand: every string in
 * it is an ID, an address, a mode or the name of a flag, so there is nothing
 * to escape.  IDs and addresses are strings because a JSON number has 53 bits.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static unsigned long long ull(uint64_t value)
{
	return value;
}

void human_size(char *buf, size_t len, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned int unit = 0;
	uint64_t scale = 1;

	while (unit < 4 && bytes / scale >= 1024) {
		scale <<= 10;
		unit++;
	}
	if (bytes % scale)
		snprintf(buf, len, "%.1f %s", (double)bytes / scale,
			 units[unit]);
	else
		snprintf(buf, len, "%llu %s", ull(bytes / scale), units[unit]);
}

void exact_size(char *buf, size_t len, uint64_t bytes)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	unsigned int unit = 0;

	while (unit < 4 && bytes && !(bytes % 1024)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, len, "%llu%s", ull(bytes), units[unit]);
}

static void human_frames(char *buf, size_t len, uint64_t frames)
{
	human_size(buf, len, frames * MORSEL_PAGE_SIZE);
}

static void print_id_json(uint64_t id, unsigned int order, uint64_t size)
{
	printf("{\"id\": \"" ID_FORMAT "\", \"order\": %u, \"size\": %llu",
	       ull(id), order, ull(size));
}

/* The names of @flags, with @separator between them. */
static void print_flags(uint32_t flags, const char *separator)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ MORSEL_CREATE_EPHEMERAL, "ephemeral" },
		{ MORSEL_CREATE_META, "meta" },
	};
	const char *before = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (flags & names[i].flag) {
			printf("%s%s", before, names[i].name);
			before = separator;
		}
	}
}

void print_created(uint64_t id, unsigned int order, bool json)
{
	if (!json) {
		printf(ID_FORMAT "\n", ull(id));
		return;
	}
	print_id_json(id, order, morsel_size(order));
	puts("}");
}

void print_filled(const struct morsel_info *info, uint64_t bytes, bool json)
{
	if (!json) {
		printf(ID_FORMAT "\n", ull(info->id));
		return;
	}
	print_id_json(info->id, info->order, info->size);
	printf(", \"bytes\": %llu}\n", ull(bytes));
}

void print_info(const struct morsel_info *info)
{
	char size[16], data[16], tables[16];

	human_size(size, sizeof(size), info->size);
	human_frames(data, sizeof(data), info->data_frames);
	human_frames(tables, sizeof(tables), info->table_frames);

	printf("ID            " ID_FORMAT "\n", ull(info->id));
	printf("order         %u\n", info->order);
	printf("size          %s (%llu bytes)\n", size, ull(info->size));
	printf("data frames   %llu (%s)\n", ull(info->data_frames), data);
	printf("table frames  %llu (%s)\n", ull(info->table_frames), tables);
	printf("reserve       %llu\n", ull(info->reserve_frames));
	printf("mappings      %llu\n", ull(info->mappings));
	printf("attachments   %llu\n", ull(info->attachments));
	printf("descriptors   %llu\n", ull(info->descriptors));
	printf("mode          %04o\n", info->mode);
	printf("owner         %u:%u\n", info->uid, info->gid);
	if (info->address)
		printf("address       " ADDRESS_FORMAT "\n",
		       ull(info->address));
	else
		puts("address       any");
	printf("flags         %s", info->flags ? "" : "none");
	print_flags(info->flags, ", ");
	putchar('\n');
}

void print_info_json(const struct morsel_info *info)
{
	print_id_json(info->id, info->order, info->size);
	printf(", \"data_frames\": %llu, \"table_frames\": %llu, ",
	       ull(info->data_frames), ull(info->table_frames));
	printf("\"reserve_frames\": %llu, ", ull(info->reserve_frames));
	printf("\"mappings\": %llu, \"attachments\": %llu, \"descriptors\": %llu, ",
	       ull(info->mappings), ull(info->attachments),
	       ull(info->descriptors));
	printf("\"mode\": \"%04o\", \"uid\": %u, \"gid\": %u, ", info->mode,
	       info->uid, info->gid);
	if (info->address)
		printf("\"address\": \"" ADDRESS_FORMAT "\", ",
		       ull(info->address));
	else
		printf("\"address\": null, ");
	printf("\"allocated\": %llu, \"attached\": %llu, ",
	       ull(info->allocated), ull(info->attached));
	printf("\"tables\": [%llu, %llu, %llu, %llu], ",
	       ull(info->tables[0]), ull(info->tables[1]), ull(info->tables[2]),
	       ull(info->tables[3]));
	printf("\"flags\": [%s", info->flags ? "\"" : "");
	print_flags(info->flags, "\", \"");
	printf("%s]}", info->flags ? "\"" : "");
}

void print_row_header(void)
{
	printf("%-18s %5s %10s %10s %10s %8s %8s %6s  %-4s %-11s %-15s %s\n",
	       "ID", "ORDER", "SIZE", "DATA", "TABLES", "MAPPINGS", "ATTACHED",
	       "OPEN", "MODE", "OWNER", "ADDRESS", "FLAGS");
}

void print_row(const struct morsel_info *info)
{
	char size[16], data[16], tables[16], owner[24], address[24] = "-";

	human_size(size, sizeof(size), info->size);
	human_frames(data, sizeof(data), info->data_frames);
	human_frames(tables, sizeof(tables), info->table_frames);
	snprintf(owner, sizeof(owner), "%u:%u", info->uid, info->gid);
	if (info->address)
		snprintf(address, sizeof(address), ADDRESS_FORMAT,
			 ull(info->address));
	printf(ID_FORMAT
	       " %5u %10s %10s %10s %8llu %8llu %6llu  %04o %-11s %-15s %s",
	       ull(info->id), info->order, size, data, tables,
	       ull(info->mappings), ull(info->attachments),
	       ull(info->descriptors), info->mode, owner, address,
	       info->flags ? "" : "-");
	print_flags(info->flags, ",");
	putchar('\n');
}

void print_counters_of(const struct morsel_info *info)
{
	char data[16], tables[16];

	human_frames(data, sizeof(data), info->data_frames);
	human_frames(tables, sizeof(tables), info->table_frames);

	printf("ID            " ID_FORMAT "\n", ull(info->id));
	printf("data frames   %llu (%s)\n", ull(info->data_frames), data);
	printf("  allocated   %llu\n", ull(info->allocated));
	printf("  freed       %llu\n", ull(frames_freed(info)));
	printf("table frames  %llu (%s)\n", ull(info->table_frames), tables);
	for (unsigned int level = 4; level; level--)
		printf("  level %u     %llu\n", level,
		       ull(info->tables[level - 1]));
	printf("attachments   %llu\n", ull(info->attachments));
	printf("  attached    %llu\n", ull(info->attached));
	printf("  detached    %llu\n", ull(detached(info)));
	printf("mappings      %llu\n", ull(info->mappings));
	printf("descriptors   %llu\n", ull(info->descriptors));
}

#define RATES_TITLES "%10s %10s %8s %8s %9s %9s %9s %9s"
#define RATES_VALUES "%10s %10s %8llu %8llu %9.0f %9.0f %9.0f %9.0f"

void print_rates_header(void)
{
	printf(RATES_TITLES "\n", "DATA", "TABLES", "MAPPINGS", "ATTACHED",
	       "ALLOC/s", "FREE/s", "ATTACH/s", "DETACH/s");
}

void print_rates(const struct morsel_info *info, struct rates rates)
{
	char data[16], tables[16];

	human_frames(data, sizeof(data), info->data_frames);
	human_frames(tables, sizeof(tables), info->table_frames);
	printf(RATES_VALUES "\n", data, tables, ull(info->mappings),
	       ull(info->attachments), rates.allocated, rates.freed,
	       rates.attached, rates.detached);
}

void print_totals_line(const struct morsel_stats *stats)
{
	char data[16], tables[16];

	human_frames(data, sizeof(data), stats->data_frames);
	human_frames(tables, sizeof(tables), stats->table_frames);
	printf("morsels %llu, data %s, tables %s, attachments %llu\n",
	       ull(stats->morsels), data, tables, ull(stats->attachments));
}

void print_top_header(void)
{
	printf("%-18s %5s ", "ID", "ORDER");
	print_rates_header();
}

void print_top_row(const struct morsel_info *info, struct rates rates)
{
	printf(ID_FORMAT " %5u ", ull(info->id), info->order);
	print_rates(info, rates);
}

void print_stats(const struct morsel_stats *stats)
{
	char data[16], tables[16];

	human_frames(data, sizeof(data), stats->data_frames);
	human_frames(tables, sizeof(tables), stats->table_frames);
	printf("morsels       %llu\n", ull(stats->morsels));
	printf("data frames   %llu (%s)\n", ull(stats->data_frames), data);
	printf("table frames  %llu (%s)\n", ull(stats->table_frames), tables);
	printf("reserve       %llu\n", ull(stats->reserve_frames));
	printf("attachments   %llu\n", ull(stats->attachments));
	printf("largest order %u\n", stats->max_order);
}

void print_stats_json(const struct morsel_stats *stats)
{
	printf("{\"morsels\": %llu, \"data_frames\": %llu, \"table_frames\": %llu, ",
	       ull(stats->morsels), ull(stats->data_frames),
	       ull(stats->table_frames));
	printf("\"reserve_frames\": %llu, \"attachments\": %llu, \"max_order\": %u}\n",
	       ull(stats->reserve_frames), ull(stats->attachments),
	       stats->max_order);
}

int flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail("standard output", strerror(errno));
	return EXIT_SUCCESS;
}
