# SPDX-License-Identifier: GPL-2.0-only
# What bench/memcached and bench/flame need besides scripts.

TOOL_SOURCES := memcached-hook.c memcached-probe.c flame-load.c
TOOLS := $(addprefix $(OUT)/,memcached-hook.so memcached-probe flame-load)

$(OUT)/memcached-hook.so: memcached-hook.c $(LIB) | $(OUT)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC $(LDFLAGS) -shared -o $@ $< $(LIB)

$(OUT)/memcached-probe: memcached-probe.c | $(OUT)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -pthread

# perf walks the stack by frame pointers.
$(OUT)/flame-load: flame-load.c $(LIB) | $(OUT)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fno-omit-frame-pointer $(LDFLAGS) -o $@ $< $(LIB) -pthread
