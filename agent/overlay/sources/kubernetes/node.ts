// SPDX-License-Identifier: Apache-2.0
// What a Node object of Kubernetes (core/v1) says of a node, and no more: a cluster's objects are
// too large to be kept. Reading refuses nothing but an object without a name: what is missing or
// wrong is said by core-as/overlay/judge.ts.
import type { ClusterNode } from '../../source.ts';

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

/** A MAC in Flannel's backend-data, which is JSON in a text. */
function vtepMac(data: unknown): string {
  if (typeof data !== 'string') return '';
  try {
    return text(object(JSON.parse(data))['VtepMAC']);
  } catch {
    return '';
  }
}

/** Addresses of a node, with what Flannel says instead where it keeps the node. */
function addressesOf(status: Json, annotations: Json): string[] {
  const internal = list(status['addresses'])
    .map(object)
    .filter((one) => one['type'] === 'InternalIP')
    .map((one) => text(one['address']))
    .filter((one) => one !== '');
  const flannel =
    annotations[`${FLANNEL}/kube-subnet-manager`] === 'true' &&
    annotations[MTU_ANNOTATION] === undefined;
  const said = (name: string): string =>
    text(annotations[`${FLANNEL}/${name}-overwrite`]) ||
    (flannel ? text(annotations[`${FLANNEL}/${name}`]) : '');
  const instead = [said('public-ip'), said('public-ipv6')];
  return [false, true].flatMap((v6, at) => {
    const of = internal.filter((one) => one.includes(':') === v6);
    return instead[at] ? [instead[at]] : of;
  });
}

/** The conditions' status by type. */
function statusOf(status: Json, type: string): string {
  const found = list(status['conditions']).map(object);
  return text(found.find((one) => one['type'] === type)?.['status']);
}

/** A Node object in short; undefined when it has no name. */
export function reduced(node: unknown): ClusterNode | undefined {
  const name = nameOf(node);
  if (name === '') return undefined;
  const { metadata, spec, status } = object(node);
  const annotations = object(object(metadata)['annotations']);
  const cidrs = texts(object(spec)['podCIDRs']);
  const one = text(object(spec)['podCIDR']);
  const mtu_bytes = Number(annotations[MTU_ANNOTATION]);
  const v4 = text(annotations[MAC4_ANNOTATION]) || vtepMac(annotations[`${FLANNEL}/backend-data`]);
  const v6 =
    text(annotations[MAC6_ANNOTATION]) || vtepMac(annotations[`${FLANNEL}/backend-v6-data`]);
  const public_key = text(annotations[KEY_ANNOTATION]);
  const created = text(object(metadata)['creationTimestamp']);
  // NotReady ("False") is said by a kubelet that lives; nobody hears of an "Unknown" one.
  const dead = statusOf(object(status), 'Ready') === 'Unknown';
  return {
    name,
    subnets: cidrs.length > 0 || one === '' ? cidrs : [one],
    addresses: addressesOf(object(status), annotations),
    ...((v4 !== '' || v6 !== '') && { macs: { ...(v4 && { v4 }), ...(v6 && { v6 }) } }),
    ...(public_key !== '' && { public_key }),
    ...(Number.isInteger(mtu_bytes) && mtu_bytes > 0 && { mtu_bytes }),
    ...(created !== '' && { created }),
    ...(dead && { dead }),
  };
}

/** What this node's object holds of what its agent says. */
export interface Published {
  readonly mtu_bytes: string;
  readonly mac4: string;
  readonly mac6: string;
  readonly public_key: string;
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
    unavailable: statusOf(object(status), CONDITION),
  };
}
