/* SPDX-License-Identifier: GPL-2.0-only */
/* ioctl.h - what descriptors of a morsel are asked for */
#ifndef MORSEL_IOCTL_H
#define MORSEL_IOCTL_H

#include <linux/types.h>

struct file;
struct morsel_range;
struct seq_file;

/* One bounded step of work on the pages [*next, last]; moves on what is done. */
typedef int morsel_range_step(struct file *file, u64 *next, u64 last);

int morsel_file_steps(struct file *file, morsel_range_step *step, u64 *next, u64 end,
		      bool fatal);
int morsel_file_fill(struct file *file, u64 *next, u64 last);
int morsel_file_punch(struct file *file, u64 *next, u64 last);
long morsel_file_range(struct file *file, struct morsel_range __user *arg,
		       morsel_range_step *step);

long morsel_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
void morsel_file_show_fdinfo(struct seq_file *m, struct file *file);

#endif /* MORSEL_IOCTL_H */
