// SPDX-License-Identifier: Apache-2.0
// The traffic control operations of the host ABI over rtnetlink: qdiscs at the root and for what
// comes in, and filters that send it elsewhere. Each is one request (filter_list of nothing: a look
// at the link as well). It refuses to work out rates and to choose prefs: the core does.
import { type Filter, type KernelPart, OsError, type Qdisc } from '../abi/index.ts';
import { EINVAL, ENOENT } from '../sys/libc.ts';
import { command, dumpOf } from '../sys/netlink.ts';
import * as rt from '../sys/rtnetlink/index.ts';
import * as tc from '../sys/tc.ts';
import { type Call, dev, type Spaces } from './spaces.ts';

type TcDriver = KernelPart<'qdisc'> & KernelPart<'filter'>;
type Args<K extends keyof TcDriver> = Parameters<TcDriver[K]>[0];

const ADD = rt.NLM_F_CREATE | rt.NLM_F_EXCL;
const U32_ONE_KEY = 1;
const PREF_MAX = 0xffff;
/** flowid 1:1, which tc(8) users write and nothing reads. */
const CLASS_ANY = 0x10001;

/** ENODEV unless the link is there: of one that is not, a dump says nothing. */
function present(spaces: Spaces, ns: number, ifindex: number): void {
  const get = command(rt.RTM_GETLINK).ifinfomsg(rt.AF_UNSPEC, ifindex, 0, 0);
  spaces.socket(ns).run(get.attrU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS));
}

function qdiscGet(spaces: Spaces, { ns, ifindex, parent }: Args<'qdisc_get'>): Qdisc {
  // The answer goes to whoever wants to hear of changes; ECHO makes that the asker too. Of qdiscs
  // that are built in, such as noqueue, the kernel says nothing.
  const get = command(tc.RTM_GETQDISC, rt.NLM_F_ECHO).tcmsg(dev(ifindex), 0, parent);
  const qdisc = spaces.socket(ns).get(get, tc.parseQdisc);
  if (qdisc === undefined) throw new OsError(ENOENT);
  return qdisc;
}

function qdiscAddIngress(spaces: Spaces, { ns, ifindex }: Args<'qdisc_add_ingress'>): void {
  const add = command(tc.RTM_NEWQDISC, ADD)
    .tcmsg(dev(ifindex), tc.INGRESS_HANDLE, tc.TC_H_INGRESS)
    .attrText(tc.TCA_KIND, 'ingress');
  spaces.socket(ns).run(add);
}

function qdiscAddTbf(spaces: Spaces, args: Args<'qdisc_add_tbf'>): void {
  // Without one the kernel would choose it.
  if (args.handle === 0) throw new OsError(EINVAL, 'a qdisc needs a handle');
  const { rate_low, rate_high } = args;
  const add = command(tc.RTM_NEWQDISC, ADD)
    .tcmsg(dev(args.ifindex), args.handle, tc.TC_H_ROOT)
    .attrText(tc.TCA_KIND, 'tbf');
  const options = add.nest(tc.TCA_OPTIONS);
  const parms = add.nest(tc.TCA_TBF_PARMS, 0);
  const ratespec = (rate: number) => add.u32(0).u32(0).u32(rate);
  ratespec(rate_high === 0 ? rate_low : 0xffffffff);
  ratespec(0);
  add.u32(args.limit_bytes).u32(args.buffer_ticks).u32(0).end(parms);
  if (rate_high !== 0) {
    const rate64 = add.nest(tc.TCA_TBF_RATE64, 0);
    add.u32(rate_low).u32(rate_high).end(rate64);
  }
  spaces.socket(args.ns).run(add.end(options));
}

function qdiscDel(spaces: Spaces, { ns, ifindex, parent, handle }: Args<'qdisc_del'>): void {
  spaces.socket(ns).run(command(tc.RTM_DELQDISC).tcmsg(dev(ifindex), handle, parent));
}

function filterList(spaces: Spaces, { ns, ifindex }: Args<'filter_list'>): Filter[] {
  const list = dumpOf(tc.RTM_GETTFILTER).tcmsg(dev(ifindex), 0, tc.INGRESS_FILTERS);
  const filters = spaces.socket(ns).dump<Filter>(list, (message, into) => {
    if (tc.tcIndex(message) === ifindex) into.push(tc.parseFilter(message));
  });
  // Nothing to list, or nothing to list it of: the second is ENODEV.
  if (filters.length === 0) present(spaces, ns, ifindex);
  return filters;
}

/** A pref that may be sent: without one the kernel would choose it, or remove all filters. */
function prefOf(pref: number): number {
  if (pref <= 0 || pref > PREF_MAX) throw new OsError(EINVAL, `not a pref: ${pref}`);
  return pref;
}

function filterAddRedirect(spaces: Spaces, args: Args<'filter_add_redirect'>): void {
  const { ns, ifindex, to } = args;
  const pref = prefOf(args.pref);
  const add = command(tc.RTM_NEWTFILTER, ADD)
    .tcmsg(dev(ifindex), 0, tc.INGRESS_FILTERS, tc.filterInfo(pref))
    .attrText(tc.TCA_KIND, 'u32');
  const options = add.nest(tc.TCA_OPTIONS);
  add.attrU32(tc.TCA_U32_CLASSID, CLASS_ANY);
  // struct tc_u32_sel with one tc_u32_key whose mask is 0: it matches everything.
  const sel = add.nest(tc.TCA_U32_SEL, 0);
  add.u8(tc.TC_U32_TERMINAL).u8(0).u8(U32_ONE_KEY).u8(0).u16(0).u16(0).u16(0).u16(0).u32(0);
  add.u32(0).u32(0).u32(0).u32(0).end(sel);
  const actions = add.nest(tc.TCA_U32_ACT);
  const first = add.nest(1);
  add.attrText(tc.TCA_ACT_KIND, 'mirred');
  const data = add.nest(tc.TCA_ACT_OPTIONS);
  const parms = add.nest(tc.TCA_MIRRED_PARMS, 0);
  // struct tc_mirred: index, capab, action, refcnt, bindcnt, then its own two.
  add.u32(0).u32(0).u32(tc.TC_ACT_STOLEN).u32(0).u32(0).u32(tc.TCA_EGRESS_REDIR).u32(to);
  add.end(parms).end(data).end(first).end(actions).end(options);
  spaces.socket(ns).run(add);
}

function filterDel(spaces: Spaces, { ns, ifindex, pref, handle }: Args<'filter_del'>): void {
  const info = tc.filterInfo(prefOf(pref));
  const del = command(tc.RTM_DELTFILTER)
    .tcmsg(dev(ifindex), handle, tc.INGRESS_FILTERS, info)
    .attrText(tc.TCA_KIND, 'u32');
  spaces.socket(ns).run(del);
}

/** The operations on qdiscs and filters; `call` makes OsErrors of what node throws. */
export function tcOperations(spaces: Spaces, call: Call): TcDriver {
  return {
    qdisc_get: (args) => call(() => qdiscGet(spaces, args)),
    qdisc_add_ingress: (args) => call(() => qdiscAddIngress(spaces, args)),
    qdisc_add_tbf: (args) => call(() => qdiscAddTbf(spaces, args)),
    qdisc_del: (args) => call(() => qdiscDel(spaces, args)),
    filter_list: (args) => call(() => filterList(spaces, args)),
    filter_add_redirect: (args) => call(() => filterAddRedirect(spaces, args)),
    filter_del: (args) => call(() => filterDel(spaces, args)),
  };
}
