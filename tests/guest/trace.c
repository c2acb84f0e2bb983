// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints: each step of a morsel's life is reported, with its ID and what
 * was done, once, in order; and nothing is when nobody listens.
 */
#include "guest.h"

#include <sys/mount.h>

#define TRACEFS "/sys/kernel/tracing/"

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		bail("%s: %s", path, strerror(errno));
	close(fd);
}

/* The trace, as far as the buffer goes. */
static const char *trace(void)
{
	static char text[1 << 16];
	int fd = open(TRACEFS "trace", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		bail("trace: %s", strerror(errno));
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	close(fd);
	text[len] = 0;
	return text;
}

/* Is the next event in @at the one that @fmt says? */
__attribute__((format(printf, 2, 3))) static void next_is(const char **at,
							  const char *fmt, ...)
{
	char want[160], got[160] = "none";
	const char *event = strstr(*at, ": morsel_");
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	if (event) {
		event += 2;
		snprintf(got, sizeof(got), "%.*s", (int)strcspn(event, "\n"),
			 event);
		*at = event;
	}
	if (!ok(!strcmp(got, want), "%s", want))
		note("is %s", got);
}

static void life(unsigned int order)
{
	unsigned long long id;
	uint64_t given;
	const char *at;
	int fd;
	char *p;

	put_file(TRACEFS "trace", "");
	fd = create(order, &given);
	id = given;
	p = map(fd, RW);
	word(p, 5)[0] = 1;
	word(p, 6)[0] = 1;
	is(morsel_populate(fd, 0, 16 * PAGE, NULL), 0, "order %u: populate", order);
	is(morsel_punch(fd, 0, 8 * PAGE, NULL), 0, "order %u: punch", order);
	word(p, 5)[0] = 1;
	unmap(p, order);
	destroy(fd);

	at = trace();
	next_is(&at, "morsel_create: id=0x%016llx order=%u flags=0x0 address=0x0",
		id, order);
	next_is(&at, "morsel_populate: id=0x%016llx first=5 last=5 count=1", id);
	next_is(&at, "morsel_attach: id=0x%016llx addr=0x%lx level=%u", id,
		(unsigned long)p, order);
	next_is(&at, "morsel_populate: id=0x%016llx first=6 last=6 count=1", id);
	next_is(&at, "morsel_populate: id=0x%016llx first=0 last=15 count=14",
		id);
	next_is(&at, "morsel_detach: id=0x%016llx addr=0x%lx level=%u", id,
		(unsigned long)p, order);
	next_is(&at, "morsel_punch: id=0x%016llx first=0 last=7 count=8", id);
	next_is(&at, "morsel_populate: id=0x%016llx first=5 last=5 count=1", id);
	next_is(&at, "morsel_attach: id=0x%016llx addr=0x%lx level=%u", id,
		(unsigned long)p, order);
	next_is(&at, "morsel_detach: id=0x%016llx addr=0x%lx level=%u", id,
		(unsigned long)p, order);
	next_is(&at,
		"morsel_destroy: id=0x%016llx data_frames=9 table_frames=%u", id,
		order);
	ok(!strstr(at, ": morsel_"), "order %u: and nothing else", order);
}

static void silence(void)
{
	uint64_t id;

	put_file(TRACEFS "events/morsel/enable", "0");
	put_file(TRACEFS "trace", "");
	destroy(create(1, &id));
	ok(!strstr(trace(), ": morsel_"), "nothing when nobody listens");
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	if (access(TRACEFS "trace", F_OK) &&
	    mount("tracefs", TRACEFS, "tracefs", 0, NULL))
		bail("tracefs: %s", strerror(errno));
	put_file(TRACEFS "events/morsel/enable", "1");
	for (unsigned int order = 1; order <= max_order(); order++)
		life(order);
	silence();
	return guest_done();
}
