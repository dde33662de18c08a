// SPDX-License-Identifier: Apache-2.0
// Which name someone may have meant, in the core and on the command line: near ones, never one of
// two, and never the opposite of what was written.
import { expect, test } from 'vitest';
import { didYouMean } from '../../host-node/cli/args.ts';
import { callString } from '../support/lib-wasm.ts';

const KEYS = [
  ...['snat', 'masqAll', 'ipMasq', 'isGateway', 'hairpinMode', 'minID', 'maxID', 'rangeStart'],
  ...['ingressRate', 'egressRate', 'ingressPolicy', 'conditionsV4', 'conditionsV6', 'mtu', 'id'],
];
const nearest = (word: string): string => callString('nearest_of', [word, KEYS.join(' ')]);

test.each([
  ['hairpinMod', 'hairpinMode'],
  ['rangeStar', 'rangeStart'],
  ['igressRates', ''],
  ['ingresRate', 'ingressRate'],
  ['mtv', 'mtu'],
  ['Id2', 'id'],
  ['snatt', 'snat'],
])('slips: %s', (word, meant) => {
  expect(nearest(word)).toBe(meant);
});

test.each([
  ...['noSnat', 'nosnat', 'unsnat', 'ipNoMasq', 'isNoGateway', 'noIpMasq', 'deMasqAll'],
  ...['egressPolicy', 'conditionsV5'],
])('an opposite, or one of two, is not meant: %s', (word) => {
  expect(nearest(word)).toBe('');
});

test('the command line is as careful', () => {
  const commands = [
    'add',
    'del',
    'check',
    'gc',
    'status',
    'install',
    'uninstall',
    'fuse',
    'unfuse',
  ];
  for (const word of ['help', 'sell', 'unadd', 'nostatus']) {
    expect(didYouMean(word, commands)).toBe('');
  }
  expect(didYouMean('instal', commands)).toBe(': did you mean "install"?');
  expect(didYouMean('uninstal', commands)).toBe(': did you mean "uninstall"?');
  expect(didYouMean('chek', commands)).toBe(': did you mean "check"?');
});
