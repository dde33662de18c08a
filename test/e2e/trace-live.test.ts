// SPDX-License-Identifier: Apache-2.0
// `fairlead trace --live` on the real kernel: packets between containers, by a port of the host and
// into a foreign rule, each followed by nftables and compared with the way that was computed; and
// that nothing is left behind, also by a process that is killed. A namespace of the test's own
// stands for a host.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NODE } from '../support/hosts.ts';
import { needsNft } from '../support/needs.ts';
import { hostLines, writeNetworks } from './two-networks.ts';

/** Answers every connection, and every datagram. */
const SERVE = `require('node:net').createServer((s) => s.on('error', () => {}).end('x')).listen(80);
const u = require('node:dgram').createSocket('udp4');
u.on('message', (m, from) => u.send('x', from.port, from.address)).bind(53);`;
/** Opens connections until somebody stops it. */
const ASK = `setInterval(() => require('node:net').connect(80, '10.61.3.2')
  .on('error', () => {}).on('connect', function () { this.destroy(); }), 100);`;

interface Passage {
  readonly family: string;
  readonly hook: string;
  readonly iif: string;
  readonly oif: string;
  readonly src: string;
  readonly dst: string;
  readonly port: number;
  readonly passed: boolean;
  readonly judged: readonly { chain: string; handle: number; verdict: string; comment: string }[];
}
interface Traced {
  readonly steps: readonly { at: string; does: string }[];
  readonly end: { outcome: string };
  readonly live: {
    readonly steps: readonly { verdict: string; seen: string }[];
    readonly differences: readonly string[];
    readonly end: { outcome: string; why: string; cure?: string };
    readonly reply?: { kind: string };
    readonly hooks: readonly Passage[];
    readonly unseen: readonly string[];
  };
}

describe.skipIf(needsNft !== '' || NODE.why !== '')(
  `packets that are followed ${needsNft || NODE.why}`.trimEnd(),
  () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'fairlead-live-'));
      writeNetworks(folder, [{ type: 'firewall' }]);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    /** Runs a script on such a host, whose bridges pass iptables' hooks or do not. */
    function onHost(script: string, calls: '0' | '1' = '0'): string {
      const whole = `${hostLines(folder)}
        live() { "${NODE.program}" trace "$@" --live --output json; echo "exit $?"; }
        calls=/proc/sys/net/bridge/bridge-nf-call-iptables
        [ ! -e $calls ] || echo ${calls} >$calls
        set +e
        ${script}`;
      return execFileSync('unshare', ['--net', '--mount', 'sh', '-ec', whole], {
        encoding: 'utf8',
        env: { ...process.env, SERVE, ASK },
        timeout: 60_000,
      }).trimEnd();
    }

    /** What traces in a row say, each with its exit code. */
    function traced(script: string, calls: '0' | '1' = '0'): (Traced & { exit: number })[] {
      const lines = onHost(script, calls).split('\n');
      return Array.from({ length: lines.length / 2 }, (_, at) => ({
        ...(JSON.parse(lines[2 * at]!) as Traced),
        exit: Number(lines[2 * at + 1]!.replace('exit ', '')),
      }));
    }

    const verdicts = ({ live }: Traced): string[] => live.steps.map(({ verdict }) => verdict);
    const places = ({ live }: Traced): string[] =>
      live.hooks.map(({ family, hook }) => `${family} ${hook}`);

    test('from port to port of a bridge, over the host, and by a port of it', () => {
      const [same, other, mapped, host, ping, udp, nobody] = traced(`live blue green:80
        live blue red:80; live red 10.61.2.1:8080; live host 10.61.2.1:8080; live host red
        live blue red:53/udp; live blue green:81`);
      for (const one of [same, other, mapped, host, ping, udp]) {
        expect(one).toMatchObject({ exit: 0, end: { outcome: 'arrives' } });
        const seen = { end: { outcome: 'arrives' }, differences: [], unseen: [] };
        expect(one?.live).toMatchObject(seen);
        expect(new Set(verdicts(one!))).toEqual(new Set(['same']));
        // A program of the container answers a datagram when it comes to it; the kernel answers all
        // others.
        if (one !== udp) expect(one?.live.reply?.kind).toBe('answered');
      }
      expect(places(same!)).toEqual(['bridge prerouting', 'bridge forward', 'bridge postrouting']);
      expect(places(other!)).toEqual([
        ...['bridge prerouting', 'bridge input'],
        ...['inet prerouting', 'inet forward', 'inet postrouting'],
      ]);
      // Masqueraded: the address that the host has towards the other network.
      expect(other?.live.hooks.map(({ src }) => src)).toEqual([
        ...Array<string>(4).fill('10.61.2.2'),
        '10.61.3.1',
      ]);
      const last = mapped?.live.hooks.at(-1);
      expect(last).toMatchObject({ dst: '10.61.2.2', port: 80, passed: true });
      const rules = mapped?.live.hooks.flatMap(({ judged }) => judged) ?? [];
      expect(rules.map(({ comment }) => comment)).toContain('fairlead portmap 2');
      for (const one of [host, ping]) expect(places(one!)[0]).toBe('inet output');
      expect(nobody).toMatchObject({
        exit: 1,
        live: { end: { outcome: 'lost' }, reply: { kind: 'refused' }, differences: [] },
      });
    }, 90_000);

    test('where bridges pass the hooks of IP', () => {
      const found = traced('live blue green:80; live blue red:80; live blue green', '1');
      for (const one of found) {
        expect(one).toMatchObject({ exit: 0, live: { end: { outcome: 'arrives' }, unseen: [] } });
        expect(new Set(verdicts(one))).toEqual(new Set(['same']));
      }
    }, 90_000);

    test('into a foreign rule, which is named by chain and handle', () => {
      const [lost, passes] = traced(`nft 'add table inet mine
        add chain inet mine fw { type filter hook forward priority 10; }
        add rule inet mine fw tcp dport 80 ip daddr 10.61.3.2 counter drop comment "no web"'
        live blue red:80; live red blue:80`);
      expect(lost).toMatchObject({ exit: 1, end: { outcome: 'arrives' } });
      expect(lost?.live.end).toEqual({
        outcome: 'lost',
        why: expect.stringMatching(
          /^chain inet mine fw drops it, by rule handle [1-9]\d* \("no web"\)$/,
        ),
        cure: 'nft -a list chain inet mine fw',
      });
      expect(lost?.live.differences).toEqual(['the end: lost was seen, arrives was computed']);
      expect(verdicts(lost!)).toEqual(['same', 'same', 'same', 'unseen', 'unseen']);
      expect(lost?.live.hooks.at(-1)).toMatchObject({ hook: 'forward', passed: false });
      expect(passes).toMatchObject({ exit: 0, live: { end: { outcome: 'arrives' } } });
    }, 90_000);

    test('into another way than was computed', () => {
      const [led] = traced(`nft 'add table ip mine
        add chain ip mine nat { type nat hook prerouting priority -110; }
        add rule ip mine nat ip daddr 10.61.3.2 tcp dport 80 dnat to 10.61.2.3:80'
        live blue red:80`);
      expect(led?.live.differences).toContain('its destination became 10.61.2.3:80');
      const wrong = led?.live.steps.find(({ verdict }) => verdict === 'different');
      expect(wrong?.seen).toBe('it went out by "br0"');
    }, 90_000);

    test('to the host in place of a container', () => {
      const [refused, led] = traced(`nft 'add table ip mine
        add chain ip mine nat { type nat hook prerouting priority -110; }
        add rule ip mine nat ip daddr 10.61.3.2 tcp dport 80 redirect to :9'
        live blue red:80
        ip netns exec p1 "${process.execPath}" -e "$ASK" >/dev/null 2>&1 & asks=$!
        live outside red:80 --wait 20; kill $asks`);
      expect(refused).toMatchObject({ exit: 1, live: { end: { outcome: 'lost' } } });
      expect(refused?.live.end.why).toMatch(/^it came to the host itself, and .* is refused: /);
      expect(led).toMatchObject({ exit: 1, end: { outcome: 'arrives' } });
      expect(led?.live.end).toEqual({
        outcome: 'unseen',
        why: 'it came to the host itself: whether a process takes it there is not seen',
      });
      expect(led?.live.differences).toContain('its destination became 10.61.2.1:9');
    }, 90_000);

    test('of somebody else, and nobody comes', () => {
      // Others have their own packets traced meanwhile.
      const [came, none] = traced(`nft 'add table inet mine
        add chain inet mine pre { type filter hook prerouting priority -350; }
        add rule inet mine pre icmp type echo-request meta nftrace set 1'
        ip netns exec p2 ping -i 0.1 10.61.2.1 >/dev/null & asks=$!
        ip netns exec p1 sh -c 'sleep 2; exec "$0" -e "$ASK"' "${process.execPath}" \
          >/dev/null 2>&1 & asks="$asks $!"
        live outside 10.61.3.2:80 --wait 20; kill $asks
        live outside 10.61.3.2:81 --wait 1`);
      expect(came).toMatchObject({ exit: 0, live: { end: { outcome: 'arrives' } } });
      expect(came?.live).not.toHaveProperty('reply');
      expect(places(came!)).toContain('inet forward');
      expect(none).toMatchObject({
        exit: 1,
        live: { end: { outcome: 'unseen', why: 'no such packet came' }, hooks: [] },
      });
    }, 90_000);

    test('nothing is left, by an end, by a signal, by kill -9', () => {
      const out = onHost(`tables() { nft list tables | grep -c fairlead_trace; }
        nft list ruleset | sed 's/packets.*//' >/run/before
        live blue red:80 >/dev/null; tables
        for signal in INT TERM KILL; do
          "${NODE.program}" trace outside 10.61.2.1:99 --live --wait 30 >/dev/null 2>&1 & waits=$!
          for _ in $(seq 200); do [ "$(tables)" = 2 ] && break; sleep 0.05; done
          tables; kill -$signal $waits; wait $waits
          tables
        done
        nft list ruleset | sed 's/packets.*//' | cmp - /run/before && echo same`);
      expect(out.split('\n')).toEqual(['0', '2', '0', '2', '0', '2', '0', 'same']);
    }, 90_000);

    test('without root it says what to do, and makes nothing', () => {
      const out = onHost(`setpriv --bounding-set -net_admin --inh-caps -net_admin \\
          "${NODE.program}" trace host 10.61.3.2 --live 2>&1; echo "exit $?"
        nft list tables | grep -c fairlead_trace; true`);
      expect(out).toMatch(/run it as root.*\nexit 1\n0$/);
    }, 90_000);
  },
);
