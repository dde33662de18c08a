// SPDX-License-Identifier: Apache-2.0
// A row of the table of types: what a CNI type is, ours or one that others own, for all who ask:
// validate, help, install, the documents, tests. It owns no type: each plugin describes its own
// (plugin.ts), ../plugins/foreign.ts those of others.

export const enum Role {
  /** Makes the interface. */
  Main,
  /** Chained: works on an interface that another made. */
  Meta,
  /** Gives addresses to a main plugin. */
  Ipam,
  /** Sets up what every container has. */
  Alone,
  /** A whole chain of others. */
  Chain,
  /** Makes the interface or works on one, by its configuration. */
  Either,
}

const ROLES: string[] = ["main", "meta", "ipam", "alone", "chain", "either"];

/** The places of keys that more than one type has. */
export const CONFIG = "";
/** The object under the key `ipam`, of types that give addresses. */
export const IPAM = "ipam";
/** args.cni of the configuration (CNI conventions). */
export const ARGS = "args.cni";
/** The members of runtimeConfig; each is the name of its capability (CNI conventions). */
export const RUNTIME = "runtimeConfig";
/** CNI_ARGS of the environment; IgnoreUnknown is everybody's. */
export const CNI_ARGS = "CNI_ARGS";

/** One CNI type. */
export class Type {
  role: Role = Role.Main;
  /** A line of the help text. */
  about: string = "";
  /** Whether it is served here; else other programs are. */
  ours: bool = true;
  /** Places of keys, beside `keys`. */
  places: string[] = [];
  keys: string[][] = [];
  /** Whether its link lies on one of the host, `master`, and cannot have a larger MTU. */
  has_parent: bool = false;
  /** Whether the host's own packets do not reach its link: its master sends them to the wire. */
  beside_host: bool = false;
  /** The capability without which it does nothing, unless it has a key of `idle_unless`. */
  idle_without: string = "";
  idle_unless: string[] = [];
  /** What the kernel must have, as the directive `needs` of a fixture says it. */
  kernel: string[] = [];

  constructor(public name: string) {}

  /**
   * Adds the keys of a place, divided by blanks: CONFIG, IPAM, ARGS, RUNTIME, CNI_ARGS, or of the
   * objects below one of them, "PLACE.KEY". Without keys: it is known that there are none.
   */
  at(place: string, keys: string): Type {
    this.places.push(place);
    this.keys.push(keys.length > 0 ? keys.split(" ") : new Array<string>());
    return this;
  }

  /** The keys at a place; null when nothing is known of it. */
  keys_at(place: string): string[] | null {
    const at = this.places.indexOf(place);
    return at < 0 ? null : this.keys[at];
  }

  /** The objects under a key of a place; "" when nothing is known of them. */
  below(place: string, key: string): string {
    const under = place.length > 0 ? `${place}.${key}` : key;
    return this.places.includes(under) ? under : "";
  }

  has_key(key: string): bool {
    const keys = this.keys_at(this.role == Role.Ipam ? IPAM : CONFIG);
    return keys ? keys.includes(key) : false;
  }

  /** The capabilities that it serves. */
  get capabilities(): string[] {
    const keys = this.keys_at(RUNTIME);
    return keys ? keys : [];
  }

  get role_name(): string {
    return ROLES[this.role];
  }
}
