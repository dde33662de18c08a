// SPDX-License-Identifier: Apache-2.0
// What a test needs of the machine. Missing things are said in the test's title; under CI=true
// nothing may be missing but what the kernel was built without.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lacking } from '../../tools/build.mjs';
import { STEPS } from '../../tools/build-steps.mjs';
import { REFERENCE_DIR } from './world.ts';

const ci = process.env['CI'] === 'true';
/** What iproute2 ends with when the kernel has refused; 1 is for words that it does not know. */
const IP_REFUSED = 2;

function nftWorks(): boolean {
  const { status } = spawnSync('nft', ['list', 'tables'], { stdio: 'ignore' });
  return status === 0;
}

/** "" when the need is met, else why not. */
export function need(met: boolean, why: string): string {
  if (!met && ci) throw new Error(`CI must not skip: ${why}`);
  return met ? '' : why;
}

export const needsRoot = need(process.getuid?.() === 0, 'needs root');
/** A kernel with nf_tables, and nft to ask what lies in it. */
export const needsNft = needsRoot || need(nftWorks(), 'needs nf_tables and the package nftables');
export const needsReference =
  needsRoot ||
  need(existsSync(`${REFERENCE_DIR}/bridge`), 'needs the package containernetworking-plugins');

/** FIXTURE_UPDATE=1 writes into the fixtures what others would be compared with. */
export const updating = process.env['FIXTURE_UPDATE'] === '1';
export const needsFinal = updating ? 'needs a run without FIXTURE_UPDATE' : '';

/** Why the build leaves out a step on this machine; "" when it does not. */
function needsStep(name: string): string {
  const why = lacking(STEPS[name] ?? {});
  return need(why === '', why.replace(/^it /, ''));
}

/** The native host, which the build leaves out where its tools are missing. */
export const needsNative = needsRoot || needsStep('native');

/** The native host for arm64 and what runs it here; on arm64 itself it is the native host. */
export const needsArm64 =
  process.arch === 'arm64'
    ? 'needs a machine that is not arm64'
    : needsNative ||
      needsStep('native-arm64') ||
      need(programPath('qemu-aarch64-static') !== '', 'needs the package qemu-user-static');

/** Where a program lies, "" when it is not here. */
export function programPath(name: string): string {
  const found = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' });
  return found.stdout.trim();
}

/** What makes a release of what is built. */
export const needsRelease =
  needsNative || need(programPath('go-md2man') !== '', 'needs the package go-md2man');

/** "" when every program is here, else the first package to install; by program. */
export function missingPackage(packages: ReadonlyMap<string, string>): string {
  for (const [program, name] of packages) {
    if (programPath(program) === '') return `needs the package ${name}`;
  }
  return '';
}

/** The real etcd; no root. */
export const needsEtcd = need(programPath('etcd') !== '', 'needs the package etcd-server');
/** Certificates of a test's own. */
export const needsOpenssl = need(programPath('openssl') !== '', 'needs the package openssl');

/** A browser to open the page with. */
export const needsChromium = need(programPath('chromium') !== '', 'needs the package chromium');

/** iptables over nf_tables, which others make chains with. */
export const needsIptables =
  needsRoot || need(programPath('iptables-nft') !== '', 'needs the package iptables');

/** What a kernel says that knows no such kind of link, or not that option of it. */
const LACKING = /^(Error: Unknown device type|RTNETLINK answers: Operation not supported)/m;
const made = new Map<string, boolean>();

/**
 * Whether this kernel makes links of a type, such as "vrf table 10". One that only asks for more (a
 * parent) knows the type; words that iproute2 does not take are an error.
 */
function makes(type: string): boolean {
  if (needsRoot !== '') return false;
  const known = made.get(type) ?? probe(type);
  made.set(type, known);
  return known;
}

function probe(type: string): boolean {
  // What iproute2 makes by another command.
  if (type === 'tun') return existsSync('/dev/net/tun');
  const ns = `fl${process.pid}need`;
  execFileSync('ip', ['netns', 'add', ns]);
  try {
    const add = ['-n', ns, 'link', 'add', 'probe', 'type', ...type.split(' ')];
    const { status, stderr } = spawnSync('ip', add, { encoding: 'utf8' });
    if (status === 0) return true;
    if (status !== IP_REFUSED) throw new Error(`needs: link ${type}: ${stderr}`);
    return !LACKING.test(stderr);
  } finally {
    execFileSync('ip', ['netns', 'del', ns]);
  }
}

/** Properties of the kernel, not of the machine's set-up: CI may be without them. */
const needsLink = (type: string): string =>
  makes(type) ? '' : `needs a kernel with links of type ${type}`;
export const needsVlanFiltering = needsLink('bridge vlan_filtering 1');
export const needsDummy = needsLink('dummy');
export const needsMacvlan = needsLink('macvlan');
export const needsIpvlan = needsLink('ipvlan');
export const needsVlan = needsLink('vlan id 5');
export const needsTap = needsRoot || need(existsSync('/dev/net/tun'), 'needs /dev/net/tun');
export const needsVrf = needsLink('vrf table 10');
/** Where nf_conntrack tracks SCTP, by whose ports it is told apart, it has this. */
export const needsSctp = existsSync('/proc/sys/net/netfilter/nf_conntrack_sctp_timeout_closed')
  ? ''
  : 'needs a kernel with CONFIG_NF_CT_PROTO_SCTP';

/** Why this kernel cannot run a fixture with these `needs:`; "" when it can. */
export function kernelLacks(needs: readonly string[]): string {
  const lacking = needs.map((need) => needsLink(need.replace(/^link /, '')));
  return lacking.find((why) => why !== '') ?? '';
}
