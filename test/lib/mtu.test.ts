// SPDX-License-Identifier: Apache-2.0
// The MTU maths against written-out tables: every encapsulation, both IP versions, three underlays.
import { describe, expect, test } from 'vitest';
import { callNumber, callString } from '../support/lib-wasm.ts';

interface Asked {
  v6?: boolean;
  pods?: 'ipv4' | 'ipv6' | 'both';
  asked?: number;
}

function mtu(underlay: number, layers: string, options: Asked = {}) {
  const { v6 = false, pods = 'ipv4', asked = 0 } = options;
  const args = [underlay, layers, v6, pods !== 'ipv6', pods !== 'ipv4', asked];
  const [bytes, problem, warning] = callString('mtu', args).split('|');
  return { bytes: Number(bytes), problem, warning };
}

const fits = (bytes: number) => ({ bytes, problem: '', warning: '' });

// Layers, then the MTU on underlays of 1500, 9000 and 1460; null where a version cannot be used.
type Row = [layers: string, v4: number[] | null, v6: number[] | null];

const TABLE: Row[] = [
  ['', [1500, 9000, 1460], [1500, 9000, 1460]],
  ['vlan', [1500, 9000, 1460], [1500, 9000, 1460]],
  ['vlan,reduces-mtu', [1496, 8996, 1456], [1496, 8996, 1456]],
  ['vxlan', [1450, 8950, 1410], [1430, 8930, 1390]],
  ['vxlan-vlan', [1446, 8946, 1406], [1426, 8926, 1386]],
  ['vxlan-gpe', [1464, 8964, 1424], [1444, 8944, 1404]],
  ['geneve', [1450, 8950, 1410], [1430, 8930, 1390]],
  ['geneve,option_bytes=8', [1442, 8942, 1402], [1422, 8922, 1382]],
  ['geneve,option_bytes=12', [1438, 8938, 1398], [1418, 8918, 1378]],
  ['geneve,option_bytes=252', [1198, 8698, 1158], [1178, 8678, 1138]],
  ['ipip', [1480, 8980, 1440], null],
  ['ip6tnl,encaplimit=none', null, [1460, 8960, 1420]],
  ['ip6tnl', null, [1452, 8952, 1412]],
  ['ip6tnl,encaplimit=4', null, [1452, 8952, 1412]],
  ['gre', [1476, 8976, 1436], [1456, 8956, 1416]],
  ['gre,key', [1472, 8972, 1432], [1452, 8952, 1412]],
  ['gre,key,seq,csum', [1464, 8964, 1424], [1444, 8944, 1404]],
  ['gre,encaplimit=4', null, [1448, 8948, 1408]],
  ['gretap', [1462, 8962, 1422], [1442, 8942, 1402]],
  ['gretap,key', [1458, 8958, 1418], [1438, 8938, 1398]],
  ['nvgre', [1458, 8958, 1418], [1438, 8938, 1398]],
  ['erspan2', [1450, 8950, 1410], [1430, 8930, 1390]],
  ['erspan3', [1446, 8946, 1406], [1426, 8926, 1386]],
  ['stt', [1428, 8928, 1388], [1408, 8908, 1368]],
  ['fou-ipip', [1472, 8972, 1432], [1452, 8952, 1412]],
  ['gue-ipip', [1468, 8968, 1428], [1448, 8948, 1408]],
  ['udp', [1472, 8972, 1432], [1452, 8952, 1412]],
  ['wireguard', [1440, 8940, 1400], [1420, 8920, 1380]],
  ['wireguard,padded', [1425, 8925, 1385], [1405, 8905, 1365]],
  ['wireguard/vxlan', [1390, 8890, 1350], [1350, 8850, 1310]],
  ['mpls', [1496, 8996, 1456], [1496, 8996, 1456]],
  ['mpls,labels=3', [1488, 8988, 1448], [1488, 8988, 1448]],
  ['srv6', null, [1436, 8936, 1396]],
  ['srv6,segments=3', null, [1404, 8904, 1364]],
  ['macsec', [1468, 8968, 1428], [1468, 8968, 1428]],
  ['pppoe', [1492, 8992, 1452], [1492, 8992, 1452]],
  ['l2tpv3', [1458, 8958, 1418], [1438, 8938, 1398]],
  ['l2tpv3,cookie_bytes=8', [1450, 8950, 1410], [1430, 8930, 1390]],
  ['l2tpv3,l2spec_type=none', [1462, 8962, 1422], [1442, 8942, 1402]],
  ['ah', [1476, 8976, 1436], [1476, 8976, 1436]],
];

describe('encapsulations', () => {
  const cases = TABLE.flatMap(([layers, ...versions]) =>
    versions.flatMap((row, index) =>
      [1500, 9000, 1460].map((underlay, at) => ({
        layers: layers || 'none',
        stack: layers,
        v6: index === 1,
        underlay,
        bytes: row?.[at],
      })),
    ),
  );
  const usable = cases.filter((one) => one.bytes !== undefined);
  test.each(usable)('$layers in $underlay over IPv6 $v6 is $bytes', (one) => {
    const pods = one.v6 && one.layers === 'ah' ? 'ipv6' : 'ipv4';
    expect(mtu(one.underlay, one.stack, { v6: one.v6, pods })).toEqual(fits(one.bytes ?? 0));
  });

  const refused = cases.filter((one) => one.bytes === undefined && one.underlay === 1500);
  test.each(refused)('$layers over IPv6 $v6 is refused', ({ stack, v6 }) => {
    const name = stack.replace(/,.*/, '');
    const words = stack.startsWith('gre,')
      ? 'gre has an encaplimit over IPv6 only'
      : `${name} cannot run over ${v6 ? 'IPv6' : 'IPv4'}`;
    expect(mtu(1500, stack, { v6 })).toEqual({ bytes: 0, problem: words, warning: '' });
  });

  test('sit carries IPv6 in IPv4', () => {
    for (const [underlay, bytes] of [
      [1500, 1480],
      [9000, 8980],
      [1460, 1440],
    ] as const) {
      expect(mtu(underlay, 'sit', { pods: 'ipv6' })).toEqual(fits(bytes));
    }
    expect(mtu(1500, 'sit', { v6: true }).problem).toBe('sit cannot run over IPv6');
  });
});

describe('ESP', () => {
  // Suite, then for underlays of 1500, 9000 and 1460: tunnel over IPv4, with NAT-T, over IPv6.
  const SUITES: [string, number[], number[], number[]][] = [
    ['aes-gcm-16', [1446, 1438, 1426], [8946, 8938, 8926], [1406, 1398, 1386]],
    ['chacha20-poly1305', [1446, 1438, 1426], [8946, 8938, 8926], [1406, 1398, 1386]],
    ['aes-gcm-12', [1450, 1442, 1430], [8950, 8942, 8930], [1410, 1402, 1390]],
    ['aes-gcm-8', [1454, 1446, 1434], [8954, 8946, 8934], [1414, 1406, 1394]],
    ['aes-cbc-sha1-96', [1438, 1422, 1422], [8942, 8926, 8910], [1390, 1390, 1374]],
    ['aes-cbc-sha256-128', [1438, 1422, 1406], [8926, 8926, 8910], [1390, 1390, 1374]],
    ['aes-cbc-sha384-192', [1422, 1422, 1406], [8926, 8910, 8910], [1390, 1374, 1358]],
    ['aes-cbc-sha512-256', [1422, 1406, 1390], [8910, 8910, 8894], [1374, 1374, 1358]],
    ['null-sha1-96', [1458, 1450, 1438], [8958, 8950, 8938], [1418, 1410, 1398]],
  ];

  test.each(SUITES)('%s in tunnel mode', (suite, ...rows) => {
    for (const [at, underlay] of [1500, 9000, 1460].entries()) {
      const [v4, nat, v6] = rows[at]!;
      const esp = `esp,suite=${suite}`;
      expect(mtu(underlay, esp)).toEqual(fits(v4!));
      expect(mtu(underlay, `${esp},mode=tunnel,nat-t`)).toEqual(fits(nat!));
      expect(mtu(underlay, esp, { v6: true })).toEqual(fits(v6!));
    }
  });

  // The whole ESP packet is built here field by field, and must fit where one byte more must not.
  const packet = (inner: number, ip: number, iv: number, icv: number, align: number) =>
    ip + 8 + iv + Math.ceil((inner + 2) / align) * align + icv;
  test.each([
    ['aes-gcm-16', 8, 16, 4, 54, 57],
    ['aes-cbc-sha1-96', 16, 12, 16, 58, 73],
    ['aes-cbc-sha512-256', 16, 32, 16, 78, 93],
    ['null-sha1-96', 0, 12, 4, 42, 45],
  ] as const)('%s is exact on every underlay', (suite, iv, icv, align, least, most) => {
    const seen = new Set<number>();
    for (let underlay = 1280; underlay < 1540; underlay++) {
      const inner = mtu(underlay, `esp,suite=${suite}`).bytes;
      expect(packet(inner, 20, iv, icv, align)).toBeLessThanOrEqual(underlay);
      expect(packet(inner + 1, 20, iv, icv, align)).toBeGreaterThan(underlay);
      seen.add(underlay - inner);
      const moved = mtu(underlay, `esp,suite=${suite},mode=transport`).bytes;
      expect(packet(moved - 20, 20, iv, icv, align)).toBeLessThanOrEqual(underlay);
      expect(packet(moved - 19, 20, iv, icv, align)).toBeGreaterThan(underlay);
    }
    expect([Math.min(...seen), Math.max(...seen)]).toEqual([least, most]);
  });

  test('transport mode keeps the IP header of what it carries', () => {
    const esp = 'esp,mode=transport';
    expect(mtu(1500, esp)).toEqual(fits(1466));
    expect(mtu(1500, `${esp},nat-t`)).toEqual(fits(1458));
    expect(mtu(1500, `${esp}/vxlan`)).toEqual(fits(1416));
    expect(mtu(1500, `${esp}/vxlan`, { v6: true })).toEqual(fits(1396));
    expect(mtu(1500, `${esp}/vxlan,over=ipv6`).problem).toBe(
      'esp does not carry IPv6, which vxlan runs over',
    );
    expect(mtu(1500, esp, { pods: 'both' }).problem).toBe(
      'esp does not carry IPv6, which pods have',
    );
  });
});

describe('nested layers', () => {
  test.each([
    ['wireguard,over=ipv6/vxlan', 1370],
    ['wireguard/vxlan,over=ipv6', 1370],
    ['wireguard,padded/geneve,option_bytes=8', 1367],
    ['vxlan/vxlan', 1400],
    ['vxlan/vlan,reduces-mtu/pppoe', 1438],
    ['macsec/vlan,reduces-mtu/mpls,labels=2/ipip', 1436],
    ['gre/mpls/udp', 1444],
    ['esp,nat-t/gre,key', 1410],
    ['sit/srv6,over=ipv6', 1416],
  ])('%s is %i', (layers, bytes) => {
    expect(mtu(1500, layers)).toEqual(fits(bytes));
  });

  test.each([
    ['wireguard/vlan', 'wireguard does not carry Ethernet, which vlan runs over'],
    ['wireguard/mpls', 'wireguard does not carry MPLS, which mpls runs over'],
    ['ipip/vxlan,over=ipv6', 'ipip does not carry IPv6, which vxlan runs over'],
    ['sit/vxlan', 'sit does not carry IPv4, which vxlan runs over'],
    ['vxlan/ipip,over=ipv6', 'ipip cannot run over IPv6'],
    ['sit', 'sit does not carry IPv4, which pods have'],
    ['vxlan/nonesuch', "'nonesuch' is no encapsulation"],
  ])('%s is refused', (layers, problem) => {
    expect(mtu(1500, layers).problem).toBe(problem);
  });
});

describe('options', () => {
  test.each([
    ['vxlan,key', 'key'],
    ['gre,key,key', 'key'],
    ['gre,key=1', 'key=1'],
    ['gre,', ''],
    ['geneve,option_bytes=256', 'option_bytes=256'],
    ['geneve,option_bytes=6', 'option_bytes=6'],
    ['geneve,option_bytes=-4', 'option_bytes=-4'],
    ['geneve,option_bytes', 'option_bytes'],
    ['geneve,option_bytes=4,option_bytes=4', 'option_bytes=4'],
    ['mpls,labels=0', 'labels=0'],
    ['srv6,segments=128', 'segments=128'],
    ['l2tpv3,cookie_bytes=5', 'cookie_bytes=5'],
    ['l2tpv3,l2spec_type=other', 'l2spec_type=other'],
    ['vxlan,encaplimit=4', 'encaplimit=4'],
    ['ip6tnl,encaplimit=256', 'encaplimit=256'],
    ['vxlan,over=ipv5', 'over=ipv5'],
    ['vlan,over=ipv4', 'over=ipv4'],
    ['vlan,padded', 'padded'],
    ['esp,suite=rot13', 'suite=rot13'],
    ['esp,mode=beet', 'mode=beet'],
    ['esp,nat-t=1', 'nat-t=1'],
  ])('%s is refused', (layer, option) => {
    const name = layer.replace(/,.*/, '');
    expect(mtu(1500, layer, { v6: name === 'srv6' || name === 'ip6tnl' })).toEqual({
      bytes: 0,
      problem: `${name} does not take '${option}' here`,
      warning: '',
    });
  });
});

describe('least MTUs', () => {
  const dual = (underlay: number, layers: string, v6: boolean) =>
    mtu(underlay, layers, { v6, pods: 'both' });

  // The smallest underlay that leaves IPv6 pods their 1280 bytes.
  test.each([
    ['vxlan', false, 1330],
    ['vxlan', true, 1350],
    ['wireguard', true, 1360],
    ['wireguard,padded', true, 1375],
    ['wireguard/vxlan', true, 1430],
    ['', false, 1280],
  ])('%s over IPv6 %s needs %i for IPv6 pods', (layers, v6, least) => {
    expect(dual(least, layers, v6)).toEqual(fits(1280));
    const name = layers.replace(/.*\//, '').replace(/,.*/, '');
    const place = name ? `inside ${name}` : 'on the underlay';
    expect(dual(least - 1, layers, v6)).toEqual({
      bytes: 1279,
      problem: `an MTU of 1279 ${place} is too small: IPv6 needs 1280`,
      warning: '',
    });
  });

  test('IPv4 pods go down to 68', () => {
    expect(mtu(118, 'vxlan')).toEqual(fits(68));
    expect(mtu(117, 'vxlan').problem).toBe('an MTU of 67 inside vxlan is too small: IPv4 needs 68');
    expect(mtu(100, 'esp').problem).toBe('an MTU of 46 inside esp is too small: IPv4 needs 68');
  });

  test('a layer over IPv6 needs 1280 outside', () => {
    expect(mtu(1280, 'vxlan', { v6: true })).toEqual(fits(1210));
    expect(mtu(1279, 'vxlan', { v6: true }).problem).toBe(
      'an MTU of 1279 on the underlay is too small: IPv6 needs 1280',
    );
    expect(mtu(1300, 'vxlan/wireguard,over=ipv6').problem).toBe(
      'an MTU of 1250 inside vxlan is too small: IPv6 needs 1280',
    );
  });

  test('an underlay that no link has is refused', () => {
    const range = 'is outside 68 to 65536';
    for (const underlay of [-1, 0, 67, 65537]) {
      expect(mtu(underlay, '').problem).toBe(`an underlay MTU of ${underlay} ${range}`);
    }
    expect(mtu(68, '')).toEqual(fits(68));
    expect(mtu(65536, 'vxlan')).toEqual(fits(65486));
  });
});

describe('an MTU asked for', () => {
  test('at or below what fits is taken', () => {
    expect(mtu(1500, 'vxlan', { asked: 1400 })).toEqual(fits(1400));
    expect(mtu(1500, 'vxlan', { asked: 1450 })).toEqual(fits(1450));
  });
  test('above what fits is a warning, above the underlay a problem', () => {
    expect(mtu(1500, 'vxlan', { asked: 1451 })).toEqual({
      bytes: 1451,
      problem: '',
      warning: 'an MTU of 1451 is above the 1450 that fit',
    });
    expect(mtu(1500, 'vxlan', { asked: 1500 }).problem).toBe('');
    expect(mtu(1500, 'vxlan', { asked: 1501 }).problem).toBe(
      "an MTU of 1501 is above the underlay's 1500",
    );
  });
  test('must hold what pods have', () => {
    expect(mtu(1500, 'vxlan', { asked: 1279 })).toEqual(fits(1279));
    expect(mtu(1500, 'vxlan', { asked: 1279, pods: 'both' }).problem).toBe(
      'an MTU of 1279 for pods is too small: IPv6 needs 1280',
    );
    expect(mtu(1500, 'vxlan', { asked: 67 }).problem).toMatch(/IPv4 needs 68$/);
  });
  test('does not mend layers that cannot be', () => {
    expect(mtu(1500, 'ipip', { v6: true, asked: 1400 }).problem).toBe('ipip cannot run over IPv6');
  });
});

test('the TCP segment in a packet', () => {
  expect(callNumber('mss', [1450, false])).toBe(1410);
  expect(callNumber('mss', [1450, true])).toBe(1390);
});
