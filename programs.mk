# SPDX-License-Identifier: GPL-2.0-only
# What the Makefiles of programs that link libmorsel statically share.  They set
# TOP and OUT before they include it, and say what "all" is.

LIB := $(TOP)/build/lib/libmorsel.a

CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -Wall -Wextra -Werror=implicit-function-declaration
override CPPFLAGS += -D_GNU_SOURCE -I$(TOP)/include/uapi -I$(TOP)/lib

all:

# The library's own Makefile knows when it is up to date.
$(LIB): FORCE
	@$(MAKE) --no-print-directory -C $(TOP)/lib

$(OUT):
	mkdir -p $@

clean:
	rm -rf $(OUT)

FORCE:

.PHONY: all clean FORCE
