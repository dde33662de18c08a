// SPDX-License-Identifier: Apache-2.0
// DHCP, ARP and ICMP frames as a server sees and sends them: written apart from the core's codec,
// so that one is held against the other. It refuses what no script needs.

const ETHER = 14;
const SERVER_MAC = '02000000aa01';
const TYPES = ['', 'DISCOVER', 'OFFER', 'REQUEST', 'DECLINE', 'ACK', 'NAK', 'RELEASE'];
const MAGIC = '63825363';

export const ipHex = (ip: string): string =>
  ip
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('');
const ipText = (bytes: Uint8Array): string => [...bytes].join('.');
const u32Hex = (value: number): string => value.toString(16).padStart(8, '0');

/** What a client said, in words; undefined for a frame that is no message to a server. */
export interface Said {
  readonly text: string;
  readonly xid: string;
  readonly mac: string;
  /** Of IPv6: the client's DUID in hex. */
  readonly duid?: string;
}

function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length && bytes[at] !== 255; ) {
    const number = bytes[at++]!;
    if (number === 0) continue;
    const length = bytes[at++]!;
    found.set(number, bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

/** The Internet checksum of bytes is 0 when theirs is right. */
export function checksum(bytes: Buffer, onto = 0): number {
  let sum = onto;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function optionText(number: number, value: Buffer): string {
  if (number === 50) return `requested=${ipText(value)}`;
  if (number === 54) return `server=${ipText(value)}`;
  if (number === 55) return `list=${[...value].join(',')}`;
  if (number === 61 && value[0] === 0) return `id=${value.subarray(1)}`;
  return `${number}=${value.toString('latin1')}`;
}

/** What a client said; throws when a checksum is wrong. */
export function readFrame(base64: string): Said {
  const frame = Buffer.from(base64, 'base64');
  const mac = frame.subarray(6, 12).toString('hex');
  const to = frame.subarray(0, 6).toString('hex');
  if (frame.readUInt16BE(12) === 0x0806) {
    const [from, target] = [ipText(frame.subarray(28, 32)), ipText(frame.subarray(38, 42))];
    return { text: `ARP who has ${target} tell ${from}`, xid: '', mac };
  }
  const ip = frame.subarray(ETHER, ETHER + 20);
  const udp = frame.subarray(ETHER + 20);
  const pseudo = Buffer.concat([ip.subarray(12, 20), Buffer.from([0, 17]), udp.subarray(4, 6)]);
  const sum = ~checksum(pseudo) & 0xffff;
  if (checksum(ip) !== 0 || checksum(udp, sum) !== 0) throw new Error('a wrong checksum');
  if (udp.readUInt16BE(4) !== udp.length) throw new Error('a wrong length');
  return {
    ...readBody(
      udp.subarray(8),
      `${ipText(ip.subarray(12, 16))} > ${ipText(ip.subarray(16, 20))}`,
      to,
    ),
    mac,
  };
}

function readBody(body: Buffer, way: string, to: string): Said {
  if (body.subarray(236, 240).toString('hex') !== MAGIC) throw new Error('no magic');
  const options = optionsOf(body.subarray(240));
  const words = [TYPES[options.get(53)?.[0] ?? 0] ?? '?', way, to];
  const ciaddr = ipText(body.subarray(12, 16));
  if (ciaddr !== '0.0.0.0') words.push(`ciaddr=${ciaddr}`);
  if (body.readUInt16BE(10) & 0x8000) words.push('broadcast');
  for (const [number, value] of options) {
    if (number !== 53 && number !== 57) words.push(optionText(number, value));
  }
  return { text: words.join(' '), xid: body.subarray(4, 8).toString('hex'), mac: '' };
}

/** The words of a release without heads. */
export const readRelease = (base64: string): string =>
  readBody(Buffer.from(base64, 'base64'), '', '').text.replace('  ', ' ');

export interface Reply {
  readonly type: string;
  readonly xid: string;
  readonly chaddr: string;
  readonly yiaddr: string;
  /** `server=`, `lease=`, `mask=`, `router=`, `t1=`, `t2=`, `message=`, or NUMBER=HEX. */
  readonly options: readonly string[];
  readonly mac?: string;
}

const NUMBERS: Readonly<Record<string, number>> = {
  mask: 1,
  router: 3,
  lease: 51,
  server: 54,
  message: 56,
  t1: 58,
  t2: 59,
};

function optionHex(word: string): string {
  const [name = '', value = ''] = word.split('=');
  const number = NUMBERS[name] ?? Number(name);
  let hex = value;
  if (['mask', 'router', 'server'].includes(name)) hex = ipHex(value);
  else if (['lease', 't1', 't2'].includes(name)) hex = u32Hex(Number(value));
  else if (name === 'message') hex = Buffer.from(value).toString('hex');
  const length = (hex.length / 2).toString(16).padStart(2, '0');
  return number.toString(16).padStart(2, '0') + length + hex;
}

/** A frame with an IPv4 packet of a protocol from the server. */
function packet(to_mac: string, protocol: number, source: string, content: string, mac: string) {
  const total = u32Hex(20 + content.length / 2).slice(4);
  const head = `4500${total}00000000ff${protocol.toString(16).padStart(2, '0')}0000`;
  return Buffer.from(`${to_mac}${mac}0800${head}${ipHex(source)}ffffffff${content}`, 'hex');
}

/** A server's message, whose UDP checksum is not there yet, as between the ends of a veth pair. */
export function replyFrame({
  type,
  xid,
  chaddr,
  yiaddr,
  options,
  mac = SERVER_MAC,
}: Reply): Buffer {
  const kind = `3501${TYPES.indexOf(type).toString(16).padStart(2, '0')}`;
  const fixed = `02010600${xid}${'0'.repeat(16)}${ipHex(yiaddr)}${'0'.repeat(16)}`;
  const more = options.map(optionHex).join('');
  const body = `${fixed}${chaddr}${'0'.repeat(404)}${MAGIC}${kind}${more}ff`;
  const length = u32Hex(8 + body.length / 2).slice(4);
  return packet('ffffffffffff', 17, '10.1.0.1', `00430044${length}1234${body}`, mac);
}

/** Somebody says that he has an address. */
export function arpReply(address: string, mac: string): Buffer {
  const arp = `00010800060400${'02'}${mac}${ipHex(address)}${'0'.repeat(20)}`;
  return Buffer.from(`ffffffffffff${mac}0806${arp}`, 'hex');
}

/** The network says that nobody listens on the server's port. */
export function unreachable(server: string): Buffer {
  const inner = `4500001c000000004011${'0000'}${ipHex('10.1.0.5')}${ipHex(server)}00440043`;
  return packet('ffffffffffff', 1, server, `0303000000000000${inner}00080000`, SERVER_MAC);
}
