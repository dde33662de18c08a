// SPDX-License-Identifier: Apache-2.0
// The machine of the DHCP daemon by scripts over time: a line is an event, those below it that are
// indented are all that the daemon is to do then. FIXTURE_UPDATE=1 writes what it did.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { AgentCore } from '../../agent/core.ts';
import type { Action, Actions, Event } from '../../agent/dhcp/protocol.ts';
import { updating } from '../support/needs.ts';
import { wasmModule } from '../support/wasm.ts';
import { arpReply, readFrame, readRelease, replyFrame, unreachable } from './frames.ts';
import { answerText, callBytes } from './gob.ts';

const SCRIPTS = fileURLToPath(new URL('./scripts/', import.meta.url));
const WELCOME = 'HTTP/1.0 200 Connected to Go RPC\n\n';
const SETTINGS = {
  broadcast: false,
  timeout_ms: 10_000,
  resendmax_ms: 62_000,
  resendtimeout_ms: 208_000,
};

/** A machine, and what a script may refer to of what it said. */
class Stage {
  readonly core = new AgentCore(wasmModule('agent'));
  readonly stored = new Map<string, string>();
  #now_ms = 0;
  #conn = 0;
  #random = 1;
  /** The last message by the lease's name: what a server answers. */
  readonly #heard = new Map<string, { xid: string; mac: string }>();

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
        const said = readFrame(action.frame);
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
        return `${action.lease} looks for ${action.ifname} in ${action.netns}`;
      case 'mtu':
        return `${action.lease} sets the MTU to ${action.mtu_bytes}`;
      case 'release':
        return `${action.lease} tells ${action.server} ${readRelease(action.body)}`;
      case 'reply': {
        const bytes = Buffer.from(action.bytes, 'base64');
        if (bytes.toString() === WELCOME) return `conn ${action.conn}: welcome`;
        return `conn ${action.conn}: ${answerText(bytes)}`;
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
}

const nameOf = (pod: string): string => `${pod}/net/eth0`;

/** What an event's line leads to. */
function perform(stage: Stage, line: string): string[] {
  const [time = '', word = '', pod = '', ...rest] = line.split(' ');
  stage.at(time);
  const lease = nameOf(pod);
  const said = rest.join(' ');
  switch (word) {
    case 'start': {
      const settings = { ...SETTINGS, ...JSON.parse(pod || '{}') };
      return stage.tell({ event: 'start', leases: [...stage.stored.values()], ...settings });
    }
    case 'allocate':
    case 'release': {
      const [, args = '', ipam = ''] = /^(?:args=(\S+) ?)?(.*)$/.exec(said) ?? [];
      return stage.call(word === 'allocate' ? 'Allocate' : 'Release', pod, ipam, args);
    }
    case 'opened': {
      const [mac = '02:00:00:00:00:01', netnsID = pod, kind = 'veth'] = rest;
      const number = Number.parseInt(mac.replaceAll(':', ''), 16);
      return stage.tell({ event: 'opened', lease, mac: number, netnsID, kind, mtu_bytes: 1500 });
    }
    case 'failed':
      return stage.tell({ event: 'failed', lease, error: said, gone: false });
    case 'gone':
      return stage.tell({ event: 'failed', lease, error: said, gone: true });
    case 'tick':
      return stage.tell({ event: 'tick' });
    case 'offer':
    case 'ack':
    case 'nak':
      return stage.answer(word.toUpperCase(), pod, rest[0] ?? '', rest.slice(1));
    case 'arp':
      return stage.frame(pod, arpReply(rest[0] ?? '', rest[1] ?? ''));
    case 'unreachable':
      return stage.frame(pod, unreachable(rest[0] ?? ''));
    case 'released':
      return stage.tell({ event: 'released', lease, error: said });
    default:
      throw new Error(`no such event: ${line}`);
  }
}

/** The script as it is when the machine has played it. */
function played(script: string): string {
  let stage = new Stage();
  const lines: string[] = [];
  for (const line of script.split('\n')) {
    if (line.startsWith('  ')) continue;
    lines.push(line);
    if (line === '' || line.startsWith('#')) continue;
    if (line.endsWith(' start') && lines.some((before) => before.endsWith(' start'))) {
      // Another daemon: it knows what the one before stored.
      const { stored } = stage;
      stage = new Stage();
      for (const [lease, text] of stored) stage.stored.set(lease, text);
    }
    lines.push(...perform(stage, line).map((one) => `  ${one}`));
  }
  return lines.join('\n');
}

describe('scripts', () => {
  for (const name of readdirSync(SCRIPTS).sort()) {
    test(name.replace('.txt', ''), () => {
      const script = readFileSync(SCRIPTS + name, 'utf8');
      const now = played(script);
      if (updating) writeFileSync(SCRIPTS + name, now);
      else expect(now).toBe(script);
    });
  }
});

test('memory is given back: a thousand pods that come and go take no more than the first', () => {
  const stage = new Stage();
  stage.tell({ event: 'start', leases: [], ...SETTINGS });
  const offer = ['server=10.1.0.1', 'mask=255.255.0.0', 'router=10.1.0.1', 'lease=3600'];
  const life = (count: number): void => {
    for (let at = 0; at < count; at++) {
      stage.call('Allocate', 'a', '', '');
      perform(stage, '1 opened a');
      stage.answer('OFFER', 'a', '10.1.0.5', offer);
      stage.answer('ACK', 'a', '10.1.0.5', offer);
      stage.call('Release', 'a', '', '');
      perform(stage, '2 opened a');
      perform(stage, '2 arp a 10.1.0.1 02000000aa01');
      perform(stage, '3 tick');
    }
  };
  life(50);
  const before = stage.core.memory_bytes;
  life(1000);
  expect(stage.stored.size).toBe(0);
  expect(stage.core.memory_bytes).toBeLessThanOrEqual(before + 65536);
});

test('a thousand leases take no more than 4 MiB of it', () => {
  const stage = new Stage();
  stage.tell({ event: 'start', leases: [], ...SETTINGS });
  const offer = ['server=10.1.0.1', 'mask=255.255.0.0', 'router=10.1.0.1', 'lease=3600'];
  for (let at = 0; at < 1000; at++) {
    stage.call('Allocate', `pod${at}`, '', '');
    perform(stage, `1 opened pod${at}`);
    stage.answer('OFFER', `pod${at}`, `10.1.${at >> 8}.${at & 255}`, offer);
    stage.answer('ACK', `pod${at}`, `10.1.${at >> 8}.${at & 255}`, offer);
  }
  expect(stage.stored.size).toBe(1000);
  expect(stage.core.memory_bytes).toBeLessThanOrEqual(4 << 20);
});
