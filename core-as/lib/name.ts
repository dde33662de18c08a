// SPDX-License-Identifier: Apache-2.0
// Names: what counts as a valid container id, network, interface or MAC address, and names and
// addresses derived from an attachment by hashing. No random numbers: two runs do the same.

/**
 * CNI spec 1.1.0 section 2, "Parameters": an alphanumeric, then alphanumerics, '.', '_' or '-'.
 * Looks at the text before `end`.
 */
export function identifier_valid(text: string, end: i32 = text.length): bool {
  for (let i = 0; i < end; i++) {
    const c = text.charCodeAt(i);
    const letter = (c | 32) >= 97 && (c | 32) <= 122;
    const digit = c >= 48 && c <= 57;
    if (!letter && !digit && (i == 0 || (c != 45 && c != 46 && c != 95))) return false;
  }
  return end > 0;
}

/** Whether a text is an absolute path of a folder that says plainly where it leads. */
export function dir_usable(text: string): bool {
  return text.startsWith("/") && !`${text}/`.includes("/../");
}

/**
 * Why a text cannot name an interface (dev_valid_name in the kernel, spec section 2); "" when it
 * can.
 */
export function ifname_problem(name: string): string {
  if (name.length == 0) return "interface name is empty";
  if (String.UTF8.byteLength(name) > 15) return "interface name is too long";
  if (name == "." || name == "..") return "interface name is . or ..";
  for (let i = 0; i < name.length; i++) {
    if (is_space(name.charCodeAt(i)) || name.charCodeAt(i) == 47 || name.charCodeAt(i) == 58) {
      return "interface name contains / or : or whitespace characters";
    }
    if (name.charCodeAt(i) < 32) return "interface name contains a control character";
    // The kernel would take it for a pattern, and make a name of its own.
    if (name.charCodeAt(i) == 37) return "interface name contains %";
  }
  return "";
}

/** White space as Unicode (property White_Space) has it. */
function is_space(c: i32): bool {
  if (c == 32 || (c >= 9 && c <= 13) || c == 0x85 || c == 0xa0 || c == 0x1680) return true;
  if (c >= 0x2000 && c <= 0x200a) return true;
  return c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/** DOMAIN:BUS:DEVICE.FUNCTION, as drivers/pci/probe.c pci_setup_device names them. */
export function pci_address_valid(text: string): bool {
  const bus = text.length - ":00:00.0".length;
  if (bus < 4) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const digit = (c >= 48 && c <= 57) || ((c | 32) >= 97 && (c | 32) <= 102);
    const colon = i == bus || i == bus + 3;
    if (i == bus + 6 ? c != 46 : colon ? c != 58 : !digit) return false;
  }
  return true;
}

/**
 * Six hex octets divided by ':' or '-' as lower case with ':', "" when malformed. Zero and
 * multicast addresses are malformed too: the kernel takes neither for an interface.
 */
export function mac_normal(text: string): string {
  if (text.length != 17) return "";
  let normal = "";
  let zero = true;
  for (let i = 0; i < 17; i++) {
    const c = text.charCodeAt(i);
    if (i % 3 == 2) {
      if (c != 58 && c != 45) return "";
      normal += ":";
      continue;
    }
    const lower = c | 32;
    if (!(c >= 48 && c <= 57) && !(lower >= 97 && lower <= 102)) return "";
    if (c != 48) zero = false;
    normal += String.fromCharCode(c >= 48 && c <= 57 ? c : lower);
  }
  if (zero || (I32.parseInt(normal.substring(0, 2), 16) & 1) == 1) return "";
  return normal;
}

/** hash64_bytes of a text. */
export function hash64(text: string): u64 {
  const bytes = String.UTF8.encode(text);
  return hash64_bytes(changetype<usize>(bytes), bytes.byteLength);
}

/** FNV-1a over bytes, finished by a mixer so that every bit depends on every byte. */
export function hash64_bytes(ptr: usize, len: i32): u64 {
  let hash: u64 = 0xcbf29ce484222325;
  for (let i = 0; i < len; i++) {
    hash = (hash ^ <u64>load<u8>(ptr + i)) * 0x100000001b3;
  }
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

/** `prefix` and eight hex digits of the hash. */
export function name_from(prefix: string, text: string): string {
  return prefix + (hash64(text) >> 32).toString(16).padStart(8, "0");
}

/** A locally administered unicast MAC address (IEEE 802-2014 section 8.4) from the hash. */
export function mac_from(text: string): string {
  const hash = hash64(text);
  let mac = "";
  for (let i = 0; i < 6; i++) {
    let octet = <i32>((hash >> (8 * i)) & 0xff);
    if (i == 0) octet = (octet & 0xfc) | 2;
    mac += (i > 0 ? ":" : "") + octet.toString(16).padStart(2, "0");
  }
  return mac;
}

/** The MAC address that differs in the last bit. */
export function mac_neighbour(mac: string): string {
  const last = I32.parseInt(mac.substring(15), 16) ^ 1;
  return mac.substring(0, 15) + last.toString(16).padStart(2, "0");
}
