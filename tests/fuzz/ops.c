// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on the device, on descriptors and on processes.  Each draws its
 * arguments, says what the kernel must answer, has an actor do it, and changes
 * the model.  Those on mappings are in maps.c.
 */
#include "ops.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/ioctl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct rng rng;
unsigned int who;
struct space *space;
struct slot *slot;

static struct {
	int errs[12];
	unsigned int n;
	bool may_succeed;
} want;

void describe(const char *fmt, ...)
{
	int n = snprintf(doing, sizeof(doing), "actor %u: ", who);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(doing + n, sizeof(doing) - n, fmt, ap);
	va_end(ap);
	if (opt_verbose)
		note("%lu %s", done_operations, doing);
	want.n = want.may_succeed = 0;
}

void fails(bool condition, int err)
{
	if (condition)
		want.errs[want.n++] = err;
}

void may_fail(bool condition, int err)
{
	fails(condition, err);
	want.may_succeed |= condition;
}

bool judge(long ret)
{
	int err = ret < 0 ? -ret : 0;

	if (SIGNALLED(ret))
		err = 4096 + SIGNALLED(ret);
	if (!err && (!want.n || want.may_succeed))
		return true;
	for (unsigned int i = 0; i < want.n; i++)
		if (want.errs[i] == err)
			return false;
	if (want.n)
		found("gave %ld, not error %d%s", ret, want.errs[0],
		      want.n > 1 ? " (or another)" : "");
	found("failed with %d (%s)", err, strerror(err & 4095));
}

long sys6(bool as_user, long nr, long a, long b, long c, long d, long e, long f)
{
	slot->command = (struct command){ .what = DO_SYSCALL,
					  .as_user = as_user,
					  .nr = nr,
					  .args = { a, b, c, d, e, f } };
	return actor_run(who);
}

long act(enum what what, long a, long b)
{
	slot->command = (struct command){ .what = what, .args = { a, b } };
	return actor_run(who);
}

struct descriptor *any_fd(void)
{
	return space->n_fds ? &space->fds[below(&rng, space->n_fds)] : NULL;
}

static bool permits(const struct morsel *m, bool as_user, unsigned int mask)
{
	unsigned int bits = m->mode;

	if (!as_user)
		return !(mask & 1) || m->mode & 0111;
	if (m->uid == USER)
		bits >>= 6;
	else if (m->gid == USER)
		bits >>= 3;
	return (bits & mask) == mask;
}

static bool op_create(void)
{
	static const unsigned int modes[] = { 0700, 0777, 0600, 0666, 0755,
					      0444, 0,	  0744, 0470, 0705 };
	struct morsel_create *c = &slot->arg.create;
	bool as_user = one_in(&rng, 3), upper;
	struct morsel *m = morsel_slot();
	uint64_t size;

	if (!m || space->n_fds == FDS)
		return false;
	*c = (struct morsel_create){
		.order = one_in(&rng, 20) ? below(&rng, 8) :
					    below(&rng, max_order() + 1),
		.flags = one_in(&rng, 3) ? below(&rng, 4) : 0,
		.mode = modes[below(&rng, 10)],
	};
	if (one_in(&rng, 30))
		c->flags |= 1u << below(&rng, 32);
	if (one_in(&rng, 30))
		c->mode |= 1u << below(&rng, 32);
	if (one_in(&rng, 30))
		c->reserved = draw(&rng);
	size = c->order <= 4 ? morsel_size(c->order) : PAGE;
	upper = c->order >= 4;
	if (c->flags & MORSEL_CREATE_META)
		c->address = upper ? (below(&rng, 2) + 24) << 48 :
				     (2 * below(&rng, 4) + 32) << 40;
	if (one_in(&rng, 30))
		c->address = draw(&rng) >> below(&rng, 64);

	describe("create(order %u, flags %#x, mode %#o, address %#llx%s%s)",
		 c->order, c->flags, c->mode, c->address,
		 c->reserved ? ", reserved" : "", as_user ? ", as user" : "");
	fails(c->order > 4 || c->flags & ~3u || c->mode & ~0777u || c->reserved,
	      EINVAL);
	fails(c->order == 4 && max_order() < 4, EOPNOTSUPP);
	/* The end of the address space depends on its levels. */
	if (c->flags & MORSEL_CREATE_META) {
		uint64_t end = 1ull << (max_order() < 4 ? 47 : 56);

		fails(!c->address || c->address % size ||
			      c->address >= end - PAGE ||
			      c->address + size > end - PAGE,
		      EINVAL);
	} else {
		fails(c->address, EINVAL);
	}
	if (!judge(sys6(as_user, SYS_ioctl, device(), MORSEL_IOC_CREATE,
			(long)c, 0, 0, 0)))
		return true;

	*m = (struct morsel){
		.used = true,
		.alive = true,
		.ephemeral = c->flags & MORSEL_CREATE_EPHEMERAL,
		.meta = c->flags & MORSEL_CREATE_META,
		.order = c->order,
		.mode = c->mode,
		.uid = as_user ? USER : 0,
		.gid = as_user ? USER : 0,
		.id = c->id,
		.address = c->address,
		.key = mix(c->id ^ draw(&rng)),
	};
	m->n_candidates = candidates(m->order, m->candidate);
	if (!m->order)
		morsel_fill(m, 0, 0);
	fd_add(space, c->fd, file_new(m, true, permits(m, as_user, 1)));
	return true;
}

/* Mostly that of a living morsel. */
static uint64_t any_id(void)
{
	struct morsel *m = &model.morsels[below(&rng, MORSELS)];
	uint64_t id = m->id;

	if (one_in(&rng, 10) && model.n_stale)
		return model.stale[below(
			&rng, model.n_stale < 8 ? model.n_stale : 8)];
	if (one_in(&rng, 15))
		return draw(&rng) >> below(&rng, 64);
	return one_in(&rng, 10) ? id ^ 1ull << below(&rng, 64) : id;
}

static struct morsel *morsel_named(uint64_t id)
{
	for (unsigned int i = 0; i < MORSELS; i++)
		if (model.morsels[i].alive && model.morsels[i].id == id)
			return &model.morsels[i];
	return NULL;
}

static bool op_open(void)
{
	struct morsel_open *o = &slot->arg.open;
	bool as_user = one_in(&rng, 3), rdonly = one_in(&rng, 3);
	struct morsel *m;

	if (space->n_fds == FDS)
		return false;
	*o = (struct morsel_open){ .id = any_id(),
				   .flags = rdonly ? MORSEL_OPEN_RDONLY : 0 };
	if (one_in(&rng, 30))
		o->flags |= 1u << below(&rng, 32);
	if (one_in(&rng, 30))
		o->reserved[below(&rng, 2)] = draw(&rng);
	rdonly = o->flags & MORSEL_OPEN_RDONLY;
	m = morsel_named(o->id);

	describe("open(%#llx, flags %#x%s%s)", o->id, o->flags,
		 o->reserved[0] || o->reserved[1] ? ", reserved" : "",
		 as_user ? ", as user" : "");
	fails(o->flags & ~1u || o->reserved[0] || o->reserved[1], EINVAL);
	fails(!m, ENOENT);
	fails(m && !permits(m, as_user, rdonly ? 4 : 6), EACCES);
	if (judge(sys6(as_user, SYS_ioctl, device(), MORSEL_IOC_OPEN, (long)o,
		       0, 0, 0)))
		fd_add(space, o->fd,
		       file_new(m, !rdonly, permits(m, as_user, 1)));
	return true;
}

static bool op_close(void)
{
	struct descriptor *d = any_fd();

	if (!d)
		return false;
	describe("close(%d)", d->fd);
	judge(sys(SYS_close, d->fd));
	fd_drop(space, d - space->fds);
	return true;
}

static bool op_dup(void)
{
	struct descriptor *d = any_fd();
	long ret;

	if (!d || space->n_fds == FDS)
		return false;
	describe("dup(%d)", d->fd);
	ret = sys(SYS_fcntl, d->fd, F_DUPFD_CLOEXEC, 0);
	if (judge(ret))
		fd_add(space, ret, file_get(d->file));
	return true;
}

void check_info(struct morsel *m, const struct morsel_info *i)
{
	unsigned int files = morsel_files(m), mappings = morsel_mappings(m);
	uint64_t data = ranges_count(&m->populated), tables;
	uint64_t ahead = ranges_count(&m->ahead);

	tables = (m->order > 0) + m->meta;
	for (unsigned int k = 1; k < m->order; k++)
		tables += ranges_tables(&m->tables, 9 * k);
	if (i->id != m->id || i->order != m->order || i->mode != m->mode ||
	    i->uid != m->uid || i->gid != m->gid || i->address != m->address ||
	    i->size != morsel_size(m->order) || i->pad || i->reserved[0] ||
	    i->reserved[1] ||
	    i->flags != (m->ephemeral ? MORSEL_CREATE_EPHEMERAL : 0) +
				(m->meta ? MORSEL_CREATE_META : 0))
		found("info of %#llx: identity, owner or mode are wrong",
		      i->id);
	if (i->descriptors != files || i->mappings != mappings)
		found("info of %#llx: %llu descriptors, %llu mappings, not %u, %u",
		      i->id, i->descriptors, i->mappings, files, mappings);
	if (i->data_frames < data || i->data_frames > data + ahead)
		found("info of %#llx: %llu data frames, not %llu and at most %llu ahead",
		      i->id, i->data_frames, (unsigned long long)data,
		      (unsigned long long)ahead);
	morsel_settle(m, i->data_frames);
	/* Three mirrors at most. */
	if (i->table_frames < tables || i->table_frames > 4 * tables + 3)
		found("info of %#llx: %llu table frames, at least %llu", i->id,
		      i->table_frames, (unsigned long long)tables);
	if (i->attachments && !mappings)
		found("info of %#llx: %llu attachments without mappings", i->id,
		      i->attachments);
}

static bool op_info(void)
{
	struct descriptor *d = any_fd();

	if (!d)
		return false;
	describe("info(%d)", d->fd);
	memset(&slot->arg, 0, sizeof(slot->arg));
	fails(!d->file->morsel->alive, ESTALE);
	if (judge(sys(SYS_ioctl, d->fd, MORSEL_IOC_INFO, (long)&slot->arg)))
		check_info(d->file->morsel, &slot->arg.info);
	return true;
}

static bool op_destroy(void)
{
	struct descriptor *d = any_fd();
	bool as_user = one_in(&rng, 4);
	struct morsel *m;

	if (!d || !one_in(&rng, 3))
		return false;
	m = d->file->morsel;
	describe("destroy(%d%s)", d->fd, as_user ? ", as user" : "");
	fails(!d->file->writable, EBADF);
	fails(as_user && m->uid != USER, EPERM);
	fails(!m->alive, ESTALE);
	fails(d->file->refs > 1 || morsel_files(m) > 1, EBUSY);
	if (judge(sys6(as_user, SYS_ioctl, d->fd, MORSEL_IOC_DESTROY, 0, 0, 0,
		       0)))
		morsel_die(m);
	return true;
}

void any_range(const struct morsel *m, uint64_t *first, uint64_t *n)
{
	uint64_t size = 1ull << (9 * m->order), level;

	*first = m->candidate[below(&rng, m->n_candidates)];
	switch (below(&rng, 5)) {
	case 0:
		*first = 0;
		*n = size;
		return;
	case 1: /* a table as a whole */
		level = 1ull << (9 * below(&rng, m->order + 1));
		*first &= ~(level - 1);
		*n = level;
		return;
	case 2: /* between two borders */
		*n = m->candidate[below(&rng, m->n_candidates)] + 1;
		if (*n > *first) {
			*n -= *first;
			return;
		}
		/* fall through */
	case 3:
		*n = 1 + below(&rng, 1100);
		break;
	default:
		*n = 1 + below(&rng, 6);
	}
	if (*n > size - *first)
		*n = size - *first;
}

static bool op_range(void)
{
	struct morsel_range *r = &slot->arg.range;
	bool punch = one_in(&rng, 2), bad = one_in(&rng, 12);
	struct descriptor *d = any_fd();
	uint64_t first, n, size;
	struct morsel *m;

	if (!d)
		return false;
	m = d->file->morsel;
	size = morsel_size(m->order);
	any_range(m, &first, &n);
	if (!punch && n > 2048)
		n = 2048;
	*r = (struct morsel_range){ .offset = first * PAGE,
				    .length = n * PAGE };
	if (bad)
		switch (below(&rng, 5)) {
		case 0:
			r->flags = 1u << below(&rng, 32);
			break;
		case 1:
			r->pad = 1;
			break;
		case 2:
			r->reserved[below(&rng, 2)] = 1;
			break;
		case 3:
			r->offset ^= 1ull << below(&rng, 64);
			break;
		case 4:
			r->length ^= 1ull << below(&rng, 12);
			break;
		}
	describe("%s(%d, offset %#llx, length %#llx%s)",
		 punch ? "punch" : "populate", d->fd, r->offset, r->length,
		 r->flags || r->pad || r->reserved[0] || r->reserved[1] ?
			 ", reserved" :
			 "");
	fails(punch && !d->file->writable, EBADF);
	fails(r->flags || r->pad || r->reserved[0] || r->reserved[1] ||
		      r->offset % PAGE || r->length % PAGE || !r->length ||
		      r->length > size || r->offset > size - r->length,
	      EINVAL);
	fails(!m->alive, ESTALE);
	probe_around(0, 0);
	if (!judge(sys(SYS_ioctl, d->fd,
		       punch ? MORSEL_IOC_PUNCH : MORSEL_IOC_POPULATE,
		       (long)r)))
		return true;
	if (r->done != r->length)
		found("done is %#llx, not %#llx", r->done, r->length);
	first = r->offset / PAGE;
	if (punch)
		morsel_empty(m, first, first + n - 1);
	else
		morsel_fill(m, first, first + n - 1);
	return true;
}

static bool op_fallocate(void)
{
	const int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	struct descriptor *d = any_fd();
	uint64_t first, n, size;
	int mode = hole;
	long offset, len;
	struct morsel *m;

	if (!d)
		return false;
	m = d->file->morsel;
	size = 1ull << (9 * m->order);
	any_range(m, &first, &n);
	if (one_in(&rng, 8))
		n += below(&rng, 1000); /* may end beyond the end */
	offset = first * PAGE;
	len = n * PAGE;
	if (one_in(&rng, 10))
		mode = below(&rng, 128);
	if (one_in(&rng, 20))
		len ^= 1 << below(&rng, 12);
	describe("fallocate(%d, mode %#x, %#lx, %#lx)", d->fd, mode, offset,
		 len);
	fails(!d->file->writable, EBADF);
	if (mode != hole) {
		fails(true, EOPNOTSUPP);
		fails(true, EINVAL);
	}
	fails(len % PAGE, EINVAL);
	fails(!m->alive, ESTALE);
	probe_around(0, 0);
	if (judge(sys(SYS_fallocate, d->fd, mode, offset, len)))
		morsel_empty(m, first,
			     first + n > size ? size - 1 : first + n - 1);
	return true;
}

static bool op_chmod(void)
{
	struct descriptor *d = any_fd();
	bool as_user = one_in(&rng, 3), chown = one_in(&rng, 3);
	unsigned int mode, uid, gid;
	struct morsel *m;
	long ret;

	if (!d)
		return false;
	m = d->file->morsel;
	mode = below(&rng, 01000) | (one_in(&rng, 2) ? 0600 : 0);
	uid = one_in(&rng, 2) ? USER : 0;
	gid = one_in(&rng, 2) ? USER : 0;
	if (chown)
		describe("fchown(%d, %u, %u)", d->fd, uid, gid);
	else
		describe("fchmod(%d, %#o%s)", d->fd, mode,
			 as_user ? ", as user" : "");
	fails(!chown && as_user && m->uid != USER, EPERM);
	ret = chown ? sys(SYS_fchown, d->fd, uid, gid) :
		      sys6(as_user, SYS_fchmod, d->fd, mode, 0, 0, 0, 0);
	if (!judge(ret))
		return true;
	if (chown) {
		m->uid = uid;
		m->gid = gid;
	} else {
		m->mode = mode;
	}
	return true;
}

static bool op_garbage(void)
{
	static const long known[] = {
		MORSEL_IOC_CREATE,   MORSEL_IOC_OPEN,  MORSEL_IOC_NEXT,
		MORSEL_IOC_STATS,    MORSEL_IOC_INFO,  MORSEL_IOC_DESTROY,
		MORSEL_IOC_POPULATE, MORSEL_IOC_PUNCH,
	};
	struct descriptor *d = one_in(&rng, 2) ? any_fd() : NULL;
	unsigned int cmd, i = below(&rng, 16);
	bool pointer = one_in(&rng, 3);

	/* Ours with one bit changed, on the wrong file, with a bad pointer. */
	cmd = i < 8 ? known[i] ^ 1u << below(&rng, 32) :
		      (unsigned int)draw(&rng) ^ MORSEL_IOC_MAGIC << 8;
	if (pointer)
		cmd = d ? known[4] : known[below(&rng, 4)];
	else
		for (i = 0; i < 8; i++)
			if (cmd == (unsigned int)known[i])
				cmd = known[d ? 0 : 7];
	/* The file system layer has some of its own. */
	if (!pointer && (cmd >> 8 & 0xff) != MORSEL_IOC_MAGIC)
		cmd = (cmd & ~0xff00u) | (MORSEL_IOC_MAGIC + 1) << 8;
	describe("ioctl(%d, %#x, %s)", d ? d->fd : device(), cmd,
		 pointer ? "bad pointer" : "zeroes");
	memset(&slot->arg, 0, sizeof(slot->arg));
	fails(pointer && d && !d->file->morsel->alive, ESTALE);
	fails(true, pointer ? EFAULT : ENOTTY);
	judge(sys(SYS_ioctl, d ? d->fd : device(), cmd,
		  pointer ? 4096 : (long)&slot->arg));
	return true;
}

/* Where there is nothing to read or write. */
static bool op_file(void)
{
	struct descriptor *d = any_fd();
	bool write = one_in(&rng, 2);

	if (!d)
		return false;
	describe("%s(%d)", write ? "pwrite" : "pread", d->fd);
	fails(write && !d->file->writable, EBADF);
	fails(true, EINVAL);
	fails(true, ESPIPE);
	judge(sys(write ? SYS_pwrite64 : SYS_pread64, d->fd, (long)slot->buffer,
		  PAGE, 0));
	return true;
}

static bool op_next(void)
{
	bool as_user = one_in(&rng, 2);
	struct morsel_next *n = &slot->arg.next;
	unsigned int seen = 0, there = 0;
	uint64_t cursor = 0;
	struct morsel *m;

	describe("next, to the end%s", as_user ? ", as user" : "");
	for (unsigned int i = 0; i < MORSELS; i++)
		there += model.morsels[i].alive &&
			 permits(&model.morsels[i], as_user, 4);
	for (;; seen++) {
		*n = (struct morsel_next){ .cursor = cursor };
		want.n = 0;
		fails(seen == there, ENOENT);
		if (!judge(sys6(as_user, SYS_ioctl, device(), MORSEL_IOC_NEXT,
				(long)n, 0, 0, 0)))
			break;
		m = morsel_named(n->info.id);
		if (!m || !permits(m, as_user, 4))
			found("%#llx is none that the caller may see",
			      n->info.id);
		check_info(m, &n->info);
		cursor = n->cursor;
	}
	return true;
}

static bool op_send(void)
{
	struct descriptor *d = any_fd();
	struct file *file;

	if (!d || model.n_in_flight == 2)
		return false;
	file = d->file;
	describe("send(%d)", d->fd);
	judge(act(DO_SEND, d->fd, 0));
	model.in_flight[model.n_in_flight++] = file_get(file);
	return true;
}

static bool op_receive(void)
{
	long fd;

	if (!model.n_in_flight || space->n_fds == FDS)
		return false;
	describe("receive");
	fd = act(DO_RECEIVE, 0, 0);
	judge(fd);
	fd_add(space, fd, model.in_flight[0]);
	model.in_flight[0] = model.in_flight[--model.n_in_flight];
	return true;
}

static unsigned int another(void)
{
	unsigned int a = below(&rng, n_actors - 1);

	return a + (a >= who);
}

static void do_kill(unsigned int a)
{
	actor_kill(a);
	space_clear(&model.spaces[a]);
}

/* The child of one takes the place of another. */
static bool op_fork(void)
{
	unsigned int a;
	long pid;

	if (n_actors < 2 || !one_in(&rng, 3))
		return false;
	a = another();
	describe("fork, in place of actor %u", a);
	do_kill(a);
	actors[a].slot->turn = 0;
	pid = act(DO_FORK, a, 0);
	judge(pid);
	actors[a].pid = pid;
	space_fork(space, &model.spaces[a]);
	return true;
}

static bool op_kill(void)
{
	if (!one_in(&rng, 10))
		return false;
	describe("is killed");
	do_kill(who);
	actor_start(who);
	return true;
}

static bool op_clear_refs(void)
{
	char *path = slot->arg.bytes, *text = path + 64;

	if (!one_in(&rng, 4))
		return false;
	strcpy(path, "/proc/self/clear_refs");
	snprintf(text, 8, "%u", 1 + (unsigned int)below(&rng, 5));
	describe("clear_refs %s", text);
	may_fail(*text == '4', EINVAL);
	judge(act(DO_PUT, (long)path, (long)text));
	return true;
}

static const struct {
	bool (*run)(void);
	unsigned int weight;
} ops[] = {
	{ op_create, 6 },   { op_open, 8 },	  { op_close, 6 },
	{ op_dup, 2 },	    { op_info, 3 },	  { op_destroy, 6 },
	{ op_range, 10 },   { op_fallocate, 3 },  { op_chmod, 2 },
	{ op_garbage, 3 },  { op_file, 1 },	  { op_next, 1 },
	{ op_send, 2 },	    { op_receive, 3 },	  { op_fork, 6 },
	{ op_kill, 6 },	    { op_clear_refs, 3 }, { op_mmap, 20 },
	{ op_munmap, 7 },   { op_mprotect, 12 },  { op_mremap, 8 },
	{ op_madvise, 12 }, { op_mlock, 3 },	  { op_mincore, 4 },
	{ op_access, 80 },  { op_sweep, 6 },
};

/* Everything that can be seen from outside, against the model. */
static void audit(void)
{
	uint64_t cursor = 0, data = 0, tables = 0, attached = 0;
	unsigned int there = 0, seen = 0;
	struct morsel_stats stats;
	struct morsel_info info;
	struct morsel *m;
	int err;

	for (unsigned int i = 0; i < MORSELS; i++)
		there += model.morsels[i].alive;
	for (; !(err = morsel_next(device(), &cursor, &info)); seen++) {
		m = morsel_named(info.id);
		if (!m)
			found("audit: %#llx should not live", info.id);
		check_info(m, &info);
		data += info.data_frames;
		tables += info.table_frames;
		attached += info.attachments;
	}
	if (err != -ENOENT || seen != there)
		found("audit: %u morsels live, not %u (%d)", seen, there, err);
	if (morsel_stats(device(), &stats) || stats.morsels != there ||
	    stats.data_frames != data || stats.table_frames != tables ||
	    stats.attachments != attached)
		found("audit: totals are not the sums of the parts");
	model.unsettled = false;
}

static void choose(unsigned int a)
{
	who = a;
	space = &model.spaces[a];
	slot = actors[a].slot;
}

static void run_one(void)
{
	unsigned int sum = 0, i, w;

	for (i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		sum += ops[i].weight;
	do {
		choose(below(&rng, n_actors));
		w = below(&rng, sum);
		for (i = 0; w >= ops[i].weight; i++)
			w -= ops[i].weight;
		slot->n_probes = 0;
	} while (!ops[i].run());
	check_probes();
}

/* Whoever is left is killed; whatever lives on is destroyed. */
static void finish(void)
{
	for (unsigned int a = 0; a < n_actors; a++)
		do_kill(a);
	actors_drain();
	while (model.n_in_flight)
		file_put(model.in_flight[--model.n_in_flight]);
	strcpy(doing, "after all processes are gone");
	audit();
	for (unsigned int i = 0; i < MORSELS; i++) {
		struct morsel *m = &model.morsels[i];
		int fd, err;

		if (!m->alive)
			continue;
		fd = morsel_open(device(), m->id, 0);
		if (fd < 0)
			found("open %#llx: %s", (unsigned long long)m->id,
			      strerror(-fd));
		err = morsel_destroy(fd);
		if (err)
			found("destroy %#llx: %s", (unsigned long long)m->id,
			      strerror(-err));
		close(fd);
	}
}

void episode_ops(uint64_t seed, unsigned long operations, double until)
{
	rng.state = seed;
	model_reset();
	for (unsigned int a = 0; a < n_actors; a++)
		actor_start(a);
	for (done_operations = 0; done_operations < operations;
	     done_operations++) {
		if (until && now() > until)
			break;
		run_one();
		/* Before others add to what is uncertain. */
		if (done_operations % 8 == 0 || model.unsettled)
			audit();
	}
	finish();
}
