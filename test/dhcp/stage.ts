// SPDX-License-Identifier: Apache-2.0
// The machine of the DHCP daemon on a stage: events in words, what it is to do in words, and
// servers that answer what it said last. It judges nothing.
import { AgentCore } from '../../agent/core.ts';
import type { Action, Actions, Event } from '../../agent/dhcp/protocol.ts';
import { wasmModule } from '../support/wasm.ts';
import { readFrame, readRelease, replyFrame, type Said } from './frames.ts';
import { isIpv6, readFrame6, serverFrame } from './frames6.ts';
import { answerText, callBytes } from './gob.ts';

const WELCOME = 'HTTP/1.0 200 Connected to Go RPC\n\n';
export const SETTINGS = {
  broadcast: false,
  timeout_ms: 10_000,
  resendmax_ms: 62_000,
  resendtimeout_ms: 208_000,
};

/** A machine, and what a script may refer to of what it said. */
export class Stage {
  readonly core = new AgentCore(wasmModule('agent'));
  readonly stored = new Map<string, string>();
  #now_ms = 0;
  #conn = 0;
  #random = 1;
  /** The last message by the lease's name: what a server answers. */
  readonly #heard = new Map<string, Said>();

  /** What callers were told, by connection: a type is described once in one. */
  readonly #said = new Map<number, Buffer>();

  /** Time as SECONDS, or MINUTES:SECONDS. */
  at(time: string): void {
    const [seconds = 0, minutes = 0] = time.split(':').reverse().map(Number);
    this.#now_ms = Math.round((minutes * 60 + seconds) * 1000);
  }
  tell(event: Event): string[] {
    this.#random = (this.#random * 48271) % 0x7fffffff;
    const moment = { now_ms: this.#now_ms, random: this.#random };
    const { actions, wake_ms } = this.core.tell('dhcp', { ...moment, ...event }) as Actions;
    const lines = actions.map((action) => this.#line(action));
    if (wake_ms < 0) return lines;
    return [...lines, `wake in ${((wake_ms - this.#now_ms) / 1000).toFixed(1)} s`];
  }
  #line(action: Action): string {
    switch (action.do) {
      case 'send': {
        const said = isIpv6(action.frame) ? readFrame6(action.frame) : readFrame(action.frame);
        if (said.xid !== '') this.#heard.set(action.lease, said);
        return `${action.lease} says ${said.text}`;
      }
      case 'store':
        this.stored.set(action.lease, action.text);
        return `${action.lease} is stored`;
      case 'forget':
        this.stored.delete(action.lease);
        return `${action.lease} is forgotten`;
      case 'open':
        return `${action.lease} looks for ${action.ifname} in ${action.netns}${of6(action)}`;
      case 'mtu':
        return `${action.lease} sets the MTU to ${action.mtu_bytes}`;
      case 'addr_del':
        return `${action.lease} takes ${action.address} off`;
      case 'release':
        return `${action.lease} tells ${action.server} ${readRelease(action.body)}`;
      case 'reply': {
        const bytes = Buffer.from(action.bytes, 'base64');
        if (bytes.toString() === WELCOME) return `conn ${action.conn}: welcome`;
        if (bytes.toString().startsWith('HTTP/')) return `conn ${action.conn}: no call`;
        const said = Buffer.concat([this.#said.get(action.conn) ?? Buffer.alloc(0), bytes]);
        this.#said.set(action.conn, said);
        return `conn ${action.conn}: ${answerText(said)}`;
      }
      case 'hangup':
        return `conn ${action.conn}: hung up`;
      case 'log':
        return `log ${action.text}`;
      default:
        return `${action.lease} ${action.do}`;
    }
  }
  /** `allocate POD [ipam JSON]`: a caller says all of it and waits. */
  call(method: string, pod: string, ipam: string, args: string): string[] {
    const conn = ++this.#conn;
    const config = { name: 'net', ipam: { type: 'dhcp', ...JSON.parse(ipam || '{}') } };
    const place = { containerID: pod, netns: `/run/netns/${pod}`, ifname: 'eth0' };
    const bytes = callBytes({ method: `DHCP.${method}`, ...place, args, config });
    this.tell({ event: 'connected', conn });
    const said = this.tell({ event: 'bytes', conn, bytes: bytes.toString('base64') });
    return [...said, ...this.tell({ event: 'ended', conn }).filter((line) => /hung/.test(line))];
  }
  /** Of the lease's last message, in hex. */
  xid(pod: string): string {
    return this.#heard.get(nameOf(pod))?.xid ?? '';
  }
  frame(pod: string, frame: Buffer): string[] {
    return this.tell({ event: 'frame', lease: nameOf(pod), frame: frame.toString('base64') });
  }
  /** `offer POD ADDRESS OPTION…`: a server answers what the client said last. */
  answer(type: string, pod: string, yiaddr: string, words: readonly string[]): string[] {
    const { xid, mac } = this.#heard.get(nameOf(pod)) ?? { xid: '00000000', mac: '' };
    const options = words.filter((word) => !word.startsWith('from='));
    const from = words.find((word) => word.startsWith('from='))?.slice(5);
    const reply = { type, xid, chaddr: mac, yiaddr, options, ...(from ? { mac: from } : {}) };
    return this.frame(pod, replyFrame(reply));
  }
  /** The same of IPv6. */
  answer6(type: string, pod: string, words: readonly string[]): string[] {
    const { xid = '', duid = '' } = this.#heard.get(nameOf(pod)) ?? {};
    return this.frame(pod, serverFrame({ type, xid, duid, words }));
  }
}

const of6 = ({ ipv6 = false }: { readonly ipv6?: boolean }): string => (ipv6 ? ', IPv6' : '');

/** The name that the machine gives to the lease of a pod's eth0; POD:6 is that of IPv6. */
export const nameOf = (pod: string): string =>
  pod.endsWith(':6') ? `${pod.slice(0, -2)}/net/eth0/ipv6` : `${pod}/net/eth0`;
