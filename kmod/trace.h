/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM privheap

#if !defined(PRIVHEAP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PRIVHEAP_TRACE_H

#include <linux/privheap.h>
#include <linux/tracepoint.h>

/* All sizes and offsets in pages. */

TRACE_EVENT(privheap_create,
	    TP_PROTO(u64 id, unsigned long reserved, unsigned long committed, u32 flags),
	    TP_ARGS(id, reserved, committed, flags),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(unsigned long, reserved)
			     __field(unsigned long, committed)
			     __field(u32, flags)
	    ),
	    TP_fast_assign(__entry->id = id;
			   __entry->reserved = reserved;
			   __entry->committed = committed;
			   __entry->flags = flags;
	    ),
	    TP_printk("id=%llu reserved=%lu committed=%lu flags=%#x",
		      __entry->id, __entry->reserved, __entry->committed, __entry->flags)
);

TRACE_EVENT(privheap_destroy,
	    TP_PROTO(u64 id, unsigned long committed, unsigned long resident),
	    TP_ARGS(id, committed, resident),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(unsigned long, committed)
			     __field(unsigned long, resident)
	    ),
	    TP_fast_assign(__entry->id = id;
			   __entry->committed = committed;
			   __entry->resident = resident;
	    ),
	    TP_printk("id=%llu committed=%lu resident=%lu",
		      __entry->id, __entry->committed, __entry->resident)
);

DECLARE_EVENT_CLASS(privheap_range,
		    TP_PROTO(u64 id, unsigned long first, unsigned long pages,
			     unsigned long changed),
		    TP_ARGS(id, first, pages, changed),
		    TP_STRUCT__entry(__field(u64, id)
				     __field(unsigned long, first)
				     __field(unsigned long, pages)
				     __field(unsigned long, changed)
		    ),
		    TP_fast_assign(__entry->id = id;
				   __entry->first = first;
				   __entry->pages = pages;
				   __entry->changed = changed;
		    ),
		    TP_printk("id=%llu first=%lu pages=%lu changed=%lu",
			      __entry->id, __entry->first, __entry->pages, __entry->changed)
);

DEFINE_EVENT(privheap_range, privheap_commit,
	     TP_PROTO(u64 id, unsigned long first, unsigned long pages, unsigned long changed),
	     TP_ARGS(id, first, pages, changed)
);

DEFINE_EVENT(privheap_range, privheap_decommit,
	     TP_PROTO(u64 id, unsigned long first, unsigned long pages, unsigned long changed),
	     TP_ARGS(id, first, pages, changed)
);

TRACE_EVENT(privheap_populate,
	    TP_PROTO(u64 id, unsigned long first, unsigned int order),
	    TP_ARGS(id, first, order),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(unsigned long, first)
			     __field(unsigned int, order)
	    ),
	    TP_fast_assign(__entry->id = id;
			   __entry->first = first;
			   __entry->order = order;
	    ),
	    TP_printk("id=%llu first=%lu order=%u",
		      __entry->id, __entry->first, __entry->order)
);

TRACE_EVENT(privheap_denial,
	    TP_PROTO(u64 id, unsigned int resource, unsigned int level, unsigned long pages),
	    TP_ARGS(id, resource, level, pages),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(unsigned int, resource)
			     __field(unsigned int, level)
			     __field(unsigned long, pages)
	    ),
	    TP_fast_assign(__entry->id = id;
			   __entry->resource = resource;
			   __entry->level = level;
			   __entry->pages = pages;
	    ),
	    TP_printk("id=%llu resource=%s level=%s pages=%lu", __entry->id,
		      __print_symbolic(__entry->resource,
				       { PRIVHEAP_RESOURCE_COMMIT, "commit" },
				       { PRIVHEAP_RESOURCE_RESIDENT, "resident" }),
		      __print_symbolic(__entry->level,
				       { PRIVHEAP_LEVEL_REGION, "region" },
				       { PRIVHEAP_LEVEL_PROCESS, "process" },
				       { PRIVHEAP_LEVEL_USER, "user" },
				       { PRIVHEAP_LEVEL_CGROUP, "cgroup" },
				       { PRIVHEAP_LEVEL_SYSTEM, "system" }),
		      __entry->pages)
);

#endif /* PRIVHEAP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
