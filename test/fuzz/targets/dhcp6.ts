// SPDX-License-Identifier: Apache-2.0
// What the DHCPv6 client is sent by strangers: frames of the pod's link, in every state of a lease.
import { neighbourFrame, serverFrame } from '../../dhcp/frames6.ts';
import { SETTINGS, Stage } from '../../dhcp/stage.ts';
import { Violation } from '../../support/answer.ts';
import type { Target } from '../target.ts';
import { guarded, opened } from './dhcp.ts';

const POD = 'a:6';
const XID = '010203';
/** That of the lease of the pod "a". */
const DUID = '0004b724d3ea35558238b32a7ebb71faf7fb';
const ADDRESS = ['ip=2001:db8::5,1800,3600'];
const MORE = ['t1=100', 't2=200', 'dns=2001:db8::53', '24=03656e67076578616d706c65036f726700'];
const OTHERS = [['ia=2'], ['ia=3'], ['status=0'], ['status=4'], ['ip=2001:db8::5,0,0']];

function frames(): Uint8Array[] {
  const all = [ADDRESS, [...ADDRESS, ...MORE], ['ip=2001:db8::6,20,30', ...ADDRESS], ...OTHERS];
  return [
    ...['ADVERTISE', 'REPLY'].flatMap((type) =>
      all.map((words) => serverFrame({ type, xid: XID, duid: DUID, words })),
    ),
    neighbourFrame(136, '2001:db8::5', '02000000bb05'),
    neighbourFrame(135, '2001:db8::5', '02000000bb05'),
    neighbourFrame(135, 'fe80::ff:fe00:1', '02000000aa01', 'fe80::1'),
  ];
}

/** A frame of the machine's own transaction, where the input has one of ours. */
function addressed(input: Uint8Array, xid: string): Buffer {
  return Buffer.from(Buffer.from(input).toString('hex').replaceAll(XID, xid), 'hex');
}

/** The states in which a lease hears frames, each behind those before it. */
const STATES: readonly ((stage: Stage) => void)[] = [
  (stage) => {
    stage.tell({ event: 'start', leases: [], ...SETTINGS });
    stage.call('Allocate', 'a', '{"family":"ipv6"}', '');
    opened(stage, POD);
  },
  (stage) => void stage.answer6('ADVERTISE', POD, ADDRESS),
  (stage) => void stage.answer6('REPLY', POD, ADDRESS),
  (stage) => {
    stage.at('20:00');
    stage.tell({ event: 'tick' });
    stage.tell({ event: 'tick' });
    opened(stage, POD);
  },
  (stage) => {
    stage.call('Release', 'a', '', '');
    opened(stage, POD);
  },
];

export const dhcpFrame6: Target = {
  name: 'dhcp-frame6',
  calls: false,
  seeds: frames,
  words: () => [
    ...['\0\x01\0\x12', '\0\x02\0\x0a', '\0\x03\0\x28', '\0\x05\0\x18', '\0\x0d\0\x02'],
    ...['\xff\xff\xff\xff', '\0\0', '\x02\x22'],
  ],
  check: (input) => {
    for (let states = 1; states <= STATES.length; states++) {
      guarded(() => {
        const stage = new Stage();
        for (const state of STATES.slice(0, states)) state(stage);
        const lines = stage.frame(POD, addressed(input, stage.xid(POD)));
        stage.at('90:00');
        wellFormed([...lines, ...stage.tell({ event: 'tick' })]);
      });
    }
  },
};

/** A lease that is given has an address of a host, of more than its link. */
function wellFormed(lines: readonly string[]): void {
  const told = lines.find((line) => line.includes('"IPs"'));
  const [, ip = '32.1'] = /"Address":\{"IP":"([\d.]+)"/.exec(told ?? '') ?? [];
  const [first = 0, second = 0] = ip.split('.').map(Number);
  const link_local = first === 0xfe && second >> 6 === 2;
  const nobody = /^(0\.){15}[01]$/.test(ip);
  if (first === 0xff || link_local || nobody) throw new Violation(`an address ${ip}`);
}
