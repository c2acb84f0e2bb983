/* SPDX-License-Identifier: GPL-2.0-only */
/* ioctl.h - what descriptors of a morsel are asked for */
#ifndef MORSEL_IOCTL_H
#define MORSEL_IOCTL_H

struct file;
struct seq_file;

long morsel_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
void morsel_file_show_fdinfo(struct seq_file *m, struct file *file);

#endif /* MORSEL_IOCTL_H */
