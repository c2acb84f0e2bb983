// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be: which objects there are, who has which descriptors and VMAs,
 * which pages are populated, and what every byte is.
 */
#include "fuzz.h"

struct model model;

uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

uint64_t draw(struct rng *rng)
{
	return mix(rng->state += 0x9e3779b97f4a7c15ull);
}

uint64_t below(struct rng *rng, uint64_t n)
{
	return draw(rng) % n;
}

uint64_t content(uint64_t key, uint64_t page, uint64_t version,
		 unsigned int word)
{
	uint64_t first;

	if (!version)
		return 0;
	first = mix(key ^ mix(page ^ mix(version)));
	return (first + word * 0x9e3779b97f4a7c15ull) | 1;
}

unsigned int candidates(unsigned int order, uint64_t *pages)
{
	uint64_t size = 1ull << (9 * order), last = 0;
	unsigned int n = 0;

	/* Borders of tables, from both sides, ascending. */
	const uint64_t centres[] = { 2,
				     256,
				     512,
				     1024,
				     513 * 512,
				     1ull << 18,
				     (1ull << 18) + 512,
				     3ull << 18,
				     1ull << 26,
				     1ull << 27,
				     (1ull << 27) + 512,
				     5ull << 30,
				     size };

	for (unsigned int i = 0; i < sizeof(centres) / sizeof(*centres); i++)
		for (uint64_t k = 0; k < 6; k++) {
			uint64_t page = centres[i] + k - 3;

			if (page < size && (!n || page > last) &&
			    n < CANDIDATES)
				pages[n++] = last = page;
		}
	return n;
}

static void set_remove(struct range_set *set, unsigned int i, unsigned int n)
{
	memmove(&set->r[i], &set->r[i + n],
		(set->n - i - n) * sizeof(set->r[0]));
	set->n -= n;
}

static void set_insert(struct range_set *set, unsigned int i, struct range r)
{
	if (set->n == RANGES)
		bail("too many ranges");
	memmove(&set->r[i + 1], &set->r[i], (set->n - i) * sizeof(set->r[0]));
	set->r[i] = r;
	set->n++;
}

void ranges_add(struct range_set *set, uint64_t first, uint64_t last)
{
	unsigned int i = 0, n = 0;

	while (i < set->n && set->r[i].last + 1 < first)
		i++;
	while (i + n < set->n && set->r[i + n].first <= last + 1) {
		if (set->r[i + n].first < first)
			first = set->r[i + n].first;
		if (set->r[i + n].last > last)
			last = set->r[i + n].last;
		n++;
	}
	set_remove(set, i, n);
	set_insert(set, i, (struct range){ first, last });
}

void ranges_remove(struct range_set *set, uint64_t first, uint64_t last)
{
	for (unsigned int i = 0; i < set->n;) {
		struct range r = set->r[i];

		if (r.last < first || r.first > last) {
			i++;
			continue;
		}
		set_remove(set, i, 1);
		if (r.first < first)
			set_insert(set, i++,
				   (struct range){ r.first, first - 1 });
		if (r.last > last)
			set_insert(set, i++,
				   (struct range){ last + 1, r.last });
	}
}

uint64_t ranges_count(const struct range_set *set)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < set->n; i++)
		n += set->r[i].last - set->r[i].first + 1;
	return n;
}

uint64_t ranges_tables(const struct range_set *set, unsigned int shift)
{
	uint64_t n = 0, next = 0;

	for (unsigned int i = 0; i < set->n; i++) {
		uint64_t first = set->r[i].first >> shift,
			 last = set->r[i].last >> shift;

		if (first < next)
			first = next;
		if (last + 1 > first)
			n += last + 1 - first;
		next = last + 1;
	}
	return n;
}

void model_reset(void)
{
	memset(&model, 0, sizeof(model));
}

struct morsel *morsel_slot(void)
{
	for (unsigned int i = 0; i < MORSELS; i++)
		if (!model.morsels[i].used)
			return &model.morsels[i];
	return NULL;
}

/* Files that are open, through a descriptor or a VMA or a socket. */
unsigned int morsel_files(const struct morsel *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < FILES; i++)
		n += model.files[i].refs && model.files[i].morsel == m;
	return n;
}

unsigned int morsel_mappings(const struct morsel *m)
{
	unsigned int n = 0;

	for (unsigned int a = 0; a < n_actors; a++) {
		const struct space *s = &model.spaces[a];

		for (unsigned int i = 0; i < s->n_segments; i++)
			n += s->segments[i].file->morsel == m;
	}
	return n;
}

void morsel_die(struct morsel *m)
{
	m->alive = false;
	model.stale[model.n_stale++ % 8] = m->id;
	m->used = morsel_files(m);
}

void morsel_fill(struct morsel *m, uint64_t first, uint64_t last)
{
	ranges_add(&m->populated, first, last);
	ranges_remove(&m->ahead, first, last);
	ranges_add(&m->tables, first, last);
}

void morsel_fill_ahead(struct morsel *m, uint64_t first, uint64_t last)
{
	ranges_add(&m->ahead, first, last);
	for (unsigned int i = 0; i < m->populated.n; i++)
		ranges_remove(&m->ahead, m->populated.r[i].first,
			      m->populated.r[i].last);
	model.unsettled |= m->ahead.n;
}

void morsel_settle(struct morsel *m, uint64_t data)
{
	uint64_t sure = ranges_count(&m->populated);

	if (data == sure + ranges_count(&m->ahead))
		for (unsigned int i = 0; i < m->ahead.n; i++)
			ranges_add(&m->populated, m->ahead.r[i].first,
				   m->ahead.r[i].last);
	else if (data > sure)
		return;
	m->ahead.n = 0;
}

void morsel_empty(struct morsel *m, uint64_t first, uint64_t last)
{
	if (m->order)
		ranges_remove(&m->populated, first, last);
	ranges_remove(&m->ahead, first, last);
	for (unsigned int i = 0; i < m->n_candidates; i++)
		if (m->candidate[i] >= first && m->candidate[i] <= last)
			m->version[i] = 0;
}

uint64_t morsel_version(const struct morsel *m, uint64_t page)
{
	for (unsigned int i = 0; i < m->n_candidates; i++)
		if (m->candidate[i] == page)
			return m->version[i];
	return 0;
}

struct file *file_new(struct morsel *m, bool writable, bool executable)
{
	for (unsigned int i = 0; i < FILES; i++)
		if (!model.files[i].refs) {
			model.files[i] =
				(struct file){ 1, m, writable, executable };
			return &model.files[i];
		}
	bail("too many files");
}

struct file *file_get(struct file *file)
{
	file->refs++;
	return file;
}

void file_put(struct file *file)
{
	struct morsel *m = file->morsel;

	if (--file->refs || morsel_files(m))
		return;
	if (m->alive && m->ephemeral)
		morsel_die(m);
	m->used = m->alive;
}

void fd_add(struct space *s, int fd, struct file *file)
{
	s->fds[s->n_fds++] = (struct descriptor){ fd, file };
}

void fd_drop(struct space *s, unsigned int i)
{
	file_put(s->fds[i].file);
	s->fds[i] = s->fds[--s->n_fds];
}

struct segment *segment_at(struct space *s, uint64_t addr)
{
	for (unsigned int i = 0; i < s->n_segments; i++) {
		struct segment *g = &s->segments[i];

		if (addr - g->addr < g->pages * PAGE)
			return g;
	}
	return NULL;
}

bool space_covered(struct space *s, uint64_t addr, uint64_t pages)
{
	uint64_t end = addr + pages * PAGE;

	while (addr < end) {
		struct segment *g = segment_at(s, addr);

		if (!g)
			return false;
		addr = g->addr + g->pages * PAGE;
	}
	return true;
}

unsigned int space_cuts(struct space *s, uint64_t addr, uint64_t pages)
{
	struct segment *a = segment_at(s, addr),
		       *b = segment_at(s, addr + pages * PAGE);

	return (a && a->addr != addr) + (b && b->addr != addr + pages * PAGE);
}

static void segment_insert(struct space *s, const struct segment *g)
{
	unsigned int i = s->n_segments;

	if (i == SEGMENTS)
		bail("too many segments");
	while (i && s->segments[i - 1].addr > g->addr)
		i--;
	memmove(&s->segments[i + 1], &s->segments[i],
		(s->n_segments - i) * sizeof(*g));
	s->segments[i] = *g;
	s->n_segments++;
}

void space_split(struct space *s, uint64_t addr)
{
	struct segment *g = segment_at(s, addr), upper;
	uint64_t pages;

	if (!g || g->addr == addr)
		return;
	pages = (addr - g->addr) / PAGE;
	upper = *g;
	upper.addr = addr;
	upper.first += pages;
	upper.pages -= pages;
	g->pages = pages;
	file_get(upper.file);
	segment_insert(s, &upper);
}

void space_unmap(struct space *s, uint64_t addr, uint64_t pages)
{
	uint64_t end = addr + pages * PAGE;

	space_split(s, addr);
	space_split(s, end);
	for (unsigned int i = 0; i < s->n_segments;) {
		struct segment *g = &s->segments[i];
		struct file *file = g->file;

		if (g->addr < addr || g->addr >= end) {
			i++;
			continue;
		}
		memmove(g, g + 1, (s->n_segments - i - 1) * sizeof(*g));
		s->n_segments--;
		file_put(file);
	}
}

void space_map(struct space *s, const struct segment *segment)
{
	file_get(segment->file);
	segment_insert(s, segment);
}

void space_fork(const struct space *from, struct space *to)
{
	*to = *from;
	to->n_segments = 0;
	for (unsigned int i = 0; i < to->n_fds; i++)
		file_get(to->fds[i].file);
	for (unsigned int i = 0; i < from->n_segments; i++)
		if (!from->segments[i].dontfork)
			space_map(to, &from->segments[i]);
}

void space_clear(struct space *s)
{
	while (s->n_segments)
		space_unmap(s, s->segments[0].addr, s->segments[0].pages);
	while (s->n_fds)
		fd_drop(s, 0);
}
