// SPDX-License-Identifier: Apache-2.0
// podman with its CNI backend in a cell, on links to our executable: its files, its commands, and
// what it and the kernel hold afterwards. No registry: a container's root is a folder with a
// busybox in it. It refuses to judge that state: what is expected of it is the tests' to say.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingPackage, need, programPath } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';
import { Cell } from './cell.ts';
import { askPort, makeBeyond, serveIn } from './packets.ts';
import {
  defaultGatewaysOf,
  type Interface,
  interfacesOf,
  leaseOf,
  type Netns,
  type State,
  stateOf,
} from './state.ts';

const EXECUTABLE = distPath('fairlead');
const TYPES = ['bridge', 'host-local', 'portmap', 'tuning', 'fairlead'];
const APPLETS = ['ip', 'ping', 'sleep'];
const PACKAGES = new Map([
  ['podman', 'podman'],
  ['runc', 'runc'],
  ['busybox', 'busybox-static'],
  ['ip', 'iproute2'],
]);
/** podman 5 dropped CNI where Debian and Ubuntu build it. */
const PODMAN_WITHOUT_CNI = 5;

function missing(): string {
  if (process.getuid?.() !== 0) return 'needs root';
  const lacking = missingPackage(PACKAGES);
  if (lacking !== '') return lacking;
  const version = execFileSync('podman', ['--version'], { encoding: 'utf8' });
  const major = Number(/version (\d+)\./.exec(version)?.[1]);
  return major < PODMAN_WITHOUT_CNI
    ? ''
    : `needs a podman with a CNI backend, not ${version.trim()}`;
}

const why = missing();
/** "" when podman can be run here, else why not; CI may not be without it. */
export const needsPodman = need(why === '', why);

export class Podman {
  private roots = 0;
  private readonly cell: Cell;
  private readonly env: Record<string, string>;

  private constructor(cell: Cell) {
    this.cell = cell;
    this.env = {
      CONTAINERS_CONF: join(cell.folder, 'containers.conf'),
      CONTAINERS_STORAGE_CONF: join(cell.folder, 'storage.conf'),
    };
  }

  /** A podman that knows the given networks only, and calls `plugin` for them. */
  static async open(networks: readonly { name: string }[], plugin: string): Promise<Podman> {
    for (const path of [EXECUTABLE, plugin]) {
      if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build`);
    }
    const podman = new Podman(await Cell.open());
    try {
      podman.prepare(networks, plugin);
      return podman;
    } catch (error) {
      await podman.close();
      throw error;
    }
  }

  private prepare(networks: readonly { name: string }[], plugin: string): void {
    const at = (name: string) => join(this.cell.folder, name);
    mkdirSync(at('plugins'));
    for (const type of TYPES) symlinkSync(plugin, join(at('plugins'), type));
    mkdirSync(at('networks'));
    for (const network of networks) {
      writeFileSync(join(at('networks'), `${network.name}.conflist`), JSON.stringify(network));
    }
    writeFileSync(
      this.env.CONTAINERS_CONF!,
      `[containers]
apparmor_profile = "unconfined"
log_driver = "k8s-file"
[network]
network_backend = "cni"
cni_plugin_dirs = ["${at('plugins')}"]
network_config_dir = "${at('networks')}"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "none"
static_dir = "${at('static')}"
volume_path = "${at('volumes')}"
tmp_dir = "/run/libpod"
`,
    );
    writeFileSync(
      this.env.CONTAINERS_STORAGE_CONF!,
      `[storage]
driver = "vfs"
graphroot = "${at('storage')}"
runroot = "/run/storage"
`,
    );
  }

  run(...args: string[]): Promise<string> {
    return this.cell.run(['podman', ...args], this.env);
  }

  /** Our own program as the runtime's side, on the networks, results and namespaces of podman. */
  fairlead(...args: string[]): Promise<string> {
    return this.cell.run([EXECUTABLE, ...args], {
      NETCONFPATH: join(this.cell.folder, 'networks'),
      CNI_PATH: join(this.cell.folder, 'plugins'),
    });
  }

  /** Starts a container that sleeps. It gets no DNS or hosts files: they would be the machine's. */
  async start(name: string, ...options: string[]): Promise<void> {
    const root = join(this.cell.folder, `root${++this.roots}`);
    mkdirSync(join(root, 'bin'), { recursive: true });
    copyFileSync(programPath('busybox'), join(root, 'bin/busybox'));
    for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
    const plain = ['--detach', '--dns=none', '--no-hosts', '--stop-timeout=0', '--cap-add=NET_RAW'];
    const own = [`--cgroup-parent=${this.cell.cgroup}`, `--name=${name}`];
    await this.run('run', ...plain, ...own, ...options, '--rootfs', root, '/bin/sleep', '600');
  }

  async remove(...names: string[]): Promise<void> {
    await this.run('rm', '--force', ...names);
  }

  async removeAll(): Promise<void> {
    await this.run('rm', '--force', '--all');
  }

  /** Whether one echo request from the container is answered. */
  async reaches(name: string, address: string): Promise<boolean> {
    const ping = ['/bin/ping', '-c', '1', '-W', '3', address];
    return this.run('exec', name, ...ping).then(
      () => true,
      () => false,
    );
  }

  /** An interface of a container as the kernel has it; undefined when it has none of that name. */
  async interface(name: string, ifname: string): Promise<Interface | undefined> {
    return (await interfacesOf(this.cell, await this.netns(name)))[ifname];
  }

  /** The gateways of a container's default routes, IPv4 and IPv6. */
  async defaultGateways(name: string): Promise<string[]> {
    return defaultGatewaysOf(this.cell, await this.netns(name));
  }

  /** Makes a machine beyond this one, to ask ports from. */
  makeBeyond(): Promise<void> {
    return makeBeyond(this.cell);
  }

  /** Starts a server of that name in a container's network. */
  async serve(name: string): Promise<void> {
    const pid = (await this.run('inspect', '--format', '{{.State.Pid}}', name)).trim();
    await serveIn(this.cell, pid, name);
  }

  ask(from: 'beyond' | 'cell', protocol: string, address: string, port: number): Promise<string> {
    return askPort(this.cell, from, protocol, address, port);
  }

  private async netns(name: string): Promise<Netns> {
    return { pid: (await this.run('inspect', '--format', '{{.State.Pid}}', name)).trim() };
  }

  /** What podman itself believes of a container's attachment to a network. */
  async view(name: string, network: string): Promise<Record<string, unknown>> {
    const text = await this.run('inspect', name);
    return JSON.parse(text)[0].NetworkSettings.Networks[network];
  }

  id(name: string): Promise<string> {
    return this.run('inspect', '--format', '{{.Id}}', name);
  }

  /** Who holds an address, as the lease file has it. */
  lease(network: string, address: string): Promise<string> {
    return leaseOf(this.cell, network, address);
  }

  async removeLink(name: string): Promise<void> {
    await this.cell.run(['ip', 'link', 'del', name]);
  }

  state(): Promise<State> {
    return stateOf(this.cell, '/run/netns');
  }

  close(): Promise<void> {
    return this.cell.close();
  }
}
