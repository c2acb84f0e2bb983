# SPDX-License-Identifier: GPL-2.0-only
"""How each benchmark measures, for those who read the report: (title, text)."""

GENERAL = (
    "Where nothing else is said, rounds of all peers are interleaved in one boot: each round"
    " runs every peer once, so that they share whatever else the machine does; the first round warms"
    " up and does not count."
    " Shown are medians with the 10th and 90th percentile, and for each peer the ratio of its"
    " median to the morsel’s at the same place. Time is CLOCK_MONOTONIC. Under software"
    " emulation (QEMU’s TCG) only ratios mean something; figures of one metric have one scale,"
    " so that configurations can be compared by eye."
)

METHODS = {
    "faults": (
        "Population by page faults (thesis, figure 5.1)",
        "Threads, each on a processor of its own, write one word to every page of new memory:"
        " the region is divided evenly among them, in slices that share no page table. The time"
        " is from the moment all of them start until the last is done; mapping and unmapping"
        " are not in it. “Interleaved” spreads the pages over the NUMA nodes by"
        " set_mempolicy(MPOL_INTERLEAVE). Peers with huge pages take one fault for 2 MiB.",
    ),
    "populate": (
        "Explicit population",
        "256 MiB of new memory are populated without being touched: by the ioctl of the morsel,"
        " by mmap with MAP_POPULATE (in which case the time includes that of mmap), and by"
        " madvise(MADV_POPULATE_WRITE). memset of as much memory that is already there is what"
        " clearing the pages takes alone.",
    ),
    "map": (
        "Mapping populated objects (thesis, figures 5.4 and 5.5)",
        "An object of 2⁰ to 2²⁰ pages is created and filled; what is measured is mapping it"
        " once more, read-only, reading one word of every page, and unmapping it; as a whole and"
        " in its three parts. Large objects are compared in pairs, the morsel with one peer at a"
        " time, for not all of them fit into memory; the morsel has that many more samples.",
    ),
    "attach": (
        "Mapping against the number of populated pages",
        "One 1-GiB morsel for each number of populated pages is mapped as a whole, read-only,"
        " and unmapped; with, and without, touching one page in between. The tables in the"
        " process are one entry whatever is populated, so the time is to be constant.",
    ),
    "growth": (
        "How cost grows",
        "One quantity is varied at a time: the order of the morsel, the number of processes that"
        " have it attached already, the number of processors that run the process while it is"
        " detached, and how far apart populated pages are, against the memory of the tables.",
    ),
    "transfer": (
        "Transfer between address spaces (thesis, figures 5.6 and 5.7)",
        "A sender maps a packet of 32 MiB, fills it word by word, unmaps it and sends a reference"
        " through a pipe (a descriptor through a socket); the receiver opens and maps it, reads"
        " one word of every page, unmaps it and sends the reference back. Five packets"
        " circulate. A sample is the time between two packets as the receiver sees them, once"
        " the first ones are through. For pipes the data itself goes through one of 1 MiB, by"
        " write or vmsplice. “filling alone” fills packets that stay mapped and sends nothing:"
        " the limit. In fewer rounds the same with memset, for which libc takes a string"
        " instruction that emulators are slow at.",
    ),
    "memcached": (
        "memcached (thesis, figure 5.8)",
        "A stock memcached whose slab memory lies in a morsel, beside the unmodified one with the"
        " same preallocation, both under load from a real client, by turns. The latency"
        " distribution is on an inverse logarithmic scale, which shows rare spikes.",
    ),
    "model": (
        "A model loads",
        "Processes, one after the other as servers start, map a weights object of several GiB"
        " that is already in memory, and all of them stay; the time is the sum over all. Until"
        " every page is mapped: mmap with MAP_POPULATE, the quickest way of the peers; mmap and"
        " the first touch of a morsel, which maps all of it. And until one word of every page"
        " was read.",
    ),
    "processes": (
        "Many processes",
        "Up to 1000 processes map the same populated object, read one word of every page, and"
        " stay. Page-table memory is how much PageTables in /proc/meminfo has grown; “no"
        " object” are processes that map nothing, whose own tables the bar leaves out on both"
        " sides. The time is for each process. Peers run one after the other, not interleaved.",
    ),
    "fork": (
        "fork of a process with populated memory",
        "A process maps a region and writes to every page of it; measured is the time until fork"
        " returns in the parent, whose child ends at once. The morsel is compared with one peer"
        " at a time, for not all fit into memory; it has that many more samples.",
    ),
    "files": (
        "Files of morselfs beside files of tmpfs",
        "In each of the two file systems the same files. Mapped: as with objects, the file is"
        " mapped, one byte of every page is read, and it is unmapped; by faults and, in tmpfs, with"
        " MAP_POPULATE. Opened: open, mmap, close and munmap, with and without a touch of the first"
        " page; the files are full, but for the largest, which has no more than that page. Read"
        " and written: 256 MiB by pread or pwrite, 1 MiB at a time. A file that is written over or"
        " read is full; a new one is created, and removed after the time was taken; a sparse one"
        " has nothing in it.",
    ),
    "build": (
        "git clone and make on morselfs and on tmpfs",
        "A git repository of some 2800 files is cloned (from a file system that is neither of the"
        " two), the library and the tool of this project in it are compiled and linked, by as many"
        " processes as there are processors, with the compiler’s own files in the same file system,"
        " and all of it is removed again.",
    ),
    "contention": (
        "Beyond this machine: simulated contention",
        "Not a measurement of time: accesses of the fault path to shared memory are recorded and"
        " replayed into a small model of cache coherence, which counts the cache lines that move"
        " from one CPU to another, per fault. What the model leaves out stands in"
        " docs/performance.md.",
    ),
    "pmem": (
        "Files on persistent memory",
        "morselfs on an emulated NVDIMM, ext4 and XFS (DAX) on another of the same size, morselfs"
        " in memory; one boot. A full file of 1 GiB is mapped, one byte of every page is read, and"
        " it is unmapped; touched again, nothing faults, so what is left is the processor’s. A new"
        " one is populated by writing to each of its pages. ext4 and XFS may use entries of 2 MiB"
        " where their extents allow it. The allocator: kernel threads, each on a processor of its"
        " own, take a frame and give it back, from the pool’s allocator and from the kernel’s"
        " (order 0, its frames not cleared). Mounting: the machine is killed while the device holds"
        " 8 GiB of files and names are moved; the time of mount(8) after that, and again after each"
        " of some more kills.",
    ),
}
