/* SPDX-License-Identifier: GPL-2.0-only */
/* dev.h - /dev/morsel */
#ifndef MORSEL_DEV_H
#define MORSEL_DEV_H

int morsel_dev_register(void);
void morsel_dev_deregister(void);

#endif /* MORSEL_DEV_H */
