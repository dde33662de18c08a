// SPDX-License-Identifier: Apache-2.0
// containerd with CRI in a cell, on our executable: its files, the calls that kubelet would make,
// every plugin call that it makes in turn, and what it and the kernel hold afterwards. No registry:
// the image is an archive with a busybox in it. It refuses to judge: what is expected is the tests'
// to say.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { missingPackage, need, needsReference, programPath } from '../support/needs.ts';
import { REFERENCE_DIR } from '../support/world.ts';
import { Cell } from './cell.ts';
import { call, type Fields, type Message } from './grpc.ts';
import { askPort, makeBeyond, SERVER_PORT, serveIn } from './packets.ts';
import {
  defaultGatewaysOf,
  type Interface,
  interfacesOf,
  leaseOf,
  runInside,
  type State,
  stateOf,
} from './state.ts';

const PACKAGES = new Map([
  ['containerd', 'containerd'],
  ['ctr', 'containerd'],
  ['runc', 'runc'],
  ['busybox', 'busybox-static'],
  ['ip', 'iproute2'],
]);
/** containerd runs `loopback` by itself, beside the network of the pods. */
const OURS = ['fairlead', 'loopback'];
const IMAGE = 'fairlead.invalid/pause:1';
const STATE = '/run/containerd';
const CALL_LIMIT_MS = 40000;
const READY_LIMIT_MS = 40000;
const KUBERNETES_ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

const why = missingPackage(PACKAGES);
/** "" when containerd can be run here, else why not; CI may not be without it. */
export const needsContainerd = needsReference || need(why === '', why);

/** One call of a plugin by containerd, as the plugin was called. */
export interface PluginCall {
  readonly type: string;
  readonly command: string;
  readonly id: string;
  readonly ifname: string;
  readonly netns: string;
}

/** What CRI says of a pod. */
export interface PodStatus {
  readonly ready: boolean;
  readonly ips: readonly string[];
}

/** An archive as `docker save` makes one: a layer, a configuration and a manifest. */
function imageArchive(folder: string): string {
  const at = (name: string) => join(folder, name);
  mkdirSync(at('root/bin'), { recursive: true });
  copyFileSync(programPath('busybox'), at('root/bin/busybox'));
  execFileSync('tar', ['-C', at('root'), '-cf', at('layer.tar'), 'bin']);
  const digest = createHash('sha256')
    .update(readFileSync(at('layer.tar')))
    .digest('hex');
  const config = {
    architecture: KUBERNETES_ARCHITECTURES[process.arch],
    os: 'linux',
    config: { Cmd: ['/bin/busybox', 'sleep', '3600'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }];
  writeFileSync(at('config.json'), JSON.stringify(config));
  writeFileSync(at('manifest.json'), JSON.stringify(manifest));
  const members = ['manifest.json', 'config.json', 'layer.tar'];
  execFileSync('tar', ['-C', folder, '-cf', at('image.tar'), ...members]);
  return at('image.tar');
}

export class Containerd {
  private readonly cell: Cell;
  private pid = '';

  private constructor(cell: Cell) {
    this.cell = cell;
  }

  /**
   * A containerd whose pods are wired by `network`, a conflist, and `program`. `foreign` are
   * plugins of the reference beside ours, each of type `foreign-NAME`.
   */
  static async open(
    network: object,
    foreign: readonly string[],
    program: string,
  ): Promise<Containerd> {
    if (!existsSync(program)) throw new Error(`${program} is missing: run npm run build`);
    const containerd = new Containerd(await Cell.open());
    try {
      containerd.prepare(network, foreign, program);
      await containerd.start();
      await containerd.import();
      return containerd;
    } catch (error) {
      await containerd.close();
      throw error;
    }
  }

  private at(name: string): string {
    return join(this.cell.folder, name);
  }

  private prepare(network: object, foreign: readonly string[], program: string): void {
    for (const dir of ['bin', 'programs', 'conf', 'image']) mkdirSync(this.at(dir));
    writeFileSync(this.at('calls'), '');
    for (const type of OURS) this.install(type, program);
    for (const name of foreign) this.install(`foreign-${name}`, join(REFERENCE_DIR, name));
    writeFileSync(this.at('conf/10-pods.conflist'), JSON.stringify(network));
    // AppArmor would load a profile into the machine's kernel, and `opt` make a folder in /opt.
    writeFileSync(
      this.at('config.toml'),
      `version = 2
root = "${this.at('root')}"
state = "${STATE}"
[grpc]
address = "${this.at('socket')}"
[plugins."io.containerd.internal.v1.opt"]
path = "${this.at('opt')}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${IMAGE}"
disable_apparmor = true
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${this.at('bin')}"
conf_dir = "${this.at('conf')}"
`,
    );
  }

  /** A program in the folder of plugins that notes each call and becomes the plugin. */
  private install(type: string, program: string): void {
    const target = join(this.at('programs'), type);
    symlinkSync(program, target);
    const said = '"$CNI_COMMAND" "$CNI_CONTAINERID" "$CNI_IFNAME" "$CNI_NETNS"';
    const note = `printf '%s %s %s %s %s\\n' ${type} ${said} >>${this.at('calls')}`;
    const script = join(this.at('bin'), type);
    writeFileSync(script, `#!/bin/sh\n${note}\nexec ${target}\n`);
    chmodSync(script, 0o755);
  }

  /** Starts the daemon and waits until it says that the network of its pods is ready. */
  async start(): Promise<void> {
    const command = ['containerd', '--config', this.at('config.toml')];
    this.pid = await this.cell.start(command, this.at('log'));
    const end_ms = Date.now() + READY_LIMIT_MS;
    let last: unknown = '';
    while (Date.now() < end_ms) {
      try {
        const conditions = (await this.cri('Status', {})).message(1).messages(1);
        if (conditions.length > 0 && conditions.every((one) => one.number(2) === 1)) return;
        last = conditions.map((one) => one.text(4)).join('; ');
      } catch (error) {
        last = error;
      }
      await setTimeout(100);
    }
    throw new Error(`containerd is not ready: ${last}\n${readFileSync(this.at('log'), 'utf8')}`);
  }

  /** Ends the daemon as a crash would, and waits until it is gone. Its pods live on. */
  async kill(): Promise<void> {
    const script = 'kill -KILL "$1"; while kill -0 "$1" 2>/dev/null; do sleep 0.05; done';
    await this.cell.run(['sh', '-c', script, 'kill', this.pid]);
  }

  private async import(): Promise<void> {
    const ctr = ['ctr', '--address', this.at('socket'), '--namespace', 'k8s.io'];
    const archive = imageArchive(this.at('image'));
    await this.cell.run([...ctr, 'images', 'import', '--snapshotter', 'native', archive]);
  }

  private cri(method: string, request: Fields): Promise<Message> {
    const path = `/runtime.v1.RuntimeService/${method}`;
    return call(this.at('socket'), path, request, CALL_LIMIT_MS);
  }

  /** RunPodSandbox: gives the pod's id. `ports` of the host lead to SERVER_PORT, tcp and udp. */
  async run(name: string, ports: readonly number[] = []): Promise<string> {
    const metadata = { 1: name, 2: `uid-${name}`, 3: 'default' };
    const linux = { 1: this.cell.cgroup };
    const mappings = ports.flatMap((port) =>
      [0, 1].map((protocol) => ({ 1: protocol, 2: SERVER_PORT, 3: port })),
    );
    const config = { 1: metadata, 5: mappings, 8: linux };
    return (await this.cri('RunPodSandbox', { 1: config })).text(1);
  }

  /** Makes a machine beyond this one, to ask ports from. */
  makeBeyond(): Promise<void> {
    return makeBeyond(this.cell);
  }

  /** Starts a server of that name in a pod's network. */
  async serve(id: string, name: string): Promise<void> {
    await serveIn(this.cell, (await this.netns(id)).pid, name);
  }

  ask(from: 'beyond' | 'cell', protocol: string, address: string, port: number): Promise<string> {
    return askPort(this.cell, from, protocol, address, port);
  }

  async stop(id: string): Promise<void> {
    await this.cri('StopPodSandbox', { 1: id });
  }

  async remove(id: string): Promise<void> {
    await this.cri('RemovePodSandbox', { 1: id });
  }

  /** PodSandboxStatus, the addresses in its order. */
  async status(id: string): Promise<PodStatus> {
    const status = (await this.cri('PodSandboxStatus', { 1: id })).message(1);
    const network = status.message(5);
    const ips = [network.text(1), ...network.messages(2).map((one) => one.text(1))];
    return { ready: status.number(3) === 0, ips };
  }

  /** Ids of all pods that containerd knows. */
  async pods(): Promise<string[]> {
    return (await this.cri('ListPodSandbox', {})).messages(1).map((pod) => pod.text(1));
  }

  async removeAll(): Promise<void> {
    for (const id of await this.pods()) {
      await this.stop(id);
      await this.remove(id);
    }
  }

  /** The process of a pod's sandbox, in the cell's numbers. */
  private async netns(id: string): Promise<{ readonly pid: string }> {
    const verbose = (await this.cri('PodSandboxStatus', { 1: id, 2: 1 })).messages(2);
    const info = verbose.find((entry) => entry.text(1) === 'info')?.text(2) ?? '{}';
    return { pid: String((JSON.parse(info) as { pid?: number }).pid) };
  }

  /** An interface of a pod as the kernel has it; undefined when it has none of that name. */
  async interface(id: string, ifname: string): Promise<Interface | undefined> {
    return (await interfacesOf(this.cell, await this.netns(id)))[ifname];
  }

  async defaultGateways(id: string): Promise<string[]> {
    return defaultGatewaysOf(this.cell, await this.netns(id));
  }

  /** A sysctl below /proc/sys as a process of the pod reads it. */
  async sysctl(id: string, path: string): Promise<string> {
    return runInside(this.cell, await this.netns(id), ['cat', join('/proc/sys', path)]);
  }

  /** Whether one echo request from the pod is answered. */
  async reaches(id: string, address: string): Promise<boolean> {
    const ping = ['busybox', 'ping', '-c', '1', '-W', '3', address];
    return runInside(this.cell, await this.netns(id), ping).then(
      () => true,
      () => false,
    );
  }

  /** Every call of a plugin since the start, in order. */
  calls(): PluginCall[] {
    const lines = readFileSync(this.at('calls'), 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => {
      const [type = '', command = '', id = '', ifname = '', netns = ''] = line.split(' ');
      return { type, command, id, ifname, netns };
    });
  }

  lease(network: string, address: string): Promise<string> {
    return leaseOf(this.cell, network, address);
  }

  async removeLink(name: string): Promise<void> {
    await this.cell.run(['ip', 'link', 'del', name]);
  }

  state(): Promise<State> {
    return stateOf(this.cell, `${STATE}/io.containerd.grpc.v1.cri/netns`);
  }

  close(): Promise<void> {
    return this.cell.close();
  }
}
