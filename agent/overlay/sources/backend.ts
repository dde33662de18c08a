// SPDX-License-Identifier: Apache-2.0
// Whether a node of Flannel's is of this network, by what it says of its backend: in annotations of
// Kubernetes or in a key of etcd, which hold whatever somebody wrote. It refuses to read either.

/** What a network is whose nodes may be Flannel's. */
export interface Joined {
  readonly vni: number;
}

const SHOWN_CHARACTERS = 40;
/** JSON escapes none of these, and a terminal may obey them. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/** A text of others as a message may show it. */
function quoted(text: string): string {
  const cut = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return JSON.stringify(cut).replace(CONTROLS, '?');
}

/** Why it is none of the network, "" when it is. `data`: of each family, undefined for none. */
export function unfitOf(
  type: string,
  data: readonly (Readonly<Record<string, unknown>> | undefined)[],
  { vni }: Joined,
): string {
  if (type !== '' && type !== 'vxlan') {
    return `its backend is Flannel's ${quoted(type)}, and that of this network "vxlan"`;
  }
  for (const one of data) {
    // Former releases of Flannel's say none.
    const theirs = one?.['VNI'];
    if (theirs === undefined || theirs === null || theirs === vni) continue;
    if (typeof theirs !== 'number') return 'its backend-data has no number as VNI';
    return `its VNI is ${theirs}, and that of this network ${vni}`;
  }
  return '';
}
