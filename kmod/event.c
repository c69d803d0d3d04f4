// SPDX-License-Identifier: GPL-2.0-only
/*
 * What observers are told, by multicast: things happen under locks and in page
 * faults, so they are noted there, and told by a worker.
 */
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "event.h"
#include "netlink.h"
#include "netlink_put.h"
#include "number.h"
#include "subject.h"
#include "viewer.h"

/*
 * So many wait to be told; more are lost, and counted. Denials, which one program
 * can make in any number, leave room for others.
 */
#define EVENTS_MAX	1024
#define DENIALS_MAX	(EVENTS_MAX / 2)

/**
 * struct privheap_event - something that happened
 * @list: in event_queue
 * @seq: its number
 * @time: when, in nanoseconds of CLOCK_MONOTONIC
 * @command: PRIVHEAP_CMD_*_NTF
 * @resource: PRIVHEAP_RESOURCE_*, of a quota's event
 * @request: bytes that were refused; 0 in other events
 * @region_id: the region that was refused them
 * @region: of a region's event: the region at that time
 * @quota: of a quota's event: the quota at that time
 */
struct privheap_event {
	struct list_head list;
	u64 seq;
	u64 time;
	u8 command;
	u32 resource;
	u64 request;
	u64 region_id;
	union {
		struct privheap_region_info region;
		struct privheap_quota_info quota;
	};
};

static void event_work(struct work_struct *work);

/* Guards the four below. Taken under quota.watch_lock; only queue_work() inside. */
static DEFINE_SPINLOCK(event_lock);
static LIST_HEAD(event_queue);
static unsigned int event_count;
static u64 event_last_seq;
static bool event_running;

static DECLARE_WORK(event_worker, event_work);
/*
 * The worker's own: the number of the last event that was told, and that up to
 * which listeners know how many there were.
 */
static u64 event_told_seq;
static u64 event_known_seq;

static bool is_region_event(const struct privheap_event *event)
{
	return event->command == PRIVHEAP_CMD_REGION_CREATE_NTF ||
	       event->command == PRIVHEAP_CMD_REGION_DESTROY_NTF;
}

static void event_free(struct privheap_event *event)
{
	if (!event)
		return;
	put_pid(is_region_event(event) ? event->region.pid : event->quota.pid);
	kfree(event);
}

/* Nobody listens, as nearly always: one look at a bit, and no more. */
static bool event_wanted(void)
{
	return genl_has_listeners(&privheap_family, &init_net, PRIVHEAP_GROUP_EVENTS);
}

/*
 * Number an event and have it told; a lost one, NULL, takes a number as well.
 * Events are told in the order that this is called in.
 */
static void event_queue_add(struct privheap_event *event)
{
	unsigned int max = EVENTS_MAX;

	if (event && event->command == PRIVHEAP_CMD_QUOTA_DENIED_NTF)
		max = DENIALS_MAX;
	spin_lock(&event_lock);
	if (event_running) {
		event_last_seq++;
		if (event && event_count < max) {
			event->seq = event_last_seq;
			event->time = ktime_get_ns();
			list_add_tail(&event->list, &event_queue);
			event_count++;
			event = NULL;
		}
		/* Not one that looks at how long a worker runs. */
		queue_work(system_unbound_wq, &event_worker);
	}
	spin_unlock(&event_lock);
	event_free(event);
}

static int put_event(struct sk_buff *skb, const struct privheap_event *event, u64 lost)
{
	struct nlattr *nest = nla_nest_start(skb, PRIVHEAP_A_EVENT);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, PRIVHEAP_A_EVENT_SEQ, event->seq,
			      PRIVHEAP_A_EVENT_PAD) ||
	    (lost && nla_put_u64_64bit(skb, PRIVHEAP_A_EVENT_LOST, lost,
				       PRIVHEAP_A_EVENT_PAD)) ||
	    nla_put_u64_64bit(skb, PRIVHEAP_A_EVENT_TIME, event->time,
			      PRIVHEAP_A_EVENT_PAD))
		return -EMSGSIZE;
	if (!is_region_event(event) &&
	    nla_put_u32(skb, PRIVHEAP_A_EVENT_RESOURCE, event->resource))
		return -EMSGSIZE;
	if (event->command == PRIVHEAP_CMD_QUOTA_DENIED_NTF &&
	    (nla_put_u64_64bit(skb, PRIVHEAP_A_EVENT_REQUEST, event->request,
			       PRIVHEAP_A_EVENT_PAD) ||
	     nla_put_u64_64bit(skb, PRIVHEAP_A_EVENT_REGION_ID, event->region_id,
			       PRIVHEAP_A_EVENT_PAD)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static void event_tell(const struct privheap_event *event)
{
	const struct privheap_viewer *viewer = &privheap_viewer_listeners;
	struct sk_buff *skb = genlmsg_new(PRIVHEAP_MESSAGE_SIZE, GFP_KERNEL);
	void *header;
	int ret;

	/* Lost, as the next event will say. */
	if (!skb)
		return;
	header = genlmsg_put(skb, 0, 0, &privheap_family, 0, event->command);
	ret = is_region_event(event) ?
	      privheap_put_region(skb, viewer, &event->region) :
	      privheap_put_quota(skb, viewer, &event->quota);
	if (WARN_ON_ONCE(!header || ret ||
			 put_event(skb, event, event->seq - event_told_seq - 1))) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, header);
	/* A listener that is too slow learns so by ENOBUFS; others have got it. */
	genlmsg_multicast_netns(&privheap_family, &init_net, skb, 0,
				PRIVHEAP_GROUP_EVENTS, GFP_KERNEL);
	event_told_seq = event->seq;
	event_known_seq = event->seq;
}

/*
 * Of lost events the next one tells, but behind the last there is none for now:
 * listeners learn of them as of messages that they had no room for, and can look
 * at what is so by themselves.
 */
static void event_tell_lost(void)
{
	u64 last = event_known_seq;

	spin_lock(&event_lock);
	/* What has come meanwhile is not lost: the worker is to run once more. */
	if (list_empty(&event_queue))
		last = event_last_seq;
	spin_unlock(&event_lock);
	if (last == event_known_seq)
		return;
	event_known_seq = last;
	genl_set_err(&privheap_family, &init_net, 0, PRIVHEAP_GROUP_EVENTS, -ENOBUFS);
}

static struct privheap_event *event_queue_take(void)
{
	struct privheap_event *event;

	spin_lock(&event_lock);
	event = list_first_entry_or_null(&event_queue, struct privheap_event, list);
	if (event) {
		list_del(&event->list);
		event_count--;
	}
	spin_unlock(&event_lock);
	return event;
}

static void event_work(struct work_struct *work)
{
	struct privheap_event *event;

	while ((event = event_queue_take())) {
		event_tell(event);
		event_free(event);
		cond_resched();
	}
	event_tell_lost();
}

/**
 * privheap_event_region() - a region is there, or about to go
 * @region: the region, with what it holds
 * @created: which of the two
 *
 * May sleep.
 */
void privheap_event_region(struct privheap_region *region, bool created)
{
	struct privheap_event *event;

	if (!event_wanted())
		return;
	event = kzalloc(sizeof(*event), GFP_KERNEL | __GFP_NOWARN);
	if (event) {
		event->command = created ? PRIVHEAP_CMD_REGION_CREATE_NTF :
					   PRIVHEAP_CMD_REGION_DESTROY_NTF;
		privheap_region_read(region, &event->region);
	}
	event_queue_add(event);
}

static struct privheap_event *quota_event(struct privheap_quota *quota, u8 command,
					  unsigned int resource)
{
	struct privheap_event *event = kzalloc(sizeof(*event), GFP_NOWAIT | __GFP_NOWARN);

	if (!event)
		return NULL;
	event->command = command;
	event->resource = resource;
	privheap_quota_read(quota, &event->quota);
	return event;
}

/**
 * privheap_event_soft() - a soft limit was crossed
 * @quota: of this quota; its watch_lock is held, so that events are in order
 * @resource: PRIVHEAP_RESOURCE_*
 * @over: whether the usage rose above the limit, or is back at it or below
 *
 * Does not sleep.
 */
void privheap_event_soft(struct privheap_quota *quota, unsigned int resource, bool over)
{
	if (event_wanted())
		event_queue_add(quota_event(quota, over ? PRIVHEAP_CMD_QUOTA_SOFT_NTF :
						   PRIVHEAP_CMD_QUOTA_BELOW_NTF,
					    resource));
}

/**
 * privheap_event_denied() - a hard limit refused a charge
 * @quota: whose limit
 * @resource: PRIVHEAP_RESOURCE_*
 * @pages: the charge
 * @region_id: the region it was for
 *
 * Does not sleep.
 */
void privheap_event_denied(struct privheap_quota *quota, unsigned int resource,
			   unsigned long pages, u64 region_id)
{
	struct privheap_event *event;

	if (!event_wanted())
		return;
	event = quota_event(quota, PRIVHEAP_CMD_QUOTA_DENIED_NTF, resource);
	if (event) {
		event->request = (u64)pages << PAGE_SHIFT;
		event->region_id = region_id;
	}
	event_queue_add(event);
}

/**
 * privheap_event_start() - from now on events are told
 */
void privheap_event_start(void)
{
	spin_lock(&event_lock);
	event_running = true;
	spin_unlock(&event_lock);
}

/**
 * privheap_event_stop() - tell what is there, and no more
 */
void privheap_event_stop(void)
{
	spin_lock(&event_lock);
	event_running = false;
	spin_unlock(&event_lock);
	/* It leaves when the queue is empty. */
	flush_work(&event_worker);
}
