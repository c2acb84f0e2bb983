// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on mappings: what makes, changes and removes VMAs, and everything
 * that reads or writes pages through them.
 */
#include "ops.h"

#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* What is walked page by page. */
#define SMALL 1024
/* What MADV_SEQUENTIAL takes along is of the same. */
#define GROUP 16

static struct segment *any_segment(struct space *s)
{
	return s->n_segments ? &s->segments[below(&rng, s->n_segments)] : NULL;
}

/* What a process can have ends there. */
static uint64_t space_end(void)
{
	return (max_order() < 4 ? 1ull << 47 : 1ull << 56) - PAGE;
}

static int any_prot(void)
{
	static const int prots[] = { R | W, R | W, R | W,     R | W, R, R,
				     R,	    R | X, R | W | X, 0,     W, X };

	return prots[below(&rng, sizeof(prots) / sizeof(*prots))];
}

/* The bytes of a segment where a candidate is, or any. */
static uint64_t any_page(const struct segment *g)
{
	const struct morsel *m = g->file->morsel;
	unsigned int n = m->n_candidates, i, k;

	i = below(&rng, n);
	for (k = 0; k < n; k++, i = (i + 1) % n)
		if (m->candidate[i] - g->first < g->pages)
			return g->addr + (m->candidate[i] - g->first) * PAGE;
	return g->addr + below(&rng, g->pages) * PAGE;
}

/* Around such addresses there is nothing else. */
static bool is_placed(uint64_t addr)
{
	return addr >> 40 < 48 || addr >> 48;
}

/* A part of a segment; seldom it ends elsewhere. */
static bool any_part(uint64_t *addr, uint64_t *pages)
{
	struct segment *g = any_segment(space);
	uint64_t start, end;

	if (!g)
		return false;
	start = g->addr;
	end = g->addr + g->pages * PAGE;
	/* Beyond one that the kernel placed there is what it placed before. */
	switch (below(&rng, is_placed(start) ? 6 : 5)) {
	case 0:
	case 1:
		break;
	case 2:
		start = any_page(g);
		break;
	case 3:
		end = any_page(g) + PAGE;
		break;
	case 4:
		start = any_page(g);
		*pages = 1 + below(&rng, 8);
		if (start + *pages * PAGE < end)
			end = start + *pages * PAGE;
		break;
	case 5: /* beyond it */
		end += PAGE * (1 + below(&rng, 600));
		if (one_in(&rng, 2) && start > 1024 * PAGE)
			start -= PAGE * below(&rng, 600);
		break;
	}
	if (end > space_end())
		end = space_end();
	*addr = start;
	*pages = (end - start) / PAGE;
	return true;
}

/* Within one segment, and few pages. */
static struct segment *small_part(uint64_t *addr, uint64_t *pages)
{
	struct segment *g = any_segment(space);
	uint64_t left;

	if (!g)
		return NULL;
	*addr = one_in(&rng, 4) ? g->addr : any_page(g);
	left = g->pages - (*addr - g->addr) / PAGE;
	*pages = one_in(&rng, 2) ? 1 + below(&rng, 8) : 1 + below(&rng, SMALL);
	if (*pages > left)
		*pages = left;
	return g;
}

static bool is_readable(const struct segment *g)
{
	return g->prot & (R | W);
}

/*
 * By the processor, in the program: what follows in the same group of pages may be
 * taken along, if there was a fault.
 */
static void touch_page(const struct segment *g, uint64_t addr)
{
	uint64_t page = g->first + (addr - g->addr) / PAGE,
		 last = page | (GROUP - 1), end = g->first + g->pages - 1;

	morsel_fill(g->file->morsel, page, page);
	if (last > end)
		last = end;
	if (g->hint == MADV_SEQUENTIAL && last > page)
		morsel_fill_ahead(g->file->morsel, page + 1, last);
}

void probe_around(uint64_t addr, uint64_t pages)
{
	slot->n_probes = 0;
	for (unsigned int i = 0; i < 2 * PROBES; i++) {
		struct segment *g = pages && i < PROBES ?
					    segment_at(space, addr) :
					    any_segment(space);
		uint64_t at;

		if (!g || !is_readable(g) || slot->n_probes == PROBES)
			continue;
		at = i ? any_page(g) : g->addr;
		if (i == 1 && addr)
			at = addr;
		slot->probes[slot->n_probes++] =
			(struct probe){ .addr = at +
						8 * below(&rng, PAGE / 8) };
		touch_page(g, at);
	}
}

void check_probes(void)
{
	for (unsigned int i = 0; i < slot->n_probes; i++) {
		const struct probe *p = &slot->probes[i];
		uint64_t page, want, in_page = p->addr % PAGE;
		struct segment *g = segment_at(space, p->addr - in_page);

		if (!g || !g->prot) {
			if (p->sig != SIGSEGV)
				found("a read at %#llx after it: signal %d, not SIGSEGV",
				      (unsigned long long)p->addr, p->sig);
			continue;
		}
		if (p->sig ? g->prot == X : false)
			continue;
		page = g->first + (p->addr - g->addr) / PAGE;
		want = content(g->file->morsel->key, page,
			       morsel_version(g->file->morsel, page),
			       in_page / 8);
		if (p->sig || p->value != want)
			found("a read at %#llx after it, page %#llx: signal %d, %#llx, not %#llx",
			      (unsigned long long)p->addr,
			      (unsigned long long)page, p->sig,
			      (unsigned long long)p->value,
			      (unsigned long long)want);
		touch_page(g, p->addr);
	}
}

static bool room_for_cuts(void)
{
	return space->n_segments + 3 < SEGMENTS;
}

static uint64_t place(const struct morsel *m, uint64_t first)
{
	uint64_t size = morsel_size(m->order), base;

	base = size > 1ull << 40 ? (32 + below(&rng, 2)) << 48 :
				   (16 + 2 * below(&rng, 4)) << 40;
	if (one_in(&rng, 4)) /* aligned unlike the morsel */
		base += PAGE * below(&rng, 1024);
	return base + first * PAGE;
}

static bool overlaps(struct space *s, uint64_t addr, uint64_t pages)
{
	for (unsigned int i = 0; i < s->n_segments; i++) {
		struct segment *g = &s->segments[i];

		if (addr < g->addr + g->pages * PAGE &&
		    g->addr < addr + pages * PAGE)
			return true;
	}
	return false;
}

bool op_mmap(void)
{
	struct descriptor *d = any_fd();
	uint64_t first, n, addr = 0, offset, size;
	int flags = MAP_SHARED, prot = any_prot();
	struct segment g, *over;
	bool fixed = false, noreplace = false, bad;
	struct morsel *m;
	long ret;

	if (!d || !room_for_cuts())
		return false;
	m = d->file->morsel;
	size = 1ull << (9 * m->order);
	any_range(m, &first, &n);
	offset = first * PAGE;
	if (one_in(&rng, 30)) /* beyond the end */
		n += size;
	switch (one_in(&rng, 40) ? 0 : 1 + below(&rng, 5)) {
	case 0:
		flags = MAP_PRIVATE;
		break;
	case 1:
		fixed = true;
		addr = place(m, first);
		break;
	case 2:
		noreplace = true;
		addr = place(m, first);
		break;
	case 3:
		over = any_segment(space);
		if (over) {
			fixed = true;
			addr = over->addr + PAGE * below(&rng, over->pages);
			/* Not over what else the process has there. */
			if ((!is_placed(addr) || !is_placed(addr + n * PAGE) ||
			     (addr >> 48 == 0 && (addr + n * PAGE) >> 48)) &&
			    !space_covered(space, addr, n))
				return false;
		}
		break;
	case 4:
		addr = place(m, first); /* a hint */
		break;
	}
	if (m->meta && !one_in(&rng, 4)) {
		fixed = one_in(&rng, 2);
		noreplace = false;
		addr = fixed || one_in(&rng, 2) ? m->address + offset : 0;
	}
	if (one_in(&rng, 40))
		offset ^= 1 << below(&rng, 12);
	if (addr && addr + n * PAGE > space_end())
		return false;

	if (fixed)
		flags |= MAP_FIXED;
	if (noreplace)
		flags |= MAP_FIXED_NOREPLACE;
	if (n <= SMALL && prot != X && one_in(&rng, 4))
		flags |= one_in(&rng, 3) ? MAP_LOCKED : MAP_POPULATE;
	if (one_in(&rng, 4))
		flags |= MAP_NORESERVE;

	/*
	 * Where the kernel refuses late, what was there is gone: only where
	 * nothing is.
	 */
	bad = !m->alive || prot & X & -!d->file->executable ||
	      flags & MAP_PRIVATE || (prot & W && !d->file->writable) ||
	      offset % PAGE || n > size - first ||
	      (m->meta && addr != m->address + offset);
	if (bad && fixed && overlaps(space, addr, n))
		return false;

	describe("mmap(%#llx, %llu pages, prot %d, flags %#x, %d, %#llx)",
		 (unsigned long long)addr, (unsigned long long)n, prot, flags,
		 d->fd, (unsigned long long)offset);
	fails(offset % PAGE || n > size - first || flags & MAP_PRIVATE, EINVAL);
	fails(prot & W && !d->file->writable && !(flags & MAP_PRIVATE), EACCES);
	fails(prot & X && !d->file->executable, EACCES);
	fails(!m->alive, ESTALE);
	if (m->meta) {
		fails((addr || fixed) && addr != m->address + offset, EINVAL);
		fails(!fixed && overlaps(space, m->address + offset, n),
		      EEXIST);
	}
	fails(noreplace && overlaps(space, addr, n), EEXIST);
	/* More than there is memory, if it were a copy. */
	fails(flags & MAP_PRIVATE, ENOMEM);
	/* There is no room for a second one. */
	may_fail(!fixed && n > 1ull << 30, ENOMEM);
	if (fixed)
		probe_around(addr, n);
	ret = sys6(false, SYS_mmap, addr, n * PAGE, prot, flags, d->fd, offset);
	if (!judge(ret))
		return true;

	if ((fixed || noreplace) && (uint64_t)ret != addr)
		found("is at %#lx", ret);
	if (fixed)
		space_unmap(space, addr, n);
	addr = ret;
	if (addr % PAGE || overlaps(space, addr, n))
		found("is at %#lx, where something is", ret);
	for (unsigned int level = 1; !fixed && !noreplace && level < 3;
	     level++) {
		uint64_t table = 1ull << (9 * level),
			 from = (first + table - 1) & ~(table - 1);

		if (from + table <= first + n &&
		    (addr - offset) % (table * PAGE))
			found("is at %#lx, where no table of level %u fits",
			      ret, level);
	}
	g = (struct segment){ .addr = addr,
			      .pages = n,
			      .first = first,
			      .file = d->file,
			      .prot = prot };
	space_map(space, &g);
	if (flags & (MAP_LOCKED | MAP_POPULATE) && prot)
		morsel_fill(m, first, first + n - 1);
	return true;
}

bool op_munmap(void)
{
	uint64_t addr, pages;
	int bad = one_in(&rng, 20) ? 1 + below(&rng, 2) : 0;

	if (!any_part(&addr, &pages) || !room_for_cuts())
		return false;
	describe("munmap(%#llx, %llu pages%s)", (unsigned long long)addr,
		 (unsigned long long)pages,
		 !bad	  ? "" :
		 bad == 1 ? ", unaligned" :
			    ", length 0");
	fails(bad, EINVAL);
	probe_around(addr, pages);
	if (judge(sys(SYS_munmap, addr + (bad == 1),
		      bad == 2 ? 0 : pages * PAGE)))
		space_unmap(space, addr, pages);
	return true;
}

/* As far as the kernel gets, and what it says then. */
static int change_prot(uint64_t addr, uint64_t pages, int prot, bool apply)
{
	uint64_t end = addr + pages * PAGE, next;

	for (; addr < end; addr = next) {
		struct segment *g = segment_at(space, addr);

		if (!g)
			return ENOMEM;
		if ((prot & W && !g->file->writable) ||
		    (prot & X && !g->file->executable))
			return EACCES;
		next = g->addr + g->pages * PAGE;
		if (next > end)
			next = end;
		if (!apply || prot == g->prot)
			continue;
		space_split(space, addr);
		space_split(space, next);
		segment_at(space, addr)->prot = prot;
	}
	return 0;
}

bool op_mprotect(void)
{
	uint64_t addr, pages;
	int prot = any_prot(), err;

	if (!room_for_cuts() || !any_part(&addr, &pages))
		return false;
	describe("mprotect(%#llx, %llu pages, %d)", (unsigned long long)addr,
		 (unsigned long long)pages, prot);
	err = change_prot(addr, pages, prot, false);
	fails(err, err);
	probe_around(addr, pages);
	judge(sys(SYS_mprotect, addr, pages * PAGE, prot));
	change_prot(addr, pages, prot, true);
	return true;
}

bool op_mremap(void)
{
	uint64_t addr, pages, to = 0, new_pages, old_pages;
	unsigned int kind = below(&rng, 8);
	struct segment *g, moved;
	int flags = 0;
	bool whole;
	long ret;

	if (!room_for_cuts() || !any_part(&addr, &pages))
		return false;
	g = segment_at(space, addr);
	whole = g && addr + pages * PAGE <= g->addr + g->pages * PAGE;
	old_pages = new_pages = pages;
	switch (kind) {
	case 0: /* shrinks */
		new_pages = 1 + below(&rng, pages);
		break;
	case 1: /* grows */
		new_pages += 1 + below(&rng, 1024);
		flags = one_in(&rng, 2) ? MREMAP_MAYMOVE : 0;
		break;
	case 2:
		flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
		break;
	case 3: /* a copy */
		old_pages = 0;
		flags = MREMAP_MAYMOVE;
		break;
	default: /* moves */
		if (!g)
			return false;
		flags = MREMAP_MAYMOVE | MREMAP_FIXED;
		to = place(g->file->morsel, g->first + (addr - g->addr) / PAGE);
		if (to < addr + pages * PAGE && addr < to + pages * PAGE)
			return false;
		/* What fails late has removed what was there. */
		if ((!whole || g->file->morsel->meta) &&
		    overlaps(space, to, pages))
			return false;
	}
	describe("mremap(%#llx, %llu pages, %llu pages, flags %d, %#llx)",
		 (unsigned long long)addr, (unsigned long long)old_pages,
		 (unsigned long long)new_pages, flags, (unsigned long long)to);
	if (kind == 0) {
		fails(!g, EFAULT);
	} else if (kind == 1 || kind == 3) {
		fails(true, EFAULT);
	} else if (kind == 2) {
		fails(true, EINVAL);
		fails(!whole, EFAULT);
	} else {
		fails(!whole, EFAULT);
		fails(g->file->morsel->meta, EINVAL);
		/* Aligned otherwise, or beyond the end of the address space. */
		fails(to + pages * PAGE > space_end(), EINVAL);
	}
	probe_around(addr, pages);
	ret = sys(SYS_mremap, addr, old_pages * PAGE, new_pages * PAGE, flags,
		  to);
	if (!judge(ret))
		return true;
	if (kind == 0) {
		if (new_pages < pages)
			space_unmap(space, addr + new_pages * PAGE,
				    pages - new_pages);
		return true;
	}
	if ((uint64_t)ret != to)
		found("is at %#lx", ret);
	space_unmap(space, to, pages);
	g = segment_at(space, addr);
	moved = *g;
	moved.addr = to;
	moved.first += (addr - g->addr) / PAGE;
	moved.pages = pages;
	/* Before the old one goes: the file must have a user throughout. */
	space_map(space, &moved);
	space_unmap(space, addr, pages);
	return true;
}

enum { SPLITS_HINT = 1, SPLITS_HUGE, SPLITS_FORK, REMOVES, POPULATES };

static const struct advice {
	const char *name;
	int advice, effect;
	int err;
} advices[] = {
	{ "NORMAL", MADV_NORMAL, .effect = SPLITS_HINT },
	{ "RANDOM", MADV_RANDOM, .effect = SPLITS_HINT },
	{ "SEQUENTIAL", MADV_SEQUENTIAL, .effect = SPLITS_HINT },
	{ "DONTNEED", MADV_DONTNEED, .effect = 0 },
	{ "DONTNEED", MADV_DONTNEED, .effect = 0 },
	{ "DONTNEED", MADV_DONTNEED, .effect = 0 },
	{ "WILLNEED", MADV_WILLNEED, .effect = 0 },
	{ "FREE", MADV_FREE, .err = EINVAL },
	{ "REMOVE", MADV_REMOVE, .effect = REMOVES },
	{ "REMOVE", MADV_REMOVE, .effect = REMOVES },
	{ "DONTFORK", MADV_DONTFORK, .effect = SPLITS_FORK },
	{ "DOFORK", MADV_DOFORK, .effect = SPLITS_FORK },
	{ "MERGEABLE", MADV_MERGEABLE, .effect = 0 },
	{ "UNMERGEABLE", MADV_UNMERGEABLE, .effect = 0 },
	{ "HUGEPAGE", MADV_HUGEPAGE, .effect = SPLITS_HUGE },
	{ "NOHUGEPAGE", MADV_NOHUGEPAGE, .effect = SPLITS_HUGE },
	{ "DONTDUMP", MADV_DONTDUMP, .effect = 0 },
	{ "DODUMP", MADV_DODUMP, .err = EINVAL },
	{ "WIPEONFORK", MADV_WIPEONFORK, .err = EINVAL },
	{ "KEEPONFORK", MADV_KEEPONFORK, .effect = 0 },
	{ "COLD", MADV_COLD, .effect = 0 },
	{ "PAGEOUT", MADV_PAGEOUT, .effect = 0 },
	{ "COLLAPSE", MADV_COLLAPSE, .err = EINVAL },
	{ "POPULATE_READ", MADV_POPULATE_READ, .effect = POPULATES },
	{ "POPULATE_WRITE", MADV_POPULATE_WRITE, .effect = POPULATES },
	{ "of no name", 4711, .err = EINVAL },
};

static void set_advice(uint64_t addr, uint64_t pages, const struct advice *a)
{
	struct segment *g = segment_at(space, addr), new = *g;

	if (a->effect == SPLITS_HINT)
		new.hint = a->advice;
	else if (a->effect == SPLITS_FORK)
		new.dontfork = a->advice == MADV_DONTFORK;
	else
		new.huge = a->advice;
	if (new.hint == g->hint &&new.dontfork == g->dontfork &&new.huge ==
	    g->huge)
		return;
	space_split(space, addr);
	space_split(space, addr + pages * PAGE);
	g = segment_at(space, addr);
	g->hint = new.hint;
	g->dontfork = new.dontfork;
	g->huge = new.huge;
}

bool op_madvise(void)
{
	const struct advice *a =
		&advices[below(&rng, sizeof(advices) / sizeof(*advices))];
	uint64_t addr, pages, first;
	struct segment *g;
	bool writes;

	if (!room_for_cuts())
		return false;
	g = small_part(&addr, &pages);
	if (!g)
		return false;
	if (a->advice == MADV_DONTNEED && one_in(&rng, 2)) {
		addr = g->addr;
		pages = g->pages;
	}
	first = g->first + (addr - g->addr) / PAGE;
	describe("madvise(%#llx, %llu pages, %s)", (unsigned long long)addr,
		 (unsigned long long)pages, a->name);
	fails(a->err, a->err);
	switch (a->effect) {
	case REMOVES:
		/* Kernels differ about who might have it writable. */
		writes = g->prot & W;
		may_fail(!writes && g->file->writable, EACCES);
		fails(!g->file->writable, EACCES);
		fails(!g->file->morsel->alive, ESTALE);
		break;
	case POPULATES:
		writes = a->advice == MADV_POPULATE_WRITE;
		/* Which of them depends on the kernel. */
		if (writes ? !(g->prot & W) : !(g->prot & R)) {
			fails(true, EINVAL);
			fails(true, EFAULT);
		}
		break;
	}
	probe_around(addr, pages);
	if (!judge(sys(SYS_madvise, addr, pages * PAGE, a->advice)))
		return true;
	if (a->effect == REMOVES)
		morsel_empty(g->file->morsel, first, first + pages - 1);
	else if (a->effect == POPULATES)
		morsel_fill(g->file->morsel, first, first + pages - 1);
	else if (a->effect)
		set_advice(addr, pages, a);
	return true;
}

bool op_mlock(void)
{
	bool unlock = one_in(&rng, 2);
	uint64_t addr, pages, first;
	struct segment *g = small_part(&addr, &pages);

	if (!g || g->prot == X)
		return false;
	describe("%s(%#llx, %llu pages)", unlock ? "munlock" : "mlock",
		 (unsigned long long)addr, (unsigned long long)pages);
	fails(!unlock && !g->prot, ENOMEM);
	if (!judge(sys(unlock ? SYS_munlock : SYS_mlock, addr, pages * PAGE)) ||
	    unlock)
		return true;
	/* A mapping of ours is not locked, but its pages are made present. */
	first = g->first + (addr - g->addr) / PAGE;
	morsel_fill(g->file->morsel, first, first + pages - 1);
	return true;
}

static bool is_in(const struct range_set *set, uint64_t page)
{
	for (unsigned int i = 0; i < set->n; i++)
		if (page - set->r[i].first <= set->r[i].last - set->r[i].first)
			return true;
	return false;
}

bool op_mincore(void)
{
	bool sync = one_in(&rng, 3);
	uint64_t addr, pages, page;
	struct segment *g;

	if (!any_part(&addr, &pages))
		return false;
	if (sync) {
		describe("msync(%#llx, %llu pages)", (unsigned long long)addr,
			 (unsigned long long)pages);
		fails(!space_covered(space, addr, pages), ENOMEM);
		judge(sys(SYS_msync, addr, pages * PAGE, MS_SYNC));
		return true;
	}
	if (pages > sizeof(slot->vector))
		pages = sizeof(slot->vector);
	describe("mincore(%#llx, %llu pages)", (unsigned long long)addr,
		 (unsigned long long)pages);
	fails(!space_covered(space, addr, pages), ENOMEM);
	if (!judge(sys(SYS_mincore, addr, pages * PAGE, slot->vector)))
		return true;
	for (uint64_t i = 0; i < pages; i++) {
		if (!(slot->vector[i] & 1))
			continue;
		g = segment_at(space, addr + i * PAGE);
		page = g->first + (addr + i * PAGE - g->addr) / PAGE;
		if (!is_in(&g->file->morsel->populated, page) &&
		    !is_in(&g->file->morsel->ahead, page))
			found("page %llu is present, and should not be",
			      (unsigned long long)i);
	}
	return true;
}

static void expect_content(const struct morsel *m, uint64_t page)
{
	uint64_t version = morsel_version(m, page),
		 *words = (void *)slot->buffer;

	for (unsigned int i = 0; i < PAGE / 8; i++)
		if (words[i] != content(m->key, page, version, i))
			found("page %#llx, byte %#x: %#llx, not %#llx (version %llu)",
			      (unsigned long long)page, i * 8,
			      (unsigned long long)words[i],
			      (unsigned long long)content(m->key, page, version,
							  i),
			      (unsigned long long)version);
}

static void new_content(const struct morsel *m, uint64_t page, uint64_t version)
{
	uint64_t *words = (void *)slot->buffer;

	for (unsigned int i = 0; i < PAGE / 8; i++)
		words[i] = content(m->key, page, version, i);
}

static const struct method {
	const char *name;
	enum what what;
	bool write;
	bool processor; /* minds what the processor does, not the VMA */
	bool remote; /* may be done to another process */
	int err; /* without the right */
} methods[] = {
	{ "read", DO_READ, false, true, false, SIGNAL(SIGSEGV) },
	{ "write", DO_WRITE, true, true, false, SIGNAL(SIGSEGV) },
	{ "read", DO_READ, false, true, false, SIGNAL(SIGSEGV) },
	{ "write", DO_WRITE, true, true, false, SIGNAL(SIGSEGV) },
	{ "read", DO_READ, false, true, false, SIGNAL(SIGSEGV) },
	{ "write", DO_WRITE, true, true, false, SIGNAL(SIGSEGV) },
	{ "read", DO_READ, false, true, false, SIGNAL(SIGSEGV) },
	{ "write", DO_WRITE, true, true, false, SIGNAL(SIGSEGV) },
	{ "read of /proc/PID/mem", DO_PROC_READ, false, false, true, 0 },
	{ "write of /proc/PID/mem", DO_PROC_WRITE, true, false, true, EIO },
	{ "process_vm_readv", DO_SYSCALL, false, false, true, EFAULT },
	{ "process_vm_writev", DO_SYSCALL, true, false, true, EFAULT },
	{ "write to a pipe", DO_PIPE_READ, false, true, false, EFAULT },
	{ "read from a pipe", DO_PIPE_WRITE, true, true, false, EFAULT },
	{ "vmsplice", DO_SPLICE_READ, false, false, false, EFAULT },
	{ "write to a disk", DO_DISK_READ, false, false, false, EFAULT },
	{ "read from a disk", DO_DISK_WRITE, true, false, false, EFAULT },
};

static long by_process_vm(const struct method *method, pid_t pid, uint64_t addr)
{
	struct iovec *iov = (void *)slot->arg.bytes;
	long ret;

	iov[0] = (struct iovec){ slot->buffer, PAGE };
	iov[1] = (struct iovec){ (void *)addr, PAGE };
	ret = sys6(false,
		   method->write ? SYS_process_vm_writev : SYS_process_vm_readv,
		   pid, (long)&iov[0], 1, (long)&iov[1], 1, 0);
	return ret == (long)PAGE ? 0 : ret < 0 ? ret : -ENODATA;
}

static void access_page(const struct method *method, unsigned int whose,
			struct segment *g, uint64_t addr)
{
	struct morsel *m = g->file->morsel;
	uint64_t page = g->first + (addr - g->addr) / PAGE;
	pid_t pid = actors[whose].pid;
	long ret;

	describe("%s, page %#llx of %#llx at %#llx of actor %u", method->name,
		 (unsigned long long)page, (unsigned long long)m->id,
		 (unsigned long long)addr, whose);
	if (method->write)
		fails(!(g->prot & W), method->err);
	else if (method->processor) {
		/* Without protection keys, executable is readable. */
		may_fail(g->prot == X, method->err);
		fails(!g->prot, method->err);
	} else {
		/* Reads of /proc/PID/mem are forced. */
		fails(method->err && !(g->prot & R), method->err);
	}
	if (method->write)
		new_content(m, page, ++model.versions);
	else
		memset(slot->buffer, 0x5a, PAGE);
	if (method->what == DO_SYSCALL)
		ret = by_process_vm(method, pid, addr);
	else
		ret = act(method->what, method->remote ? pid : 0, addr);
	if (!judge(ret))
		return;
	if (method->what == DO_READ || method->what == DO_WRITE)
		touch_page(g, addr);
	else
		morsel_fill(m, page, page);
	if (!method->write) {
		expect_content(m, page);
		return;
	}
	for (unsigned int i = 0; i < m->n_candidates; i++)
		if (m->candidate[i] == page)
			m->version[i] = model.versions;
}

static bool is_candidate(const struct morsel *m, uint64_t page)
{
	for (unsigned int i = 0; i < m->n_candidates; i++)
		if (m->candidate[i] == page)
			return true;
	return false;
}

bool op_access(void)
{
	const struct method *method =
		&methods[below(&rng, sizeof(methods) / sizeof(*methods))];
	unsigned int whose = method->remote ? below(&rng, n_actors) : who;
	struct segment *g = any_segment(&model.spaces[whose]);
	uint64_t addr;

	if (!g)
		return false;
	/* Whether these look at the VMA or at a leaf depends on what is there. */
	if ((method->what == DO_SPLICE_READ || method->what == DO_DISK_READ) &&
	    !(g->prot & R))
		return false;
	addr = one_in(&rng, 6) ? g->addr + PAGE * below(&rng, g->pages) :
				 any_page(g);
	if (method->write &&
	    !is_candidate(g->file->morsel, g->first + (addr - g->addr) / PAGE))
		return false;
	access_page(method, whose, g, addr);
	return true;
}

/* Several pages of one mapping in a row. */
bool op_sweep(void)
{
	struct segment *g = any_segment(space);
	struct morsel *m;
	unsigned int n = 0;

	if (!g || !(g->prot & (R | W)))
		return false;
	m = g->file->morsel;
	for (unsigned int i = 0; i < m->n_candidates && n < 24; i++)
		if (m->candidate[i] - g->first < g->pages) {
			access_page(&methods[g->prot & W ? below(&rng, 2) : 0],
				    who, g,
				    g->addr + (m->candidate[i] - g->first) *
						      PAGE);
			n++;
		}
	return n > 0;
}
