/* SPDX-License-Identifier: GPL-2.0-only */
/* anon.h - inodes and open files of morsels that have no name */
#ifndef MORSEL_ANON_H
#define MORSEL_ANON_H

#include "object.h"

struct morsel_object *morsel_anon_create(unsigned int order, umode_t mode,
					 u32 flags, u64 address);
struct file *morsel_anon_file(struct morsel_object *object, int flags,
			      const struct file_operations *fops);
void morsel_anon_release(struct file *file);

#endif /* MORSEL_ANON_H */
