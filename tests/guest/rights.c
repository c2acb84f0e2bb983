// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rights of a mapping, as the CPU enforces them: all kinds, all orders, all
 * changes of them.
 */
#include "guest.h"

#include <errno.h>
#include <grp.h>
#include <sys/stat.h>

static const struct {
	int prot;
	const char *name;
} rights[] = {
	{ PROT_NONE, "none" }, { R, "r" },	  { RW, "rw" },
	{ R | X, "rx" },       { RW | X, "rwx" },
};

#define N_RIGHTS ((int)(sizeof(rights) / sizeof(*rights)))

/*
 * A protection key and what it forbids.  Set before each access: signal
 * handlers start with all keys closed, and a probe leaves one by a jump.
 */
static int key = -1, key_forbids;

static int probe_with_key(char *p, enum access how)
{
	if (key >= 0)
		pkey_set(key, key_forbids);
	return probe(p, how);
}

/*
 * Does an access work exactly when the rights say so? Twice: the first may
 * attach.
 */
static int wrong_rights(char *p, int prot)
{
	int wrong = 0;

	for (int round = 0; round < 2; round++) {
		wrong += !probe_with_key(p, WRITE) != !!(prot & W);
		wrong += !probe_with_key(p, READ) != !!(prot & R);
		wrong += !probe_with_key(p, EXECUTE) != !!(prot & X);
	}
	return wrong;
}

static int fresh(unsigned int order, uint64_t *id)
{
	int fd = create(order, id);
	char *p = map(fd, RW);

	put_code(p);
	put_code(p + morsel_size(order) - PAGE);
	unmap(p, order);
	return fd;
}

static void at_mmap(unsigned int order)
{
	int fd = fresh(order, NULL);

	for (int i = 0; i < N_RIGHTS; i++) {
		char *p = map(fd, rights[i].prot);

		is(wrong_rights(p, rights[i].prot), 0,
		   "order %u: %s: first page", order, rights[i].name);
		is(wrong_rights(p + morsel_size(order) - PAGE, rights[i].prot),
		   0, "order %u: %s: last page", order, rights[i].name);
		unmap(p, order);
	}
	destroy(fd);
}

static void by_mprotect(unsigned int order)
{
	int fd = fresh(order, NULL), wrong = 0;
	char *p = map(fd, RW);

	for (int from = 0; from < N_RIGHTS; from++)
		for (int to = 0; to < N_RIGHTS; to++) {
			mprotect(p, morsel_size(order), rights[from].prot);
			wrong += wrong_rights(p, rights[from].prot);
			mprotect(p, morsel_size(order), rights[to].prot);
			if (wrong_rights(p, rights[to].prot)) {
				note("from %s to %s", rights[from].name,
				     rights[to].name);
				wrong++;
			}
		}
	is(wrong, 0, "order %u: mprotect from each kind of rights to each",
	   order);
	unmap(p, order);
	destroy(fd);
}

static void readonly_descriptor(unsigned int order)
{
	uint64_t id;
	int fd = fresh(order, &id),
	    readonly = select_id(id, MORSEL_OPEN_RDONLY);
	char *p;

	is_errno(mmap(NULL, morsel_size(order), RW, MAP_SHARED, readonly, 0),
		 EACCES, "order %u: no writing by a read-only descriptor",
		 order);
	p = map(readonly, R | X);
	is(wrong_rights(p, R | X), 0, "order %u: but reading and executing",
	   order);
	is_errno(mprotect(p, morsel_size(order), RW | X), EACCES,
		 "order %u: and mprotect adds no writing", order);
	is(wrong_rights(p, R | X), 0, "order %u: the rights are as before",
	   order);
	unmap(p, order);
	close(readonly);
	destroy(fd);
}

struct arena {
	uint64_t id;
	atomic_int step[N_RIGHTS];
};

struct actor {
	struct arena *arena;
	int which;
};

/* Keeps its mapping while all others use theirs. */
static int with_rights(void *arg)
{
	struct actor *me = arg;
	int prot = rights[me->which].prot;
	char *p = map_id(me->arena->id, prot);

	need(wrong_rights(p, prot) == 0);
	me->arena->step[me->which] = 1;
	for (int i = 0; i < N_RIGHTS; i++)
		await(&me->arena->step[i], 1);
	for (int i = 0; i < 20; i++)
		need(wrong_rights(p, prot) == 0);
	return 0;
}

static void at_the_same_time(unsigned int order)
{
	struct arena *arena = shared(sizeof(*arena));
	int fd = fresh(order, &arena->id);
	pid_t pids[N_RIGHTS];

	for (int i = 0; i < N_RIGHTS; i++)
		pids[i] = spawn(with_rights, &(struct actor){ arena, i });
	for (int i = 0; i < N_RIGHTS; i++)
		is(reap(pids[i]), 0,
		   "order %u: beside others, a process has %s", order,
		   rights[i].name);
	munmap(arena, sizeof(*arena));
	destroy(fd);
}

static void protection_keys(unsigned int order)
{
	size_t size = morsel_size(order);
	int fd;
	char *p;

	key = pkey_alloc(0, 0);
	key_forbids = 0;
	if (key < 0) {
		skip("protection keys", "not on this CPU");
		return;
	}
	fd = fresh(order, NULL);
	p = map(fd, RW);
	is(wrong_rights(p, RW), 0, "order %u: rights without a key", order);
	is(pkey_mprotect(p, size, RW, key), 0, "order %u: pkey_mprotect",
	   order);
	is(wrong_rights(p, RW), 0, "order %u: rights with an open key", order);
	key_forbids = PKEY_DISABLE_WRITE;
	is(wrong_rights(p, R), 0, "order %u: with a key against writing",
	   order);
	key_forbids = PKEY_DISABLE_ACCESS;
	is(wrong_rights(p, PROT_NONE), 0,
	   "order %u: with a key against all access", order);
	is(pkey_mprotect(p, size, RW, 0), 0, "order %u: back to no key", order);
	is(wrong_rights(p, RW), 0, "order %u: rights without the key", order);
	pkey_free(key);
	key = -1;
	unmap(p, order);
	destroy(fd);
}

/*
 * The mode grants at the time a descriptor is made; the descriptor carries that
 * from then on.
 */
static void execute_by_mode(unsigned int order)
{
	size_t size = morsel_size(order);
	uint64_t id;
	int fd = morsel_create(device(), order, 0600, 0, &id), other;
	char *p = map(fd, RW);

	is_errno(mmap(NULL, size, R | X, MAP_SHARED, fd, 0), EACCES,
		 "order %u: PROT_EXEC without x in the mode", order);
	is_errno(mprotect(p, size, R | X), EACCES,
		 "order %u: nor by mprotect", order);
	is_errno(mprotect(p, PAGE, RW | X), EACCES,
		 "order %u: nor of a part", order);
	is(fchmod(fd, 0700), 0, "order %u: chmod u+x", order);
	is_errno(mmap(NULL, size, R | X, MAP_SHARED, fd, 0), EACCES,
		 "order %u: not for the descriptor of before", order);
	other = select_id(id, MORSEL_OPEN_RDONLY);
	put_code(p);
	unmap(p, order);
	p = map(other, R | X);
	ok(!probe(p, EXECUTE), "order %u: but for one made after", order);
	is(fchmod(fd, 0), 0, "order %u: chmod a-rwx", order);
	ok(!probe(p, EXECUTE), "order %u: what is mapped stays", order);
	unmap(p, order);
	close(other);
	destroy(fd);
}

/* Owner, group and mode as of any file, changed through a descriptor. */
static int as_another(void *arg)
{
	uint64_t id = *(uint64_t *)arg;
	int dev = device(), fd;

	need(!setgroups(0, NULL) && !setresgid(1001, 1001, 1001) &&
	     !setresuid(1000, 1000, 1000));
	fd = morsel_open(dev, id, 0);
	need(fd == -EACCES);
	fd = morsel_open(dev, id, MORSEL_OPEN_RDONLY);
	need(fd >= 0);
	need(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) == MAP_FAILED &&
	     errno == EACCES);
	need(mmap(NULL, PAGE, R | X, MAP_SHARED, fd, 0) == MAP_FAILED &&
	     errno == EACCES);
	need(fchmod(fd, 0777) && errno == EPERM);
	need(fchown(fd, 1000, -1) && errno == EPERM);
	return 0;
}

static int as_owner(void *arg)
{
	uint64_t id = *(uint64_t *)arg;
	int dev = device(), fd;

	need(!setgroups(0, NULL) && !setresgid(1001, 1001, 1001) &&
	     !setresuid(1002, 1002, 1002));
	fd = morsel_open(dev, id, 0);
	need(fd >= 0);
	need(!fchmod(fd, 0600));
	need(info(fd).mode == 0600 && info(fd).uid == 1002);
	need(!morsel_destroy(fd));
	return 0;
}

static void owner_and_mode(void)
{
	uint64_t id;
	int fd = create(1, &id);

	is(fchmod(fd, 0640), 0, "chmod");
	is(fchown(fd, 1002, 1001), 0, "chown");
	ok(info(fd).mode == 0640 && info(fd).uid == 1002 && info(fd).gid == 1001,
	   "INFO says so");
	is(reap(spawn(as_another, &id)), 0,
	   "one of the group reads, and does nothing else");
	close(fd);
	is(reap(spawn(as_owner, &id)), 0, "the owner does as it likes");
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		at_mmap(order);
		by_mprotect(order);
		readonly_descriptor(order);
		at_the_same_time(order);
		protection_keys(order);
		execute_by_mode(order);
	}
	owner_and_mode();
	return guest_done();
}
