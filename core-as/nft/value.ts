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

/** enum datatypes of nft: TYPE_IPADDR, TYPE_IP6ADDR, TYPE_ETHERADDR, TYPE_IFNAME. */
const FIELDS: Field[] = [
  new Field("ipv4_addr", 7, 4, 2),
  new Field("ipv6_addr", 8, 16, 2),
  new Field("ether_addr", 9, 6, 2),
  new Field("ifname", 41, 16, 1),
];

/** Bits by which the types of a concatenation follow each other in its number. */
const TYPE_BITS = 6;
const NFT_SET_MAP = 0x8;
const NFT_DATA_VERDICT = 0xffffff00;

function field_named(name: string): Field {
  for (let i = 0; i < FIELDS.length; i++) if (FIELDS[i].name == name) return FIELDS[i];
  return unreachable();
}

const padded = (len: i32): i32 => (len + 3) & ~3;

/** The type of a set, or of a map to verdicts. */
export class SetType {
  private fields: Field[] = [];
  /** `key`: fields joined by " . "; `data`: "verdict", "" for a set. */
  constructor(
    public key: string,
    public data: string,
  ) {
    const names = key.split(" . ");
    for (let i = 0; i < names.length; i++) this.fields.push(field_named(names[i]));
  }

  get words(): string {
    const data = this.data.length > 0 ? ` : ${this.data}` : "";
    return `{ type ${this.key}${data}; }`;
  }

  /** The attributes of NEWSET that say it. */
  write(out: Attributes): void {
    let number = 0;
    let len = 0;
    const single = this.fields.length == 1;
    for (let i = 0; i < this.fields.length; i++) {
      number = (number << TYPE_BITS) | this.fields[i].number;
      len += single ? this.fields[i].len : padded(this.fields[i].len);
    }
    out.be32(3, this.data.length > 0 ? NFT_SET_MAP : 0);
    out.be32(4, number);
    out.be32(5, len);
    if (this.data.length > 0) {
      out.be32(6, NFT_DATA_VERDICT);
      out.be32(7, 0);
    }
    // NFTNL_UDATA_SET_KEYBYTEORDER, by which nft prints elements; a concatenation has none.
    const start = out.open(13);
    out.byte(0);
    out.byte(4);
    out.u16(single ? this.fields[0].byteorder : 0);
    out.u16(0);
    out.end(start);
  }

  /** Whether a text is a key of this type. */
  valid(words: string): bool {
    const parts = words.split(" . ");
    if (parts.length != this.fields.length) return false;
    for (let i = 0; i < parts.length; i++) {
      if (!field_valid(this.fields[i], parts[i])) return false;
    }
    return true;
  }

  /** The bytes of a key: fields of a concatenation padded to four bytes each. */
  key_bytes(words: string): Attributes {
    const out = new Attributes();
    const parts = words.split(" . ");
    assert(parts.length == this.fields.length, "a key of another type");
    for (let i = 0; i < parts.length; i++) {
      field_write(out, this.fields[i], parts[i]);
      while (parts.length > 1 && (out.len & 3) != 0) out.byte(0);
    }
    return out;
  }

  /** The words of a key given in hex. */
  key_words(hex: string): string {
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

function field_valid(field: Field, word: string): bool {
  if (field.name == "ifname") return ifname_problem(word).length == 0;
  if (field.name == "ether_addr") return mac_normal(word) == word && word.length > 0;
  const ip = ip_parse(word);
  return ip !== null && ip.v6 == (field.len == 16);
}

function field_write(out: Attributes, field: Field, word: string): void {
  const end = out.len + field.len;
  if (field.name == "ifname") out.text(word);
  else if (field.name == "ether_addr") {
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
export function hex_bytes(hex: string): Attributes {
  const out = new Attributes();
  for (let i = 0; i + 1 < hex.length; i += 2) out.byte(I32.parseInt(hex.substring(i, i + 2), 16));
  return out;
}

/** NFT_GOTO; the one verdict that maps of ours lead to. */
const NFT_GOTO = -4;

/** A verdict "goto CHAIN" as an attribute. */
export function data_write(out: Attributes, type: i32, words: string): void {
  assert(words.startsWith("goto "), "data that is no goto");
  const nest = out.nest(type);
  const verdict = out.nest(2);
  out.be32(1, NFT_GOTO);
  out.name(2, words.substring(5));
  out.end(verdict);
  out.end(nest);
}
