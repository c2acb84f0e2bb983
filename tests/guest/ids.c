// SPDX-License-Identifier: GPL-2.0-only
/*
 * IDs: what the driver did not hand out names nothing, and a name gives no
 * right.
 */
#include "guest.h"

#include <fcntl.h>
#include <grp.h>

#define FORGED 1000000 /* by two processes, one for each CPU */
#define NEAR 4000 /* frames on either side */
#define REUSES 1000
#define NOBODY 65534

static void forged(unsigned int order)
{
	unsigned long wrong = 0;
	uint64_t id;
	int fd = create(order, &id);

	is(try_open(id, 0), 0, "order %u: the ID opens", order);
	for (int bit = 0; bit < 64; bit++)
		wrong += try_open(id ^ 1ull << bit, 0) != ENOENT;
	is(wrong, 0, "order %u: none of the 64 IDs one bit away does", order);
	for (uint64_t i = 1; i <= NEAR; i++) {
		wrong += try_open(id + i * PAGE, 0) != ENOENT;
		wrong += try_open(id - i * PAGE, 0) != ENOENT;
	}
	is(wrong, 0, "order %u: nor one with the frame of a neighbour", order);
	for (uint64_t gen = 0; gen < 1024; gen++) {
		uint64_t other =
			(id &
			 ~(MORSEL_ID_GEN_LO_MASK << MORSEL_ID_GEN_LO_SHIFT) &
			 ~(MORSEL_ID_GEN_HI_MASK << MORSEL_ID_GEN_HI_SHIFT)) |
			(gen & 7) << MORSEL_ID_GEN_LO_SHIFT |
			(gen >> 3) << MORSEL_ID_GEN_HI_SHIFT;

		wrong += (other == id) != (try_open(other, 0) == 0);
	}
	is(wrong, 0, "order %u: nor one of another generation", order);
	is(try_open(0, 0), ENOENT, "order %u: nor 0", order);
	is(try_open(~0ull, 0), ENOENT, "order %u: nor ~0", order);
	is(info(fd).descriptors, 1, "order %u: no attempt left anything open",
	   order);
	destroy(fd);
	is(try_open(id, 0), ENOENT, "order %u: nor the ID of a dead morsel",
	   order);
}

static int guess(void *arg)
{
	uint64_t id = *(uint64_t *)arg;

	for (int i = 0; i < FORGED / 2; i++) {
		uint64_t forged = random64();

		/* Every other one with the tag and flags of a real one. */
		if (i % 2)
			forged = (forged & 0x3ffffff000ull) |
				 (id & ~MORSEL_ID_PFN_MASK);
		need(forged == id ||
		     try_open(forged, i % 4 < 2 ? 0 : MORSEL_OPEN_RDONLY) ==
			     ENOENT);
	}
	return 0;
}

static void random_ids(void)
{
	struct morsel_stats before;
	uint64_t id;
	int fd = create(2, &id), wrong;
	pid_t pids[2];

	before = stats();
	pids[0] = spawn(guess, &id);
	pids[1] = spawn(guess, &id);
	wrong = reap(pids[0]);
	wrong |= reap(pids[1]);
	is(wrong, 0, "none of %d random IDs opens", FORGED);
	ok(same_stats(before, stats()), "and nothing has changed");
	destroy(fd);
}

/* Frames are reused soon; the generation keeps the names apart. */
static void stale(void)
{
	static uint64_t ids[REUSES];
	unsigned long alive = 0, twice = 0, same_frame = 0;

	for (int i = 0; i < REUSES; i++) {
		int fd = create(i % 4, &ids[i]);

		alive += i && try_open(ids[i - 1], 0) != ENOENT;
		alive += try_open(ids[0], 0) != (i ? ENOENT : 0);
		destroy(fd);
	}
	for (int i = 0; i < REUSES; i++) {
		alive += try_open(ids[i], 0) != ENOENT;
		for (int j = 0; j < i; j++) {
			twice += ids[i] == ids[j];
			same_frame += !((ids[i] ^ ids[j]) & MORSEL_ID_PFN_MASK);
		}
	}
	note("%lu pairs of morsels had the same root frame", same_frame);
	is(twice, 0, "no ID is given twice in %d creates", REUSES);
	is(alive, 0, "none opens once its morsel is dead");
}

struct wish {
	uint64_t id;
	int reading, writing; /* errno each is expected to give, or 0 */
	bool listed;
	gid_t group;
};

/* Another user, who was given the descriptor of the device but no right. */
static int stranger(void *arg)
{
	struct wish *w = arg;
	struct morsel_next next = { 0 };
	bool listed = false;

	need(!setgroups(0, NULL) && !setgid(w->group) && !setuid(NOBODY));
	need(try_open(w->id, MORSEL_OPEN_RDONLY) == w->reading);
	need(try_open(w->id, 0) == w->writing);
	while (!ioctl(device(), MORSEL_IOC_NEXT, &next))
		listed |= next.info.id == w->id;
	need(listed == w->listed);
	if (!w->reading) {
		int fd = select_id(w->id, MORSEL_OPEN_RDONLY);
		struct morsel_info i = info(fd);
		void *p;

		need(morsel_map(fd, NULL, RW, 0, &p) == -EACCES);
		need(*word(map(fd, R), i.size / PAGE - 1) == 42);
		need(morsel_destroy(fd) == -EBADF);
	}
	return 0;
}

static void strangers(void)
{
	static const struct {
		mode_t mode;
		gid_t group;
		int reading, writing;
	} cases[] = {
		{ 0600, NOBODY, EACCES, EACCES },
		{ 0644, NOBODY, 0, EACCES },
		{ 0666, NOBODY, 0, 0 },
		{ 0640, NOBODY, EACCES, EACCES },
		{ 0640, 0, 0, EACCES },
		{ 0606, 0, EACCES, EACCES },
		{ 0602, NOBODY, EACCES, EACCES },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct wish w = { .reading = cases[i].reading,
				  .writing = cases[i].writing,
				  .listed = !cases[i].reading,
				  .group = cases[i].group };
		int fd = morsel_create(device(), 1, cases[i].mode, 0, &w.id);
		char *p = map(fd, RW);

		*word(p, 511) = 42;
		unmap(p, 1);
		is(reap(spawn(stranger, &w)), 0,
		   "mode %#o, %s: what another user may", cases[i].mode,
		   cases[i].group ? "others" : "group");
		destroy(fd);
	}
}

static bool set_parameter(char value)
{
	int fd = open("/sys/module/morsel/parameters/select", O_WRONLY | O_CLOEXEC);
	bool set = write(fd, &value, 1) == 1;

	close(fd);
	return set;
}

/* Switched off, IDs open nothing, whosever they are; descriptors are passed on. */
static void switched_off(void)
{
	uint64_t id;
	int fd = create(1, &id);

	ok(set_parameter('N'), "to open by ID is switched off");
	is(try_open(id, 0), EPERM, "an ID opens nothing");
	is(try_open(id, MORSEL_OPEN_RDONLY), EPERM, "not for reading either");
	is(try_open(id + PAGE, 0), EPERM, "nor tells whether it is one");
	is(info(fd).id, id, "a descriptor is as good as before");
	ok(set_parameter('Y'), "switched on");
	is(try_open(id, 0), 0, "it opens again");
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++)
		forged(order);
	random_ids();
	stale();
	strangers();
	switched_off();
	return guest_done();
}
