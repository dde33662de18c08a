/* SPDX-License-Identifier: Apache-2.0 */
/* Generated from host-node/abi/ by `npm run generate`. Do not edit. */

#ifndef FAIRLEAD_SHAPES_GEN_H
#define FAIRLEAD_SHAPES_GEN_H

#include "host.h"

/** A link. */
struct link_shape {
    /** number in its namespace */
    int32_t ifindex;
    /** name */
    struct span name;
    /** IFLA_INFO_KIND, "" for lo and NICs */
    struct span kind;
    /** hardware address, in lower case */
    struct span address;
    /** MTU */
    int32_t mtu_bytes;
    /** IFF_UP */
    bool up;
    /** IFF_PROMISC */
    bool promisc;
    /** IFF_ALLMULTI */
    bool allmulti;
    /** length of the transmit queue, in packets */
    uint32_t txqlen;
    /** state of RFC 2863 in the words of ip(8): up, down, unknown, … */
    struct span operstate;
    /** ifindex of the bridge or VRF that it is in */
    int32_t master;
    /** ifindex of a veth's other end */
    int32_t peer;
    /** of a bridge */
    bool vlan_filtering;
    /** routing table of a VRF */
    uint32_t table;
    /** ifindex of the link that it lies on, in the namespace of that */
    int32_t lower;
    /** of a macvlan or ipvlan, in the words of ip(8) */
    struct span mode;
    /** VLAN ID of a vlan */
    int32_t vid;
    /** IFLA_IFALIAS, what somebody calls it beside its name */
    struct span alias;
    /** the hardware address that it was built with */
    struct span permaddr;
};

/** Writes it. */
void write_link(struct reply *reply, const struct link_shape *from);

/** An address of a link. */
struct address_shape {
    /** address and prefix length */
    struct span address;
    /** rtnetlink(7): 0 global, 253 link, 254 host */
    int32_t scope;
    /** duplicate address detection is going on */
    bool tentative;
    /** it found a duplicate */
    bool dadfailed;
};

/** Writes it. */
void write_address(struct reply *reply, const struct address_shape *from);

/** A route. */
struct route_shape {
    /** destination, always with its prefix length */
    struct span dst;
    /** gateway */
    struct span gw;
    /** preferred source */
    struct span src;
    /** rtnetlink(7) */
    int32_t scope;
    /** routing table; 254 is main */
    uint32_t table;
    /** metric */
    uint32_t priority;
    /** MTU of the path */
    int32_t mtu_bytes;
    /** MSS to advertise, in bytes */
    int32_t advmss;
    /** RTPROT_*, linux/rtnetlink.h */
    int32_t protocol;
};

/** Writes it. */
void write_route(struct reply *reply, const struct route_shape *from);

/** A route with the link it leaves by. */
struct route_to_shape {
    struct route_shape route;
    /** the link */
    int32_t ifindex;
};

/** Writes it. */
void write_route_to(struct reply *reply, const struct route_to_shape *from);

/** A policy routing rule. */
struct fib_rule_shape {
    /** prefix of the source, "" is any */
    struct span src;
    /** routing table, 0 for none */
    uint32_t table;
    /** its place; the least is asked first */
    uint32_t priority;
    /** it asks for more than the source, or does not just look into its table */
    bool more;
};

/** Writes it. */
void write_fib_rule(struct reply *reply, const struct fib_rule_shape *from);

/** A VLAN of a bridge port. */
struct port_vlan_shape {
    /** VLAN ID */
    int32_t vid;
    /** untagged packets that come in are of it */
    bool pvid;
    /** its packets go out untagged */
    bool untagged;
};

/** Writes it. */
void write_port_vlan(struct reply *reply, const struct port_vlan_shape *from);

/** A qdisc; the last three members are those of a tbf. */
struct qdisc_shape {
    /** TCA_KIND */
    struct span kind;
    /** 0 for the kernel's own default */
    uint32_t handle;
    /** rate, in bytes a second */
    uint64_t rate;
    /** what may wait, in bytes */
    uint32_t limit;
    /** time of a burst, in 64 ns */
    uint32_t buffer;
};

/** Writes it. */
void write_qdisc(struct reply *reply, const struct qdisc_shape *from);

/** A filter of incoming packets. */
struct filter_shape {
    /** its place */
    int32_t pref;
    /** TCA_KIND */
    struct span kind;
    /** 0 for the head of a pref */
    uint32_t handle;
    /** ifindex of the link that it redirects to, 0 for none */
    int32_t to;
};

/** Writes it. */
void write_filter(struct reply *reply, const struct filter_shape *from);

/** A rule of a table. */
struct nft_rule_shape {
    /** its chain */
    struct span chain;
    /** its comment */
    struct span comment;
};

/** Writes it. */
void write_nft_rule(struct reply *reply, const struct nft_rule_shape *from);

/** A rule of one chain. */
struct nft_handle_shape {
    /** NFTA_RULE_HANDLE */
    int64_t handle;
    /** its comment */
    struct span comment;
};

/** Writes it. The list `does` and the object stay open. */
void write_nft_handle(struct reply *reply, const struct nft_handle_shape *from);

/** A chain. */
struct nft_chain_shape {
    /** how many rules it has and rules and elements lead to it, in sum */
    uint32_t use;
};

/** Writes it. The list `rules` and the object stay open. */
void write_nft_chain(struct reply *reply, const struct nft_chain_shape *from);

/** A base chain. */
struct nft_base_shape {
    /** NFPROTO_*, linux/netfilter.h */
    int32_t family;
    /** its table */
    struct span table;
    /** its name */
    struct span chain;
    /** place at its hook */
    int32_t priority;
    /** accept or drop */
    struct span policy;
};

/** Writes it. */
void write_nft_base(struct reply *reply, const struct nft_base_shape *from);

/** An element of a set or map. */
struct nft_element_shape {
    /** bytes in hex */
    struct span key;
    /** bytes in hex or a verdict in the words of nft, "" in a set */
    struct span data;
    /** its comment */
    struct span comment;
};

/** Writes it. */
void write_nft_element(struct reply *reply, const struct nft_element_shape *from);

/** A file and what is in it. */
struct named_text_shape {
    /** name in its folder */
    struct span name;
    /** null when it is no UTF-8 or longer than LISTED_MAX_BYTES */
    struct span content;
};

/** Writes it. */
void write_named_text(struct reply *reply, const struct named_text_shape *from);

/** How a program ended and what it said. */
struct ended_shape {
    /** -1 after a signal */
    int32_t exit_code;
    /** name of the signal */
    struct span signal;
    /** standard output */
    struct span stdout_;
    /** standard error */
    struct span stderr_;
};

/** Writes it. */
void write_ended(struct reply *reply, const struct ended_shape *from);

#endif
