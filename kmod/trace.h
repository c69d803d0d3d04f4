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

#ifndef PRIVHEAP_SHOW_RESOURCE
#define PRIVHEAP_SHOW_RESOURCE(resource)				\
	__print_symbolic(resource,					\
			 { PRIVHEAP_RESOURCE_COMMIT, "commit" },	\
			 { PRIVHEAP_RESOURCE_RESIDENT, "resident" })
#define PRIVHEAP_SHOW_LEVEL(level)					\
	__print_symbolic(level,						\
			 { PRIVHEAP_LEVEL_REGION, "region" },		\
			 { PRIVHEAP_LEVEL_PROCESS, "process" },		\
			 { PRIVHEAP_LEVEL_USER, "user" },		\
			 { PRIVHEAP_LEVEL_CGROUP, "cgroup" },		\
			 { PRIVHEAP_LEVEL_SYSTEM, "system" })
#endif

/* A charge of the region @id was refused by @subject of @level. */
TRACE_EVENT(privheap_denial,
	    TP_PROTO(u64 id, unsigned int resource, unsigned int level, u64 subject,
		     unsigned long pages),
	    TP_ARGS(id, resource, level, subject, pages),
	    TP_STRUCT__entry(__field(u64, id)
			     __field(unsigned int, resource)
			     __field(unsigned int, level)
			     __field(u64, subject)
			     __field(unsigned long, pages)
	    ),
	    TP_fast_assign(__entry->id = id;
			   __entry->resource = resource;
			   __entry->level = level;
			   __entry->subject = subject;
			   __entry->pages = pages;
	    ),
	    TP_printk("id=%llu resource=%s level=%s subject=%llu pages=%lu", __entry->id,
		      PRIVHEAP_SHOW_RESOURCE(__entry->resource),
		      PRIVHEAP_SHOW_LEVEL(__entry->level), __entry->subject,
		      __entry->pages)
);

/* @over: the usage rose above the soft limit; else it is back at it or below. */
TRACE_EVENT(privheap_soft,
	    TP_PROTO(unsigned int level, u64 subject, unsigned int resource,
		     unsigned long usage, unsigned long soft, bool over),
	    TP_ARGS(level, subject, resource, usage, soft, over),
	    TP_STRUCT__entry(__field(u64, subject)
			     __field(unsigned int, level)
			     __field(unsigned int, resource)
			     __field(unsigned long, usage)
			     __field(unsigned long, soft)
			     __field(bool, over)
	    ),
	    TP_fast_assign(__entry->subject = subject;
			   __entry->level = level;
			   __entry->resource = resource;
			   __entry->usage = usage;
			   __entry->soft = soft;
			   __entry->over = over;
	    ),
	    TP_printk("level=%s subject=%llu resource=%s usage=%lu soft=%lu over=%d",
		      PRIVHEAP_SHOW_LEVEL(__entry->level), __entry->subject,
		      PRIVHEAP_SHOW_RESOURCE(__entry->resource), __entry->usage,
		      __entry->soft, __entry->over)
);

/* The limits as they are after a change; no limit is LONG_MAX. */
TRACE_EVENT(privheap_limit_set,
	    TP_PROTO(unsigned int level, u64 subject, unsigned int resource,
		     unsigned long soft, unsigned long hard, unsigned long reserve,
		     u64 fail_nth),
	    TP_ARGS(level, subject, resource, soft, hard, reserve, fail_nth),
	    TP_STRUCT__entry(__field(u64, subject)
			     __field(u64, fail_nth)
			     __field(unsigned int, level)
			     __field(unsigned int, resource)
			     __field(unsigned long, soft)
			     __field(unsigned long, hard)
			     __field(unsigned long, reserve)
	    ),
	    TP_fast_assign(__entry->subject = subject;
			   __entry->fail_nth = fail_nth;
			   __entry->level = level;
			   __entry->resource = resource;
			   __entry->soft = soft;
			   __entry->hard = hard;
			   __entry->reserve = reserve;
	    ),
	    TP_printk("level=%s subject=%llu resource=%s soft=%lu hard=%lu reserve=%lu fail_nth=%llu",
		      PRIVHEAP_SHOW_LEVEL(__entry->level), __entry->subject,
		      PRIVHEAP_SHOW_RESOURCE(__entry->resource), __entry->soft,
		      __entry->hard, __entry->reserve, __entry->fail_nth)
);

#endif /* PRIVHEAP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
