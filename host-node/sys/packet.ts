// SPDX-License-Identifier: Apache-2.0
// A packet socket (packet(7)) on one link, for what tells a DHCP client something. Of IPv4 that is
// DHCP to a client's port, ARP, and ICMP's word that something did not arrive; of IPv6 DHCP and
// neighbour discovery. All else stays in the kernel. It refuses to read what comes.
import { close, closeSync, readSync, writeSync } from 'node:fs';
import { addressOf, bindSocket, osError, setsockopt, signalReadable, socket } from './libc.ts';

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const ETH_P_ALL = 3; // linux/if_ether.h
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26; // asm-generic/socket.h
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23; // linux/if_packet.h
/** Of a datagram: more than any link but lo has. */
const FRAME_MAX_BYTES = 65536;

/** Instructions of the filter (linux/bpf_common.h), offsets in an Ethernet frame. */
const LOAD_16 = 0x28;
const LOAD_8 = 0x30;
const LOAD_IP_HEAD = 0xb1;
const LOAD_16_BEHIND = 0x48;
const LOAD_8_BEHIND = 0x50;
const JUMP_EQUAL = 0x15;
const JUMP_SET = 0x45;
const RETURN = 0x06;

/** Code, jump when true, jump when false, operand. */
type Instruction = readonly [number, number, number, number];
const IPV4: readonly Instruction[] = [
  [LOAD_16, 0, 0, 12],
  [JUMP_EQUAL, 11, 0, 0x0806], // ARP
  [JUMP_EQUAL, 0, 11, 0x0800], // IPv4
  [LOAD_16, 0, 0, 20],
  [JUMP_SET, 9, 0, 0x3fff], // a fragment
  [LOAD_IP_HEAD, 0, 0, 14],
  [LOAD_8, 0, 0, 23],
  [JUMP_EQUAL, 3, 0, 17], // UDP
  [JUMP_EQUAL, 0, 5, 1], // ICMP
  [LOAD_8_BEHIND, 0, 0, 14],
  [JUMP_EQUAL, 2, 3, 3], // unreachable
  [LOAD_16_BEHIND, 0, 0, 16],
  [JUMP_EQUAL, 0, 1, 68], // to a client
  [RETURN, 0, 0, FRAME_MAX_BYTES],
  [RETURN, 0, 0, 0],
];

const IPV6: readonly Instruction[] = [
  [LOAD_16, 0, 0, 12],
  [JUMP_EQUAL, 0, 9, 0x86dd], // IPv6
  [LOAD_8, 0, 0, 20],
  [JUMP_EQUAL, 3, 0, 17], // UDP
  [JUMP_EQUAL, 0, 6, 58], // ICMP
  [LOAD_8, 0, 0, 54],
  [JUMP_EQUAL, 3, 2, 135], // who has an address
  [LOAD_16, 0, 0, 56],
  [JUMP_EQUAL, 1, 2, 546], // to a client
  [JUMP_EQUAL, 0, 1, 136], // who has it
  [RETURN, 0, 0, FRAME_MAX_BYTES],
  [RETURN, 0, 0, 0],
];

/** struct sock_fprog of linux/filter.h, and what it points to, which must stay. */
interface Filter {
  readonly option: Uint8Array;
  readonly program: Uint8Array;
}
const filters = new Map<readonly Instruction[], Filter>();

function filterOption(instructions: readonly Instruction[]): Uint8Array {
  const made = filters.get(instructions);
  if (made !== undefined) return made.option;
  const program = Buffer.alloc(instructions.length * 8);
  for (const [at, [code, yes, no, operand]] of instructions.entries()) {
    program.writeUInt16LE(code, at * 8);
    program.writeUInt8(yes, at * 8 + 2);
    program.writeUInt8(no, at * 8 + 3);
    program.writeUInt32LE(operand, at * 8 + 4);
  }
  const option = Buffer.alloc(16);
  option.writeUInt16LE(instructions.length, 0);
  option.writeBigUInt64LE(addressOf(program), 8);
  filters.set(instructions, { option, program });
  return option;
}

export interface PacketSocket {
  /** Sends a frame as it is; OsError when the link does not take it. */
  send(frame: Uint8Array): void;
  /** The next frame that came, undefined when there is none. The bytes are good until the next. */
  receive(): Uint8Array | undefined;
  close(): void;
}

const frame = Buffer.allocUnsafeSlow(FRAME_MAX_BYTES);

/** Opens one on a link of the namespace that this thread is in. SIGIO says that something came. */
export function openPacket(ifindex: number, ipv6 = false): PacketSocket {
  // Of no protocol, so that nothing comes before the filter is there.
  const fd = socket(AF_PACKET, SOCK_RAW_CLOEXEC, 0);
  try {
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filterOption(ipv6 ? IPV6 : IPV4));
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, Uint8Array.of(1, 0, 0, 0));
    const address = Buffer.alloc(20); // struct sockaddr_ll
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(ETH_P_ALL, 2);
    address.writeInt32LE(ifindex, 4);
    signalReadable(fd);
    bindSocket(fd, address);
  } catch (error) {
    closeSync(fd);
    throw osError(error);
  }
  return {
    send: (bytes) => {
      try {
        writeSync(fd, bytes);
      } catch (error) {
        throw osError(error);
      }
    },
    receive: () => {
      try {
        return frame.subarray(0, readSync(fd, frame));
      } catch {
        // EAGAIN, or a link that goes down, which says so once.
        return undefined;
      }
    },
    // The kernel waits for all its processors before it lets go: another thread does that.
    close: () => close(fd),
  };
}
