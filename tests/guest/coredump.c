// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core file of a process that has morsels mapped: it has none of their
 * content, whatever was asked for, and is small and soon there.
 */
#include "peer.h"

#include <elf.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define N 512 /* pages with a stamp */
#define CORES "/run/morsel-core"
#define PATTERN "/proc/sys/kernel/core_pattern"
#define MOST (16l << 20) /* bytes; the whole process is some MiB */
#define SOON 60 /* seconds, under software emulation */

struct arena {
	unsigned int order;
	uint64_t id;
	bool all; /* all kinds of mappings, and MADV_DODUMP */
	char *p;
};

static void write_to(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail("%s: %s", name, strerror(errno));
	close(fd);
}

static int crash(void *arg)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct arena *a = arg;

	setrlimit(RLIMIT_CORE, &limit);
	a->p = map_id(a->id, RW);
	need(!bad_stamps(a->p, a->order, N));
	if (a->all) {
		write_to("/proc/self/coredump_filter", "0xff");
		need(madvise(a->p, morsel_size(a->order), MADV_DODUMP) &&
		     errno == EINVAL);
		need(madvise(a->p, PAGE, MADV_DODUMP) && errno == EINVAL);
	}
	signal(SIGSEGV, SIG_DFL);
	need(!mprotect(a->p, PAGE, R));
	*(volatile char *)a->p = 0;
	return 0;
}

/* Bytes that the core file has of the morsel at @p; -1: does not mention it. */
static int64_t bytes_of(const char *core, char *p, size_t size)
{
	int fd = open(core, O_RDONLY | O_CLOEXEC);
	int64_t bytes = -1;
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG))
		bail("%s: no core file", core);
	for (int i = 0; i < head.e_phnum; i++) {
		off_t at = head.e_phoff + i * sizeof(part);

		if (pread(fd, &part, sizeof(part), at) != sizeof(part))
			break;
		if (part.p_type == PT_LOAD &&
		    part.p_vaddr - (uintptr_t)p < size)
			bytes = part.p_filesz + (bytes < 0 ? 0 : bytes);
	}
	close(fd);
	return bytes;
}

static void dump(struct arena *a, struct peer *peer, char *p, bool all)
{
	const char *what = all ? "all that is asked for" : "the usual";
	double start = now();
	char core[64];
	struct stat st;
	pid_t pid;

	a->all = all;
	pid = spawn(crash, a);
	snprintf(core, sizeof(core), CORES "/%d", pid);
	is(reap(pid), -SIGSEGV, "order %u: %s: crashes", a->order, what);
	ok(now() - start < SOON, "order %u: %s: soon (%.1f s)", a->order, what,
	   now() - start);
	if (!ok(!stat(core, &st), "order %u: %s: dumps core", a->order, what))
		return;
	ok(st.st_size < MOST, "order %u: %s: which is small (%lld KiB)",
	   a->order, what, (long long)st.st_size / 1024);
	is(bytes_of(core, a->p, morsel_size(a->order)), 0,
	   "order %u: %s: and has nothing of the morsel", a->order, what);
	unlink(core);
	is(disagree(peer, p, true), 0, "order %u: %s: both see the same",
	   a->order, what);
}

int main(int argc, char **argv)
{
	char pattern[256] = "";
	struct arena *a;
	int fd;

	guest_init(argc, argv);
	fd = open(PATTERN, O_RDONLY | O_CLOEXEC);
	if (read(fd, pattern, sizeof(pattern) - 1) <= 0)
		bail("%s: %s", PATTERN, strerror(errno));
	close(fd);
	mkdir(CORES, 0700);
	write_to(PATTERN, CORES "/%p");
	a = shared(sizeof(*a));
	for (a->order = 0; a->order <= max_order(); a->order++) {
		uint64_t n = N < pages_of(a->order) ? N : pages_of(a->order);
		struct peer peer;
		char *p;

		fd = create(a->order, &a->id);
		peer = peer_start(a->id, a->order, n);
		p = map(fd, RW);
		put_stamps(p, a->order, n);
		dump(a, &peer, p, false);
		dump(a, &peer, p, true);
		is(info(fd).data_frames, n, "order %u: no frame was added",
		   a->order);
		unmap(p, a->order);
		peer_stop(&peer);
		destroy(fd);
	}
	write_to(PATTERN, pattern);
	rmdir(CORES);
	return guest_done();
}
