# SPDX-License-Identifier: GPL-2.0-only
# What bench/memcached needs besides a script.

TOOL_SOURCES := memcached-hook.c memcached-probe.c
TOOLS := $(addprefix $(OUT)/,memcached-hook.so memcached-probe)

$(OUT)/memcached-hook.so: memcached-hook.c $(LIB) | $(OUT)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC $(LDFLAGS) -shared -o $@ $< $(LIB)

$(OUT)/memcached-probe: memcached-probe.c | $(OUT)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -pthread
