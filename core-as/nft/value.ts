// SPDX-License-Identifier: Apache-2.0
// Keys and data of sets, from nft's words to the kernel's bytes and back. It owns the types: their
// numbers, lengths and byte order are those of nft's datatype.h and libnftnl's udata.h.
import { Ip, ip_parse } from "../lib/ip";
import { ifname_problem, mac_normal } from "../lib/name";
import { Attributes } from "./attributes";

/** One field of a key. */
class Field {
  constructor(
    public name: string,
    public number: i32,
    public len: i32,
    /** BYTEORDER_HOST 1, BYTEORDER_BIG_ENDIAN 2. */
    public byteorder: i32,
  ) {}
}

/** enum datatypes of nft: TYPE_IPADDR and so on. */
const FIELDS: Field[] = [
  new Field("ipv4_addr", 7, 4, 2),
  new Field("ipv6_addr", 8, 16, 2),
  new Field("ether_addr", 9, 6, 2),
  new Field("inet_proto", 12, 1, 2),
  new Field("inet_service", 13, 2, 2),
  new Field("ifname", 41, 16, 1),
];

/** Transport protocols by nft's words, and their numbers (linux/in.h). */
const PROTOCOLS: string[] = ["tcp", "udp", "sctp"];
const PROTOCOL_NUMBERS: i32[] = [6, 17, 132];

/** IPPROTO_* of a protocol's word. */
export function protocol_number(word: string): i32 {
  const at = PROTOCOLS.indexOf(word);
  return at < 0 ? 0 : PROTOCOL_NUMBERS[at];
}

/** Bits by which the types of a concatenation follow each other in its number. */
const TYPE_BITS = 6;
const NFT_SET_MAP = 0x8;
const NFT_DATA_VERDICT = 0xffffff00;

function field_named(name: string): Field {
  for (let i = 0; i < FIELDS.length; i++) if (FIELDS[i].name == name) return FIELDS[i];
  return unreachable();
}

const padded = (len: i32): i32 => (len + 3) & ~3;

/** Values side by side, as the key of a set or what a map leads to. */
class Fields {
  private fields: Field[] = [];
  /** Names joined by " . ". */
  constructor(names: string) {
    const list = names.split(" . ");
    for (let i = 0; i < list.length; i++) this.fields.push(field_named(list[i]));
  }
  private get single(): bool {
    return this.fields.length == 1;
  }
  /** nft's number of the type. */
  get number(): i32 {
    let number = 0;
    for (let i = 0; i < this.fields.length; i++) {
      number = (number << TYPE_BITS) | this.fields[i].number;
    }
    return number;
  }
  get len(): i32 {
    let len = 0;
    for (let i = 0; i < this.fields.length; i++) {
      len += this.single ? this.fields[i].len : padded(this.fields[i].len);
    }
    return len;
  }
  /** 0 for a concatenation. */
  get byteorder(): i32 {
    return this.single ? this.fields[0].byteorder : 0;
  }
  valid(words: string): bool {
    const parts = words.split(" . ");
    if (parts.length != this.fields.length) return false;
    for (let i = 0; i < parts.length; i++) {
      if (!field_valid(this.fields[i], parts[i])) return false;
    }
    return true;
  }
  /** Fields of a concatenation are padded to four bytes each. */
  bytes(words: string): Attributes {
    const out = new Attributes();
    const parts = words.split(" . ");
    assert(parts.length == this.fields.length, "a value of another type");
    for (let i = 0; i < parts.length; i++) {
      field_write(out, this.fields[i], parts[i]);
      while (parts.length > 1 && (out.len & 3) != 0) out.byte(0);
    }
    return out;
  }
  words(hex: string): string {
    const bytes = hex_bytes(hex);
    let words = "";
    let at = 0;
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i];
      if (at + field.len > bytes.len) return "";
      words += (i > 0 ? " . " : "") + field_words(field, bytes.ptr + at);
      at += padded(field.len);
    }
    return words;
  }
}

/** The type of a set, or of a map to verdicts or to values. */
export class SetType {
  private keys: Fields;
  /** What a map leads to; null for a set or a map to verdicts. */
  private values: Fields | null = null;
  /** `key`: fields joined by " . "; `data`: the same, "verdict", or "" for a set. */
  constructor(
    public key: string,
    public data: string,
  ) {
    this.keys = new Fields(key);
    if (data.length > 0 && data != "verdict") this.values = new Fields(data);
  }

  get words(): string {
    const data = this.data.length > 0 ? ` : ${this.data}` : "";
    return `{ type ${this.key}${data}; }`;
  }

  /** The attributes of NEWSET that say it. */
  write(out: Attributes): void {
    const values = this.values;
    out.be32(3, this.data.length > 0 ? NFT_SET_MAP : 0);
    out.be32(4, this.keys.number);
    out.be32(5, this.keys.len);
    if (this.data.length > 0) {
      out.be32(6, values ? values.number : NFT_DATA_VERDICT);
      out.be32(7, values ? values.len : 0);
    }
    // NFTNL_UDATA_SET_KEYBYTEORDER and, of a map to values, _DATABYTEORDER, by which nft prints
    // elements; a concatenation has none.
    const start = out.open(13);
    byteorder_write(out, 0, this.keys.byteorder);
    if (values) byteorder_write(out, 1, values.byteorder);
    out.end(start);
  }

  /** Whether a text is a key of this type. */
  valid(words: string): bool {
    return this.keys.valid(words);
  }
  key_bytes(words: string): Attributes {
    return this.keys.bytes(words);
  }
  /** The words of a key given in hex. */
  key_words(hex: string): string {
    return this.keys.words(hex);
  }
  /** Whether a text can be what this map leads to; a verdict is a goto. */
  data_valid(words: string): bool {
    const values = this.values;
    if (values) return values.valid(words);
    return this.data.length > 0 ? words.startsWith("goto ") : words.length == 0;
  }
  /** Data as an operation tells it: a verdict in words, a value in hex. */
  data_told(words: string): string {
    const values = this.values;
    return values ? hex_text(values.bytes(words)) : words;
  }
  /** The words of data that an operation told. */
  data_words(told: string): string {
    const values = this.values;
    return values ? values.words(told) : told;
  }
  /** Data as an attribute. */
  data_write(out: Attributes, type: i32, words: string): void {
    const nest = out.nest(type);
    const values = this.values;
    if (values) out.raw(1, values.bytes(words));
    else goto_write(out, words.substring(5));
    out.end(nest);
  }
}

function byteorder_write(out: Attributes, type: i32, order: i32): void {
  out.byte(type);
  out.byte(4);
  out.u16(order);
  out.u16(0);
}

function field_valid(field: Field, word: string): bool {
  if (field.name == "ifname") return ifname_problem(word).length == 0;
  if (field.name == "ether_addr") return mac_normal(word) == word && word.length > 0;
  if (field.name == "inet_proto") return PROTOCOLS.includes(word);
  if (field.name == "inet_service") return port_valid(word);
  const ip = ip_parse(word);
  return ip !== null && ip.v6 == (field.len == 16);
}

/** Whether a text is a port from 1 to 65535 as it is printed. */
function port_valid(word: string): bool {
  const port = word.length <= 5 ? I32.parseInt(word) : 0;
  return port > 0 && port < 65536 && port.toString() == word;
}

function field_write(out: Attributes, field: Field, word: string): void {
  const end = out.len + field.len;
  if (field.name == "ifname") out.text(word);
  else if (field.name == "inet_proto") out.byte(protocol_number(word));
  else if (field.name == "inet_service") {
    const port = I32.parseInt(word);
    out.byte(port >> 8);
    out.byte(port & 0xff);
  } else if (field.name == "ether_addr") {
    for (let i = 0; i < 6; i++) out.byte(I32.parseInt(word.substring(3 * i, 3 * i + 2), 16));
  } else {
    const ip = ip_parse(word);
    assert(ip !== null, "a key that is no address");
    if (ip) ip_write(out, ip);
  }
  while (out.len < end) out.byte(0);
}

/** An address as it stands in a packet. */
export function ip_write(out: Attributes, ip: Ip): void {
  for (let i = ip.v6 ? 0 : 12; i < 16; i++) {
    const half = i < 8 ? ip.high : ip.low;
    out.byte(<i32>((half >> (56 - 8 * (i & 7))) & 0xff));
  }
}

function field_words(field: Field, ptr: usize): string {
  if (field.name == "ifname") {
    let len = 0;
    while (len < field.len && load<u8>(ptr + len) != 0) len++;
    return String.UTF8.decodeUnsafe(ptr, len);
  }
  if (field.name == "inet_proto") {
    const at = PROTOCOL_NUMBERS.indexOf(load<u8>(ptr));
    return at < 0 ? load<u8>(ptr).toString() : PROTOCOLS[at];
  }
  if (field.name == "inet_service") return bswap<u16>(load<u16>(ptr)).toString();
  if (field.name == "ether_addr") {
    let words = "";
    for (let i = 0; i < 6; i++) {
      words +=
        (i > 0 ? ":" : "") +
        load<u8>(ptr + i)
          .toString(16)
          .padStart(2, "0");
    }
    return words;
  }
  const v6 = field.len == 16;
  const high = v6 ? bswap<u64>(load<u64>(ptr)) : 0;
  const low = v6 ? bswap<u64>(load<u64>(ptr, 8)) : <u64>bswap<u32>(load<u32>(ptr));
  return new Ip(v6, high, low).toString();
}

/** Bytes of a text in hex. */
function hex_bytes(hex: string): Attributes {
  const out = new Attributes();
  for (let i = 0; i + 1 < hex.length; i += 2) out.byte(I32.parseInt(hex.substring(i, i + 2), 16));
  return out;
}

export function hex_text(bytes: Attributes): string {
  let hex = "";
  for (let i = 0; i < bytes.len; i++) {
    hex += load<u8>(bytes.ptr + i)
      .toString(16)
      .padStart(2, "0");
  }
  return hex;
}

const NFT_GOTO = -4;

/** The attribute of a verdict "goto CHAIN". */
export function goto_write(out: Attributes, chain: string): void {
  const verdict = out.nest(2);
  out.be32(1, NFT_GOTO);
  out.name(2, chain);
  out.end(verdict);
}
