// SPDX-License-Identifier: Apache-2.0
// A call of a plugin as the model sees it, read from the very texts that the plugin gets: so that a
// random call and a step of a fixture are one thing to it. It judges nothing.
import type { Step } from '../support/fixture.ts';
import { type Network, networkNamed } from './networks.ts';

/** What happens at an operation: it fails; it is done and reported as failed; the process dies. */
export type FaultMode = 'fails' | 'lost' | 'dies';

export interface Call {
  readonly command: string;
  /** The CNI type that is called. */
  readonly type: string;
  /** Undefined when the configuration does not parse. */
  readonly network: Network | undefined;
  /** The configuration names another folder of leases than the network's. */
  readonly moved: boolean;
  readonly id: string;
  readonly ifname: string;
  /** CNI_NETNS. */
  readonly netns: string;
  /** The address the runtime asks for, "" for none. */
  readonly requested: string;
  /** GC: owners of the valid attachments; undefined without a list, "wrong" for a malformed one. */
  readonly valid: ReadonlySet<string> | 'wrong' | undefined;
  readonly prevResult: 'none' | 'own' | 'changed';
}

export const ownerOf = (id: string, ifname: string): string => `${id}\r\n${ifname}`;

export const recordPath = (id: string, ifname: string): string =>
  `/run/fairlead/attachments/${id}:${ifname}`;

interface Effect {
  readonly effect: string;
  readonly by: string;
  readonly dataDir?: string;
  readonly what?: readonly string[];
}

/** What the record of a whole attachment lists, beside what is shared. */
function effectsOf(call: Call, network: Network): Effect[] {
  const dataDir = network.leases.slice(0, network.leases.lastIndexOf('/'));
  const leases = network.leases === '' ? [] : [{ effect: 'leases', by: call.type, dataDir }];
  return [...leases, { effect: 'veth', by: call.type }];
}

/** What of the node an attachment relies on. */
function sharedOf({ bridge, config, gateways, words }: Network): string[] {
  const routed = config['type'] === 'ptp' || gateways.length > 0;
  return [
    ...(bridge === '' ? [] : [`bridge ${bridge}`]),
    ...(routed ? ['forwarding'] : []),
    ...(words.bridge.includes('promisc') ? [`promisc ${bridge}`] : []),
    ...(gateways.length > 0 ? [`gateway ${bridge}`] : []),
  ];
}

/**
 * Whether a line is the record of the call's attachment: all that it has to list, or, of a call
 * that was disturbed, some of it.
 */
export function isRecordOf(call: Call, network: Network, line: string, whole: boolean): boolean {
  const start = `file ${recordPath(call.id, call.ifname)} `;
  if (!line.startsWith(start)) return false;
  const { effects, ...head } = JSON.parse(JSON.parse(line.slice(start.length)) as string) as {
    readonly effects: readonly Effect[];
  };
  const wanted = {
    network: network.name,
    containerID: call.id,
    ifname: call.ifname,
    netns: call.netns,
    netnsID: `netns:${call.netns.slice('/run/netns/'.length)}`,
    hostNetnsID: 'netns:host',
  };
  // The simulated kernel counts the namespaces that had the name before.
  if (JSON.stringify(head).replace(/#\d+"/, '"') !== JSON.stringify(wanted)) return false;
  const shared = effects.flatMap(({ what }) => what ?? []);
  // The MAC of a pair is held against the link by the checks of the wiring.
  const own = effects
    .filter(({ effect }) => effect !== 'uses')
    .map((one) => JSON.stringify({ ...one, mac: undefined }));
  const all = effectsOf(call, network).map((one) => JSON.stringify(one));
  const known = sharedOf(network);
  if (whole) return `${[...own].sort()}` === `${all.sort()}` && `${shared}` === `${known}`;
  return own.every((one) => all.includes(one)) && shared.every((one) => known.includes(one));
}

/** A hardware address that no link has: in a prevResult that is not to fit. */
export const FOREIGN_MAC = '02:00:00:00:00:99';
/** A folder that holds no leases. */
export const MOVED_DIR = '/var/lib/cni/moved';
export const VALID = 'cni.dev/valid-attachments';

interface Document {
  readonly name?: string;
  readonly prevResult?: unknown;
  readonly runtimeConfig?: { readonly ips?: readonly string[] };
  readonly [VALID]?: readonly { readonly containerID: string; readonly ifname: string }[] | null;
}

function parse(stdin: string): Document | undefined {
  try {
    return JSON.parse(stdin) as Document;
  } catch {
    return undefined;
  }
}

function validOf(document: Document): Call['valid'] {
  if (!(VALID in document)) return undefined;
  const list = document[VALID] ?? [];
  if (!list.every((item) => typeof item.containerID === 'string')) return 'wrong';
  return new Set(list.map((item) => ownerOf(item.containerID, item.ifname)));
}

/** The call that a step makes with this on its stdin. */
export function callOf(step: Step, stdin: string): Call {
  const document = parse(stdin);
  const previous = JSON.stringify(document?.prevResult ?? null);
  const fits = previous.includes(FOREIGN_MAC) ? 'changed' : 'own';
  return {
    command: step.command,
    type: step.type,
    network: document === undefined ? undefined : networkNamed(document.name ?? ''),
    moved: stdin.includes(MOVED_DIR),
    id: step.env['CNI_CONTAINERID'] ?? '',
    ifname: step.env['CNI_IFNAME'] ?? '',
    netns: step.env['CNI_NETNS'] ?? '',
    requested: document?.runtimeConfig?.ips?.[0] ?? '',
    valid: document === undefined ? undefined : validOf(document),
    prevResult: previous === 'null' ? 'none' : fits,
  };
}
