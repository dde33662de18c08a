// SPDX-License-Identifier: Apache-2.0
// A plugin that is a chain of others in one call: ours run inside this instance, foreign ones are
// executed. prevResult is passed from one to the next, and one list of effects serves all. Which
// plugins those are is its type's business.

import { Adding } from "../attach/adding";
import { Maker } from "../attach/leaving";
import { Attachments } from "../spec/attachments";
import { CniError } from "../spec/error";
import { Reach } from "../spec/reach";
import { Request } from "../spec/request";
import { why } from "../spec/why";
import { plugin_find } from "./find";
import { pass } from "./inner";
import { check_one, kept_del, kept_reach } from "./kept";
import { failed, Inner, Outcome, Plugin } from "./plugin";

/** An error of the chain says which plugin it is of; code and details stay. */
function named(inner: Inner, error: CniError): CniError {
  return new CniError(
    error.code,
    `plugin type="${inner.request.type}" failed: ${error.msg}`,
    error.details,
  );
}

export abstract class Chain extends Plugin {
  /** What `compose` gave. */
  private chain: Inner[] = [];
  private read_done: bool = false;

  /**
   * The plugins, in order; what is wrong lands in the reader, what is right is given: DEL needs it.
   * Asked once for a call.
   */
  protected abstract compose(request: Request): Inner[];
  /** Why there is no chain, beyond what the configuration says; null when there is one. */
  protected lacking(request: Request): CniError | null {
    return null;
  }

  /** Behind another plugin, which has made the interface, it shares the record of that one. */
  get wires(): bool {
    return !this.behind;
  }

  get chained(): bool {
    return this.behind;
  }

  /** Whether the chain begins with one of ours that makes no interface. Known once it is read. */
  private get behind(): bool {
    if (this.chain.length == 0) return false;
    const first = this.chain[0];
    return !first.plugin.wires && plugin_find(first.request.type) !== null;
  }

  /** What is right of the list; what is wrong lands in the reader. */
  inner(request: Request): Inner[] {
    this.read(request);
    return this.chain;
  }

  nft_sets(request: Request): string[] {
    this.read(request);
    let sets = new Array<string>();
    for (let i = 0; i < this.chain.length; i++) {
      sets = sets.concat(this.chain[i].plugin.nft_sets(this.chain[i].request));
    }
    return sets;
  }
  reach(request: Request, into: Reach): void {
    this.read(request);
    for (let i = 0; i < this.chain.length; i++) {
      const inner = this.chain[i];
      inner.plugin.reach(inner.request, into);
      kept_reach(inner.request, inner.plugin, into);
    }
  }
  private read(request: Request): void {
    if (this.read_done) return;
    this.read_done = true;
    this.chain = this.compose(request);
  }
  load(request: Request): CniError | null {
    this.read(request);
    if (request.reader.error) return request.reader.error;
    const lacking = this.lacking(request);
    if (lacking) return lacking;
    for (let i = 0; i < this.chain.length; i++) {
      const error = this.chain[i].plugin.load(this.chain[i].request);
      if (error) return named(this.chain[i], error);
    }
    return null;
  }

  /** The namespace is opened after load. */
  private enter(request: Request): void {
    for (let i = 0; i < this.chain.length; i++) {
      this.chain[i].request.netns = request.netns;
      this.chain[i].request.netns_unknown = request.netns_unknown;
    }
  }

  add(request: Request, adding: Adding): Outcome {
    this.enter(request);
    let result = request.prevResult();
    for (let i = 0; i < this.chain.length; i++) {
      const inner = this.chain[i];
      if (isDefined(FAIRLEAD_TELLS)) why("plugin", inner.request.type, "");
      const error = pass(inner.request, result);
      if (error) return failed(error);
      const outcome = inner.plugin.add(inner.request, adding);
      const wrong = outcome.error;
      if (!outcome.result) return wrong ? failed(named(inner, wrong)) : outcome;
      result = outcome.result;
    }
    if (isDefined(FAIRLEAD_TELLS)) why("plugin", "", "");
    return new Outcome(result);
  }

  check(request: Request): CniError | null {
    this.enter(request);
    for (let i = 0; i < this.chain.length; i++) {
      const inner = this.chain[i];
      if (isDefined(FAIRLEAD_TELLS)) why("plugin", inner.request.type, "");
      inner.request.unrecorded = request.unrecorded;
      const error = check_one(inner.request, inner.plugin);
      if (error) return named(inner, error);
    }
    return null;
  }

  /** In reverse, as a runtime does; every plugin gets its turn whatever the others say. */
  del(request: Request, recorded: bool, errors: CniError[]): void {
    this.read(request);
    const wrong = request.reader.error;
    if (wrong && errors.length == 0) errors.push(wrong);
    this.enter(request);
    for (let i = this.chain.length - 1; i >= 0; i--) {
      const inner = this.chain[i];
      if (isDefined(FAIRLEAD_TELLS)) why("plugin", inner.request.type, "");
      if (!recorded) kept_del(inner.request, inner.plugin, Maker.Nobody, errors);
      inner.plugin.del(inner.request, recorded, errors);
    }
  }
  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    this.read(request);
    const wrong = request.reader.error;
    if (wrong) errors.push(wrong);
    for (let i = 0; i < this.chain.length; i++) {
      this.chain[i].plugin.gc(this.chain[i].request, valid, errors);
    }
  }

  status(request: Request): CniError | null {
    for (let i = 0; i < this.chain.length; i++) {
      const error = this.chain[i].plugin.status(this.chain[i].request);
      if (error) return named(this.chain[i], error);
    }
    return null;
  }
}
