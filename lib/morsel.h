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
 * An ID with MORSEL_ID_META carries the order of the meta morsel, which is 0;
 * that of the data is what morsel_info() says.
 *
 * Return: the order, or -EINVAL when @id has the tag of none.
 *
 * Source: thesis, sections 3.3.1 and 3.5.
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
 * @flags: 0 or MORSEL_CREATE_EPHEMERAL
 * @id:    where to put the morsel ID, or NULL
 *
 * An ephemeral morsel is destroyed when its last descriptor is closed and its
 * last mapping is gone; any other lives until it is destroyed.  Who has no x
 * in @mode may not map it executable.
 *
 * Return: its descriptor (read-write, close-on-exec), or -EINVAL (order, mode
 * or flags), -EOPNOTSUPP (order 4 without 5-level paging), -ENOMEM, -EMFILE.
 */
int morsel_create(int dev, unsigned int order, mode_t mode, unsigned int flags,
		  uint64_t *id);

/**
 * morsel_create_at() - create a morsel with a fixed address
 * @dev:     descriptor of the control device
 * @order:   0 to MORSEL_ORDER_MAX
 * @mode:    permission bits of the object
 * @flags:   as for morsel_create(); MORSEL_CREATE_META is added
 * @address: where it is to be mapped, in bytes: a multiple of its size, not 0
 * @id:      where to put the ID of the meta morsel, or NULL
 *
 * Every mapping, in every process, is at that address or not at all, so what
 * lies in the morsel may point to what else lies in it.
 *
 * Return: its descriptor as of morsel_create(), or what that returns; -EINVAL
 * also for an address that is 0, no multiple of the size, or beyond the
 * address space.
 *
 * Source: thesis, section 3.5 (meta morsels).
 */
int morsel_create_at(int dev, unsigned int order, mode_t mode,
		     unsigned int flags, uint64_t address, uint64_t *id);

/**
 * morsel_open() - select a living morsel by its ID
 * @dev:   descriptor of the control device
 * @id:    morsel ID
 * @flags: 0 or MORSEL_OPEN_RDONLY
 *
 * Return: a descriptor bound to it, or -ENOENT (names no living morsel),
 * -EACCES (its mode forbids), -EBADMSG (its meta morsel has a wrong checksum),
 * -EINVAL (flags), -EMFILE.
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
 * morsel_next_table() - walk the page tables of a morsel
 * @fd:    any descriptor of the morsel, be it read-only
 * @table: all zeroes to start with, then untouched by the caller; what is said of
 *         the next one
 *
 * In the order in which the hardware meets them, a parent before its children:
 * those for reading and writing, then those for each other set of rights in use.
 * Tables that come to be meanwhile may be missed.
 *
 * Return: 0, or -ENOENT after the last one (order 0 has none), -EINVAL (what was
 * touched), -ESTALE, -ENOTTY when @fd is no morsel.
 */
int morsel_next_table(int fd, struct morsel_table *table);

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
 * @addr:  where, on a page; NULL lets the driver choose, or is the fixed
 *         address of a morsel that has one
 * @prot:  PROT_* of mmap(2)
 * @flags: 0, or MAP_* flags of mmap(2) to add to MAP_SHARED; with @addr set
 *         and neither MAP_FIXED nor MAP_FIXED_NOREPLACE, MAP_FIXED_NOREPLACE
 *         is added: the mapping is where it was asked for or not at all
 * @out:   where to put the address
 *
 * One page-table entry attaches it at an address that is a multiple of its
 * size; at another it takes one for each table that fits.
 *
 * Of a file it maps as many bytes as morsel_info() says in size, and munmap(2)
 * of as many unmaps it, not morsel_unmap().
 *
 * Return: 0, or what mmap(2) says: -EINVAL (@addr not on a page, or not the
 * fixed address; MAP_PRIVATE or MAP_ANONYMOUS in @flags), -EACCES (@prot wider
 * than the descriptor, or PROT_EXEC without x in the mode), -ENOMEM, -EEXIST
 * (occupied), -ESTALE.
 */
int morsel_map(int fd, void *addr, int prot, int flags, void **out);

/**
 * morsel_map_range() - map a part of a morsel
 * @fd:     descriptor of the morsel
 * @addr:   where, on a page; NULL lets the driver choose so that the largest
 *          tables fit, or is the fixed address plus @offset
 * @offset: first byte, a multiple of MORSEL_PAGE_SIZE
 * @length: bytes, more than 0; munmap(2) unmaps it
 * @prot:   as for morsel_map()
 * @flags:  as for morsel_map()
 * @out:    where to put the address
 *
 * Return: 0, or what morsel_map() returns; -EINVAL also when @offset is not on
 * a page, @length is 0, or the range is not within the morsel.
 */
int morsel_map_range(int fd, void *addr, uint64_t offset, uint64_t length,
		     int prot, int flags, void **out);

/**
 * morsel_unmap() - unmap a whole morsel, but not a file
 * @addr:  what morsel_map() gave
 * @order: its order
 *
 * It unmaps morsel_size(@order) bytes.  Behind the end of a file may be something
 * else by now: munmap(2) of what was mapped unmaps that.
 *
 * Return: 0, or -EINVAL (@order, or @addr not on a page).
 */
int morsel_unmap(void *addr, unsigned int order);

/**
 * morsel_populate() - populate a range of a morsel ahead of its use
 * @fd:     any descriptor of the morsel, be it read-only
 * @offset: first byte, a multiple of MORSEL_PAGE_SIZE
 * @length: bytes, a multiple of MORSEL_PAGE_SIZE and not 0
 * @done:   where to put how many bytes from @offset on are populated, also when
 *          it fails; or NULL
 *
 * What is there already is left as it is.  The memory is the caller's: it
 * follows its NUMA policy and is charged to its memory cgroup.  Sleeps.
 *
 * Return: 0, or -EINVAL (alignment, or not within the morsel), -EINTR (a
 * signal; go on at @offset + @done), -ENOMEM, -ENOSPC (of a file: its file
 * system is full), -ESTALE, -ENOTTY.
 */
int morsel_populate(int fd, uint64_t offset, uint64_t length, uint64_t *done);

/**
 * morsel_punch() - free the pages of a range of a living morsel
 * @fd:     read-write descriptor of the morsel
 * @offset: first byte, a multiple of MORSEL_PAGE_SIZE
 * @length: bytes, a multiple of MORSEL_PAGE_SIZE and not 0
 * @done:   where to put how many bytes from @offset on are punched, also when
 *          it fails; or NULL
 *
 * It may be mapped meanwhile: every process sees zeroes there afterwards.  Who
 * has a page pinned keeps that page, which is no part of the morsel any more.
 * Page tables stay.  Sleeps.
 *
 * Return: 0, or -EBADF (@fd is read-only), -EINVAL (alignment, or not within
 * the morsel), -EINTR (a signal; go on at @offset + @done), -EPERM (a file that
 * is append-only or immutable), -ESTALE, -ENOTTY.
 *
 * Source: fallocate(2), FALLOC_FL_PUNCH_HOLE.
 */
int morsel_punch(int fd, uint64_t offset, uint64_t length, uint64_t *done);

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
