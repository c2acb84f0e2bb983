/* SPDX-License-Identifier: GPL-2.0-only */
/* damage.h - a medium with a word that nobody wrote */
#ifndef DAMAGE_H
#define DAMAGE_H

/* Each word of each frame that is in use, with so many of the values there are. */
void damage(unsigned int values);
/* Each frame that is in use is one that nobody may read. */
void bad_frames(void);

#endif /* DAMAGE_H */
