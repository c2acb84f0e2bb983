/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may do what: each operation by each kind of process, on files and directories
 * of many modes.
 *
 *   permissions.c       processes, modes, the comparison
 *   permissions-ops.c   operations, and the rules about them
 *
 * The rules are those of path_resolution(7), capabilities(7) and
 * user_namespaces(7); nothing of what is expected was taken down from a file
 * system.
 */
#ifndef PERMISSIONS_H
#define PERMISSIONS_H

#include "fs.h"

#define OWNER 1000
#define GROUP 3000
#define STRANGER 9999 /* owns what is nobody's here */
#define NOBODY ((id_t)-1)

#define MAY_R 4
#define MAY_W 2
#define MAY_X 1

/* Who acts, by the IDs of the initial namespace. */
struct subject {
	const char *name;
	uid_t uid;
	gid_t gid;
	gid_t group; /* one more, or NOBODY */
	bool root; /* has all capabilities */
	bool ns; /* but in a user namespace only, where it is 0 */
	uid_t mapped_uid; /* which that namespace knows besides, or NOBODY */
	gid_t mapped_gid;
};

struct object {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/* A directory d, in it a file f and an empty directory s of the same owner. */
struct scene {
	struct object dir, file;
};

/* What a subject does, and what the rules say about it: 0 or an errno. */
struct op {
	const char *name;
	int (*run)(void);
	int (*rule)(const struct subject *s, const struct scene *c);
};

/* With a directory that everybody may use, and files of all modes. */
extern const struct op on_files[];
/* With directories of all modes, sticky or not. */
extern const struct op on_directories[];
extern const size_t n_on_files, n_on_directories;

#endif /* PERMISSIONS_H */
