// SPDX-License-Identifier: Apache-2.0
// What clients were recorded to call, call by call, against our executable: the same answer as the
// reference gave then, up to hardware addresses and the names of host interfaces, and nothing left
// at the end. Calls of host-local by bridge are not repeated: they were the reference bridge's way
// to get an address, and ours does that without a second program.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOSTS } from '../support/hosts.ts';
import { needsReference } from '../support/needs.ts';
import { isOurs, needsPlugin, Replay, type Snapshot } from './replay.ts';
import { allTranscripts, type RecordedCall } from './transcript.ts';

interface Result {
  cniVersion: string;
  interfaces?: { name: string; mac: string; sandbox?: string }[];
  ips?: { address: string; version?: string; interface?: number }[];
  dns?: object;
}

const commandOf = (call: RecordedCall): string => call.env['CNI_COMMAND'] ?? '';

/** A hardware address that nobody asked for, and the random part of a host interface's name. */
function masked(result: Result, call: RecordedCall): Result {
  const asked = `${call.env['CNI_ARGS']} 00:00:00:00:00:00`;
  const interfaces = result.interfaces?.map((one) => ({
    ...one,
    name: one.name.replace(/^veth[0-9a-f]{8}$/, '<veth>'),
    mac: asked.includes(one.mac) ? one.mac : '<mac>',
  }));
  const { dns = {}, ...rest } = result;
  return interfaces ? { ...rest, interfaces, dns } : { ...rest, dns };
}

/** fixtures/differences.md, address-version: the reference loopback leaves the families out. */
function withFamilies(result: Result): Result {
  if (result.cniVersion !== '0.3.1') return result;
  const ips = result.ips?.map((ip) => ({
    version: ip.address.includes(':') ? '6' : '4',
    ...ip,
  }));
  return ips ? { ...result, ips } : result;
}

function expectSameAnswer(stdout: string, call: RecordedCall): void {
  if (call.stdout === '') expect(stdout).toBe('');
  else if (commandOf(call) === 'VERSION') {
    const { supportedVersions } = JSON.parse(call.stdout) as { supportedVersions: string[] };
    const ours = JSON.parse(stdout) as { supportedVersions: string[] };
    expect(ours.supportedVersions).toEqual(expect.arrayContaining(supportedVersions));
  } else {
    const recorded = withFamilies(JSON.parse(call.stdout) as Result);
    expect(masked(JSON.parse(stdout) as Result, call)).toEqual(masked(recorded, call));
  }
}

/** The interface of the call is in the pod as the result says, and the others on the host. */
function expectInPlace(stdout: string, call: RecordedCall, after: Snapshot): void {
  const { CNI_IFNAME: ifname = '', CNI_NETNS: sandbox = '' } = call.env;
  const result = JSON.parse(stdout) as Result;
  const told = result.interfaces?.find((one) => one.sandbox === sandbox && one.name === ifname);
  const addresses = result.ips?.map((ip) => ip.address);
  expect(after.pods[sandbox]?.[ifname]).toMatchObject({ mac: told?.mac, addresses });
  const outside = result.interfaces?.filter((one) => one.sandbox === undefined) ?? [];
  expect(after.links).toEqual(expect.arrayContaining(outside.map((one) => one.name)));
}

function expectGone(call: RecordedCall, after: Snapshot): void {
  const { CNI_IFNAME: ifname = '', CNI_CONTAINERID: id = '', CNI_NETNS: sandbox = '' } = call.env;
  if (call.plugin === 'bridge') {
    expect(after.pods[sandbox]?.[ifname]).toBeUndefined();
    expect(after.records).not.toContain(`attachments/${id}:${ifname}`);
  }
  if (call.plugin === 'loopback' && sandbox !== '') {
    expect(after.pods[sandbox]?.['lo']?.addresses).not.toContain('::1/128');
  }
}

/** All but ADD and the first DEL leave everything as it is; the later DELs name no namespace. */
function changes(call: RecordedCall): boolean {
  return commandOf(call) === 'ADD' || (commandOf(call) === 'DEL' && call.env['CNI_NETNS'] !== '');
}

function bridgesOf(calls: readonly RecordedCall[]): string[] {
  const names = calls.map(({ stdin }) => (JSON.parse(stdin) as { bridge?: string }).bridge);
  return [...new Set(names.filter((name) => name !== undefined))];
}

const cases = HOSTS.flatMap(({ host, program, why }) =>
  allTranscripts().map((transcript) => ({ transcript, name: transcript.name, host, program, why })),
);

describe.skipIf(needsReference !== '').each(cases.filter(({ why }) => why === ''))(
  `$name, call by call, $host ${needsReference}`,
  ({ transcript, program }) => {
    const bridges = bridgesOf(transcript.calls);
    let replay: Replay;
    let before: Snapshot;

    beforeAll(async () => {
      replay = await Replay.open(transcript, program);
      before = await replay.snapshot();
    });
    afterAll(() => replay?.close());

    /** The bridge stays by design: other pods may be about to join it. */
    async function expectOnlyBridges(): Promise<void> {
      const links = [...before.links, ...bridges].sort();
      expect(await replay.snapshot()).toEqual({ ...before, links });
    }

    test('every call of an IPAM plugin is part of a call that is repeated', () => {
      for (const { number, env, stdin } of transcript.delegated) {
        const whole = transcript.calls.find((call) => call.number > number && call.stdin === stdin);
        expect({ number, env: whole?.env }).toEqual({ number, env });
      }
    });

    describe.each(transcript.calls.map((call) => ({ call, why: needsPlugin(call) })))(
      '$call.number: $call.env.CNI_COMMAND $call.plugin $call.env.CNI_IFNAME $why',
      ({ call, why }) => {
        test.skipIf(why !== '')('gives the recorded answer', async () => {
          const earlier = await replay.snapshot();
          const { code, stdout, stderr } = await replay.call(call);
          expect(code, `${stdout}${stderr}`).toBe(call.exit_code);
          expectSameAnswer(stdout, call);
          const later = await replay.snapshot();
          if (commandOf(call) === 'ADD') expectInPlace(stdout, call, later);
          if (commandOf(call) === 'DEL') expectGone(call, later);
          if (!changes(call)) expect(later).toEqual(earlier);
          await replay.removePodAfter(call);
        });
      },
    );

    test('at the end nothing is left', async () => {
      await expectOnlyBridges();
      for (const id of new Set(transcript.calls.map((call) => call.env['CNI_CONTAINERID'] ?? ''))) {
        if (id !== '') expect(await replay.rulesWith(id)).toEqual([]);
      }
    });

    test('each DEL once more, as kubelet repeats it, does nothing', async () => {
      const dels = transcript.calls.filter((call) => isOurs(call) && commandOf(call) === 'DEL');
      for (const call of dels) {
        expect(await replay.again(call)).toMatchObject({ code: 0, stdout: '' });
        await expectOnlyBridges();
      }
    });

    // containerd 2 makes NetworkReady=false of any other answer, and kubelet taints the node.
    const status = transcript.calls.find(
      (call) => call.plugin === 'bridge' && commandOf(call) === 'STATUS',
    );
    const first = transcript.calls.find(
      (call) => call.plugin === 'bridge' && commandOf(call) === 'ADD',
    );
    test.skipIf(!status || !first)('STATUS goes on succeeding when the range is full', async () => {
      const narrow = (call: RecordedCall): RecordedCall => {
        const config = JSON.parse(call.stdin) as { ipam: { ranges: Record<string, string>[][] } };
        const range = config.ipam.ranges[0]![0]!;
        const one = range['subnet']!.replace(/\d+\/\d+$/, '200');
        Object.assign(range, { rangeStart: one, rangeEnd: one });
        return { ...call, stdin: JSON.stringify(config) };
      };
      const add = narrow(first!);
      expect(await replay.call(add)).toMatchObject({ code: 0 });
      const env = { ...add.env, CNI_CONTAINERID: 'one-too-many', CNI_IFNAME: 'eth9' };
      const refused = await replay.again({ ...add, env });
      expect(refused.code).not.toBe(0);
      expect(refused.stdout).toContain('no IP addresses available');
      const asked = await replay.again(narrow(status!));
      expect(asked).toMatchObject({ code: 0, stdout: '' });
      expect(asked.stderr).toContain('no IP addresses available');
      expect(await replay.again({ ...add, env: { ...add.env, CNI_COMMAND: 'DEL' } })).toMatchObject(
        {
          code: 0,
        },
      );
      await replay.removePod(add.env['CNI_NETNS']!);
      await expectOnlyBridges();
    });

    const gc = transcript.calls.find(
      (call) => call.plugin === 'bridge' && call.stdin.includes('"cni.dev/valid-attachments":null'),
    );
    if (gc === undefined) return;
    test('a pod whose DEL never came goes with the GC of the next start', async () => {
      const add = transcript.calls.find(
        (call) => call.plugin === 'bridge' && commandOf(call) === 'ADD',
      )!;
      expect(await replay.call(add)).toMatchObject({ code: 0 });
      expect((await replay.snapshot()).records).toHaveLength(1);
      await replay.removePod(add.env['CNI_NETNS']!);
      expect(await replay.again(gc)).toMatchObject({ code: 0, stdout: '' });
      await expectOnlyBridges();
    });
  },
);
