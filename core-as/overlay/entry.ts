// SPDX-License-Identifier: Apache-2.0
// What the kernel holds for the overlay, an entry a line in the words of iproute2:
//
//   addr 10.244.1.1/32 dev fl.1
//   peer PUBLICKEY endpoint 192.0.2.2:51820 allowed-ips 10.244.2.0/24 keepalive 25 dev fl.1
//   neigh 10.244.2.0 lladdr 02:… dev fl.1
//   fdb 02:… dst 192.0.2.2 dev fl.1
//   route 10.244.2.0/24 via 10.244.2.0 dev fl.1 src 10.244.1.1 onlink mtu 1400
//
// A host writes what it sees in exactly this form, so two are the same when their texts are. An
// entry's key is what the kernel has one of. It refuses to know which entries ought to be.

/** The order in which kinds are made: a route comes last, or the kernel asks for neighbours. */
const KINDS: string[] = ["addr", "fdb", "neigh", "peer", "route"];

/** The place of its kind in the order of making; that of removal is the reverse. */
export function entry_order(entry: string): i32 {
  return KINDS.indexOf(word(entry, 0));
}

/** What the kernel has one of: a destination and metric, a neighbour or MAC and its device. */
export function entry_key(entry: string): string {
  const kind = word(entry, 0);
  if (kind == "route") {
    const first = word(entry, 1);
    const dst = first == "unreachable" ? word(entry, 2) : first;
    return `route ${dst} ${entry_value(entry, "metric")}`;
  }
  if (kind == "addr") return entry;
  return `${kind} ${word(entry, 1)} ${entry_value(entry, "dev")}`;
}

/** The word behind a word; "" when it is not there. Names begin no first word of an entry. */
export function entry_value(entry: string, name: string): string {
  const at = entry.indexOf(` ${name} `);
  if (at < 0) return "";
  const start = at + name.length + 2;
  const end = entry.indexOf(" ", start);
  return end < 0 ? entry.substring(start) : entry.substring(start, end);
}

/** Whether two peers differ at most in where they are; one that is nowhere is another. */
export function same_but_place(entry: string, other: string): bool {
  const here = entry_value(entry, "endpoint");
  const there = entry_value(other, "endpoint");
  if (here == "none" || there == "none") return entry == other;
  return entry.replace(` endpoint ${here} `, " ") == other.replace(` endpoint ${there} `, " ");
}

/** The destination of a route. */
export function route_dst(entry: string): string {
  const first = word(entry, 1);
  return first == "unreachable" ? word(entry, 2) : first;
}

function word(entry: string, index: i32): string {
  let start = 0;
  for (let i = 0; i < index; i++) {
    const blank = entry.indexOf(" ", start);
    if (blank < 0) return "";
    start = blank + 1;
  }
  const end = entry.indexOf(" ", start);
  return end < 0 ? entry.substring(start) : entry.substring(start, end);
}

/** A change in the words of iproute2: "route replace 10.244.2.0/24 via …". */
export function change(verb: string, entry: string): string {
  const blank = entry.indexOf(" ");
  return `${entry.substring(0, blank)} ${verb}${entry.substring(blank)}`;
}
