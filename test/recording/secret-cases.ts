// SPDX-License-Identifier: Apache-2.0
// Texts with secrets and what both hosts make of them.
import { Secrets } from '../../host-node/recording/secrets.ts';

export type Kind = 'json' | 'pairs';

/** What is looked at and how; what becomes of it; the names that are kept. */
export const CASES: readonly (readonly [Kind, string, string, readonly string[]])[] = [
  ['json', '', '', []],
  ['json', '{"password":"hush"}', '{"password":"****"}', ['password']],
  ['json', '{"PassWord" : "hush" }', '{"PassWord" : "****" }', ['PassWord']],
  ['json', '{"password":""}', '{"password":""}', []],
  ['json', '{"passwordFile":"/etc/x"}', '{"passwordFile":"******"}', ['passwordFile']],
  ['json', '{"passport":"hush"}', '{"passport":"hush"}', []],
  ['json', '{"my-api_key":"x"}', '{"my-api_key":"*"}', ['my-api_key']],
  [
    'json',
    '{"key":"abc","keys":"abc","monkey":"abc"}',
    '{"key":"***","keys":"abc","monkey":"abc"}',
    ['key'],
  ],
  ['json', '{"token":12.5e3,"a":12}', '{"token":11.1e1,"a":12}', ['token']],
  ['json', '{"token":null,"b":"c"}', '{"token":null,"b":"c"}', []],
  [
    'json',
    '{"secret":{"a":"b","c":["d",7]},"e":"f"}',
    '{"secret":{"a":"*","c":["*",1]},"e":"f"}',
    ['secret'],
  ],
  ['json', '{"secret":[],"e":"f"}', '{"secret":[],"e":"f"}', []],
  ['json', '{"psk":"a\\"b\\\\","e":"f"}', '{"psk":"******","e":"f"}', ['psk']],
  [
    'json',
    '"{\\"password\\":\\"hush\\",\\"a\\":\\"b\\"}"',
    '"{\\"password\\":\\"****\\",\\"a\\":\\"b\\"}"',
    ['password'],
  ],
  ['json', '"{\\"password\\":\\"a\\\\\\"b\\"}"', '"{\\"password\\":\\"******\\"}"', ['password']],
  ['json', '{"password":"cut of', '{"password":"******', ['password']],
  ['json', '{"password"', '{"password"', []],
  ['json', '{"password":', '{"password":', []],
  ['json', ':"password":"x"', ':"password":"*"', ['password']],
  ['json', 'password: hush', 'password: hush', []],
  [
    'json',
    '{"password":"one","b":"two","password":"two"}',
    '{"password":"***","b":"two","password":"***"}',
    ['password'],
  ],
  [
    'json',
    '{"password":"a longer one","b":"a longer one, too"}',
    '{"password":"************","b":"************, too"}',
    ['password'],
  ],
  // One that is met often leaves room for others.
  [
    'json',
    `{${'"password":"a longer one",'.repeat(20)}"token":"and another","b":"and another, too"}`,
    `{${'"password":"************",'.repeat(20)}"token":"***********","b":"***********, too"}`,
    ['password', 'token'],
  ],
  ['pairs', 'A=b;MY_TOKEN=abc;C=d', 'A=b;MY_TOKEN=***;C=d', ['MY_TOKEN']],
  [
    'pairs',
    'CNI_ARGS=PASSWORD=a=b\0CNI_PATH=/x\0',
    'CNI_ARGS=PASSWORD=***\0CNI_PATH=/x\0',
    ['PASSWORD'],
  ],
  ['pairs', 'PASSWORD=;A=b', 'PASSWORD=;A=b', []],
  ['pairs', '=x', '=x', []],
];

/** What the Node host makes of a text. */
export function hidden(kind: Kind, text: string): { text: string; names: readonly string[] } {
  const secrets = new Secrets();
  const bytes = Buffer.from(text);
  if (kind === 'json') secrets.json(bytes);
  else secrets.pairs(bytes);
  secrets.again(bytes);
  return { text: bytes.toString(), names: secrets.names };
}
