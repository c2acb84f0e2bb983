/* SPDX-License-Identifier: GPL-2.0-only */
/* crash.h - what a crash after a store to a device leaves: only in a build with CRASH=1 */
#ifndef MORSEL_CRASH_H
#define MORSEL_CRASH_H

struct dentry;

#ifdef MORSEL_CRASH
void morsel_stored(const void *p);
void morsel_crash_device(const void *p, size_t bytes);
void morsel_crash_setup(struct dentry *dir);
void morsel_crash_exit(void);
#else
static inline void morsel_stored(const void *p) { }
static inline void morsel_crash_device(const void *p, size_t bytes) { }
static inline void morsel_crash_setup(struct dentry *dir) { }
static inline void morsel_crash_exit(void) { }
#endif

#endif /* MORSEL_CRASH_H */
