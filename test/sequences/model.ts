// SPDX-License-Identifier: Apache-2.0
// What must hold after every call of a random sequence: the attachments that live or have left
// something, and which lines of the state are theirs. It is made of the texts that go in and come
// out, and shares no code with the core. Anything that goes or comes beside what it expects is a
// violation.
import { codeOf, Violation } from '../support/answer.ts';
import { type Call, type FaultMode, isRecordOf, ownerOf, recordPath } from './call.ts';
import { NETWORKS, type Network, type Pool } from './networks.ts';
import { hostEnds, isAbout, type Look, leaseOf, minus, plain } from './state.ts';
import { checkAttached, type Result } from './wiring.ts';

/** What an attachment has on the node, whole or in part. */
export interface Remains {
  readonly network: Network;
  readonly id: string;
  readonly ifname: string;
  /** The namespace of its last ADD, by name. */
  netns: string;
  lines: Set<string>;
  /** All its lines after an ADD that succeeded, as long as none of them changed. */
  whole: ReadonlySet<string>;
  /** The result of its last ADD, and which call of the sequence that was. */
  result: { readonly document: Result; readonly call: number } | undefined;
}

/** What a call may do. */
export interface Expected {
  /** The codes it may answer with, 0 for success. */
  readonly codes: readonly number[] | 'any';
  readonly mustGo: ReadonlySet<string>;
  readonly mayGo: ReadonlySet<string>;
  /**
   * Lines of its attachment, and of what its network shares: they may come, they come and are
   * undone again, or they never do.
   */
  readonly come: 'stay' | 'undone' | 'never';
}

/** The code of an answer, and what is worth counting. */
export interface Judged {
  readonly code: number;
  readonly notes: readonly string[];
}

const NOTHING: ReadonlySet<string> = new Set();
const refused = (...codes: number[]): Expected => ({
  codes,
  mustGo: NOTHING,
  mayGo: NOTHING,
  come: 'never',
});

const isRecord = (line: string): boolean => line.startsWith('file /run/fairlead/attachments/');

/** Whether a line is a record with some of the effects that another line has. */
function isPartOf(line: string, whole: string): boolean {
  const path = line.slice(0, line.indexOf(' "') + 1);
  if (!whole.startsWith(path)) return false;
  const [part, all] = [line, whole].map((text) => {
    const { effects, ...head } = JSON.parse(JSON.parse(text.slice(path.length)) as string) as {
      readonly effects: readonly unknown[];
    };
    return { head: JSON.stringify(head), effects: effects.map((one) => JSON.stringify(one)) };
  });
  if (part === undefined || all === undefined || part.head !== all.head) return false;
  return part.effects.every((one) => all.effects.includes(one));
}

export class Model {
  lines: ReadonlySet<string>;
  remains: Remains[] = [];
  /** Bridges that a disturbed ADD made: they may lack the pinned MAC and be down. */
  readonly loose = new Set<string>();
  #results = new Map<string, Remains['result']>();

  constructor(look: Look) {
    this.lines = look.lines;
  }

  find(network: Network, id: string, ifname: string): Remains | undefined {
    return this.remains.find(
      (item) => item.network === network && item.id === id && item.ifname === ifname,
    );
  }

  /** The last result of an attachment, be it gone since. */
  resultOf(network: Network, id: string, ifname: string): Remains['result'] {
    return this.#results.get(`${network.name} ${id} ${ifname}`);
  }

  /** Whether all of it is there but, maybe, its record. */
  intact(item: Remains): boolean {
    if (item.whole.size === 0) return false;
    return [...item.whole].every((line) => isRecord(line) || item.lines.has(line));
  }

  netnsName(path: string): string {
    return path.startsWith('/run/netns/') ? path.slice('/run/netns/'.length) : '';
  }

  hasNetns(name: string): boolean {
    return this.lines.has(`netns ${name}`);
  }

  /** The attachment whose record stands for the container and interface. */
  recorded(id: string, ifname: string): Remains | undefined {
    const path = `file ${recordPath(id, ifname)} `;
    return this.remains.find((item) => [...item.lines].some((line) => line.startsWith(path)));
  }

  /** Whether the link is in the namespace, whoever made it. */
  hasLink(lines: Iterable<string>, netns: string, name: string): boolean {
    const start = `${netns}: link ${name} `;
    for (const line of lines) if (line.startsWith(start)) return true;
    return false;
  }

  /** A lease from before the boot whose owner has no record of the network. */
  stale(line: string, network: Network): boolean {
    const lease = leaseOf(line);
    if (lease === undefined || !lease.old || lease.folder !== network.leases) return false;
    const [id = '', ifname = ''] = lease.owner.split('\r\n');
    return this.recorded(id, ifname)?.network !== network;
  }

  leasesOf(network: Network): string[] {
    return [...this.lines].filter((line) => leaseOf(line)?.folder === network.leases);
  }

  /** Addresses of the pool that somebody has. */
  taken(pool: Pool, network: Network, without: ReadonlySet<string>): string[] {
    return this.leasesOf(network)
      .filter((line) => !without.has(line) && !this.stale(line, network))
      .map((line) => leaseOf(line)?.address ?? '')
      .filter((address) => pool.addresses.some((item) => item.startsWith(`${address}/`)));
  }

  expect(call: Call): Expected {
    if (call.command === 'ADD') return this.#add(call);
    if (call.command === 'DEL') return this.#del(call);
    if (call.command === 'CHECK') return this.#check(call);
    const network = call.network;
    if (network === undefined) return refused(6);
    if (!network.modern) return refused(1);
    return call.command === 'GC' ? this.#gc(network, call.valid) : this.#status(network);
  }

  #add(call: Call): Expected {
    const network = call.network;
    if (network === undefined) return refused(6);
    const netns = this.netnsName(call.netns);
    let healed: ReadonlySet<string> = NOTHING;
    if (network.wires) {
      if (!this.hasNetns(netns) || netns === 'host') return refused(8);
      const old = this.recorded(call.id, call.ifname);
      if (old !== undefined) {
        if (this.hasLink(this.lines, old.netns, old.ifname)) return refused(102);
        healed = old.lines;
      }
    }
    const left = minus(this.lines, healed);
    const stale = new Set(left.filter((line) => this.stale(line, network)));
    const own = (line: string): boolean =>
      leaseOf(line)?.owner === ownerOf(call.id, call.ifname) && stale.has(line);
    const gone = new Set([...healed, ...left.filter(own)]);
    const failed = (code: number): Expected => ({
      codes: [code],
      mustGo: healed,
      mayGo: stale,
      come: 'undone',
    });
    if (network.wires && this.hasLink(left, netns, call.ifname)) return failed(102);
    if (!this.#allocatable(network, call, gone)) return failed(101);
    return { codes: [0], mustGo: gone, mayGo: stale, come: 'stay' };
  }

  /** Whether every pool of the network has an address for the call. */
  #allocatable(network: Network, call: Call, without: ReadonlySet<string>): boolean {
    let wanted = call.requested;
    const own = this.leasesOf(network)
      .filter((line) => !without.has(line))
      .map(leaseOf)
      .filter((lease) => lease?.owner === ownerOf(call.id, call.ifname))
      .map((lease) => lease?.address ?? '');
    for (const pool of network.pools) {
      const holds = (address: string): boolean =>
        pool.addresses.some((item) => item.startsWith(`${address}/`));
      const taken = this.taken(pool, network, without);
      if (wanted !== '' && holds(wanted)) {
        if (taken.includes(wanted)) return false;
        wanted = '';
      } else if (own.some(holds) || taken.length >= pool.addresses.length) return false;
    }
    return wanted === '' || network.pools.length === 0;
  }

  #del(call: Call): Expected {
    const network = call.network;
    const mustGo = new Set<string>();
    const take = (lines: Iterable<string>): void => {
      for (const line of lines) mustGo.add(line);
    };
    const recorded = this.recorded(call.id, call.ifname);
    // A chain that cannot be read has no plugin to remove a link by its name.
    const wired = network?.wires ?? (call.type === 'bridge' || call.type === 'ptp');
    const netns = this.netnsName(call.netns);
    // By its record the pair goes with its host's end; what another has there stays.
    const known = recorded !== undefined && (network === undefined || recorded.network === network);
    if (wired && !known && netns !== '' && netns !== 'host' && this.hasNetns(netns)) {
      if (!this.#held(netns, call, network)) take(this.aboutPair(netns, call.ifname));
    }
    if (network === undefined) {
      if (recorded !== undefined && call.type !== 'host-local') take(recorded.lines);
      return { codes: [6], mustGo, mayGo: NOTHING, come: 'never' };
    }
    const own = this.find(network, call.id, call.ifname);
    for (const line of own?.lines ?? []) {
      const lease = leaseOf(line) !== undefined;
      // The folder that the configuration names holds none of its leases; the record knows better.
      if (!(call.moved && lease) || recorded === own) mustGo.add(line);
    }
    return { codes: [0], mustGo, mayGo: NOTHING, come: 'never' };
  }

  /** Whether by a record the interface is another container's, or of another network. */
  #held(netns: string, { id, ifname }: Call, network: Network | undefined): boolean {
    return this.remains.some(
      (item) =>
        item.netns === netns &&
        item.ifname === ifname &&
        (item.id !== id || item.network !== network) &&
        [...item.lines].some(isRecord),
    );
  }

  /** Lines of a container's link and of its other end. */
  aboutPair(netns: string, ifname: string): string[] {
    const ends = hostEnds(this.lines, netns, ifname);
    return [...this.lines].filter(
      (line) => isAbout(line, netns, ifname) || ends.some((end) => isAbout(line, 'host', end)),
    );
  }

  #check(call: Call): Expected {
    const network = call.network;
    if (network === undefined) return refused(6);
    const own = this.find(network, call.id, call.ifname);
    if (!network.wires) {
      const leased = [...(own?.lines ?? [])].some((line) => leaseOf(line) !== undefined);
      return refused(leased ? 0 : 103);
    }
    const netns = this.netnsName(call.netns);
    if (!this.hasNetns(netns) || netns === 'host') return refused(8);
    if (call.prevResult !== 'own') return refused(7, 103);
    // The MAC of a bridge that is not finished follows its ports, and CHECK sees it change.
    const loose = this.loose.has(network.bridge);
    if (own !== undefined && this.intact(own)) return loose ? refused(0, 103) : refused(0);
    // What a disturbed call left may do for CHECK; without its link it never does.
    if (own !== undefined && this.hasLink(own.lines, netns, call.ifname)) return refused(0, 103);
    return refused(103);
  }

  #gc(network: Network, valid: Call['valid']): Expected {
    if (valid === 'wrong') return refused(6, 7);
    if (valid === undefined) return refused(0);
    const mustGo = new Set<string>();
    for (const item of this.remains) {
      if (item.network !== network || valid.has(ownerOf(item.id, item.ifname))) continue;
      const known = [...item.lines].some(isRecord);
      for (const line of item.lines) if (known || leaseOf(line)) mustGo.add(line);
    }
    return { codes: [0], mustGo, mayGo: NOTHING, come: 'never' };
  }

  #status(network: Network): Expected {
    const full = network.pools.some(
      (pool) => this.taken(pool, network, NOTHING).length >= pool.addresses.length,
    );
    return refused(full ? 50 : 0);
  }

  /**
   * Holds an answer and the state after it against what was expected, and takes them over.
   * `after` is looked at only when something may have changed, unless `always`.
   */
  judge(
    call: Call,
    number: number,
    fault: FaultMode | 'none',
    answer: { readonly exit_code: number; readonly stdout: string },
    look: () => Look,
    always: boolean,
  ): Judged {
    const answered = codeOf(answer);
    // Nobody hears what a process says that dies; that it must not trap stays true.
    const code = fault === 'dies' ? -1 : answered;
    const expected = disturbed(this.expect(call), call, fault, code);
    if (expected.codes !== 'any' && !expected.codes.includes(code)) {
      throw new Violation(
        `${call.command} answered ${code}, expected was ${expected.codes.join(' or ')}: ` +
          answer.stdout,
      );
    }
    const still = expected.mustGo.size + expected.mayGo.size === 0 && expected.come === 'never';
    if (still && !always) return { code, notes: [] };
    const loosened = this.#loosen(call, fault, code);
    const after = look();
    checkHints(after.hints);
    if (fault !== 'none') this.#shrink(after.lines);
    const came = this.#compare(call, expected, after.lines);
    const notes = this.#notes(call, expected, after.lines);
    if (call.command === 'ADD' && code === 0) this.#reclaimed(call, expected, after.lines);
    if (loosened !== '' && !this.hasLink(after.lines, 'host', loosened)) {
      this.loose.delete(loosened);
    }
    this.#adopt(call, new Set([...came, ...expected.mustGo]), after.lines);
    if (call.command === 'ADD' && code === 0) this.#attached(call, number, answer.stdout);
    return { code, notes };
  }

  /** A record of which a disturbed call could take back a part says what is left. */
  #shrink(after: ReadonlySet<string>): void {
    for (const line of after) {
      if (!isRecord(line) || this.lines.has(line)) continue;
      const old = [...this.lines].find((one) => isPartOf(line, one));
      if (old === undefined) continue;
      this.lines = new Set([...this.lines].map((one) => (one === old ? line : one)));
      for (const { lines } of this.remains) if (lines.delete(old)) lines.add(line);
    }
  }

  /** Of the leases from before the boot only those may go whose address is given anew. */
  #reclaimed(call: Call, expected: Expected, after: ReadonlySet<string>): void {
    const owner = ownerOf(call.id, call.ifname);
    const given = [...after].map(leaseOf).filter((lease) => lease?.owner === owner);
    for (const line of minus(expected.mayGo, after)) {
      const lease = leaseOf(line);
      if (expected.mustGo.has(line) || given.some((item) => item?.address === lease?.address)) {
        continue;
      }
      throw new Violation(`ADD reclaimed a lease that it did not need: ${line}`);
    }
  }

  /** What an ADD did on its way. */
  #notes(call: Call, expected: Expected, after: ReadonlySet<string>): string[] {
    if (call.command !== 'ADD') return [];
    const old = [...expected.mayGo].some((line) => !after.has(line));
    const healed = [...expected.mustGo].some((line) => !leaseOf(line)?.old);
    return [...(healed ? ['healed'] : []), ...(old ? ['reclaimed'] : [])];
  }

  /** A bridge that a disturbed ADD made, and did not take away, need not be finished. */
  #loosen(call: Call, fault: FaultMode | 'none', code: number): string {
    const bridge = call.network?.bridge ?? '';
    if (call.command !== 'ADD' || fault === 'none' || code === 0 || bridge === '') return '';
    if (this.hasLink(this.lines, 'host', bridge)) return '';
    this.loose.add(bridge);
    return bridge;
  }

  /** Throws unless just what is expected went and came; gives what came. */
  #compare(call: Call, expected: Expected, after: ReadonlySet<string>): string[] {
    const { mustGo, mayGo } = expected;
    const stays = expected.come === 'stay';
    const gone = minus(this.lines, after);
    const came = minus(after, this.lines);
    const kind = (line: string) => kindOf(call, line, after);
    const wrong = [
      ...gone.filter((line) => !mustGo.has(line) && !mayGo.has(line)).map((line) => `- ${line}`),
      // An ADD that heals may make the very line again.
      ...[...mustGo]
        .filter((line) => after.has(line) && !(stays && kind(line) === 'own'))
        .map((line) => `still ${line}`),
      ...came.filter((line) => !stays || kind(line) === 'foreign').map((line) => `+ ${line}`),
    ];
    if (wrong.length === 0) return came;
    throw new Violation(
      `${call.command} changed what it must not, or left what must go:\n${wrong.join('\n')}`,
    );
  }

  /** Takes the lines over. `made`: those of which the call's own become its attachment's. */
  #adopt(call: Call, made: ReadonlySet<string>, after: ReadonlySet<string>): void {
    this.#settle(after);
    const network = call.network;
    if (call.command !== 'ADD' || network === undefined) return;
    const own = [...made].filter((line) => after.has(line) && kindOf(call, line, after) === 'own');
    if (own.length === 0) return;
    const netns = this.netnsName(call.netns);
    const { id, ifname } = call;
    let item = this.find(network, id, ifname);
    if (item === undefined) {
      item = { network, id, ifname, netns, lines: new Set(), whole: NOTHING, result: undefined };
      this.remains.push(item);
    }
    item.netns = netns;
    for (const line of own) item.lines.add(line);
  }

  /** The state is this now: what is gone is nobody's any more. */
  #settle(after: ReadonlySet<string>): void {
    this.lines = after;
    for (const item of this.remains) {
      for (const line of item.lines) if (!after.has(line)) item.lines.delete(line);
    }
    this.remains = this.remains.filter((item) => item.lines.size > 0);
  }

  /** After an ADD that succeeded. */
  #attached(call: Call, number: number, stdout: string): void {
    const network = call.network as Network;
    const item = this.find(network, call.id, call.ifname);
    if (item === undefined) throw new Violation('ADD succeeded and left nothing of its own');
    const document = checkAttached(call, network, stdout, this.lines, item.lines);
    item.whole = new Set(item.lines);
    item.result = { document, call: number };
    this.#results.set(`${network.name} ${call.id} ${call.ifname}`, item.result);
  }

  /** A namespace was destroyed, and maybe made again. */
  netnsGone(name: string, look: Look): void {
    const gone = new Set([...this.lines].filter((line) => line.startsWith(`${name}: `)));
    for (const line of this.lines) {
      const ifname = new RegExp(`^host: link \\S+ .* peer ${name}/(\\S+)`).exec(line)?.[1];
      if (ifname !== undefined) for (const about of this.aboutPair(name, ifname)) gone.add(about);
    }
    const fresh = [`netns ${name}`, `${name}: ${LO_DOWN}`];
    const wanted = new Set(minus(this.lines, gone).filter((line) => line !== fresh[0]));
    if (look.lines.has(`netns ${name}`)) for (const line of fresh) wanted.add(line);
    same(`after namespace ${name} was destroyed`, wanted, look.lines);
    this.#settle(look.lines);
  }

  netnsMade(names: readonly string[], look: Look): void {
    const wanted = new Set(this.lines);
    for (const name of names) wanted.add(`netns ${name}`).add(`${name}: ${LO_DOWN}`);
    same('after namespaces were made', wanted, look.lines);
    this.#settle(look.lines);
  }

  /** Nothing of any attachment is left, and the state is as it was last seen. */
  unchanged(look: Look): void {
    const left = this.remains.flatMap((item) => [...item.lines]);
    const wrong = [
      ...left.map((line) => `left ${line}`),
      ...minus(this.lines, look.lines).map((line) => `- ${line}`),
      ...minus(look.lines, this.lines).map((line) => `+ ${line}`),
    ];
    if (wrong.length > 0) throw new Violation(`in the end:\n${wrong.join('\n')}`);
  }

  /** The machine was started anew: kernel state and /run are empty, leases are old. */
  rebooted(look: Look, namespaces: readonly string[]): void {
    const wanted = new Set<string>();
    for (const name of namespaces) wanted.add(`netns ${name}`).add(`${name}: ${LO_DOWN}`);
    const aged = (line: string): string => (line.endsWith(OLD) ? line : line + OLD);
    for (const line of this.lines) if (leaseOf(line)) wanted.add(aged(line));
    same('after the reboot', wanted, look.lines);
    for (const item of this.remains) item.lines = new Set([...item.lines].map(aged));
    this.loose.clear();
    this.#settle(look.lines);
  }
}

const OLD = ' before-boot';
const LO_DOWN = 'link lo down address 00:00:00:00:00:00 mtu 65536';

function same(when: string, wanted: ReadonlySet<string>, found: ReadonlySet<string>): void {
  const wrong = [
    ...minus(wanted, found).map((line) => `- ${line}`),
    ...minus(found, wanted).map((line) => `+ ${line}`),
  ];
  if (wrong.length > 0)
    throw new Error(`the test's own event went wrong ${when}:\n${wrong.join('\n')}`);
}

/** What a call may do whose operation failed, was done and reported as failed, or was its last. */
function disturbed(plain: Expected, call: Call, fault: FaultMode | 'none', code: number): Expected {
  if (fault === 'none') return plain;
  if (call.command === 'CHECK' || call.command === 'STATUS') return { ...plain, codes: 'any' };
  if (fault !== 'dies' && code === 0) return plain;
  const undone = fault === 'fails' && plain.come === 'stay';
  return {
    codes: 'any',
    mustGo: NOTHING,
    mayGo: new Set([...plain.mustGo, ...plain.mayGo]),
    come: plain.come === 'never' || undone ? 'never' : 'stay',
  };
}

/** Whose a line is that came with a call: its attachment's, its network's, or none of its. */
function kindOf(
  call: Call,
  line: string,
  after: ReadonlySet<string>,
): 'own' | 'shared' | 'foreign' {
  const network = call.network;
  if (network === undefined) return 'foreign';
  if (isLease(call, network, line)) return 'own';
  if (!network.wires) return 'foreign';
  const netns = call.netns.slice('/run/netns/'.length);
  const ends = hostEnds(after, netns, call.ifname);
  const about = isAbout(line, netns, call.ifname) || ends.some((end) => isAbout(line, 'host', end));
  if (about || isRecordOf(call, network, line, false)) return 'own';
  return isShared(network, line) ? 'shared' : 'foreign';
}

function isLease(call: Call, network: Network, line: string): boolean {
  const lease = leaseOf(line);
  if (lease?.owner !== ownerOf(call.id, call.ifname) || lease.old) return false;
  if (lease.folder !== network.leases) return false;
  const all = network.pools.flatMap((pool) => pool.addresses);
  return all.some((item) => item.startsWith(`${lease.address}/`));
}

/** What the containers of a network have in common, and what a bridge brings. */
function isShared(network: Network, line: string): boolean {
  if (line === 'host: sysctl net/ipv4/ip_forward 1') return true;
  if (line === 'host: sysctl net/ipv6/conf/all/forwarding 1') return true;
  const bridge = network.bridge;
  if (bridge === '' || !isAbout(line, 'host', bridge)) return false;
  const words = line.split(' ');
  if (words[1] === 'addr') return network.gateways.includes(words[2] ?? '');
  if (words[1] === 'route') return line.includes(' proto kernel');
  if (words[1] === 'sysctl') return line === `host: sysctl net/ipv6/conf/${bridge}/accept_ra 0`;
  return (
    line === plain(line, new Set([bridge])) || / kind bridge up .* mtu 1500( promisc)?$/.test(line)
  );
}

/** A hint names an address that its pool can give. */
function checkHints(hints: ReadonlyMap<string, string>): void {
  for (const [path, address] of hints) {
    const [, folder = '', index = ''] = /^(.*)\/last_reserved_ip\.(\d+)$/.exec(path) ?? [];
    const network = NETWORKS.find((item) => item.leases === folder);
    const given = network?.pools[Number(index)]?.addresses ?? [];
    if (given.some((item) => item.startsWith(`${address}/`))) continue;
    throw new Violation(`${path} says "${address}", which that range set does not give`);
  }
}
