/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmorsel - user library of the morsel memory objects
 *
 * Every function that can fail returns a negative errno value; none sets
 * errno on purpose.  All are thread-safe; none keeps state.
 */
#ifndef MORSEL_H
#define MORSEL_H

#include <stdint.h>
#include <sys/types.h>

#include <linux/morsel.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MORSEL_DEVICE	"/dev/morsel"
#define MORSEL_PAGE_SIZE 4096ull

/**
 * morsel_size() - virtual size of an order, in bytes
 * @order: 0 to MORSEL_ORDER_MAX
 *
 * Source: thesis, table 3.1.
 */
static inline uint64_t morsel_size(unsigned int order)
{
	return MORSEL_PAGE_SIZE << (9 * order);
}

/**
 * morsel_order_for() - smallest order that holds a number of bytes
 * @bytes: at least 0
 *
 * Return: the order, or -EFBIG when even MORSEL_ORDER_MAX is too small.
 */
int morsel_order_for(uint64_t bytes);

/**
 * morsel_id_order() - order that an ID carries
 * @id: any 64-bit value
 *
 * Return: the order, or -EINVAL when @id has the tag of none.
 */
int morsel_id_order(uint64_t id);

/**
 * morsel_device_open() - open the control device, close-on-exec
 *
 * Return: a descriptor, or -ENOENT (module not loaded), -EACCES, -EMFILE ...
 */
int morsel_device_open(void);

/**
 * morsel_create() - create a morsel
 * @dev:   descriptor of the control device
 * @order: 0 to MORSEL_ORDER_MAX
 * @mode:  permission bits of the object
 * @flags: must be 0
 * @id:    where to put the morsel ID, or NULL
 *
 * Return: its descriptor (read-write, close-on-exec), or -EINVAL (order, mode
 * or flags), -EOPNOTSUPP (order 4 without 5-level paging), -ENOMEM, -EMFILE.
 */
int morsel_create(int dev, unsigned int order, mode_t mode, unsigned int flags,
		  uint64_t *id);

/**
 * morsel_open() - select a living morsel by its ID
 * @dev:   descriptor of the control device
 * @id:    morsel ID
 * @flags: 0 or MORSEL_OPEN_RDONLY
 *
 * Return: a descriptor bound to it, or -ENOENT (names no living morsel),
 * -EACCES (its mode forbids), -EINVAL (flags), -EMFILE.
 */
int morsel_open(int dev, uint64_t id, unsigned int flags);

/**
 * morsel_info() - facts about the morsel behind a descriptor
 * @fd:   descriptor of the morsel
 * @info: where to put them
 *
 * Return: 0, or -ESTALE when it was destroyed, -ENOTTY when @fd is no morsel.
 */
int morsel_info(int fd, struct morsel_info *info);

/**
 * morsel_destroy() - destroy a morsel and free all its frames
 * @fd: the only descriptor of it
 *
 * Return: 0, or -EBUSY when it is mapped or open elsewhere, or @fd is shared
 * or duplicated, -EBADF when @fd is read-only, -EPERM when the caller does not
 * own the morsel, -ESTALE when it is gone already.
 */
int morsel_destroy(int fd);

/**
 * morsel_next() - walk all morsels that the caller may read
 * @dev:    descriptor of the control device
 * @cursor: 0 to start with, then untouched by the caller
 * @info:   where to put the facts about the next one
 *
 * Return: 0, or -ENOENT after the last one.
 */
int morsel_next(int dev, uint64_t *cursor, struct morsel_info *info);

/**
 * morsel_stats() - totals over all morsels
 * @dev:   descriptor of the control device
 * @stats: where to put them
 *
 * Return: 0, or -ENOTTY when @dev is no control device.
 */
int morsel_stats(int dev, struct morsel_stats *stats);

/**
 * morsel_map() - map a whole morsel
 * @fd:    descriptor of the morsel
 * @addr:  where, naturally aligned; NULL lets the driver choose
 * @prot:  PROT_* of mmap(2)
 * @flags: 0, or MAP_* flags of mmap(2) to add to MAP_SHARED; with @addr set
 *         and neither MAP_FIXED nor MAP_FIXED_NOREPLACE, MAP_FIXED_NOREPLACE
 *         is added: the mapping is where it was asked for or not at all
 * @out:   where to put the address
 *
 * Return: 0, or what mmap(2) says: -EINVAL (alignment; MAP_PRIVATE or
 * MAP_ANONYMOUS in @flags), -EACCES (@prot wider than the descriptor),
 * -ENOMEM, -EEXIST (occupied), -ESTALE.
 */
int morsel_map(int fd, void *addr, int prot, int flags, void **out);

/**
 * morsel_unmap() - unmap a whole morsel
 * @addr:  what morsel_map() gave
 * @order: its order
 *
 * Return: 0, or -EINVAL (@order, or @addr not on a page).
 */
int morsel_unmap(void *addr, unsigned int order);

/**
 * morsel_fd_send() - pass a descriptor through a UNIX socket (SCM_RIGHTS)
 * @sock: the socket
 * @fd:   descriptor to pass; it stays open here
 *
 * Return: 0, or what sendmsg(2) says.
 */
int morsel_fd_send(int sock, int fd);

/**
 * morsel_fd_recv() - receive a descriptor, close-on-exec
 * @sock: the socket
 *
 * Return: the descriptor, -ECONNRESET at end of file, -EBADMSG when the
 * message held none.
 */
int morsel_fd_recv(int sock);

#ifdef __cplusplus
}
#endif

#endif /* MORSEL_H */
