// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork copies no table, whatever is in a morsel; exec and exit end a view and
 * nothing else; and a process that is killed amid any step of its life with
 * morsels leaves nothing behind, changes nothing for others and holds nobody up.
 */
#include "disk.h"
#include "peer.h"

#include <linux/aio_abi.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define N 512 /* pages with a stamp */
#define OWN 64 /* of the victim's own morsel */
#define HOLE 1000 /* pages without, that are populated and punched */
#define TRIES 200 /* until two kills hit a step */
#define ONE_VIEW (3 * PAGE) /* tables: a placeholder and two parents */

struct arena {
	unsigned int order;
	uint64_t id;
	int fd;
	char *p;
	atomic_long tables, attachments;
	atomic_int step, inside, rounds;
};

/* Says what it has inherited, then touches it. */
static int inherit(void *arg)
{
	struct arena *a = arg;
	uint64_t n = opt_pages < pages_of(a->order) ? opt_pages :
						      pages_of(a->order);
	long before = table_bytes();

	a->tables = before;
	a->attachments = info(a->fd).attachments;
	if (!a->p)
		return 0;
	need(*word(a->p, 0) == stamp(0));
	need(info(a->fd).attachments == (uint64_t)a->attachments + !!a->order);
	need(bad_stamps(a->p, a->order, n) == 0);
	need(table_bytes() - before <= ONE_VIEW);
	word(a->p, 0)[4] = 0xc0ffee;
	return 0;
}

static void fork_is_constant(unsigned int order)
{
	uint64_t n = opt_pages < pages_of(order) ? opt_pages : pages_of(order);
	struct arena *a = shared(sizeof(*a));
	struct peer peer;
	long bare;
	char *p;

	a->order = order;
	a->fd = create(order, &a->id);
	peer = peer_start(a->id, order, n);
	/* What tables this takes for ourselves, both children have. */
	p = map(a->fd, RW);
	put_stamps(p, order, n);
	disagree(&peer, p, true);
	unmap(p, order);
	is(reap(spawn(inherit, a)), 0, "order %u: a child without a mapping",
	   order);
	bare = a->tables;
	a->p = map(a->fd, RW);
	put_stamps(a->p, order, n);
	is(disagree(&peer, a->p, true), 0, "order %u: %llu pages populated",
	   order, (unsigned long long)n);
	is(reap(spawn(inherit, a)), 0,
	   "order %u: a child with one; its first touch attaches", order);
	/* No table for what it has not touched, not even a placeholder. */
	ok(a->tables < bare + (long)PAGE,
	   "order %u: fork copied no table (VmPTE %ld without, %ld with)",
	   order, bare, (long)a->tables);
	is(a->attachments, order ? 2 : 0,
	   "order %u: until then only the parent and the peer are attached",
	   order);
	is(peer_call(&peer, peer_swap, 32, 0), 0xc0ffee,
	   "order %u: the peer sees the child's write", order);
	is(disagree(&peer, a->p, true), 0, "order %u: both see the same after",
	   order);
	is(info(a->fd).attachments, order ? 2 : 0,
	   "order %u: the child's entry is gone", order);
	unmap(a->p, order);
	peer_stop(&peer);
	destroy(a->fd);
	munmap(a, sizeof(*a));
}

/* Writes through an inherited and a new mapping, then ends with both. */
static int ends(void *arg)
{
	struct arena *a = arg;
	char *own = map_id(a->id, RW);

	word(a->p, 0)[4] = 1;
	need(atomic_fetch_add(word(own, 0) + 4, 1) == 1);
	if (a->step == 0)
		return 0;
	if (a->step == 1)
		execl("/bin/true", "true", NULL);
	if (a->step == 2)
		raise(SIGKILL);
	if (a->step == 3)
		raise(SIGABRT);
	return 1;
}

static void all_ends(unsigned int order)
{
	static const struct {
		const char *name;
		int status;
	} how[] = { { "exit", 0 },
		    { "exec", 0 },
		    { "SIGKILL", -SIGKILL },
		    { "SIGABRT", -SIGABRT } };
	uint64_t n = N < pages_of(order) ? N : pages_of(order);
	struct arena *a = shared(sizeof(*a));
	struct peer peer;

	a->order = order;
	a->fd = create(order, &a->id);
	peer = peer_start(a->id, order, n);
	a->p = map(a->fd, RW);
	put_stamps(a->p, order, n);
	for (int i = 0; i < 4; i++) {
		struct morsel_info before = info(a->fd), after;

		a->step = i;
		is(reap(spawn(ends, a)), how[i].status, "order %u: %s", order,
		   how[i].name);
		after = info(a->fd);
		ok(after.mappings == before.mappings &&
			   after.descriptors == before.descriptors &&
			   after.data_frames == before.data_frames,
		   "order %u: took its mappings and descriptors", order);
		is(peer_call(&peer, peer_swap, 32, 0), 2,
		   "order %u: and left what it wrote", order);
		is(disagree(&peer, a->p, true), 0,
		   "order %u: both see the same", order);
	}
	unmap(a->p, order);
	peer_stop(&peer);
	destroy(a->fd);
	munmap(a, sizeof(*a));
}

/* One life of a victim, with a morsel of its own beside the common one. */
struct life {
	unsigned int order;
	int fd, common_fd; /* its own, and the common one */
	char *p, *common, *to;
	size_t size;
	/* A range without a stamp: of the common one, or, in order 0, its own. */
	struct hole {
		char *at;
		int fd;
		uint64_t offset, size;
	} hole;
	int file, pipe[2];
	aio_context_t aio;
	int other_fd; /* what comes and goes */
	void *q;
};

/* Stamps in the common morsel: not in every page of it, but for order 0. */
static uint64_t killed_pages(unsigned int order)
{
	return order == 0 ? 1 : order == 1 ? N / 2 : N;
}

/* What follows the first run of them: a PTE table and parts of two, or less. */
static uint64_t hole_find(unsigned int order, uint64_t *first)
{
	uint64_t n = killed_pages(order), i = 1, gap;

	*first = 0;
	if (!order)
		return 1;
	while (spread(order, i, n) == spread(order, i - 1, n) + 1)
		i++;
	*first = spread(order, i - 1, n) + 1;
	gap = spread(order, i, n) - *first;
	return gap < HOLE ? gap : HOLE;
}

static int fill(struct life *l)
{
	return morsel_populate(l->hole.fd, l->hole.offset, l->hole.size, NULL);
}

static int punch(struct life *l)
{
	return morsel_punch(l->hole.fd, l->hole.offset, l->hole.size, NULL);
}

static int create_one(struct life *l)
{
	l->other_fd = morsel_create(device(), l->order, 0700, 0, NULL);
	return l->other_fd < 0;
}

static int destroy_one(struct life *l)
{
	destroy(l->other_fd);
	return 0;
}

static int create_ephemeral(struct life *l)
{
	l->other_fd = morsel_create(device(), l->order, 0700,
				    MORSEL_CREATE_EPHEMERAL, NULL);
	return l->other_fd < 0;
}

static int close_one(struct life *l)
{
	return close(l->other_fd);
}

static int create_meta(struct life *l)
{
	l->other_fd = morsel_create_at(device(), l->order, 0700, 0,
				       free_addr(l->order, 3), NULL);
	return l->other_fd < 0;
}

static int destroy_meta(struct life *l)
{
	char *p = map(l->other_fd, RW);

	*word(p, 0) = 1;
	unmap(p, l->order);
	return destroy_one(l);
}

static int attach(struct life *l)
{
	l->q = map(l->common_fd, RW);
	return *word(l->q, 0) != stamp(0);
}

static int detach(struct life *l)
{
	unmap(l->q, l->order);
	return 0;
}

static int map_another(struct life *l)
{
	l->q = map_at(l->other_fd, free_addr(l->order, 3), RW);
	put_stamps(l->q, l->order, OWN);
	return 0;
}

static int unmap_another(struct life *l)
{
	unmap(l->q, l->order);
	return destroy_one(l) || create_one(l);
}

static int fault_hole(struct life *l)
{
	if (madvise(l->hole.at, l->hole.size, MADV_DONTNEED))
		return 1;
	for (uint64_t i = 0; i < l->hole.size; i += PAGE)
		(void)*(volatile char *)(l->hole.at + i);
	return 0;
}

static int write_shared(struct life *l)
{
	word(l->common, 0)[6] = 1;
	return *word(l->common, 0) != stamp(0);
}

static int touch(void *arg)
{
	struct life *l = arg;

	need(*word(l->common, 0) == stamp(0));
	return 0;
}

static int fork_and_touch(struct life *l)
{
	return reap(spawn(touch, l));
}

static int execute(struct life *l)
{
	(void)l;
	execl("/bin/sleep", "sleep", "1000", NULL);
	return 1;
}

static int protect(struct life *l)
{
	return mprotect(l->p, l->size, R) || probe(l->p, READ);
}

static int unprotect(struct life *l)
{
	return mprotect(l->p, l->size, RW) || probe(l->p, WRITE);
}

static int dont_need(struct life *l)
{
	return madvise(l->common, PAGE, MADV_DONTNEED) ||
	       *word(l->common, 0) != stamp(0);
}

static int move_to(struct life *l)
{
	return mremap(l->p, l->size, l->size, MREMAP_MAYMOVE | MREMAP_FIXED,
		      l->to) != l->to ||
	       *word(l->to, 0) != stamp(0);
}

static int move_back(struct life *l)
{
	return mremap(l->to, l->size, l->size, MREMAP_MAYMOVE | MREMAP_FIXED,
		      l->p) != l->p ||
	       *word(l->p, 0) != stamp(0);
}

static int split(struct life *l)
{
	char *q = map(l->fd, RW), *last = q + l->size - PAGE;

	return mprotect(last, PAGE, R) || probe(last, READ) ||
	       munmap(last, PAGE) ||
	       (l->size > PAGE && *word(q, 0) != stamp(0)) ||
	       (l->size > PAGE && munmap(q, l->size - PAGE));
}

static int unmap_all(struct life *l)
{
	return morsel_unmap(l->p, l->order);
}

static int map_all(struct life *l)
{
	return map_at(l->fd, (uintptr_t)l->p, RW) != l->p ||
	       *word(l->p, 0) != stamp(0);
}

static int advise_fill(struct life *l)
{
	return madvise(l->hole.at, l->hole.size, MADV_POPULATE_WRITE);
}

static int advise_punch(struct life *l)
{
	return madvise(l->hole.at, l->hole.size, MADV_REMOVE);
}

static int map_filled(struct life *l)
{
	return morsel_map_range(l->hole.fd, NULL, l->hole.offset, l->hole.size,
				RW, MAP_POPULATE, &l->q);
}

static int unmap_filled(struct life *l)
{
	return munmap(l->q, l->hole.size) || punch(l);
}

static int lock(struct life *l)
{
	return mlock(l->hole.at, l->hole.size);
}

static int unlock(struct life *l)
{
	return munlock(l->hole.at, l->hole.size) || punch(l);
}

/* Into pages that the transfer itself populates and pins. */
static int read_direct(struct life *l)
{
	struct iocb cb = { .aio_fildes = l->file,
			   .aio_lio_opcode = IOCB_CMD_PREAD,
			   .aio_buf = (uintptr_t)l->hole.at,
			   .aio_nbytes = l->hole.size },
		    *cbs[] = { &cb };
	struct io_event event;

	return syscall(SYS_io_submit, l->aio, 1, cbs) != 1 ||
	       syscall(SYS_io_getevents, l->aio, 1, 1, &event, NULL) != 1 ||
	       event.res != (int64_t)l->hole.size;
}

static int write_direct(struct life *l)
{
	return pwrite(l->file, l->hole.at, l->hole.size, 0) !=
	       (ssize_t)l->hole.size;
}

/* Whoever is killed has pages of the hole in the pipe. */
static int splice_out(struct life *l)
{
	struct iovec iov = { l->hole.at, PAGE };

	return vmsplice(l->pipe[1], &iov, 1, 0) != (ssize_t)PAGE;
}

static int splice_in(struct life *l)
{
	char page[PAGE];

	return read(l->pipe[0], page, PAGE) != (ssize_t)PAGE;
}

/*
 * What the victim does over and over until it is killed in the act; then what
 * is undone so that it can be done again.
 */
static const struct step {
	const char *name;
	int (*act)(struct life *l);
	int (*undo)(struct life *l);
	int (*prepare)(struct life *l);
} steps[] = {
	{ "create", create_one, destroy_one, NULL },
	{ "create ephemeral", create_ephemeral, close_one, NULL },
	{ "create meta", create_meta, destroy_meta, NULL },
	{ "use meta", destroy_meta, create_meta, create_meta },
	{ "destroy", destroy_one, create_one, create_one },
	{ "end ephemeral", close_one, create_ephemeral, create_ephemeral },
	{ "map and attach", attach, detach, NULL },
	{ "unmap", unmap_all, map_all, NULL },
	{ "populate by writing", map_another, unmap_another, create_one },
	{ "populate by reading", fault_hole, punch, NULL },
	{ "write", write_shared, NULL, NULL },
	{ "fork", fork_and_touch, NULL, NULL },
	{ "exec", execute, NULL, NULL },
	{ "mprotect", protect, unprotect, NULL },
	{ "MADV_DONTNEED", dont_need, NULL, NULL },
	{ "mremap", move_to, move_back, NULL },
	{ "split", split, NULL, NULL },
	{ "MORSEL_IOC_POPULATE", fill, punch, NULL },
	{ "MADV_POPULATE_WRITE", advise_fill, punch, NULL },
	{ "MAP_POPULATE", map_filled, unmap_filled, NULL },
	{ "MORSEL_IOC_PUNCH", punch, fill, fill },
	{ "MADV_REMOVE", advise_punch, advise_fill, fill },
	{ "mlock", lock, unlock, NULL },
	{ "O_DIRECT read", read_direct, punch, NULL },
	{ "O_DIRECT write", write_direct, NULL, fill },
	{ "vmsplice", splice_out, splice_in, NULL },
};

#define STEPS (sizeof(steps) / sizeof(*steps))

static void life_begin(struct arena *a, struct life *l)
{
	uint64_t first, pages = hole_find(a->order, &first);

	*l = (struct life){ .order = a->order, .size = morsel_size(a->order) };
	l->fd = create(a->order, NULL);
	l->p = map_at(l->fd, free_addr(a->order, 1), RW);
	l->to = (char *)free_addr(a->order, 2);
	put_stamps(l->p, a->order, OWN);
	l->common_fd = select_id(a->id, 0);
	l->common = map(l->common_fd, RW);
	l->hole = (struct hole){
		.at = a->order ? l->common : map(l->fd, RW),
		.fd = a->order ? l->common_fd : l->fd,
		.offset = first * PAGE,
		.size = pages * PAGE,
	};
	l->hole.at += l->hole.offset;
	l->file = open(DISK "/file", O_RDWR | O_DIRECT | O_CLOEXEC);
	if (l->file < 0 || pipe2(l->pipe, O_CLOEXEC) ||
	    syscall(SYS_io_setup, 1, &l->aio))
		bail("a life: %s", strerror(errno));
}

static int live(void *arg)
{
	struct arena *a = arg;
	const struct step *s = &steps[a->step];
	struct life l;

	life_begin(a, &l);
	need(!s->prepare || !s->prepare(&l));
	for (;;) {
		a->inside = 1;
		need(!s->act(&l));
		a->inside = 0;
		need(!s->undo || !s->undo(&l));
		a->rounds++;
	}
}

/* What the dead have created lives on, until somebody destroys it. */
static int bury(uint64_t but)
{
	double limit = now() + 20;
	struct morsel_info i;
	uint64_t cursor = 0;
	int n = 0;

	while (!morsel_next(device(), &cursor, &i)) {
		int fd, err;

		if (i.id == but)
			continue;
		fd = select_id(i.id, 0);
		/* A grandchild may still be about to die. */
		while ((err = morsel_destroy(fd)) == -EBUSY && now() < limit)
			usleep(1000);
		if (err)
			bail("destroy: %s", strerror(-err));
		close(fd);
		n++;
	}
	return n;
}

/* Tables of the common morsel once all of it has been populated. */
static uint64_t tables_wanted(unsigned int order)
{
	uint64_t n = killed_pages(order), first,
		 hole = hole_find(order, &first),
		 *pages = calloc(n + hole, sizeof(*pages)), k = 0, tables;

	for (uint64_t i = 0; i < n; i++) {
		pages[k++] = spread(order, i, n);
		while (order && pages[k - 1] + 1 >= first &&
		       pages[k - 1] + 1 < first + hole) {
			pages[k] = pages[k - 1] + 1;
			k++;
		}
	}
	tables = tables_for(order, pages, k);
	free(pages);
	return tables;
}

/*
 * What is wrong with the hole of the common morsel, wherever in it somebody
 * died: two survivors populate it, use it and punch it.
 */
static int hole_wrong(struct peer *peer, struct arena *a)
{
	uint64_t n = killed_pages(a->order), first,
		 pages = hole_find(a->order, &first), last = first + pages - 1,
		 value = random64();
	int wrong = 0;

	if (!a->order)
		return info(a->fd).data_frames != 1 ||
		       info(a->fd).table_frames != 0;
	peer_call(peer, peer_swap, last * PAGE, value);
	wrong += *word(a->p, last) != value;
	wrong += !!morsel_populate(a->fd, first * PAGE, pages * PAGE, NULL);
	wrong += info(a->fd).data_frames != n + pages;
	wrong += info(a->fd).table_frames != tables_wanted(a->order);
	wrong += !!morsel_punch(a->fd, first * PAGE, pages * PAGE, NULL);
	wrong += *word(a->p, last) != 0;
	wrong += peer_call(peer, peer_swap, last * PAGE, value) != 0;
	wrong += !!morsel_punch(a->fd, last * PAGE, PAGE, NULL);
	wrong += info(a->fd).data_frames != n;
	return wrong;
}

enum outcome { AMID, BESIDE, UNWELL };

/* A victim killed as soon as it begins a step, or some time later amid one. */
static enum outcome kill_amid(struct arena *a, bool later)
{
	bool once = steps[a->step].act == execute, attached;
	double limit = now() + 20;
	pid_t pid;

	a->inside = a->rounds = 0;
	pid = spawn(live, a);
	while (later && !once && !a->rounds && now() < limit)
		sched_yield();
	if (later && !once)
		usleep(random64() % 3000);
	while (!a->inside && now() < limit)
		sched_yield();
	if (later && once)
		usleep(random64() % 500);
	/* After exec it would say that it is in there for ever. */
	attached = info(a->fd).mappings > 2;
	kill(pid, SIGKILL);
	if (reap(pid) != -SIGKILL)
		return UNWELL;
	for (int t = 0; t < 2000 && info(a->fd).mappings > 2; t++)
		usleep(1000);
	return attached && a->inside ? AMID : BESIDE;
}

static void killed(unsigned int order)
{
	uint64_t n = killed_pages(order);
	struct arena *a = shared(sizeof(*a));
	int unwell = 0, wrong = 0, changed = 0, buried = 0, kills = 0;
	struct morsel_stats before, after;
	double slowest = 0;
	struct peer peer;

	a->order = order;
	a->fd = create(order, &a->id);
	peer = peer_start(a->id, order, n);
	a->p = map(a->fd, RW);
	put_stamps(a->p, order, n);
	wrong = disagree(&peer, a->p, true) + hole_wrong(&peer, a);
	before = stats();
	for (a->step = 0; a->step < (int)STEPS; a->step++) {
		int amid = 0;

		/* Others may keep us from looking just when it is there. */
		for (int try = 0; try < TRIES && amid < 2; try++) {
			enum outcome outcome = kill_amid(a, amid);
			double start = now(), took;

			wrong += hole_wrong(&peer, a);
			took = now() - start;
			slowest = took > slowest ? took : slowest;
			buried += bury(a->id);
			after = stats();
			/* What is ahead of need here comes and goes. */
			after.reserve_frames = before.reserve_frames;
			changed += !same_stats(before, after);
			wrong += disagree(&peer, a->p, true);
			amid += outcome == AMID;
			unwell += outcome == UNWELL;
			kills++;
		}
		is(amid, 2, "order %u: killed amid %s, at once and later",
		   order, steps[a->step].name);
	}
	is(unwell, 0, "order %u: %d processes were well until SIGKILL", order,
	   kills);
	is(changed, 0, "order %u: none of them left anything behind", order);
	is(wrong, 0, "order %u: or changed what others see", order);
	ok(slowest < 10, "order %u: or held them up (%.3f s)", order, slowest);
	ok(buried >= kills, "order %u: each had a morsel of its own (%d)",
	   order, buried);
	unmap(a->p, order);
	peer_stop(&peer);
	destroy(a->fd);
	munmap(a, sizeof(*a));
}

/* What direct transfers read is on the disk, no hole of the file. */
static void file_make(void)
{
	int fd = open(DISK "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char page[PAGE];

	memset(page, 'f', PAGE);
	for (int i = 0; i < HOLE; i++)
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			bail("file: %s", strerror(errno));
	if (fsync(fd) || close(fd))
		bail("file: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	disk_mount();
	file_make();
	for (unsigned int order = 0; order <= max_order(); order++) {
		fork_is_constant(order);
		all_ends(order);
		killed(order);
	}
	disk_umount();
	return guest_done();
}
