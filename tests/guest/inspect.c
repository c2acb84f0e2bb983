// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID of a process that has a morsel mapped, read and written by another:
 * what is there is true, and looking changes nothing.
 */
#include "peer.h"

#include <ctype.h>
#include <linux/userfaultfd.h>
#include <sys/syscall.h>

/* Of 6.4 and 6.7: the headers of Debian 12 are older. */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

#define N 512 /* pages with a stamp */

static int open_proc(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags | O_CLOEXEC);
}

/* All of a file of /proc/PID, as far as the buffer goes; NULL: there is none. */
static char *slurp(pid_t pid, const char *name)
{
	static char text[1 << 18];
	int fd = open_proc(pid, name, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return NULL;
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	close(fd);
	text[len] = 0;
	return n ? NULL : text;
}

/*
 * The number after @key in the part of smaps that is about @addr, in KiB; that
 * part ends at the next line which is no key, for they begin with capitals.
 */
static long smaps_value(const char *text, char *addr, const char *key)
{
	char head[32];
	const char *at;

	snprintf(head, sizeof(head), "%lx-", (unsigned long)addr);
	at = strstr(text, head);
	while (at && (at = strchr(at, '\n')) && isupper(*++at))
		if (!strncmp(at, key, strlen(key)))
			return strtol(at + strlen(key), NULL, 10);
	return -1;
}

static int64_t peer_base(char *base, uint64_t a, uint64_t b)
{
	(void)a;
	(void)b;
	return (int64_t)base;
}

static uint64_t pagemap(pid_t pid, char *addr)
{
	int fd = open_proc(pid, "pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, 8, (uintptr_t)addr / PAGE * 8) != 8)
		bail("pagemap: %s", strerror(errno));
	close(fd);
	return entry;
}

static void read_all(struct peer *peer, char *p, pid_t pid, char *there)
{
	unsigned int order = peer->order;
	char *text, key[64];
	long rss;

	text = slurp(pid, "maps");
	snprintf(key, sizeof(key), "%lx-%lx rw-s", (unsigned long)there,
		 (unsigned long)there + morsel_size(order));
	ok(text && strstr(text, key), "order %u: maps has it", order);

	text = slurp(pid, "smaps");
	if (!text)
		bail("smaps: %s", strerror(errno));
	is(smaps_value(text, there, "Size:"), morsel_size(order) / 1024,
	   "order %u: smaps: Size", order);
	rss = smaps_value(text, there, "Rss:");
	is(rss, peer->n * PAGE / 1024, "order %u: smaps: Rss is what is there",
	   order);
	/* Only where the kernel maps the page it knows that two share it. */
	is(smaps_value(text, there, "Pss:"), order ? rss : rss / 2,
	   "order %u: smaps: Pss", order);
	is(smaps_value(text, there, "Anonymous:"), 0,
	   "order %u: smaps: none of it is anonymous", order);
	is(smaps_value(text, there, "Locked:"), 0,
	   "order %u: smaps: none of it is locked", order);
	is(disagree(peer, p, true), 0, "order %u: smaps: content", order);
	ok(slurp(pid, "smaps_rollup"), "order %u: smaps_rollup", order);
	is(disagree(peer, p, true), 0, "order %u: smaps_rollup: content",
	   order);
	if (access("/proc/self/numa_maps", R_OK)) {
		skip("numa_maps", "not in this kernel");
	} else {
		ok(slurp(pid, "numa_maps"), "order %u: numa_maps", order);
		is(disagree(peer, p, true), 0, "order %u: numa_maps: content",
		   order);
	}
	ok(slurp(pid, "status") && slurp(pid, "stat") && slurp(pid, "statm"),
	   "order %u: status, stat, statm", order);
}

/* The same page is the same frame for both, by each one's own tables. */
static void frames(struct peer *peer, char *p, char *there)
{
	unsigned int order = peer->order;
	int differ = 0, absent = 0;

	for (uint64_t i = 0; i < peer->n; i += 37) {
		uint64_t page = spread(order, i, peer->n);
		uint64_t mine = pagemap(getpid(), p + page * PAGE);
		uint64_t its = pagemap(peer->pid, there + page * PAGE);

		absent += !(mine >> 63) || !(its >> 63);
		differ += (mine ^ its) & ((1ull << 55) - 1) ||
			  !(mine & ((1ull << 55) - 1));
	}
	is(absent, 0, "order %u: pagemap: pages that were touched are present",
	   order);
	is(differ, 0, "order %u: pagemap: in the same frames for both", order);
	if (order) {
		char *other = there + morsel_size(order) / 2 + 100 * PAGE;

		is(pagemap(peer->pid, other) >> 63, order == 1,
		   "order %u: pagemap: others are not", order);
	}
}

static void clear_refs(struct peer *peer, char *p, pid_t pid, const char *whose)
{
	unsigned int order = peer->order;

	for (char what[] = "1"; *what <= '5'; ++*what) {
		int fd = open_proc(pid, "clear_refs", O_WRONLY);
		ssize_t written = write(fd, what, 1);

		close(fd);
		/* 4 needs CONFIG_MEM_SOFT_DIRTY */
		ok(written == 1 || *what == '4',
		   "order %u: clear_refs %s of %s", order, what, whose);
		is(disagree(peer, p, true), 0, "order %u: both see the same",
		   order);
	}
}

/* A write is not missed; see morsel_dram_leaf_flags(). */
static void soft_dirty(char *p, unsigned int order)
{
	int fd = open_proc(getpid(), "clear_refs", O_WRONLY);
	bool able = write(fd, "4", 1) == 1;

	close(fd);
	*word(p, 0) = *word(p, 0);
	if (!able)
		skip("soft-dirty pages", "this kernel does not track them");
	else
		ok(pagemap(getpid(), p) >> 55 & 1,
		   "order %u: written since clear_refs, says pagemap", order);
}

/* What userfaultfd of this kernel can do. */
static uint64_t uffd_features(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		bail("userfaultfd: %s", strerror(errno));
	close(fd);
	return api.features;
}

/* Refused: it would put entries of its own into shared tables. */
static void userfaultfd(struct peer *peer, char *p)
{
	static const struct {
		const char *name;
		uint64_t mode, features;
	} modes[] = {
		{ "MISSING", UFFDIO_REGISTER_MODE_MISSING, 0 },
		{ "WP", UFFDIO_REGISTER_MODE_WP, 0 },
		{ "MINOR", UFFDIO_REGISTER_MODE_MINOR, 0 },
		{ "WP, asynchronous", UFFDIO_REGISTER_MODE_WP,
		  UFFD_FEATURE_WP_ASYNC },
		{ "WP, unpopulated", UFFDIO_REGISTER_MODE_WP,
		  UFFD_FEATURE_WP_UNPOPULATED },
	};
	unsigned int order = peer->order;
	uint64_t features = uffd_features();

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
		struct uffdio_api api = { .api = UFFD_API,
					  .features = modes[i].features };
		struct uffdio_register reg = {
			.range = { (uintptr_t)p, morsel_size(order) },
			.mode = modes[i].mode,
		};

		if (fd < 0)
			bail("userfaultfd: %s", strerror(errno));
		if (modes[i].features & ~features) {
			skip(modes[i].name, "not in this kernel");
		} else if (ioctl(fd, UFFDIO_API, &api)) {
			bail("userfaultfd: %s", strerror(errno));
		} else {
			is_errno(ioctl(fd, UFFDIO_REGISTER, &reg), EINVAL,
				 "order %u: userfaultfd: %s is refused", order,
				 modes[i].name);
		}
		close(fd);
		is(disagree(peer, p, true), 0, "order %u: both see the same",
		   order);
	}
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		uint64_t id, n = N < pages_of(order) ? N : pages_of(order);
		int fd = create(order, &id);
		struct peer peer = peer_start(id, order, n);
		char *p = map(fd, RW), *there;

		put_stamps(p, order, n);
		there = (char *)peer_call(&peer, peer_base, 0, 0);
		is(disagree(&peer, p, true), 0, "order %u: both see the same",
		   order);
		read_all(&peer, p, peer.pid, there);
		frames(&peer, p, there);
		clear_refs(&peer, p, peer.pid, "another");
		clear_refs(&peer, p, getpid(), "itself");
		soft_dirty(p, order);
		userfaultfd(&peer, p);
		is(info(fd).data_frames, n,
		   "order %u: no frame was added or lost", order);
		unmap(p, order);
		peer_stop(&peer);
		destroy(fd);
	}
	return guest_done();
}
