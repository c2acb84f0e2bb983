/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of morsels share: short forms of the calls that must not fail
 * here, and the model of how many frames a morsel should hold.
 */
#ifndef GUEST_H
#define GUEST_H

#include "common.h"

#include <sys/ioctl.h>

#include <morsel.h>

#define PAGE MORSEL_PAGE_SIZE

extern unsigned int opt_seconds; /* -s: how long the races of a test last */
extern unsigned long opt_pages; /* -n: pages in the tests that populate much */

/* Options, unbuffered output, fault handlers, the control device. */
void guest_init(int argc, char **argv);
/* The end of a test that leaves nothing behind: what main() is to return. */
int guest_done(void);

int device(void);
struct morsel_stats stats(void);
unsigned int max_order(void);
bool same_stats(struct morsel_stats a, struct morsel_stats b);

/*
 * Create, describe, select, map, unmap, destroy; each ends the test when it
 * fails.
 */
int create(unsigned int order, uint64_t *id);
struct morsel_info info(int fd);
int select_id(uint64_t id, unsigned int flags);
/* What OPEN says of an ID: 0 when it opens, else the errno. */
int try_open(uint64_t id, unsigned int flags);
char *map(int fd, int prot);
char *map_id(uint64_t id, int prot);
char *map_at(int fd, uint64_t addr, int prot);
void unmap(void *addr, unsigned int order);
void destroy(int fd);

/*
 * A free, naturally aligned address for @order; @slot 0 to 3 tells four of
 * them apart.
 */
uint64_t free_addr(unsigned int order, unsigned int slot);

/* Pages by index, each with a stamp of its own in its first eight bytes. */
static inline _Atomic uint64_t *word(char *base, uint64_t page)
{
	return (_Atomic uint64_t *)(base + page * PAGE);
}

static inline uint64_t stamp(uint64_t page)
{
	return (page + 1) * 0x9e3779b97f4a7c15ull;
}

static inline uint64_t pages_of(unsigned int order)
{
	return 1ull << (9 * order);
}

/*
 * The i-th of n pages spread over a whole morsel in runs of neighbours,
 * ascending; of a morsel with fewer pages it is all of them.
 */
uint64_t spread(unsigned int order, uint64_t i, uint64_t n);
void put_stamps(char *base, unsigned int order, uint64_t n);
uint64_t bad_stamps(char *base, unsigned int order, uint64_t n);
/* Table frames that ascending @pages need. */
uint64_t tables_for(unsigned int order, const uint64_t *pages, uint64_t n);
uint64_t tables_for_spread(unsigned int order, uint64_t n);

/* Bytes of page tables of this process (VmPTE). */
unsigned long table_bytes(void);

/* The time of -s is for this many races together; each gets a second at least. */
void split_time(unsigned int races);
/*
 * Whether a race goes on that began at @start: for its time, and longer while
 * it has not been one yet.  A guest with more processors than its host may take
 * a while.
 */
bool goes_on(double start, bool enough);

#endif /* GUEST_H */
