// SPDX-License-Identifier: Apache-2.0
// What an attachment that was made must have: by the spec and the documents, from result and state
// text. It remembers nothing between calls.
import { Violation } from '../support/answer.ts';
import { type Call, isRecordOf, ownerOf } from './call.ts';
import type { Network } from './networks.ts';
import { hostEnds, leaseOf } from './state.ts';

export interface Result {
  readonly cniVersion: string;
  readonly interfaces?: readonly {
    readonly name: string;
    readonly mac?: string;
    readonly sandbox?: string;
  }[];
  readonly ips?: readonly {
    readonly address: string;
    readonly gateway?: string;
    readonly interface?: number;
  }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
}

function need(met: boolean, words: string): void {
  if (!met) throw new Violation(words);
}

/**
 * After an ADD that succeeded: its result, the state, and the lines that are its own agree. Gives
 * the result.
 */
export function checkAttached(
  call: Call,
  network: Network,
  stdout: string,
  lines: ReadonlySet<string>,
  own: ReadonlySet<string>,
): Result {
  const result = JSON.parse(stdout) as Result;
  need(
    result.cniVersion === network.config['cniVersion'],
    `a result of another version: ${stdout}`,
  );
  const addresses = (result.ips ?? []).map((ip) => ip.address);
  checkAddresses(call, network, addresses, result, own);
  if (!network.wires) {
    need(result.interfaces === undefined, `IPAM alone made interfaces: ${stdout}`);
    return result;
  }
  const recorded = [...own].some((line) => isRecordOf(call, network, line, true));
  need(recorded, 'the attachment has no record of all that it has');
  checkInterfaces(call, network, result, lines);
  checkKernel(call, network, addresses, lines);
  return result;
}

function checkAddresses(
  call: Call,
  network: Network,
  addresses: readonly string[],
  result: Result,
  own: ReadonlySet<string>,
): void {
  const count = network.pools.length + network.fixed.length;
  need(addresses.length === count, `${addresses.length} addresses, not ${count}`);
  network.pools.forEach((pool, index) => {
    const given = pool.addresses.includes(addresses[index] ?? '');
    need(given, `range set ${index} gave ${addresses[index]}`);
    const gateway = result.ips?.[index]?.gateway ?? '';
    need(pool.gateways.includes(gateway), `range set ${index} has the gateway ${gateway}`);
  });
  network.fixed.forEach((address, index) => {
    need(addresses[index] === address, `${addresses[index]} instead of ${address}`);
  });
  const bare = addresses.map((address) => address.split('/')[0] ?? '');
  const leased = [...own].flatMap((line) => leaseOf(line)?.address ?? []);
  // An address that is asked for comes beside one that is held already, as with the reference.
  const missing = network.pools.length === 0 ? [] : bare.filter((item) => !leased.includes(item));
  need(missing.length === 0, `no lease of ${missing}, but of ${leased}`);
  if (call.requested !== '' && network.pools.length > 0) {
    need(bare.includes(call.requested), `${call.requested} was asked for, given was ${bare}`);
  }
  const owner = ownerOf(call.id, call.ifname);
  need(
    [...own].every((line) => (leaseOf(line)?.owner ?? owner) === owner),
    'a lease of another',
  );
}

function checkInterfaces(
  call: Call,
  network: Network,
  result: Result,
  lines: ReadonlySet<string>,
): void {
  const netns = call.netns.slice('/run/netns/'.length);
  const [end = ''] = hostEnds(lines, netns, call.ifname);
  const names = network.bridge === '' ? [end, call.ifname] : [network.bridge, end, call.ifname];
  const listed = result.interfaces ?? [];
  need(`${listed.map((item) => item.name)}` === `${names}`, `interfaces ${JSON.stringify(listed)}`);
  listed.forEach((item, index) => {
    const inside = index === names.length - 1;
    const place = inside ? netns : 'host';
    need(item.sandbox === (inside ? call.netns : undefined), `sandbox of ${JSON.stringify(item)}`);
    const start = `${place}: link ${item.name} `;
    const line = [...lines].find((one) => one.startsWith(start)) ?? '';
    // Of a bridge that a disturbed ADD left no address is known.
    const known = line.includes(' address ');
    need(
      !known || line.includes(` address ${item.mac} `),
      `${JSON.stringify(item)} is not ${line}`,
    );
  });
  for (const ip of result.ips ?? []) {
    need(ip.interface === names.length - 1, `${ip.address} is on interface ${ip.interface}`);
  }
}

/** Links, addresses and routes of the attachment, and what its network shares. */
function checkKernel(
  call: Call,
  network: Network,
  addresses: readonly string[],
  lines: ReadonlySet<string>,
): void {
  const netns = call.netns.slice('/run/netns/'.length);
  const [end = ''] = hostEnds(lines, netns, call.ifname);
  const has = (start: string, ...words: string[]): void => {
    const found = [...lines].some(
      (line) => line.startsWith(start) && words.every((word) => `${line} `.includes(` ${word} `)),
    );
    need(found, `no line "${start}… ${words.join(' … ')}"`);
  };
  has(`${netns}: link ${call.ifname} kind veth up `, 'operstate up', `peer host/${end}`);
  has(`host: link ${end} kind veth up `, 'operstate up', `peer ${netns}/${call.ifname}`);
  if (network.bridge !== '') {
    has(`host: link ${end} `, `master ${network.bridge}`, ...network.words.port);
    const unfinished = lines.has(`host: link ${network.bridge} kind bridge`);
    if (!unfinished) has(`host: link ${network.bridge} kind bridge `, ...network.words.bridge);
  }
  for (const address of addresses) has(`${netns}: addr ${address} dev ${call.ifname}`);
  for (const route of network.routes) has(`${netns}: route ${route} `, `dev ${call.ifname}`);
  for (const dst of network.unrouted) {
    const start = `${netns}: route ${dst} dev ${call.ifname} proto kernel`;
    need(![...lines].some((line) => line.startsWith(start)), `there is a line "${start}…"`);
  }
  for (const gateway of network.gateways) has(`host: addr ${gateway} dev ${network.bridge}`);
  if (network.gateways.length > 0 || network.bridge === '') {
    has('host: sysctl net/ipv4/ip_forward 1');
  }
  if (network.gateways.some((gateway) => gateway.includes(':'))) {
    has('host: sysctl net/ipv6/conf/all/forwarding 1');
  }
  if (network.bridge !== '') return;
  for (const [index, pool] of network.pools.entries()) {
    has(`host: addr ${pool.gateways[0]}/32 dev ${end}`);
    has(`host: route ${addresses[index]?.split('/')[0]}/32 dev ${end} `);
  }
}
