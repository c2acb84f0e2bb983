// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of several threads of several processes at once.  A block of pages
 * has one thread that writes and punches it; all look.  Each page has a window
 * of versions: the last that its owner has finished and the last that it has
 * begun.  What is seen must be of the window around the look.  Each thread has
 * mappings of its own, so what it may do there is known exactly.  Processes are
 * killed meanwhile; whoever takes their place goes on.
 *
 * The operations follow from the seed, their order does not.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 2 /* of a process */
#define BLOCK 8 /* pages with one owner */
#define BLOCKS 24
#define PAGES (BLOCK * BLOCKS)
#define VIEWS 3 /* mappings of a thread */
#define WINDOW 256 /* versions of a page that are looked for */

/* Odd versions hold content, even ones zeroes. */
struct window {
	_Atomic uint64_t finished, begun;
};

struct arena {
	unsigned int order;
	uint64_t id, key, seed;
	int fd;
	atomic_int stop;
	atomic_ulong operations;
	uint64_t page[PAGES];
	struct window window[PAGES];
	/* Of the first that saw something wrong. */
	atomic_int failed;
	char failure[300];
};

struct view {
	uint64_t addr, first, pages;
	int prot;
	atomic_uint changes; /* odd: it is being changed */
};

struct thread {
	struct arena *a;
	unsigned int number, of; /* it owns each of-th block */
	struct rng rng;
	struct view views[VIEWS];
	struct thread *sibling;
	sigjmp_buf env;
	volatile sig_atomic_t may_fault;
};

static __thread struct thread *me;

static void on_fault(int sig)
{
	if (me && me->may_fault)
		siglongjmp(me->env, sig);
	signal(sig, SIG_DFL);
}

__attribute__((format(printf, 2, 3))) static bool wrong(struct arena *a,
							const char *fmt, ...)
{
	va_list ap;

	if (!atomic_exchange(&a->failed, 1)) {
		va_start(ap, fmt);
		vsnprintf(a->failure, sizeof(a->failure), fmt, ap);
		va_end(ap);
	}
	a->stop = 1;
	return false;
}

/* The first pages of blocks around the borders of tables. */
static void choose_pages(struct arena *a)
{
	uint64_t size = 1ull << (9 * a->order);
	const uint64_t starts[] = {
		0,	  256,		 504,	     512,
		1024,	  512 * 512 - 8, 512 * 512,  3 * 512 * 512,
		size / 2, size / 2 - 8,	 size - 512, size - 8
	};

	for (unsigned int b = 0; b < BLOCKS; b++)
		for (unsigned int i = 0; i < BLOCK; i++)
			a->page[b * BLOCK + i] =
				(starts[b % 12] + (b / 12) * 16 + i) % size;
	/* Of two blocks in one place, only the first is used. */
	for (unsigned int i = 0; i < PAGES; i++)
		for (unsigned int k = 0; k < i; k++)
			if (a->page[i] == a->page[k])
				a->page[i] = UINT64_MAX;
}

static char *in_view(const struct view *v, uint64_t page)
{
	return page - v->first < v->pages ?
		       (char *)v->addr + (page - v->first) * PAGE :
		       NULL;
}

static bool allowed(struct arena *a, unsigned int i, unsigned int word,
		    uint64_t seen, uint64_t from, uint64_t to)
{
	if (to - from > WINDOW)
		return true;
	for (uint64_t v = from; v <= to; v++)
		if (seen == (v & 1 ? content(a->key, a->page[i], v, word) : 0))
			return true;
	return false;
}

/* The signal that an access raised, or 0. */
static int look(struct thread *t, volatile uint64_t *at, uint64_t *seen)
{
	int sig = sigsetjmp(t->env, 1);

	t->may_fault = !sig;
	if (!sig)
		*seen = *at;
	t->may_fault = 0;
	return sig;
}

static int fill(struct thread *t, volatile uint64_t *at, unsigned int i,
		uint64_t version)
{
	int sig = sigsetjmp(t->env, 1);

	t->may_fault = !sig;
	if (!sig)
		for (unsigned int w = 0; w < PAGE / 8; w++)
			at[w] = content(t->a->key, t->a->page[i], version, w);
	t->may_fault = 0;
	return sig;
}

static bool read_page(struct thread *t, const struct view *v, unsigned int i)
{
	struct arena *a = t->a;
	unsigned int word = below(&t->rng, PAGE / 8);
	char *at = in_view(v, a->page[i]);
	uint64_t from = a->window[i].finished, seen = 0, to;
	bool kernel = one_in(&t->rng, 8);
	struct iovec here = { &seen, 8 }, there = { at + word * 8, 8 };
	int sig = 0;

	if (kernel) {
		if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != 8)
			return v->prot & R ?
				       wrong(a,
					     "process_vm_readv of page %#llx, prot %d: %s (again: %zd)",
					     (unsigned long long)a->page[i],
					     v->prot, strerror(errno),
					     process_vm_readv(getpid(), &here,
							      1, &there, 1,
							      0)) :
				       true;
	} else {
		sig = look(t, (uint64_t *)at + word, &seen);
	}
	to = a->window[i].begun;
	if (sig)
		return v->prot & (R | W) ?
			       wrong(a,
				     "signal %d at a read of page %#llx, prot %d",
				     sig, (unsigned long long)a->page[i],
				     v->prot) :
			       true;
	if (!v->prot || (kernel && !(v->prot & R)))
		return wrong(a, "page %#llx could be read, prot %d",
			     (unsigned long long)a->page[i], v->prot);
	if (!allowed(a, i, word, seen, from, to))
		return wrong(
			a,
			"page %#llx, word %u, prot %d: %#llx is of no version from %llu to %llu",
			(unsigned long long)a->page[i], word, v->prot,
			(unsigned long long)seen, (unsigned long long)from,
			(unsigned long long)to);
	return true;
}

static bool own(const struct thread *t, unsigned int i)
{
	return i / BLOCK % t->of == t->number;
}

static bool write_page(struct thread *t, const struct view *v, unsigned int i)
{
	struct arena *a = t->a;
	struct window *w = &a->window[i];
	uint64_t *const at = (uint64_t *)in_view(v, a->page[i]);
	uint64_t old = w->begun, version = (old + 1) | 1;
	int sig;

	if (!(v->prot & W)) {
		/* Of no version, so others see it, too. */
		sig = fill(t, at, i, UINT64_MAX);
		return sig ? true :
			     wrong(a, "page %#llx could be written, prot %d",
				   (unsigned long long)a->page[i], v->prot);
	}
	w->begun = version;
	sig = fill(t, at, i, version);
	if (sig)
		return wrong(a, "signal %d at a write of page %#llx, prot %d",
			     sig, (unsigned long long)a->page[i], v->prot);
	w->finished = version;
	return read_page(t, v, i);
}

/* Some of a block that it owns. */
static bool punch(struct thread *t)
{
	struct arena *a = t->a;
	unsigned int block, first, n;
	const struct view *v = &t->views[below(&t->rng, VIEWS)];
	uint64_t done;
	long err;
	char *at;

	block = below(&t->rng, BLOCKS / t->of) * t->of + t->number;
	first = block * BLOCK + below(&t->rng, BLOCK);
	n = 1 + below(&t->rng, BLOCK - first % BLOCK);
	if (a->page[first] == UINT64_MAX ||
	    a->page[first] + n > a->page[first] + BLOCK)
		return true;
	for (unsigned int i = first; i < first + n; i++) {
		if (a->page[i] != a->page[first] + i - first)
			return true;
		a->window[i].begun = (a->window[i].begun + 2) & ~1ull;
	}
	at = in_view(v, a->page[first]);
	switch (below(&t->rng, 3)) {
	case 0:
		err = fallocate(a->fd,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				a->page[first] * PAGE, n * PAGE);
		break;
	case 1:
		if (at && v->prot & W && in_view(v, a->page[first] + n - 1)) {
			err = madvise(at, n * PAGE, MADV_REMOVE);
			break;
		}
		/* fall through */
	default:
		err = morsel_punch(a->fd, a->page[first] * PAGE, n * PAGE,
				   &done);
	}
	if (err)
		return wrong(a, "punch: %ld, errno %d", err, errno);
	for (unsigned int i = first; i < first + n; i++)
		a->window[i].finished = a->window[i].begun;
	return true;
}

static int any_prot(struct rng *rng)
{
	static const int prots[] = { R | W, R | W,     R | W, R, R,
				     R | X, R | W | X, 0,     W };

	return prots[below(rng, 9)];
}

static bool unmap(struct thread *t, struct view *v)
{
	if (v->pages && munmap((void *)v->addr, v->pages * PAGE))
		return wrong(t->a, "munmap: %s", strerror(errno));
	v->pages = 0;
	return true;
}

static bool map(struct thread *t, struct view *v)
{
	struct arena *a = t->a;
	uint64_t size = 1ull << (9 * a->order), first = 0, n = size;
	int prot = any_prot(&t->rng);
	void *p;

	if (!unmap(t, v))
		return false;
	if (one_in(&t->rng, 2)) {
		do {
			first = a->page[below(&t->rng, PAGES)];
		} while (first == UINT64_MAX);
		n = one_in(&t->rng, 2) ? size : 1 + below(&t->rng, 1200);
		if (n > size - first)
			n = size - first;
	}
	p = mmap(NULL, n * PAGE, prot,
		 MAP_SHARED |
			 (n < 1200 && one_in(&t->rng, 4) ? MAP_POPULATE : 0),
		 a->fd, first * PAGE);
	if (p == MAP_FAILED)
		return wrong(a, "mmap of %llu pages: %s", (unsigned long long)n,
			     strerror(errno));
	v->addr = (uint64_t)p;
	v->first = first;
	v->pages = n;
	v->prot = prot;
	return true;
}

static bool protect(struct thread *t, struct view *v)
{
	int prot = any_prot(&t->rng);

	/* Of a part, and back: what it is in between is nobody's business. */
	if (v->pages > 1 && one_in(&t->rng, 4) &&
	    mprotect((char *)v->addr + v->pages / 2 * PAGE,
		     (v->pages - v->pages / 2) * PAGE, any_prot(&t->rng)))
		return wrong(t->a, "mprotect of a part: %s", strerror(errno));
	if (mprotect((void *)v->addr, v->pages * PAGE, prot))
		return wrong(t->a, "mprotect: %s", strerror(errno));
	v->prot = prot;
	return true;
}

static bool move(struct thread *t, struct view *v)
{
	uint64_t bytes = v->pages * PAGE;
	void *to;

	/* A part, the rest is left behind and unmapped. */
	if (v->pages > 1 && one_in(&t->rng, 3)) {
		uint64_t cut = 1 + below(&t->rng, v->pages - 1);

		if (munmap((void *)v->addr, cut * PAGE))
			return wrong(t->a, "munmap of a part: %s",
				     strerror(errno));
		v->addr += cut * PAGE;
		v->first += cut;
		v->pages -= cut;
		bytes = v->pages * PAGE;
	}
	to = mmap(NULL, bytes, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		  -1, 0);
	if (to == MAP_FAILED) /* of order 4 there is room for one or two */
		return true;
	if (mremap((void *)v->addr, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
		   to) != to) {
		/* What protect() has split cannot be moved at once. */
		if (errno != EFAULT)
			return wrong(t->a, "mremap: %s", strerror(errno));
		/* The room is gone, and may be another thread's by now. */
		return unmap(t, v);
	}
	v->addr = (uint64_t)to;
	return true;
}

/* Others look through it meanwhile; what they see stays the same. */
static bool drop(struct thread *t, struct view *v)
{
	uint64_t first = one_in(&t->rng, 2) ? 0 : below(&t->rng, v->pages);

	for (unsigned int i = 1 + below(&t->rng, 8); i; i--)
		if (madvise((char *)v->addr + first * PAGE,
			    (v->pages - first) * PAGE, MADV_DONTNEED))
			return wrong(t->a, "MADV_DONTNEED: %s",
				     strerror(errno));
	return true;
}

static bool advise(struct thread *t, struct view *v)
{
	static const int advices[] = {
		MADV_DONTNEED,	    MADV_DONTNEED, MADV_COLD,
		MADV_PAGEOUT,	    MADV_DONTFORK, MADV_DOFORK,
		MADV_SEQUENTIAL,    MADV_RANDOM,   MADV_POPULATE_READ,
		MADV_POPULATE_WRITE
	};
	int advice = advices[below(&t->rng, 10)];
	uint64_t first = 0, n = v->pages;

	if (n > 1024) {
		first = below(&t->rng, n - 1024);
		n = 1024;
	}
	if (madvise((char *)v->addr + first * PAGE, n * PAGE, advice) &&
	    advice != MADV_POPULATE_READ && advice != MADV_POPULATE_WRITE)
		return wrong(t->a, "madvise %d: %s", advice, strerror(errno));
	return true;
}

/* A child looks through one view, and is killed or leaves. */
static bool fork_one(struct thread *t)
{
	const struct view *v = &t->views[below(&t->rng, VIEWS)];
	bool killed = one_in(&t->rng, 3);
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return wrong(t->a, "fork: %s", strerror(errno));
	if (!pid) {
		bool good = true;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned int k = 0; k < 12 || killed; k++) {
			unsigned int i = below(&t->rng, PAGES);

			/* With MADV_DONTFORK there is nothing. */
			if (v->pages && in_view(v, t->a->page[i])) {
				uint64_t seen, from, to;
				unsigned int w = below(&t->rng, PAGE / 8);

				from = t->a->window[i].finished;
				if (look(t,
					 (uint64_t *)in_view(v, t->a->page[i]) +
						 w,
					 &seen))
					continue;
				to = t->a->window[i].begun;
				if (!allowed(t->a, i, w, seen, from, to))
					good = wrong(
						t->a,
						"in a child, page %#llx: %#llx is of no version from %llu to %llu",
						(unsigned long long)
							t->a->page[i],
						(unsigned long long)seen,
						(unsigned long long)from,
						(unsigned long long)to);
			}
			if (t->a->stop)
				break;
		}
		_exit(!good);
	}
	if (killed) {
		usleep(below(&t->rng, 3000));
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	return true;
}

/* What takes no pages: descriptors, IDs, listings, populating. */
static bool rest(struct thread *t)
{
	struct arena *a = t->a;
	struct morsel_info info;
	struct morsel_stats stats;
	uint64_t cursor = 0, done, i;
	int fd, err;

	switch (below(&t->rng, 6)) {
	case 0:
		fd = morsel_open(device(), a->id,
				 one_in(&t->rng, 2) ? MORSEL_OPEN_RDONLY : 0);
		if (fd < 0)
			return wrong(a, "open: %s", strerror(-fd));
		close(fd);
		break;
	case 1:
		err = morsel_info(a->fd, &info);
		if (err || info.id != a->id)
			return wrong(a, "info: %s", strerror(-err));
		break;
	case 2:
		for (i = 0; !(err = morsel_next(device(), &cursor, &info)); i++)
			;
		if (err != -ENOENT || !i)
			return wrong(a, "next: %s", strerror(-err));
		break;
	case 3:
		if (morsel_stats(device(), &stats) || !stats.morsels)
			return wrong(a, "stats");
		break;
	case 4: /* one that is in use */
		err = morsel_destroy(a->fd);
		if (err != -EBUSY)
			return wrong(a, "destroy of what is in use: %d", err);
		break;
	case 5:
		i = a->page[below(&t->rng, PAGES)];
		if (i == UINT64_MAX || i + BLOCK > 1ull << (9 * a->order))
			break;
		err = morsel_populate(a->fd, i * PAGE, BLOCK * PAGE, &done);
		if (err)
			return wrong(a, "populate: %s", strerror(-err));
		break;
	}
	return true;
}

/* One that is in the view, or PAGES. */
static unsigned int any_page(struct thread *t, const struct view *v)
{
	unsigned int i = below(&t->rng, PAGES);

	for (unsigned int k = 0; v->pages && k < PAGES;
	     k++, i = (i + 1) % PAGES)
		if (in_view(v, t->a->page[i]))
			return i;
	return PAGES;
}

/*
 * Through the mapping of another thread, which may change it meanwhile: then
 * anything may come of it, but nothing that others see.
 */
static bool peek(struct thread *t)
{
	struct view *v = &t->sibling->views[below(&t->rng, VIEWS)];
	unsigned int changes = v->changes, word = below(&t->rng, PAGE / 8), i;
	struct view copy = { v->addr, v->first, v->pages, v->prot, 0 };
	uint64_t from, to, seen = 0;
	int sig;

	if (changes & 1 || v->changes != changes)
		return true;
	i = any_page(t, &copy);
	if (i == PAGES)
		return true;
	from = t->a->window[i].finished;
	sig = look(t, (uint64_t *)in_view(&copy, t->a->page[i]) + word, &seen);
	to = t->a->window[i].begun;
	if (v->changes != changes)
		return true;
	if (!sig != !!copy.prot)
		return wrong(
			t->a,
			"signal %d at a read of another thread's page %#llx, prot %d",
			sig, (unsigned long long)t->a->page[i], copy.prot);
	if (!sig && !allowed(t->a, i, word, seen, from, to))
		return wrong(
			t->a,
			"another thread's page %#llx: %#llx is of no version from %llu to %llu",
			(unsigned long long)t->a->page[i],
			(unsigned long long)seen, (unsigned long long)from,
			(unsigned long long)to);
	return true;
}

static bool use(struct thread *t)
{
	const struct view *v = &t->views[below(&t->rng, VIEWS)];
	unsigned int i, n = 1;

	/* Often enough in a row to meet what the processor remembers. */
	if (one_in(&t->rng, 4))
		n = 16;
	i = any_page(t, v);
	if (i == PAGES)
		return true;
	if (own(t, i) && one_in(&t->rng, 2))
		return write_page(t, v, i);
	while (n--)
		if (!read_page(t, v, i) || !peek(t))
			return false;
	return true;
}

static bool change(struct thread *t, struct view *v,
		   bool (*how)(struct thread *t, struct view *v))
{
	bool good;

	v->changes++;
	good = how(t, v);
	v->changes++;
	return good;
}

static void *run_thread(void *arg)
{
	struct thread *t = arg;
	bool good = true;

	me = t;
	while (good && !t->a->stop) {
		struct view *v = &t->views[below(&t->rng, VIEWS)];
		unsigned int kind = below(&t->rng, 100);

		if (!v->pages || (kind >= 70 && kind < 76))
			good = change(t, v, map);
		else if (kind < 48)
			good = use(t);
		else if (kind < 60)
			good = drop(t, v);
		else if (kind < 70)
			good = punch(t);
		else if (kind < 84)
			good = change(t, v, protect);
		else if (kind < 88)
			good = change(t, v, move);
		else if (kind < 94)
			good = advise(t, v);
		else if (kind < 95)
			good = fork_one(t);
		else
			good = rest(t);
		t->a->operations++;
	}
	return NULL;
}

static pid_t start_process(struct arena *a, unsigned int p, unsigned int n,
			   unsigned int life)
{
	struct sigaction action = { .sa_handler = on_fault };
	struct thread *threads;
	pthread_t others[THREADS];
	pid_t pid = fork();

	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	threads = calloc(THREADS, sizeof(*threads));
	for (unsigned int i = 0; i < THREADS; i++) {
		threads[i].a = a;
		threads[i].sibling = &threads[(i + 1) % THREADS];
		threads[i].number = p * THREADS + i;
		threads[i].of = n * THREADS;
		threads[i].rng.state =
			mix(a->seed + threads[i].number * 1000 + life);
		pthread_create(&others[i], NULL, run_thread, &threads[i]);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(others[i], NULL);
	_exit(0);
}

void episode_race(uint64_t seed, double seconds)
{
	struct rng rng = { mix(seed ^ 0x5eed) };
	struct arena *a = mmap(NULL, sizeof(*a), R | W,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double start = now();
	unsigned int lives = 0, n;
	pid_t pids[ACTORS_MAX];
	int err, status;

	if (a == MAP_FAILED)
		bail("shared memory: %s", strerror(errno));
	a->order = 1 + below(&rng, max_order());
	/* The fewer, the more often two are at it at the same time. */
	n = 1 + below(&rng, n_actors);
	a->seed = seed;
	a->key = draw(&rng);
	snprintf(doing, sizeof(doing), "order %u, %u processes", a->order, n);
	choose_pages(a);
	a->fd = morsel_create(device(), a->order, 0700, 0, &a->id);
	if (a->fd < 0)
		found("create: %s", strerror(-a->fd));

	for (unsigned int p = 0; p < n; p++)
		pids[p] = start_process(a, p, n, 0);
	while (!a->stop && now() < start + seconds) {
		unsigned int p = below(&rng, n);

		usleep(below(&rng, 200000));
		kill(pids[p], SIGKILL);
		waitpid(pids[p], &status, 0);
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			wrong(a, "a process died of signal %d",
			      WTERMSIG(status));
		pids[p] = start_process(a, p, n, ++lives);
	}
	a->stop = 1;
	for (unsigned int p = 0; p < n; p++) {
		for (start = now();
		     waitpid(pids[p], &status, WNOHANG) != pids[p];) {
			usleep(1000);
			if (now() > start + 60 && a->stop != 2) {
				wrong(a, "a process does not end");
				a->stop = 2;
				kill(pids[p], SIGKILL);
			}
		}
		if (WIFSIGNALED(status))
			wrong(a, "a process died of signal %d",
			      WTERMSIG(status));
	}
	done_races = a->operations;
	if (a->failed)
		found("%s", a->failure);
	/* Children whose parent was killed go, too, in their time. */
	for (start = now();
	     (err = morsel_destroy(a->fd)) == -EBUSY && now() < start + 20;)
		usleep(1000);
	if (err)
		found("destroy: %s", strerror(-err));
	close(a->fd);
	munmap(a, sizeof(*a));
}
