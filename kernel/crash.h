/* SPDX-License-Identifier: GPL-2.0-only */
/* crash.h - stop the machine after a store to a device: only in a build with CRASH=1 */
#ifndef MORSEL_CRASH_H
#define MORSEL_CRASH_H

struct dentry;

#ifdef MORSEL_CRASH
void morsel_stored(const void *p);
void morsel_crash_setup(struct dentry *dir);
#else
static inline void morsel_stored(const void *p) { }
static inline void morsel_crash_setup(struct dentry *dir) { }
#endif

#endif /* MORSEL_CRASH_H */
