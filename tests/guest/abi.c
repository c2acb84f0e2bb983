// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's interface: every argument error with its errno, and nothing
 * left behind by one.
 */
#include "guest.h"
#include "layout.h"

#include <dirent.h>
#include <sys/resource.h>

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int ioc(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg);
}

/* A struct whose last byte is the last of a page that nothing follows. */
static void *at_edge(int prot, size_t size, const void *value)
{
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + PAGE, PAGE);
	p += PAGE - size;
	memcpy(p, value, size);
	mprotect((void *)((uintptr_t)p & ~(PAGE - 1)), PAGE, prot);
	return p;
}

static void create_errors(void)
{
	static const struct {
		const char *what;
		struct morsel_create arg;
	} bad[] = {
		{ "order 5", { .order = 5 } },
		{ "order ~0", { .order = ~0u } },
		{ "flag 4", { .flags = 4 } },
		{ "flag 1 << 31", { .flags = 1u << 31 } },
		{ "mode 01000", { .mode = 01000 } },
		{ "mode 0100644", { .mode = 0100644 } },
		{ "reserved", { .reserved = 1ull << 63 } },
		{ "an address, no flag", { .address = PAGE } },
		{ "no address, the flag", { .flags = MORSEL_CREATE_META } },
	};
	struct morsel_create good = { .order = 1, .mode = 0600 };
	struct morsel_stats before = stats();
	struct rlimit limit, none;
	int fds = open_fds();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct morsel_create arg = bad[i].arg;

		is_errno(ioc(device(), MORSEL_IOC_CREATE, &arg), EINVAL,
			 "CREATE: %s", bad[i].what);
	}
	if (max_order() < 4) {
		struct morsel_create big = { .order = 4 };

		is_errno(ioc(device(), MORSEL_IOC_CREATE, &big), EOPNOTSUPP,
			 "CREATE: order 4 with 4-level paging");
	}
	is_errno(ioc(device(), MORSEL_IOC_CREATE, NULL), EFAULT,
		 "CREATE: NULL");
	is_errno(ioc(device(), MORSEL_IOC_CREATE, (void *)(1ull << 63)), EFAULT,
		 "CREATE: a kernel address");
	is_errno(ioc(device(), MORSEL_IOC_CREATE, at_edge(RW, 32, &good)),
		 EFAULT, "CREATE: argument cut off");
	is_errno(ioc(device(), MORSEL_IOC_CREATE,
		     at_edge(R, sizeof(good), &good)),
		 EFAULT, "CREATE: argument not writable");

	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	is_errno(ioc(device(), MORSEL_IOC_CREATE, &good), EMFILE,
		 "CREATE: no descriptor free");
	setrlimit(RLIMIT_NOFILE, &limit);

	is(open_fds(), fds, "failed CREATEs leave no descriptor");
	ok(same_stats(before, stats()), "failed CREATEs leave no frame");
}

static void open_errors(int fd, uint64_t id)
{
	struct morsel_open arg = { .id = id, .flags = 2 };
	int fds = open_fds();

	is_errno(ioc(device(), MORSEL_IOC_OPEN, &arg), EINVAL, "OPEN: flag 2");
	arg = (struct morsel_open){ .id = id, .flags = 1u << 31 };
	is_errno(ioc(device(), MORSEL_IOC_OPEN, &arg), EINVAL,
		 "OPEN: flag 1 << 31");
	arg = (struct morsel_open){ .id = id, .reserved = { 0, 1 } };
	is_errno(ioc(device(), MORSEL_IOC_OPEN, &arg), EINVAL,
		 "OPEN: reserved");
	arg = (struct morsel_open){ .id = 0 };
	is_errno(ioc(device(), MORSEL_IOC_OPEN, &arg), ENOENT, "OPEN: ID 0");
	arg.id = id;
	is_errno(ioc(device(), MORSEL_IOC_OPEN, NULL), EFAULT, "OPEN: NULL");
	is_errno(ioc(device(), MORSEL_IOC_OPEN, at_edge(RW, 16, &arg)), EFAULT,
		 "OPEN: argument cut off");
	is_errno(ioc(device(), MORSEL_IOC_OPEN, at_edge(R, sizeof(arg), &arg)),
		 EFAULT, "OPEN: argument not writable");
	is(open_fds(), fds, "failed OPENs leave no descriptor");
	is(info(fd).descriptors, 1, "failed OPENs leave no open file");
}

static void other_errors(int fd)
{
	static const unsigned long on_device[] = {
		MORSEL_IOC_INFO,
		MORSEL_IOC_DESTROY,
		MORSEL_IOC_POPULATE,
		MORSEL_IOC_PUNCH,
		_IO(MORSEL_IOC_MAGIC, 0xff),
		_IOWR(MORSEL_IOC_MAGIC, 0, char),
		0,
		0x5401 /* TCGETS */,
	};
	static const unsigned long on_morsel[] = {
		MORSEL_IOC_CREATE,
		MORSEL_IOC_OPEN,
		MORSEL_IOC_NEXT,
		MORSEL_IOC_STATS,
		_IO(MORSEL_IOC_MAGIC, 0xff),
		_IOR(MORSEL_IOC_MAGIC, 0x10, char),
		0,
		0x5401,
	};
	char arg[256] = { 0 };
	struct morsel_stats s;

	for (size_t i = 0; i < sizeof(on_device) / sizeof(*on_device); i++)
		is_errno(ioc(device(), on_device[i], arg), ENOTTY,
			 "device: ioctl %#lx", on_device[i]);
	for (size_t i = 0; i < sizeof(on_morsel) / sizeof(*on_morsel); i++)
		is_errno(ioc(fd, on_morsel[i], arg), ENOTTY,
			 "morsel: ioctl %#lx", on_morsel[i]);
	is_errno(ioc(fd, MORSEL_IOC_INFO, NULL), EFAULT, "INFO: NULL");
	is_errno(ioc(device(), MORSEL_IOC_STATS, NULL), EFAULT, "STATS: NULL");
	is_errno(ioc(device(), MORSEL_IOC_NEXT, NULL), EFAULT, "NEXT: NULL");
	is_errno(ioc(device(), MORSEL_IOC_NEXT,
		     at_edge(R, sizeof(struct morsel_next), arg)),
		 EFAULT, "NEXT: argument not writable");
	ok(mmap(NULL, PAGE, R, MAP_SHARED, device(), 0) == MAP_FAILED,
	   "the device does not map");
	s = stats();
	ok(!s.pad && !s.reserved[0] && !s.reserved[1],
	   "STATS: reserved is 0");
}

static void mmap_errors(int fd, int readonly)
{
	size_t size = morsel_size(1);
	char *odd = (char *)free_addr(1, 0) + PAGE, *p;

	is_errno(mmap(NULL, size, R, MAP_PRIVATE, fd, 0), EINVAL,
		 "mmap: MAP_PRIVATE");
	is_errno(mmap(NULL, size, R, MAP_SHARED, fd, PAGE), EINVAL,
		 "mmap: offset of a page");
	is_errno(mmap(NULL, size, R, MAP_SHARED, fd, size), EINVAL,
		 "mmap: offset of the size");
	is_errno(mmap(NULL, PAGE, R, MAP_SHARED, fd, 1ull << 62), EINVAL,
		 "mmap: offset far beyond");
	is_errno(mmap(NULL, size + PAGE, R, MAP_SHARED, fd, 0), EINVAL,
		 "mmap: too long");
	is_errno(mmap(odd + 1, size, R, MAP_SHARED | MAP_FIXED, fd, 0), EINVAL,
		 "mmap: MAP_FIXED, not on a page");
	is_errno(mmap(NULL, size, RW, MAP_SHARED, readonly, 0), EACCES,
		 "mmap: PROT_WRITE of a read-only descriptor");
	is_errno(mmap(NULL, size, R | X, MAP_SHARED, fd, 0), EACCES,
		 "mmap: PROT_EXEC without x in the mode");

	p = mmap(NULL, size, R, MAP_SHARED, fd, 0);
	ok(p != MAP_FAILED && (uintptr_t)p % size == 0,
	   "mmap: the driver's choice is aligned");
	is_errno(mmap(p, size, R, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0),
		 EEXIST, "mmap: MAP_FIXED_NOREPLACE, occupied");
	is_errno(mprotect(p, PAGE, R | X), EACCES,
		 "mprotect: PROT_EXEC without x in the mode");
	unmap(p, 1);
	p = mmap(odd, size, R, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	ok(p == odd, "mmap: MAP_FIXED_NOREPLACE, on any page");
	munmap(odd, size);
	p = mmap(odd, PAGE, R, MAP_SHARED | MAP_FIXED, fd, size - PAGE);
	ok(p == odd, "mmap: one page of it");
	munmap(odd, PAGE);

	p = map(readonly, R);
	is_errno(mprotect(p, size, RW), EACCES,
		 "mprotect: PROT_WRITE of a read-only descriptor");
	is_errno(mprotect(p + PAGE, PAGE, RW), EACCES,
		 "mprotect: the same for one page");
	ok(probe(p, WRITE), "it is still read-only");
	unmap(p, 1);
}

static void range_errors(int fd, int readonly)
{
	const uint64_t size = morsel_size(1);
	const struct {
		const char *what;
		struct morsel_range arg;
	} bad[] = {
		{ "offset 1", { .offset = 1, .length = PAGE } },
		{ "length 0", { .length = 0 } },
		{ "length 1", { .length = 1 } },
		{ "length of half a page more", { .length = PAGE * 3 / 2 } },
		{ "a page too long", { .length = size + PAGE } },
		{ "a page too late", { .offset = PAGE, .length = size } },
		{ "all beyond", { .offset = size, .length = PAGE } },
		{ "offset ~0", { .offset = -PAGE, .length = PAGE } },
		{ "round the end", { .offset = -PAGE, .length = 2 * PAGE } },
		{ "length ~0", { .offset = PAGE, .length = -PAGE } },
		{ "flag 1", { .length = PAGE, .flags = 1 } },
		{ "flag 1 << 31", { .length = PAGE, .flags = 1u << 31 } },
		{ "pad", { .length = PAGE, .pad = 1 } },
		{ "reserved[0]", { .length = PAGE, .reserved = { 1, 0 } } },
		{ "reserved[1]", { .length = PAGE, .reserved = { 0, 1 } } },
	};
	static const struct {
		const char *name;
		unsigned long cmd;
	} calls[] = {
		{ "POPULATE", MORSEL_IOC_POPULATE },
		{ "PUNCH", MORSEL_IOC_PUNCH },
	};
	struct morsel_range good = { .length = PAGE };
	/*
	 * A refused write may have put one there: an emulator of one processor
	 * reads before it writes.
	 */
	uint64_t done_bytes, before = info(fd).data_frames;

	for (size_t c = 0; c < sizeof(calls) / sizeof(*calls); c++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			struct morsel_range arg = bad[i].arg;

			is_errno(ioc(fd, calls[c].cmd, &arg), EINVAL, "%s: %s",
				 calls[c].name, bad[i].what);
		}
		is_errno(ioc(fd, calls[c].cmd, NULL), EFAULT, "%s: NULL",
			 calls[c].name);
		is_errno(ioc(fd, calls[c].cmd, at_edge(RW, 16, &good)), EFAULT,
			 "%s: argument cut off", calls[c].name);
	}
	is(info(fd).data_frames, before,
	   "failed POPULATEs and PUNCHes change no frame");
	is_errno(ioc(readonly, MORSEL_IOC_PUNCH, &good), EBADF,
		 "PUNCH: read-only descriptor");
	is(morsel_populate(readonly, 0, size, &done_bytes), 0,
	   "POPULATE: read-only descriptor");
	is(done_bytes, size, "POPULATE: done");
	is(info(fd).data_frames, size / PAGE, "POPULATE: frames");
	is_errno(ioc(fd, MORSEL_IOC_POPULATE, at_edge(R, sizeof(good), &good)),
		 EFAULT, "POPULATE: argument not writable");

	is_errno(fallocate(fd, 0, 0, PAGE), EOPNOTSUPP, "fallocate: mode 0");
	is_errno(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, PAGE), EOPNOTSUPP,
		 "fallocate: FALLOC_FL_KEEP_SIZE");
	is_errno(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0,
			   PAGE),
		 EOPNOTSUPP, "fallocate: FALLOC_FL_ZERO_RANGE");
	is_errno(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP,
		 "fallocate: FALLOC_FL_COLLAPSE_RANGE");
	is_errno(fallocate(readonly, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			   0, PAGE),
		 EBADF, "fallocate: read-only descriptor");
	is(info(fd).data_frames, size / PAGE, "none of them frees anything");
	is(morsel_punch(fd, 0, size, &done_bytes), 0, "PUNCH");
	is(done_bytes, size, "PUNCH: done");
	is(info(fd).data_frames, 0, "PUNCH: no frame is left");
	is(morsel_punch(fd, 0, size, NULL), 0, "PUNCH: what is empty");
}

static void facts(int fd, uint64_t id, int readonly)
{
	struct morsel_next next = { 0 };
	struct morsel_info i = info(fd);
	int seen = 0;

	is(i.id, id, "INFO: id");
	is(i.order, 1, "INFO: order");
	is(morsel_id_order(id), 1, "the ID carries the order");
	is(i.size, 2 << 20, "INFO: size");
	is(i.mode, 0640, "INFO: mode");
	is(i.uid, geteuid(), "INFO: uid");
	is(i.gid, getegid(), "INFO: gid");
	is(i.descriptors, 2, "INFO: descriptors");
	is(i.mappings, 0, "INFO: mappings");
	is(i.flags, 0, "INFO: flags");
	is(i.address, 0, "INFO: address");
	ok(!(i.pad | i.reserved[0] | i.reserved[1]), "INFO: reserved is 0");
	is(info(readonly).id, id, "INFO works on a read-only descriptor");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC,
	   "CREATE's descriptor is close-on-exec");
	is(fcntl(readonly, F_GETFD), FD_CLOEXEC,
	   "OPEN's descriptor is close-on-exec");
	is(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR,
	   "CREATE's descriptor is read-write");
	is(fcntl(readonly, F_GETFL) & O_ACCMODE, O_RDONLY,
	   "MORSEL_OPEN_RDONLY is read-only");
	while (!ioc(device(), MORSEL_IOC_NEXT, &next))
		seen += next.info.id == id;
	is(seen, 1, "NEXT lists it once");
	is_errno(ioc(device(), MORSEL_IOC_NEXT, &next), ENOENT,
		 "NEXT: at the end");
}

/* Nobody's low addresses are a place for what a kernel may take for NULL. */
#define MMAP_MIN_ADDR "/proc/sys/vm/mmap_min_addr"

static int map_low(void *arg)
{
	int fd = *(int *)arg;

	need(!setgid(65534) && !setuid(65534));
	need(mmap((void *)PAGE, PAGE, R, MAP_SHARED | MAP_FIXED, fd, 0) ==
	     MAP_FAILED);
	need(errno == EPERM);
	return 0;
}

int main(int argc, char **argv)
{
	char min_addr[32];
	int fd, readonly;
	uint64_t id;

	guest_init(argc, argv);
	create_errors();

	fd = morsel_create(device(), 1, 0640, 0, &id);
	ok(fd >= 0, "create");
	open_errors(fd, id);
	readonly = select_id(id, MORSEL_OPEN_RDONLY);
	facts(fd, id, readonly);
	other_errors(fd);
	mmap_errors(fd, readonly);
	get_text(MMAP_MIN_ADDR, min_addr, sizeof(min_addr));
	put_text(MMAP_MIN_ADDR, "65536");
	is(reap(spawn(map_low, &fd)), 0, "mmap: below mmap_min_addr");
	put_back(MMAP_MIN_ADDR, min_addr);
	range_errors(fd, readonly);

	is_errno(morsel_destroy(readonly), EBADF,
		 "DESTROY: read-only descriptor");
	close(readonly);
	is(morsel_destroy(fd), 0, "DESTROY");
	is_errno(ioctl(fd, MORSEL_IOC_DESTROY), ESTALE, "DESTROY twice");
	is_errno(ioc(fd, MORSEL_IOC_INFO, &(struct morsel_info){ 0 }), ESTALE,
		 "INFO after DESTROY");
	is_errno(morsel_populate(fd, 0, PAGE, NULL), ESTALE,
		 "POPULATE after DESTROY");
	is_errno(morsel_punch(fd, 0, PAGE, NULL), ESTALE,
		 "PUNCH after DESTROY");
	is_errno(mmap(NULL, morsel_size(1), R, MAP_SHARED, fd, 0), ESTALE,
		 "mmap after DESTROY");
	is_errno(morsel_open(device(), id, 0), ENOENT, "OPEN after DESTROY");
	close(fd);
	return guest_done();
}
