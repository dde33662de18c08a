// SPDX-License-Identifier: Apache-2.0
// No secret of a configuration or of CNI_ARGS is in a recording, in no form that it passes in, and
// a recording without them replays all the same. test/native/secrets.test.ts holds the C beside it.
import { describe, expect, test } from 'vitest';
import { parseRecording } from '../../host-node/recording/format.ts';
import { replay } from '../../host-node/recording/replay.ts';
import { Secrets } from '../../host-node/recording/secrets.ts';
import { wasmModule } from '../support/wasm.ts';
import { CASES, hidden } from './secret-cases.ts';
import { tape } from './taped.ts';

test.each(CASES)('%j becomes %j', (kind, text, expected, names) => {
  expect(hidden(kind, text)).toEqual({ text: expected, names });
});

test('in the cache of a runtime a configuration is in base64', () => {
  const cached = (config: string, token: string): Buffer => {
    const base64 = Buffer.from(config).toString('base64');
    return Buffer.from(`{"config":"${base64}","cniArgs":[["A","b"],["TOKEN","${token}"]]}`);
  };
  const secrets = new Secrets();
  const bytes = cached('{"password":"hush","a":"b"}', 'hu\\"sh');
  secrets.cached(bytes);
  expect(bytes.toString()).toBe(cached('{"password":"****","a":"b"}', '******').toString());
  expect(secrets.names).toEqual(['password', 'TOKEN']);
});

describe('the recording of a call that passes secrets on', () => {
  const SECRETS = ['correct-horse', 'battery"staple', 'hunter2', 'k3y-material-of-mine'];
  const plugin = (type: string): object => ({
    cniVersion: '1.0.0',
    name: 'net',
    type,
    password: SECRETS[0],
    nested: { 'private-key': SECRETS[3], tokens: ['a', { pin: 1234 }] },
    Pass_Phrase: SECRETS[1],
    note: `not ${SECRETS[0]} here`,
  });
  const call = {
    type: 'bridge',
    env: {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/pod',
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/opt/cni/bin',
      CNI_ARGS: `IgnoreUnknown=1;DB_PASSWORD=${SECRETS[2]};K8S_POD_NAME=web`,
    },
    // An IPAM plugin of others is given the whole configuration and CNI_ARGS.
    stdin: JSON.stringify({ ...plugin('bridge'), ipam: { type: 'others', secret: SECRETS[0] } }),
    before: `netns host\nnetns pod\nplugin /opt/cni/bin/others 0 ${JSON.stringify(
      '{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.3/24"}]}',
    )}\n`,
  };
  const { text, answer } = tape(call);

  test('has none of them, also not in base64', () => {
    expect(text).toContain('plugin.exec');
    const bodies = [...text.matchAll(/"base64":"([^"]*)"/g)].map(([, body = '']) =>
      Buffer.from(body, 'base64').toString('latin1'),
    );
    expect(bodies.join('\n')).toContain('"type":"bridge"');
    for (const secret of [...SECRETS, 'staple', '1234']) {
      expect([text, ...bodies].filter((one) => one.includes(secret))).toEqual([]);
    }
    expect(text).toContain('K8S_POD_NAME=web');
  });

  test('says under which names they stood', () => {
    expect(parseRecording(text).end?.redacted).toEqual([
      ...['DB_PASSWORD', 'password', 'private-key', 'tokens', 'Pass_Phrase', 'secret'],
    ]);
  });

  test('replays to the same answer', () => {
    expect(replay(wasmModule('core'), parseRecording(text))).toMatchObject({
      outcome: 'same',
      answer,
    });
  });
});
