/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations on traffic control of host-node/abi/ over rtnetlink: qdiscs at the root and for
 * what comes in, and filters that send it elsewhere. It refuses to work out rates and to choose
 * prefs: the core does.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "abi.gen.h"
#include "ip.h"
#include "link.h"
#include "netns.h"
#include "shapes.gen.h"
#include "text.h"

enum {
    PREF_MAX = 0xffff,
    /** ETH_P_ALL in network order, the low half of a filter's tcm_info; the other is its pref. */
    PROTOCOL_ALL = 0x0300,
    /** flowid 1:1, which tc(8) users write and nothing reads. */
    CLASS_ANY = 0x10001,
};

/** The handle of an ingress or clsact qdisc, and where its filters of arrivals hang. */
static const uint32_t INGRESS_HANDLE = 0xffff0000;
static const uint32_t INGRESS_FILTERS = 0xfffffff2;

static struct request *request_tcmsg(struct request *request, int32_t ifindex, uint32_t handle,
    uint32_t parent, uint32_t info)
{
    struct tcmsg body = {
        .tcm_family = AF_UNSPEC,
        .tcm_ifindex = ifindex,
        .tcm_handle = handle,
        .tcm_parent = parent,
        .tcm_info = info,
    };
    request_append(request, &body, sizeof body);
    return request;
}

/* Qdiscs */

/** Kind and options of an RTM_NEWQDISC or RTM_NEWTFILTER. */
struct parts {
    struct span kind;
    struct view options;
};

static struct parts parse_parts(const struct message *message)
{
    struct parts parts = {.kind = {"", 0}, .options = {NULL, NULL}};
    struct view attrs = view_from(message->body, sizeof(struct tcmsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == TCA_KIND) parts.kind = view_text(attr.value);
        else if (attr.type == TCA_OPTIONS) parts.options = attr.value;
    }
    return parts;
}

static void visit_qdisc(struct reply *reply, const struct message *message, void *context)
{
    bool *found = context;
    struct parts parts = parse_parts(message);
    struct qdisc_shape qdisc = {
        .kind = parts.kind,
        .handle = view_u32(message->body, offsetof(struct tcmsg, tcm_handle)),
    };
    uint64_t rate64 = 0;
    struct attr attr;
    while (span_is(parts.kind, "tbf") && attr_next(&parts.options, &attr)) {
        if (attr.type == TCA_TBF_RATE64) {
            rate64 = view_u32(attr.value, 0) | (uint64_t)view_u32(attr.value, 4) << 32;
        } else if (attr.type == TCA_TBF_PARMS) {
            qdisc.rate = view_u32(attr.value, offsetof(struct tc_tbf_qopt, rate.rate));
            qdisc.limit = view_u32(attr.value, offsetof(struct tc_tbf_qopt, limit));
            qdisc.buffer = view_u32(attr.value, offsetof(struct tc_tbf_qopt, buffer));
        }
    }
    reply_begin(reply);
    if (rate64 > qdisc.rate) qdisc.rate = rate64;
    write_qdisc(reply, &qdisc);
    *found = true;
}

int32_t kernel_qdisc_get(struct host *host, int32_t ns, int32_t ifindex, int32_t parent)
{
    struct netlink *netlink;
    bool found = false;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    // The answer goes to whoever wants to hear of changes; ECHO makes that the asker too. Of
    // qdiscs that are built in, such as noqueue, the kernel says nothing.
    struct request *get = request_command(RTM_GETQDISC, NLM_F_ECHO);
    request_tcmsg(get, ifindex, 0, (uint32_t)parent, 0);
    status = netlink_get(netlink, &host->reply, get, visit_qdisc, &found);
    if (status < 0) return status;
    return found ? reply_end(&host->reply) : -ENOENT;
}

int32_t kernel_qdisc_add_ingress(struct host *host, int32_t ns, int32_t ifindex)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *add = request_command(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
    request_tcmsg(add, ifindex, INGRESS_HANDLE, TC_H_INGRESS, 0);
    request_text(add, TCA_KIND, span_of("ingress"));
    return netlink_run(netlink, &host->reply, add);
}

int32_t kernel_qdisc_add_tbf(struct host *host, int32_t ns, int32_t ifindex, int32_t handle,
    int32_t rate_low, int32_t rate_high, int32_t limit_bytes, int32_t buffer_ticks)
{
    struct netlink *netlink;
    // Without one the kernel would choose it.
    if (handle == 0) return reply_fail(&host->reply, EINVAL, "a qdisc needs a handle");
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *add = request_command(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
    request_tcmsg(add, ifindex, (uint32_t)handle, TC_H_ROOT, 0);
    request_text(add, TCA_KIND, span_of("tbf"));
    uint32_t options = request_nest(add, TCA_OPTIONS);
    struct tc_tbf_qopt parms = {
        .rate.rate = rate_high == 0 ? (uint32_t)rate_low : UINT32_MAX,
        .limit = (uint32_t)limit_bytes,
        .buffer = (uint32_t)buffer_ticks,
    };
    request_attr(add, TCA_TBF_PARMS, &parms, sizeof parms);
    if (rate_high != 0) {
        int32_t halves[] = {rate_low, rate_high};
        request_attr(add, TCA_TBF_RATE64, halves, sizeof halves);
    }
    request_end(add, options);
    return netlink_run(netlink, &host->reply, add);
}

int32_t kernel_qdisc_del(struct host *host, int32_t ns, int32_t ifindex, int32_t parent,
    int32_t handle)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *del = request_command(RTM_DELQDISC, 0);
    request_tcmsg(del, ifindex, (uint32_t)handle, (uint32_t)parent, 0);
    return netlink_run(netlink, &host->reply, del);
}

/* Filters */

/** The ifindex that an action redirects to, 0 when it is of another kind. */
static uint32_t redirect_of(struct view action)
{
    struct span kind = {"", 0};
    uint32_t to = 0;
    struct attr attr;
    while (attr_next(&action, &attr)) {
        // The kernel puts the kind before the options.
        if (attr.type == TCA_ACT_KIND) kind = view_text(attr.value);
        if (attr.type != TCA_ACT_OPTIONS || !span_is(kind, "mirred")) continue;
        struct view options = attr.value;
        while (attr_next(&options, &attr)) {
            if (attr.type != TCA_MIRRED_PARMS) continue;
            int32_t what = view_i32(attr.value, offsetof(struct tc_mirred, eaction));
            if (what != TCA_EGRESS_REDIR) continue;
            to = view_u32(attr.value, offsetof(struct tc_mirred, ifindex));
        }
    }
    return to;
}

/** Of what a list is, and whether it has anything. */
struct filters {
    int32_t ifindex;
    bool any;
};

static void visit_filter(struct reply *reply, const struct message *message, void *context)
{
    struct filters *filters = context;
    struct view body = message->body;
    if (view_i32(body, offsetof(struct tcmsg, tcm_ifindex)) != filters->ifindex) return;
    struct parts parts = parse_parts(message);
    uint32_t to = 0;
    struct attr attr;
    while (span_is(parts.kind, "u32") && attr_next(&parts.options, &attr)) {
        if (attr.type != TCA_U32_ACT) continue;
        struct view actions = attr.value;
        while (attr_next(&actions, &attr)) {
            if (to == 0) to = redirect_of(attr.value);
        }
    }
    struct filter_shape filter = {
        .pref = (int32_t)(view_u32(body, offsetof(struct tcmsg, tcm_info)) >> 16),
        .kind = parts.kind,
        .handle = view_u32(body, offsetof(struct tcmsg, tcm_handle)),
        .to = (int32_t)to,
    };
    write_filter(reply, &filter);
    filters->any = true;
}

static void forget_filters(void *context)
{
    struct filters *filters = context;
    filters->any = false;
}

int32_t kernel_filter_list(struct host *host, int32_t ns, int32_t ifindex)
{
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    struct filters filters = {.ifindex = ifindex};
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *list = request_dump(RTM_GETTFILTER);
    request_tcmsg(list, ifindex, 0, INGRESS_FILTERS, 0);
    reply_list(reply);
    status = netlink_dump(netlink, reply, list, visit_filter, forget_filters, &filters);
    // Nothing to list, or nothing to list it of: the second is ENODEV.
    if (status == 0 && !filters.any) status = link_visit(netlink, reply, ifindex, NULL, NULL);
    if (status < 0) return status;
    reply_list_end(reply);
    return reply_end(reply);
}

/** tcm_info of a filter of all protocols; -EINVAL for a pref that the kernel would choose. */
static int32_t filter_info(struct host *host, int32_t pref, uint32_t *into)
{
    if (pref <= 0 || pref > PREF_MAX) {
        return reply_fail(&host->reply, EINVAL, "not a pref: %d", pref);
    }
    *into = (uint32_t)pref << 16 | PROTOCOL_ALL;
    return 0;
}

/** A selector of one key whose mask is 0, which matches everything. */
struct selector {
    struct tc_u32_sel sel;
    struct tc_u32_key key;
};

int32_t kernel_filter_add_redirect(struct host *host, int32_t ns, int32_t ifindex, int32_t pref,
    int32_t to)
{
    struct netlink *netlink;
    uint32_t info = 0;
    int32_t status = filter_info(host, pref, &info);
    if (status == 0) status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *add = request_command(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
    request_tcmsg(add, ifindex, 0, INGRESS_FILTERS, info);
    request_text(add, TCA_KIND, span_of("u32"));
    uint32_t options = request_nest(add, TCA_OPTIONS);
    request_u32(add, TCA_U32_CLASSID, CLASS_ANY);
    struct selector all = {.sel = {.flags = TC_U32_TERMINAL, .nkeys = 1}};
    request_attr(add, TCA_U32_SEL, &all, sizeof all);
    uint32_t actions = request_nest(add, TCA_U32_ACT);
    uint32_t first = request_nest(add, 1);
    request_text(add, TCA_ACT_KIND, span_of("mirred"));
    uint32_t data = request_nest(add, TCA_ACT_OPTIONS);
    struct tc_mirred parms = {
        .action = TC_ACT_STOLEN,
        .eaction = TCA_EGRESS_REDIR,
        .ifindex = (uint32_t)to,
    };
    request_attr(add, TCA_MIRRED_PARMS, &parms, sizeof parms);
    request_end(add, data);
    request_end(add, first);
    request_end(add, actions);
    request_end(add, options);
    return netlink_run(netlink, &host->reply, add);
}

int32_t kernel_filter_del(struct host *host, int32_t ns, int32_t ifindex, int32_t pref,
    int32_t handle)
{
    struct netlink *netlink;
    uint32_t info = 0;
    int32_t status = filter_info(host, pref, &info);
    if (status == 0) status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *del = request_command(RTM_DELTFILTER, 0);
    request_tcmsg(del, ifindex, (uint32_t)handle, INGRESS_FILTERS, info);
    request_text(del, TCA_KIND, span_of("u32"));
    return netlink_run(netlink, &host->reply, del);
}
