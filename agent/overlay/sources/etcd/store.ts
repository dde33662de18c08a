// SPDX-License-Identifier: Apache-2.0
// What an agent does in etcd: list and watch the subnets of a network, claim one, keep its lease.
// It owns the transactions, and refuses to decide which subnet is whose.
import { base64, fromBase64, type Gateway } from './gateway.ts';

/** A subnet's key, its value, and what etcd knows of it; revisions are decimal texts. */
export interface Entry {
  /** The part after <prefix>/subnets/. */
  readonly key: string;
  readonly value: string;
  readonly create_revision: string;
  readonly mod_revision: string;
  /** "0" for none: it stays for good. */
  readonly lease: string;
}

/** Where in etcd's history something was said, and by which cluster. */
export interface Moment {
  readonly cluster: string;
  readonly revision: bigint;
}

export interface Listed extends Moment {
  readonly entries: readonly Entry[];
  /** The text of <prefix>/config; undefined when it is not there. */
  readonly config: string | undefined;
}

export interface Happened {
  readonly put: readonly Entry[];
  /** Keys that are gone. */
  readonly gone: readonly string[];
}

/** What was resumed from is no more in etcd: the list has to be asked for. */
export class HistoryLost extends Error {}

interface KeyValue {
  readonly key?: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
  readonly lease?: string;
}
interface Header {
  readonly cluster_id?: string;
  readonly revision?: string;
}
interface Ranged {
  readonly response_range?: { readonly kvs?: readonly KeyValue[] };
}
interface Txn {
  readonly header?: Header;
  readonly succeeded?: boolean;
  readonly responses?: readonly Ranged[];
}
interface Watched {
  readonly header?: Header;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly compact_revision?: string;
  readonly cancel_reason?: string;
  readonly events?: readonly { readonly type?: string; readonly kv?: KeyValue }[];
}

const momentOf = (header: Header | undefined): Moment => ({
  cluster: header?.cluster_id ?? '',
  revision: BigInt(header?.revision ?? 0),
});

export class Store {
  readonly #gateway: Gateway;
  readonly #folder: string;
  readonly #config: string;
  readonly #range: { readonly key: string; readonly range_end: string };

  constructor(gateway: Gateway, prefix: string) {
    this.#gateway = gateway;
    this.#folder = `${prefix}/subnets/`;
    this.#config = base64(`${prefix}/config`);
    // The slash's successor: all keys that begin with the folder.
    this.#range = { key: base64(this.#folder), range_end: base64(`${prefix}/subnets0`) };
  }

  get endpoint(): string {
    return this.#gateway.endpoint;
  }

  #entryOf(kv: KeyValue): Entry {
    return {
      key: fromBase64(kv.key ?? '').slice(this.#folder.length),
      value: fromBase64(kv.value ?? ''),
      create_revision: kv.create_revision ?? '0',
      mod_revision: kv.mod_revision ?? '0',
      lease: kv.lease ?? '0',
    };
  }

  /** Subnets and configuration of one moment. */
  async list(signal: AbortSignal): Promise<Listed> {
    const success = [{ request_range: this.#range }, { request_range: { key: this.#config } }];
    const said = (await this.#gateway.call('/v3/kv/txn', { success }, signal)) as Txn;
    const [subnets, config] = (said.responses ?? []).map((one) => one.response_range?.kvs ?? []);
    const text = config?.[0]?.value;
    return {
      ...momentOf(said.header),
      entries: (subnets ?? []).map((kv) => this.#entryOf(kv)),
      config: text === undefined ? undefined : fromBase64(text),
    };
  }

  /**
   * Makes a key, if there is none and no other was made since the moment of a list: then nobody
   * can have claimed a subnet that overlaps it. Undefined when somebody was faster.
   */
  claim(
    { key, value, lease }: Pick<Entry, 'key' | 'value' | 'lease'>,
    since: bigint,
    signal: AbortSignal,
  ): Promise<Entry | undefined> {
    const compare = [
      { key: base64(this.#folder + key), target: 'CREATE', result: 'EQUAL', create_revision: '0' },
      { ...this.#range, target: 'CREATE', result: 'LESS', create_revision: String(since + 1n) },
    ];
    return this.#put({ key, value, lease }, compare, signal);
  }

  /** Replaces what a key holds, if nobody did meanwhile. */
  replace(
    before: Entry,
    { value, lease }: Pick<Entry, 'value' | 'lease'>,
    signal: AbortSignal,
  ): Promise<Entry | undefined> {
    const { key, mod_revision } = before;
    const compare = [
      { key: base64(this.#folder + key), target: 'MOD', result: 'EQUAL', mod_revision },
    ];
    const { create_revision } = before;
    return this.#put({ key, value, lease, create_revision }, compare, signal);
  }

  async #put(
    entry: Pick<Entry, 'key' | 'value' | 'lease'> & { readonly create_revision?: string },
    compare: readonly object[],
    signal: AbortSignal,
  ): Promise<Entry | undefined> {
    const { key, value, lease } = entry;
    const request_put = { key: base64(this.#folder + key), value: base64(value), lease };
    const body = { compare, success: [{ request_put }] };
    const said = (await this.#gateway.call('/v3/kv/txn', body, signal)) as Txn;
    if (said.succeeded !== true) return undefined;
    const revision = said.header?.revision ?? '0';
    const create_revision = entry.create_revision ?? revision;
    return { key, value, lease, create_revision, mod_revision: revision };
  }

  /** A new lease; its id. */
  async grant(ttl_s: number, signal: AbortSignal): Promise<string> {
    const said = await this.#gateway.call('/v3/lease/grant', { TTL: String(ttl_s) }, signal);
    const { ID } = said as { ID?: string };
    if (ID === undefined) throw new Error('etcd granted no lease');
    return ID;
  }

  /** Gives a lease its whole time again; its seconds, 0 when it is no more. */
  async keepAlive(lease: string, signal: AbortSignal): Promise<number> {
    const said = await this.#gateway.call('/v3/lease/keepalive', { ID: lease }, signal);
    return Number((said as { result?: { TTL?: string } }).result?.TTL ?? 0);
  }

  /** What happens to subnets after a moment, until `lasting_ms` have passed. */
  async watch(
    { cluster, revision }: Moment,
    until: { readonly signal: AbortSignal; readonly lasting_ms: number },
    told: {
      readonly begun: () => void;
      readonly happened: (happened: Happened, revision: bigint) => void;
    },
  ): Promise<void> {
    const create_request = { ...this.#range, start_revision: String(revision + 1n) };
    await this.#gateway.stream('/v3/watch', { create_request }, until, (result) => {
      const { header, created, canceled, compact_revision, cancel_reason, events } =
        result as Watched;
      if (compact_revision !== undefined && compact_revision !== '0') {
        throw new HistoryLost('the history was compacted');
      }
      if (canceled === true) throw new Error(cancel_reason || 'etcd ended the watch');
      const now = momentOf(header);
      // Another etcd under the same address, or one from a backup, would say nothing for long.
      const other = now.cluster !== cluster || now.revision < revision;
      if (created === true && other) throw new HistoryLost('it is another etcd than before');
      if (created === true) told.begun();
      if (events === undefined || events.length === 0) return;
      // The header's revision may be that of events which are still to come.
      const revisions = events.map(({ kv }) => BigInt(kv?.mod_revision ?? 0));
      const latest = revisions.reduce((a, b) => (a > b ? a : b));
      told.happened(this.#happenedOf(events), latest);
    });
  }

  /** Of a key that was put and deleted in one answer the last word counts. */
  #happenedOf(events: NonNullable<Watched['events']>): Happened {
    const last = new Map(
      events.map(({ type, kv }) => [kv?.key ?? '', { type, entry: this.#entryOf(kv ?? {}) }]),
    );
    const rows = [...last.values()];
    return {
      put: rows.filter(({ type }) => type !== 'DELETE').map(({ entry }) => entry),
      gone: rows.filter(({ type }) => type === 'DELETE').map(({ entry }) => entry.key),
    };
  }
}
