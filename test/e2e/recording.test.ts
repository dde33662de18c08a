// SPDX-License-Identifier: Apache-2.0
// Recordings of real calls: both hosts write the same of the same, a user without privileges
// replays it, and a recording that cannot be made or is broken off fails no call. All of it in
// namespaces with a /run of their own.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRecording, type Recording } from '../../host-node/recording/format.ts';
import { needsNative } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';

const CONFIG = {
  cniVersion: '1.1.0',
  name: 'net',
  type: 'bridge',
  bridge: 'b0',
  isGateway: true,
  ipMasq: true,
  password: 'correct horse',
  ipam: { type: 'host-local', dataDir: '/run/leases', ranges: [[{ subnet: '10.60.0.0/24' }]] },
};
const HOST_NAMES = ['native', 'node'] as const;

let folder: string;
let runs = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-recording-'));
  chmodSync(folder, 0o755);
  for (const host of HOST_NAMES) {
    mkdirSync(join(folder, host));
    const program = distPath(host === 'native' ? 'fairlead-native' : 'fairlead');
    symlinkSync(program, join(folder, host, 'bridge'));
  }
  symlinkSync(distPath('fairlead'), join(folder, 'fairlead'));
  writeFileSync(join(folder, 'net.json'), JSON.stringify(CONFIG));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly said: string;
  /** What lay in /run/fairlead/recordings at the end, the oldest first. */
  readonly texts: readonly string[];
}

/** Runs a script in namespaces of its own, with an empty /run that has a pod. */
function inside(host: (typeof HOST_NAMES)[number], script: string): Ran {
  const out = join(folder, `out-${++runs}`);
  mkdirSync(out);
  const said = execFileSync(
    'unshare',
    [
      ...['--net', '--mount', 'sh', '-ec'],
      `mount -t tmpfs tmpfs /run; ip netns add pod
      # Addresses that the kernel makes for itself come when they come.
      for ns in "" "-n pod"; do
        ip $ns link set lo up
      done
      sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
      export CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/pod CNI_IFNAME=eth0 CNI_PATH=${folder}/${host}
      export CNI_ARGS='IgnoreUnknown=1;TOKEN=sesame'
      call() { CNI_COMMAND=$1 ${folder}/${host}/bridge < ${folder}/net.json; }
      fairlead() { ${folder}/fairlead "$@"; }
      fairlead record on > /dev/null
      ${script}
      cp /run/fairlead/recordings/*.jsonl ${out}/ 2> /dev/null || true`,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const names = readdirSync(out).sort();
  return { said, texts: names.map((name) => readFileSync(join(out, name), 'utf8')) };
}

/** A text in which what differs from run to run has a name by where it came first. */
function settled(text: string): string {
  const seen = new Map<string, string>();
  const named = (word: string) => (match: string) => {
    const name = seen.get(match) ?? `<${word} ${seen.size}>`;
    seen.set(match, name);
    return name;
  };
  return text
    .replace(/"us":\d+/g, '"us":0')
    .replace(/"started_ms":\d+/g, '"started_ms":0')
    .replace(/cookie:\d+/g, named('cookie'))
    .replace(/(?<!\d)\d{10}\.\d+/g, named('time'))
    .replace(/(?<![0-9a-f:])[0-9a-f]{2}(:[0-9a-f]{2}){5}/g, named('mac'))
    .replace(/process \d+/g, 'process N')
    .replaceAll(/\/(native|node)\b/g, '/HOST');
}

/** A recording's lines with bytes as text. */
function linesOf(text: string): string[] {
  const readable = (_: string, value: unknown): unknown => {
    const { base64 } = (value ?? {}) as { base64?: string };
    return base64 === undefined ? value : Buffer.from(base64, 'base64').toString('latin1');
  };
  const lines = text.trimEnd().split('\n');
  const plain = lines.map((line) => JSON.stringify(JSON.parse(line, readable)));
  return settled(plain.join('\n').replace(/"host":"\w+"/, '"host":""')).split('\n');
}

const opsOf = ({ operations }: Recording): string[] => operations.map(({ op }) => op);

describe.skipIf(needsNative !== '')(`recordings ${needsNative}`, () => {
  test('of both hosts are the same but for times', () => {
    const script = 'call ADD; call CHECK || true; call DEL; call GC; call STATUS; call VERSION';
    const [native, node] = HOST_NAMES.map((host) => inside(host, script).texts);
    expect(native).toHaveLength(6);
    expect(node).toHaveLength(6);
    native!.forEach((text, index) => {
      expect(linesOf(text)).toEqual(linesOf(node![index]!));
    });
    expect(opsOf(parseRecording(native![0]!))).toContain('kernel.link_add_veth');
  });

  test.each([
    ['is taken back', '0', 0],
    ['cannot be taken back', '1', 1],
  ])('of an ADD whose answer nobody took and that %s are the same, too', (_, fails, said) => {
    const ips = JSON.stringify({ cniVersion: '1.1.0', ips: [{ address: '10.60.0.9/24' }] });
    const config = JSON.stringify({ ...CONFIG, ipMasq: false, ipam: { type: 'others' } });
    const [native, node] = HOST_NAMES.map((host) => {
      const script = `cat > /dev/null; [ $CNI_COMMAND = ADD ] && echo '${ips}' || exit ${fails}`;
      writeFileSync(join(folder, host, 'others'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return inside(
        host,
        `echo '${config}' > /run/net.json
        CNI_COMMAND=ADD ${folder}/${host}/bridge < /run/net.json 2> /run/said > /dev/full || true
        grep -c 'taking the attachment back failed' /run/said || true
        fairlead replay /run/fairlead/recordings/*.jsonl
        fairlead logs`,
      );
    });
    expect(linesOf(native!.texts[0]!)).toEqual(linesOf(node!.texts[0]!));
    const { end, lines } = parseRecording(native!.texts[0]!);
    expect(end).toMatchObject({ exit_code: 1, received: false });
    expect(lines.filter(({ op }) => op === 'host.log')).toHaveLength(said);
    for (const one of [native!, node!]) {
      expect(one.said.split('\n')[0]).toBe(String(said));
      expect(one.said).toContain('the same again');
      expect(one.said).toMatch(/ failed: nobody took the answer\n$/);
    }
  });

  test.each(HOST_NAMES)('%s: have no secret, and stars for it', (host) => {
    const { texts } = inside(host, 'call ADD; call DEL');
    for (const text of texts) {
      expect(text).not.toMatch(/horse|sesame/);
      expect(text).toContain('TOKEN=******');
      expect(parseRecording(text).end?.redacted).toEqual(['TOKEN', 'password']);
    }
  });

  test.each(HOST_NAMES)('%s: replay to the same for a user without privileges', (host) => {
    const { said } = inside(
      host,
      `call ADD > /dev/null; call ADD > /dev/null || true; call DEL
      mkdir /run/copy; cp /run/fairlead/recordings/*.jsonl /run/copy; chmod -R a+rX /run/copy
      for file in /run/copy/*; do
        setpriv --reuid 65534 --regid 65534 --clear-groups ${folder}/fairlead replay $file
      done`,
    );
    expect(said.match(/the same again: /g)).toHaveLength(3);
    expect(said).toMatch(
      /^ADD bridge for eth0 of c1 on net, .* by the \w+ host: \d+ operations, /m,
    );
  });

  test.each(HOST_NAMES)('%s: logs tell what calls did, the failed ones too', (host) => {
    const { said } = inside(
      host,
      'call ADD > /dev/null; call ADD > /dev/null || true; call DEL; fairlead logs -o json',
    );
    const { recording, calls } = JSON.parse(said);
    expect(recording).toBe(true);
    const call = { type: 'bridge', network: 'net', containerID: 'c1', ifname: 'eth0', host };
    expect(calls).toMatchObject([
      { ...call, command: 'ADD', outcome: 'done', exit_code: 0 },
      { ...call, command: 'ADD', outcome: 'failed', exit_code: 1, error: { code: 102 } },
      { ...call, command: 'DEL', outcome: 'done', exit_code: 0 },
    ]);
    for (const { duration_us, slowest, operations } of calls) {
      expect(slowest.us).toBeLessThanOrEqual(duration_us);
      expect(operations).toBeGreaterThan(5);
    }
  });

  test.each(HOST_NAMES)('%s: the ring keeps the last calls, and nothing when off', (host) => {
    const script = `fairlead record on --calls 3 > /dev/null
      for command in ADD DEL VERSION STATUS VERSION; do call $command > /dev/null; done
      touch /run/fairlead/recordings/mine
      # Names like those of recordings: a folder, and a file that is no call's.
      mkdir /run/fairlead/recordings/0000000000000001-1.jsonl
      touch /run/fairlead/recordings/0000000000000001-1.jsonl~.jsonl
      call VERSION > /dev/null
      rmdir /run/fairlead/recordings/0000000000000001-1.jsonl
      rm /run/fairlead/recordings/0000000000000001-1.jsonl~.jsonl
      fairlead record off; call ADD > /dev/null; call DEL
      ls /run/fairlead/recordings | grep -v jsonl; stat -c '%a' /run/fairlead/recordings/*l`;
    const { texts, said } = inside(host, script);
    const commands = texts.map((text) => parseRecording(text).head.env['CNI_COMMAND']);
    expect(commands).toEqual(['STATUS', 'VERSION', 'VERSION']);
    expect(said).toMatch(/^recording is off: 3 recordings, /);
    expect(said.split('\n').slice(1)).toEqual(['mine', '600', '600', '600', '']);
  });

  test.each(HOST_NAMES)('%s: of a killed call is there up to where it waited', (host) => {
    const { texts, said } = inside(
      host,
      `call ADD > /dev/null
      # Somebody holds the lock of the attachment, for which the call waits.
      lock=$(ls -d /run/fairlead/locks/*/)
      flock $lock/lock sleep 30 & holder=$!
      sleep 0.3
      # The program itself, so that it is what is killed.
      (export CNI_COMMAND=DEL; exec ${folder}/${host}/bridge < ${folder}/net.json) & killed=$!
      sleep 1.5; kill -9 $killed; kill $holder
      fairlead replay $(ls /run/fairlead/recordings/*.jsonl | tail -n 1) || true
      fairlead logs | tail -n 1`,
    );
    const recording = parseRecording(texts[1]!);
    expect(recording.end).toBeUndefined();
    expect(opsOf(recording)).toContain('kernel.netns_open');
    expect(said).toContain('the recording ends before the call did; up to there it is the same');
    expect(said).toMatch(/DEL .* unfinished\n$/);
  });

  test.each(HOST_NAMES)('%s: one call goes where CNI_FAIRLEAD_RECORD says', (host) => {
    const { said } = inside(
      host,
      `fairlead record off > /dev/null; mkdir /run/mine
      CNI_FAIRLEAD_RECORD=/run/mine call ADD > /dev/null
      CNI_FAIRLEAD_RECORD=/run/mine/of-del call DEL
      ls /run/mine; fairlead replay /run/mine/of-del
      # What is there stays, and the call is served.
      CNI_FAIRLEAD_RECORD=/run/mine/of-del call VERSION 2>&1 > /dev/null
      # So it is where nothing can be written.
      mkdir /run/small; mount -t tmpfs -o size=4k tmpfs /run/small
      CNI_FAIRLEAD_RECORD=/run/small call ADD 2>&1 > /dev/null
      CNI_FAIRLEAD_RECORD=/run/nowhere/x call DEL 2>&1`,
    );
    expect(said).toMatch(/^\d{16}-\d+\.jsonl\nof-del\nDEL bridge for eth0/);
    expect(said).toContain('the same again');
    expect(said.match(/^fairlead: this call is not recorded, or not to its end: /gm)).toHaveLength(
      3,
    );
  });

  test.each(['0', '1', ''])('the native host under FAIRLEAD_CONFINE="%s" records', (confine) => {
    const { texts } = inside('native', `export FAIRLEAD_CONFINE=${confine}; call ADD; call DEL`);
    for (const text of texts) expect(parseRecording(text).end?.exit_code).toBe(0);
    expect(texts).toHaveLength(2);
  });

  test('the command line records what it does for a network, and replays it', () => {
    const conflist = JSON.stringify({ cniVersion: '1.1.0', name: 'net', plugins: [CONFIG] });
    const { texts, said } = inside(
      'node',
      `mkdir /run/net.d; echo '${conflist}' > /run/net.d/1.conflist
      set -- --conf-dir /run/net.d --cache-dir /run/cache --path /nowhere
      fairlead add net pod "$@" > /dev/null
      fairlead ls > /dev/null
      fairlead del net pod "$@" > /dev/null
      for file in /run/fairlead/recordings/*.jsonl; do fairlead replay $file; done`,
    );
    expect(texts.map((text) => parseRecording(text).head.task?.name)).toEqual(['add', 'del']);
    expect(said.match(/the same again: /g)).toHaveLength(2);
    for (const text of texts) expect(linesOf(text).join('\n')).not.toMatch(/horse|sesame/);
    // What a runtime keeps has the configuration in base64.
    const kept =
      linesOf(texts[0]!)
        .join('\n')
        .match(/cniCacheV1.*?config\W+(\w+)/)?.[1] ?? '';
    expect(Buffer.from(kept, 'base64').toString()).toMatch(/"password":"\*{13}"/);
  });
});
