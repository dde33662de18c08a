// SPDX-License-Identifier: Apache-2.0
// What every CNI type is to the rest of the core: main plugins, IPAM and chained ones alike.
import { Adding } from "../attach/adding";
import { Attachments } from "../spec/attachments";
import { CniError } from "../spec/error";
import { Reach } from "../spec/reach";
import { Request } from "../spec/request";
import { Result } from "../spec/types";
import { Gateway, Pool } from "./pool";
import { Type } from "./type";
import { Written } from "./written";

/** A result or the error in its place. */
export class Outcome {
  constructor(
    public result: Result | null,
    public error: CniError | null = null,
  ) {}
}

export function failed(error: CniError | null): Outcome {
  return new Outcome(null, error);
}

/** One plugin of a chain and the request that it is to see. */
export class Inner {
  constructor(
    public plugin: Plugin,
    public request: Request,
  ) {}
}

/** One CNI type. Its methods run in one instance that serves one command. */
export abstract class Plugin {
  /** Whether ADD, CHECK and DEL act inside CNI_NETNS. */
  get uses_netns(): bool {
    return true;
  }
  /** Whether the plugin wires a container: then the attachment has a record while it lives. */
  get wires(): bool {
    return false;
  }
  /**
   * Whether the plugin changes what another wired: as a process of its own it then adds to the
   * record of that attachment, and takes back what is its own. Its nft_sets are its own, whatever
   * the configuration says.
   */
  get chained(): bool {
    return false;
  }
  /** Whether its addresses come over the container's link, of an IPAM plugin: it is made first. */
  get over_link(): bool {
    return false;
  }
  /** The addresses that the configuration gives, of an IPAM plugin. Tolerates anything. */
  pools(request: Request): Pool[] {
    return new Array<Pool>();
  }
  /** The gateways that the host gets for addresses from `pools`. Tolerates anything. */
  gateways(request: Request, pools: Pool[]): Gateway[] {
    return new Array<Gateway>();
  }
  /** The plugins inside, of a whole chain; what is wrong with the list lands in the reader. */
  inner(request: Request): Inner[] {
    return new Array<Inner>();
  }
  /** Puts into the request what the runtime is going to pass, where `load` needs it. */
  stand_in(written: Written): void {}
  /** Says what `load` does not say of a configuration that it may have refused. */
  advise(written: Written): void {}
  /**
   * The sets of nftables that the configuration leads to: where to look when there is no record.
   * May be asked before load.
   */
  nft_sets(request: Request): string[] {
    return [];
  }
  /** Says which folders it writes to and which programs it executes. Tolerates anything. */
  reach(request: Request, into: Reach): void {}
  /** Says what the type is: its row in the table of types. The name stands there already. */
  abstract describe(type: Type): void;
  /** Reads and validates the plugin's own keys; changes nothing. Before add, check, status. */
  abstract load(request: Request): CniError | null;
  /** Makes the attachment, noting each effect before it is made. */
  abstract add(request: Request, adding: Adding): Outcome;
  /** Compares the node with request.prevResult(). */
  abstract check(request: Request): CniError | null;
  /**
   * Takes away what no record knows: of an attachment that has none (`recorded` false), such as one
   * of the reference plugins, and what foreign plugins made. load was not called and the
   * configuration may be broken: it takes what it needs, does all it can and collects errors.
   * request.netns is 0 when the namespace is gone.
   */
  del(request: Request, recorded: bool, errors: CniError[]): void {}
  /**
   * Takes away what attachments left that are not valid any more, of this network only, and that no
   * record knows. load was not called, as with del; goes on after failures and collects them.
   */
  gc(request: Request, valid: Attachments, errors: CniError[]): void {}
  /** Why ADD would fail now (code 50), null when it would not. load was called. */
  abstract status(request: Request): CniError | null;
}
