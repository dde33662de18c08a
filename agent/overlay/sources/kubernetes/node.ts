// SPDX-License-Identifier: Apache-2.0
// What a Node object of Kubernetes (core/v1) says of a node, and no more: a cluster's objects are
// too large to be kept. Reading refuses nothing but an object without a name: what is missing or
// wrong is said by core-as/overlay/judge.ts.
import type { ClusterNode, OwnNode } from '../../source.ts';
import { type Joined, unfitOf } from '../backend.ts';

/** Annotations of ours. */
export const MTU_ANNOTATION = 'fairlead/mtu-bytes';
export const MAC4_ANNOTATION = 'fairlead/mac';
export const MAC6_ANNOTATION = 'fairlead/mac-v6';
export const KEY_ANNOTATION = 'fairlead/public-key';
/** Of Flannel (its documentation, "Annotations"). */
const FLANNEL = 'flannel.alpha.coreos.com';

/** The condition by which the node controller takes the taint network-unavailable away. */
export const CONDITION = 'NetworkUnavailable';

type Json = Readonly<Record<string, unknown>>;
const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const texts = (value: unknown): string[] => list(value).filter((one) => typeof one === 'string');

/** The name of an object; "" for none. */
export const nameOf = (node: unknown): string => text(object(object(node)['metadata'])['name']);

/** Flannel's backend-data, which is JSON in a text. */
function backendData(data: unknown): Json {
  if (typeof data !== 'string') return {};
  try {
    return object(JSON.parse(data));
  } catch {
    return {};
  }
}
const vtepMac = (data: unknown): string => text(backendData(data)['VtepMAC']);

const isFlannel = (annotations: Json): boolean =>
  annotations[`${FLANNEL}/kube-subnet-manager`] === 'true';

/**
 * Addresses of a node, with what Flannel says instead where it keeps the node. Where nodes are
 * joined its own come behind that, as its packets on one link with us come from those.
 */
function addressesOf(status: Json, annotations: Json, joined: Joined | undefined): string[] {
  const internal = list(status['addresses'])
    .map(object)
    .filter((one) => one['type'] === 'InternalIP')
    .map((one) => text(one['address']))
    .filter((one) => one !== '');
  const ours = annotations[MTU_ANNOTATION] !== undefined;
  const flannel = isFlannel(annotations) && (joined !== undefined || !ours);
  const said = (name: string): string =>
    overwriteOf(annotations, name) || (flannel ? text(annotations[`${FLANNEL}/${name}`]) : '');
  const instead = [said('public-ip'), said('public-ipv6')];
  return [false, true].flatMap((v6, at) => {
    const of = internal.filter((one) => one.includes(':') === v6);
    if (!instead[at]) return of;
    return [instead[at], ...(joined ? of.filter((one) => one !== instead[at]) : [])];
  });
}

/** What an operator tells flanneld to say of the node, "" for nothing. */
const overwriteOf = (annotations: Json, name: string): string =>
  text(annotations[`${FLANNEL}/${name}-overwrite`]);

/** Why a node of Flannel's is none of this network, "" when it is. */
function strangeness(annotations: Json, joined: Joined): string {
  if (!isFlannel(annotations)) return '';
  const data = ['backend-data', 'backend-v6-data'].map((name) =>
    backendData(annotations[`${FLANNEL}/${name}`]),
  );
  return unfitOf(text(annotations[`${FLANNEL}/backend-type`]), data, joined);
}

/** MACs of a node's tunnels; where nodes of Flannel's are joined, what they go by comes first. */
function macsOf(annotations: Json, joined: Joined | undefined): NonNullable<ClusterNode['macs']> {
  const ours = [text(annotations[MAC4_ANNOTATION]), text(annotations[MAC6_ANNOTATION])];
  const theirs = ['backend-data', 'backend-v6-data'].map((name) =>
    vtepMac(annotations[`${FLANNEL}/${name}`]),
  );
  const [first, then] = joined ? [theirs, ours] : [ours, theirs];
  const [v4, v6] = [first[0] || then[0], first[1] || then[1]];
  return { ...(v4 && { v4 }), ...(v6 && { v6 }) };
}

/** What this node says to flanneld of others, by annotations of its own beside those it `has`. */
export function flannelWords(
  own: OwnNode,
  { vni }: Joined,
  has: Json,
): Readonly<Record<string, string>> {
  const words: Record<string, string> = {};
  const { macs, addresses = [] } = own;
  for (const v6 of [false, true]) {
    const [mac, data, ip] = v6
      ? [macs.v6, 'backend-v6-data', 'public-ipv6']
      : [macs.v4, 'backend-data', 'public-ip'];
    const address = overwriteOf(has, ip) || addresses.find((one) => one.includes(':') === v6);
    if (mac === undefined || address === undefined) continue;
    words[`${FLANNEL}/${data}`] = JSON.stringify({ VNI: vni, VtepMAC: mac });
    words[`${FLANNEL}/${ip}`] = address;
  }
  if (Object.keys(words).length === 0) return words;
  return {
    ...words,
    [`${FLANNEL}/backend-type`]: 'vxlan',
    [`${FLANNEL}/kube-subnet-manager`]: 'true',
  };
}

/** The conditions' status by type. */
function statusOf(status: Json, type: string): string {
  const found = list(status['conditions']).map(object);
  return text(found.find((one) => one['type'] === type)?.['status']);
}

/** A Node object in short; undefined when it has no name. */
export function reduced(node: unknown, joined?: Joined): ClusterNode | undefined {
  const name = nameOf(node);
  if (name === '') return undefined;
  const { metadata, spec, status } = object(node);
  const annotations = object(object(metadata)['annotations']);
  const cidrs = texts(object(spec)['podCIDRs']);
  const one = text(object(spec)['podCIDR']);
  const mtu_bytes = Number(annotations[MTU_ANNOTATION]);
  const macs = macsOf(annotations, joined);
  const unfit = joined === undefined ? '' : strangeness(annotations, joined);
  const public_key = text(annotations[KEY_ANNOTATION]);
  const created = text(object(metadata)['creationTimestamp']);
  // NotReady ("False") is said by a kubelet that lives; nobody hears of an "Unknown" one.
  const dead = statusOf(object(status), 'Ready') === 'Unknown';
  return {
    name,
    subnets: cidrs.length > 0 || one === '' ? cidrs : [one],
    addresses: addressesOf(object(status), annotations, joined),
    ...(Object.keys(macs).length > 0 && { macs }),
    ...(public_key !== '' && { public_key }),
    ...(Number.isInteger(mtu_bytes) && mtu_bytes > 0 && { mtu_bytes }),
    ...(created !== '' && { created }),
    ...(dead && { dead }),
    ...(unfit !== '' && { unfit }),
  };
}

/** What this node's object holds of what its agent says. */
export interface Published {
  readonly mtu_bytes: string;
  readonly mac4: string;
  readonly mac6: string;
  readonly public_key: string;
  /** Annotations of Flannel's. */
  readonly flannel: Json;
  /** The condition's status, "" for none. */
  readonly unavailable: string;
}

export function publishedOf(node: unknown): Published {
  const { metadata, status } = object(node);
  const annotations = object(object(metadata)['annotations']);
  return {
    mtu_bytes: text(annotations[MTU_ANNOTATION]),
    mac4: text(annotations[MAC4_ANNOTATION]),
    mac6: text(annotations[MAC6_ANNOTATION]),
    public_key: text(annotations[KEY_ANNOTATION]),
    flannel: Object.fromEntries(
      Object.entries(annotations).filter(([key]) => key.startsWith(`${FLANNEL}/`)),
    ),
    unavailable: statusOf(object(status), CONDITION),
  };
}
