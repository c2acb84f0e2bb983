// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every order: the frames it takes, where it maps, and that another program
 * finds the content.
 */
#include "guest.h"

#define MAX_PAGES 16

static uint64_t pages[MAX_PAGES];
static int n_pages;

/* The ends of the morsel and of its tables, ascending. */
static void pick_pages(unsigned int order)
{
	uint64_t total = pages_of(order), half = total / 2;
	uint64_t wish[] = {
		0,	   1,	     511,  512,		(1 << 18) - 1,
		1 << 18,   half - 1, half, total - 513, total - 512,
		total - 1,
	};

	n_pages = 0;
	for (size_t i = 0; i < sizeof(wish) / sizeof(*wish); i++) {
		int at = n_pages;

		if (wish[i] >= total)
			continue;
		while (at && pages[at - 1] > wish[i])
			at--;
		if (at && pages[at - 1] == wish[i])
			continue;
		memmove(&pages[at + 1], &pages[at],
			(n_pages - at) * sizeof(*pages));
		pages[at] = wish[i];
		n_pages++;
	}
}

static int wrong_content(char *p)
{
	int wrong = 0;

	for (int i = 0; i < n_pages; i++)
		wrong += *word(p, pages[i]) != stamp(pages[i]) ||
			 word(p, pages[i])[511] != stamp(pages[i]);
	return wrong;
}

/* A program of its own, started with the ID as its argument. */
static int peer(uint64_t id)
{
	unsigned int order = morsel_id_order(id);
	char *p = map_id(id, R);

	pick_pages(order);
	need(!wrong_content(p));
	need((uintptr_t)p % morsel_size(order) == 0);
	return 0;
}

static int exec_peer(void *id)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx",
		 (unsigned long long)*(uint64_t *)id);
	execl("/proc/self/exe", "orders", "--", text, NULL);
	return 1;
}

static void check_frames(int fd, unsigned int order, uint64_t data,
			 uint64_t tables, const char *when)
{
	struct morsel_info i = info(fd);

	is(i.data_frames, order ? data : 1, "order %u: data frames %s", order,
	   when);
	is(i.table_frames, tables, "order %u: table frames %s", order, when);
}

static void one_order(unsigned int order)
{
	struct morsel_stats before = stats(), after;
	uint64_t id, sum, untouched = pages_of(order) / 4;
	uint64_t at = free_addr(order, 0);
	int fd = create(order, &id);
	char *p, *q;

	after = stats();
	is(after.morsels - before.morsels, 1, "order %u: one more morsel",
	   order);
	sum = after.data_frames + after.table_frames - before.data_frames -
	      before.table_frames;
	is(sum, 1, "order %u: one frame", order);
	is(morsel_id_order(id), order, "order %u: tag of the ID", order);
	ok(!(id & MORSEL_ID_META),
	   "order %u: the ID is not one of a meta morsel", order);
	is(info(fd).size, morsel_size(order), "order %u: size", order);
	check_frames(fd, order, 0, order > 0, "when new");

	p = map(fd, RW);
	ok((uintptr_t)p % morsel_size(order) == 0,
	   "order %u: the driver's choice is aligned", order);
	is(info(fd).mappings, 1, "order %u: one mapping", order);
	check_frames(fd, order, 0, order > 0, "when mapped");

	pick_pages(order);
	for (int i = 0; i < n_pages; i++) {
		*word(p, pages[i]) = stamp(pages[i]);
		word(p, pages[i])[511] = stamp(pages[i]);
		if (i == 0)
			check_frames(fd, order, 1, tables_for(order, pages, 1),
				     "with one page");
	}
	check_frames(fd, order, n_pages, tables_for(order, pages, n_pages),
		     "when sparse");
	is(wrong_content(p), 0, "order %u: content", order);

	q = map_at(fd, at, R);
	ok((uint64_t)q == at, "order %u: a second mapping where asked for",
	   order);
	is(wrong_content(q), 0, "order %u: content there", order);
	is(reap(spawn(exec_peer, &id)), 0,
	   "order %u: content in another program", order);
	/* Readers have tables of their own, one set for all of them. */
	check_frames(fd, order, n_pages, 2 * tables_for(order, pages, n_pages),
		     "after all readers");

	unmap(p, order);
	unmap(q, order);
	is(info(fd).mappings, 0, "order %u: no mapping", order);
	is(info(fd).attachments, 0, "order %u: no attachment", order);
	close(fd);

	fd = select_id(id, 0);
	check_frames(fd, order, n_pages, 2 * tables_for(order, pages, n_pages),
		     "unmapped and closed");
	p = map(fd, R);
	is(wrong_content(p), 0,
	   "order %u: content outlives mapping and descriptor", order);
	if (order) {
		is(*word(p, untouched), 0,
		   "order %u: an untouched page reads as zero", order);
		is(info(fd).data_frames, n_pages + 1,
		   "order %u: and is then populated", order);
	}
	unmap(p, order);
	destroy(fd);
	ok(same_stats(before, stats()), "order %u: all is given back", order);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	if (optind < argc)
		return peer(strtoull(argv[optind], NULL, 0));
	for (unsigned int order = 0; order <= max_order(); order++)
		one_order(order);
	return done();
}
