// SPDX-License-Identifier: Apache-2.0
// DHCPv6 and neighbour discovery as a server sees and sends them: written apart from the core's
// codec, so that one is held against the other. It refuses what no script needs.
import { checksum, type Said } from './frames.ts';

const SERVER_MAC = '02000000aa01';
const SERVER = 'fe80::1';
const TYPES = ['', 'SOLICIT', 'ADVERTISE', 'REQUEST', 'CONFIRM', 'RENEW', 'REBIND', 'REPLY'];
const ALL_TYPES = [...TYPES, 'RELEASE', 'DECLINE'];
const IP_AT = 14;
const CONTENT_AT = 54;

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

export const ip6Hex = (text: string): string => {
  const [head = '', tail] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const gap = tail === undefined ? 0 : 8 - first.length - last.length;
  const all = [...first, ...Array<string>(gap).fill('0'), ...last];
  return all.map((group) => group.padStart(4, '0')).join('');
};
/** The longest run of zeros is "::", as far as the addresses of scripts need it. */
const ip6Text = (bytes: Uint8Array): string => {
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16),
  );
  return groups
    .join(':')
    .replace(/(^|:)(0:)+0($|:)/, '::')
    .replace(/^0::/, '::');
};

export const isIpv6 = (base64: string): boolean =>
  Buffer.from(base64, 'base64').readUInt16BE(12) === 0x86dd;

function* optionsOf(bytes: Buffer): Generator<readonly [number, Buffer]> {
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt16BE(at + 2)) {
    yield [bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2))];
  }
}

function optionText(number: number, value: Buffer): string {
  if (number === 1) return `client=${value.toString('hex')}`;
  if (number === 2) return `server=${value.toString('hex')}`;
  if (number === 3) {
    const inner = [...optionsOf(value.subarray(12))].map(
      ([code, bytes]) => `${code}:${ip6Text(bytes)}`,
    );
    return `ia=${value.readUInt32BE(0)}${inner.map((text) => `,${text}`).join('')}`;
  }
  if (number === 6)
    return `list=${value
      .toString('hex')
      .match(/..../g)
      ?.map((n) => Number.parseInt(n, 16))}`;
  return number === 8 ? `elapsed=${value.readUInt16BE(0)}` : `${number}=${value.toString('hex')}`;
}

/** What a client said; throws when a checksum is wrong. */
export function readFrame6(base64: string): Said {
  const frame = Buffer.from(base64, 'base64');
  const [to_mac, mac] = [frame.toString('hex', 0, 6), frame.toString('hex', 6, 12)];
  const ip = frame.subarray(IP_AT, CONTENT_AT);
  const content = frame.subarray(CONTENT_AT);
  if (ip.readUInt16BE(4) !== content.length) throw new Error('a wrong length');
  const pseudo = Buffer.concat([
    ip.subarray(8),
    Buffer.from(`${hex(content.length, 8)}000000${hex(ip[6]!, 2)}`, 'hex'),
  ]);
  if (checksum(content, ~checksum(pseudo) & 0xffff) !== 0) throw new Error('a wrong checksum');
  const way = `${ip6Text(ip.subarray(8, 24))} > ${ip6Text(ip.subarray(24, 40))} ${to_mac}`;
  if (ip[6] === 58) {
    if (ip[7] !== 255) throw new Error('a wrong hop limit');
    const target = ip6Text(content.subarray(8, 24));
    const told = content[0] === 136 ? `NEIGHBOUR I have ${target}` : `NEIGHBOUR who has ${target}`;
    return { text: `${told} ${way} ${content.toString('hex', 24)}`.trim(), xid: '', mac };
  }
  if (content.readUInt32BE(0) !== ((546 << 16) | 547)) throw new Error('wrong ports');
  if (content.readUInt16BE(4) !== content.length) throw new Error('a wrong length');
  const options = [...optionsOf(content.subarray(12))];
  const words = options.map(([number, value]) => optionText(number, value));
  return {
    text: [ALL_TYPES[content[8]!] ?? '?', way, ...words].join(' '),
    xid: content.toString('hex', 9, 12),
    mac,
    duid: options.find(([number]) => number === 1)?.[1].toString('hex') ?? '',
  };
}

const option = (number: number, value: string): string =>
  hex(number, 4) + hex(value.length / 2, 4) + value;

/** A frame from somebody; checksums are left out, as between the ends of a veth pair. */
function frameOf(protocol: number, from: string, content: string, mac = SERVER_MAC): Buffer {
  const head = `60000000${hex(content.length / 2, 4)}${hex(protocol, 2)}ff`;
  return Buffer.from(
    `020000000001${mac}86dd${head}${ip6Hex(from)}${ip6Hex('fe80::2')}${content}`,
    'hex',
  );
}

export interface Reply6 {
  readonly type: string;
  readonly xid: string;
  /** The client's, in hex. */
  readonly duid: string;
  /**
   * `ip=ADDRESS,PREFERRED,VALID` any number of times, `t1=`, `t2=`, `status=`, `ia=` (a status of
   * the association), `iaid=`, `server=HEX`, `client=HEX`, `dns=ADDRESS`, NUMBER=HEX.
   */
  readonly words: readonly string[];
}

/** A server's message. */
export function serverFrame({ type, xid, duid, words }: Reply6): Buffer {
  const said = (name: string): string | undefined =>
    words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const number = (name: string, otherwise: number): string =>
    hex(Number(said(name) ?? otherwise), 8);
  const addresses = words.flatMap((word) => {
    const [, ip = '', preferred = '', valid = ''] = /^ip=([^,]+),(\d+),(\d+)$/.exec(word) ?? [];
    return ip === '' ? [] : [option(5, ip6Hex(ip) + hex(+preferred, 8) + hex(+valid, 8))];
  });
  const state = said('ia') === undefined ? [] : [option(13, hex(Number(said('ia')), 4))];
  const inner = [...addresses, ...state].join('');
  const all = [
    option(1, said('client') ?? duid),
    option(2, said('server') ?? '00030001020000000001'),
    ...(inner === ''
      ? []
      : [option(3, number('iaid', 1) + number('t1', 0) + number('t2', 0) + inner)]),
    ...(said('status') === undefined ? [] : [option(13, hex(Number(said('status')), 4))]),
    ...(said('dns') === undefined ? [] : [option(23, ip6Hex(said('dns') ?? ''))]),
    ...words.flatMap((word) => {
      const [, code, value = ''] = /^(\d+)=([0-9a-f]*)$/.exec(word) ?? [];
      return code === undefined ? [] : [option(Number(code), value)];
    }),
  ].join('');
  const body = `${hex(TYPES.indexOf(type), 2)}${xid}${all}`;
  return frameOf(17, said('from') ?? SERVER, `02230222${hex(8 + body.length / 2, 4)}0000${body}`);
}

/** A neighbour's word: 136, that he has an address; 135, the question who has it. */
export function neighbourFrame(type: number, address: string, mac: string, from = '::'): Buffer {
  return frameOf(58, from, `${hex(type, 2)}000000${'0'.repeat(8)}${ip6Hex(address)}`, mac);
}
