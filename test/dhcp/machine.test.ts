// SPDX-License-Identifier: Apache-2.0
// The machine of the DHCP daemon by scripts over time: a line is an event, those below it that are
// indented are all that the daemon is to do then. FIXTURE_UPDATE=1 writes what it did.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { updating } from '../support/needs.ts';
import { arpReply, unreachable } from './frames.ts';
import { neighbourFrame } from './frames6.ts';
import { nameOf, SETTINGS, Stage } from './stage.ts';

const SCRIPTS = fileURLToPath(new URL('./scripts/', import.meta.url));
const MTU = { mtu_bytes: 1500 };

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
      const [mac = '02:00:00:00:00:01', netnsID = pod, kind = 'veth', fresh = ''] = rest;
      const own = rest[4];
      const number = Number.parseInt(mac.replaceAll(':', ''), 16);
      return stage.tell({
        event: 'opened',
        lease,
        mac: number,
        netnsID,
        kind,
        ...MTU,
        fresh: fresh === 'fresh',
        ...(own ? { link_local: own } : {}),
      });
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
    case 'advertise':
    case 'reply':
      return stage.answer6(word.toUpperCase(), pod, rest);
    case 'has':
      return stage.frame(pod, neighbourFrame(136, rest[0] ?? '', rest[1] ?? ''));
    case 'asks':
      return stage.frame(pod, neighbourFrame(135, rest[0] ?? '', rest[1] ?? '', rest[2]));
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
