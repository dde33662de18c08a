// SPDX-License-Identifier: Apache-2.0
// The configuration of an agent: which network it keeps, which node it is, where it learns of
// others. The network is told as Flannel's net-conf.json has it, keys and defaults. It refuses
// what it does not know with a word, but for keys of Flannel's that do not matter here.
import { hostname } from 'node:os';

export type Json = Readonly<Record<string, unknown>>;

/** The event `network` of core-as/overlay/machine.ts. */
export interface NetworkConfig {
  readonly name: string;
  readonly cidrs: readonly string[];
  readonly type: string;
  readonly vni: number;
  readonly port: number;
  readonly mtu_bytes: number;
  readonly direct: boolean;
  /** Of WireGuard: after so many seconds of silence something is said; 0 for never. */
  readonly keepalive_s: number;
  /** Whether nodes that flanneld keeps are among the others. */
  readonly flannel: boolean;
}

/** Nodes in a file; agent/overlay/sources/file.ts. */
export interface FileSourceConfig {
  readonly type: 'file';
  readonly path: string;
}

/** Nodes of a Kubernetes cluster. */
export interface KubernetesSourceConfig {
  readonly type: 'kubernetes';
  /** A path; "" for that of the pod that the agent runs in. */
  readonly kubeconfig: string;
}

/** Flannel's layout in etcd. */
export interface EtcdSourceConfig {
  readonly type: 'etcd';
  /** URLs. */
  readonly endpoints: readonly string[];
  readonly prefix: string;
  /** PEM files, "" for none. */
  readonly ca_file: string;
  readonly cert_file: string;
  readonly key_file: string;
  readonly user: string;
  readonly password_file: string;
  /** By which other nodes reach this one; none for those of the interface. */
  readonly addresses: readonly string[];
  /** "" for that of the default route. */
  readonly interface: string;
  readonly lease_ttl_s: number;
  /** How subnets are cut where etcd does not say it: keys of net-conf.json. */
  readonly net_conf: Json;
}

export type SourceConfig = FileSourceConfig | KubernetesSourceConfig | EtcdSourceConfig;

export interface AgentConfig {
  readonly network: NetworkConfig;
  /** The name of this node in the source. */
  readonly node: string;
  readonly source: SourceConfig;
  /** Whether the plugins masquerade what leaves the network. */
  readonly masquerade: boolean;
  /** What becomes of running pods when the MTU of new ones changes. */
  readonly pod_mtu: 'keep' | 'follow';
  /** A conflist to place once pods can be served; undefined for none. */
  readonly conflist: { readonly path: string; readonly content: object } | undefined;
  /** Where Flannel's plugin would look, "" for no such file. */
  readonly subnet_env: string;
  /** How often what gone containers left is taken back; 0 for never. */
  readonly gc_s: number;
  /** HOST:PORT of /healthz, /readyz and /metrics, "" for none. */
  readonly listen: string;
}

const KNOWN = [
  'name',
  'node',
  'net-conf',
  'source',
  'masquerade',
  'podMtu',
  'flannel',
  'gc',
  'conflist',
  'subnetEnv',
  'listen',
];
/** Ports that backends take when none is said, as core-as/overlay/network.ts has them. */
const USUAL_PORTS: Readonly<Record<string, number>> = { geneve: 6081, wireguard: 51820 };
const VXLAN_PORT = 8472;
/** What wg(8) calls sensible: less than firewalls remember a flow. */
const KEEPALIVE_S = 25;

function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new Error(`${what} must be an object`);
}

function text(of: Json, key: string, fallback: string): string {
  const value = of[key] ?? fallback;
  if (typeof value === 'string') return value;
  throw new Error(`"${key}" must be a string`);
}

function number(of: Json, key: string, fallback: number): number {
  const value = of[key] ?? fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new Error(`"${key}" must be a number from 0`);
}

function truth(of: Json, key: string, fallback: boolean): boolean {
  const value = of[key] ?? fallback;
  if (typeof value === 'boolean') return value;
  throw new Error(`"${key}" must be true or false`);
}

/** Flannel's keys of WireGuard that say what is not done here: why not. */
const REFUSED: Readonly<Record<string, string>> = {
  PSK: 'there are no shared keys: leave it out',
  Mode: 'one device serves both families: leave it out',
};

/** The port of a backend; Flannel names that of WireGuard otherwise. */
function portOf(backend: Json, type: string): number {
  const usual = USUAL_PORTS[type] ?? VXLAN_PORT;
  const port = number(backend, 'Port', 0);
  if (type !== 'wireguard') return port || usual;
  const listen_port = number(backend, 'ListenPort', 0);
  if (port > 0 && listen_port > 0 && port !== listen_port) {
    throw new Error(`"Port" is ${port} and "ListenPort" ${listen_port}: leave one of them out`);
  }
  return listen_port || port || usual;
}

/** Flannel's net-conf.json as a network. */
export function networkOf(name: string, conf: Json, flannel = false): NetworkConfig {
  const backend = object(conf['Backend'] ?? {}, '"Backend"');
  const type = text(backend, 'Type', 'vxlan');
  const refused = Object.keys(REFUSED).find((key) => (backend[key] ?? '') !== '');
  if (type === 'wireguard' && refused !== undefined) {
    throw new Error(`"${refused}" of "Backend" is not taken, as ${REFUSED[refused]}`);
  }
  if (flannel && type !== 'vxlan') {
    throw new Error(`"flannel" is of Flannel's vxlan alone, and "Type" is "${type}": leave it out`);
  }
  if (flannel && truth(backend, 'GBP', false)) {
    throw new Error('"GBP" marks packets in a way that this agent drops: set it to false first');
  }
  const cidrs: string[] = [];
  if (truth(conf, 'EnableIPv4', true) && conf['Network'] !== undefined) {
    cidrs.push(text(conf, 'Network', ''));
  }
  if (truth(conf, 'EnableIPv6', conf['IPv6Network'] !== undefined)) {
    cidrs.push(text(conf, 'IPv6Network', ''));
  }
  return {
    name,
    cidrs,
    type,
    vni: number(backend, 'VNI', 1),
    port: portOf(backend, type),
    mtu_bytes: number(backend, 'MTU', 0),
    direct: truth(backend, 'DirectRouting', false),
    keepalive_s: number(backend, 'PersistentKeepaliveInterval', KEEPALIVE_S),
    flannel,
  };
}

function parsed(content: string): unknown {
  if (content.trim() === '') throw new Error('the file is empty');
  if (content.startsWith('\ufeff')) {
    throw new Error('a byte order mark is before the text: save the file without it');
  }
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new Error(`no JSON, which has no comments and no last commas: ${String(error)}`);
  }
}

function list(of: Json, key: string): readonly string[] {
  const value = of[key] ?? [];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new Error(`"${key}" must be a list of strings`);
}

/** Keys of each kind of source. */
const SOURCE_KEYS: Readonly<Record<string, readonly string[]>> = {
  file: ['path'],
  kubernetes: ['kubeconfig'],
  etcd: [
    ...['endpoints', 'prefix', 'caFile', 'certFile', 'keyFile', 'user', 'passwordFile'],
    ...['addresses', 'interface', 'leaseTTL'],
  ],
};
/** What Flannel has; a node that is away for longer loses its subnet. */
const DAY_S = 86_400;
const LEAST_TTL_S = 5;

function sourceOf(source: Json, net_conf: Json): SourceConfig {
  const type = text(source, 'type', '');
  const keys = SOURCE_KEYS[type];
  if (keys === undefined) {
    throw new Error(`there is no source "${type}": ${Object.keys(SOURCE_KEYS).join(', ')}`);
  }
  const unknown = Object.keys(source).find((key) => key !== 'type' && !keys.includes(key));
  if (unknown !== undefined) {
    throw new Error(`a source "${type}" has no key "${unknown}": ${keys.join(', ')}`);
  }
  if (type === 'file') return { type, path: text(source, 'path', '') };
  if (type === 'kubernetes') return { type, kubeconfig: text(source, 'kubeconfig', '') };
  return etcdOf(source, net_conf);
}

function etcdOf(source: Json, net_conf: Json): EtcdSourceConfig {
  const endpoints = list(source, 'endpoints');
  const wrong = endpoints.find((one) => !/^https?:\/\/[^/]+\/?$/.test(one));
  if (wrong !== undefined || endpoints.length === 0) {
    throw new Error('"endpoints" must be a list such as ["https://192.0.2.1:2379"]');
  }
  const lease_ttl_s = number(source, 'leaseTTL', DAY_S);
  if (lease_ttl_s < LEAST_TTL_S) throw new Error(`"leaseTTL" is in seconds, from ${LEAST_TTL_S}`);
  return {
    type: 'etcd',
    endpoints: endpoints.map((one) => one.replace(/\/$/, '')),
    prefix: text(source, 'prefix', '/coreos.com/network').replace(/\/+$/, ''),
    ca_file: text(source, 'caFile', ''),
    cert_file: text(source, 'certFile', ''),
    key_file: text(source, 'keyFile', ''),
    user: text(source, 'user', ''),
    password_file: text(source, 'passwordFile', ''),
    addresses: list(source, 'addresses'),
    interface: text(source, 'interface', ''),
    lease_ttl_s,
    net_conf,
  };
}

/** The configuration in a file's text; an Error says what is wrong with it. */
export function configOf(content: string): AgentConfig {
  const config = object(parsed(content), 'the configuration');
  const unknown = Object.keys(config).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) throw new Error(`there is no key "${unknown}": ${KNOWN.join(', ')}`);
  const name = text(config, 'name', '');
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw new Error('"name" must be that of the network');
  const net_conf = object(config['net-conf'] ?? {}, '"net-conf"');
  const podMtu = text(config, 'podMtu', 'keep');
  if (podMtu !== 'keep' && podMtu !== 'follow') {
    throw new Error(`"podMtu" is "${podMtu}": write keep or follow`);
  }
  const flannel = truth(config, 'flannel', false);
  const source = sourceOf(object(config['source'] ?? {}, '"source"'), net_conf);
  if (flannel && source.type === 'file') {
    throw new Error('"flannel" needs a source that flanneld reads, too: kubernetes or etcd');
  }
  const conflist = config['conflist'];
  const placed = conflist === undefined ? undefined : object(conflist, '"conflist"');
  return {
    network: networkOf(name, net_conf, flannel),
    node: text(config, 'node', hostname()),
    source,
    masquerade: truth(config, 'masquerade', true),
    pod_mtu: podMtu,
    conflist: placed && {
      path: text(placed, 'path', '/etc/cni/net.d/10-fairlead.conflist'),
      content: object(placed['content'] ?? defaultConflist(name), '"content"'),
    },
    subnet_env: text(config, 'subnetEnv', ''),
    gc_s: secondsOf(text(config, 'gc', '')),
    listen: text(config, 'listen', '127.0.0.1:9473'),
  };
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
/** A day: a timer holds no more than some. */
const LONGEST_S = 86_400;

/** The seconds of "10m"; 0 for "". */
function secondsOf(interval: string): number {
  const [, number = '', unit = ''] = /^([1-9]\d*)([smh])$/.exec(interval) ?? [];
  const seconds = Number(number) * (SECONDS[unit] ?? 0);
  if (interval !== '' && (seconds === 0 || seconds > LONGEST_S)) {
    throw new Error(`"gc" is "${interval}": write an interval up to a day, such as 10m`);
  }
  return seconds;
}

/** A list for pods of the network. */
function defaultConflist(name: string): object {
  return {
    cniVersion: '1.0.0',
    name,
    plugins: [
      {
        type: 'fairlead',
        capabilities: { portMappings: true },
        plugins: [
          { type: 'fairlead-overlay' },
          { type: 'portmap', capabilities: { portMappings: true } },
        ],
      },
    ],
  };
}
