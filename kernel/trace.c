// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace.c - the tracepoints of trace.h come to be here
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
