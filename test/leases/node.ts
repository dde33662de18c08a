// SPDX-License-Identifier: Apache-2.0
// One node for the tests of leases: calls of host-local on one network, and hands that write in its
// files as others do. It judges nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Driver } from '../../host-node/abi/index.ts';
import type { Answer } from '../../host-node/core.ts';
import { realDriver } from '../../host-node/drivers/index.ts';
import { type Recorded, recording } from '../../host-node/drivers/record.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { audit, indexDir, textOf } from '../support/leases.ts';
import { wasmModule } from '../support/wasm.ts';
import { serveOn } from '../support/world.ts';

/** Where the leases of the network lie, and their index. */
export const DIR = '/var/lib/cni/networks/net';
export const INDEX = indexDir(DIR);
const NETWORK = { cniVersion: '1.1.0', name: 'net', type: 'host-local' };

type Ranges = readonly (readonly Readonly<Record<string, string>>[])[];

export class Node {
  readonly driver: Driver;
  /** Gives back the locks of a call that died. */
  readonly unlock: () => void;
  ranges: Ranges = [[{ subnet: '10.1.2.0/28' }]];

  constructor(driver: Driver, unlock = () => {}) {
    this.driver = driver;
    this.unlock = unlock;
  }

  /** Serves a call; `args` is CNI_ARGS, `more` goes into the configuration. */
  call(command: string, id: string, args = '', driver = this.driver, more = {}): Answer {
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: id,
      CNI_IFNAME: 'eth0',
      CNI_NETNS: '/run/netns/pod',
      CNI_PATH: '/opt/cni/bin',
      CNI_ARGS: args,
    };
    const ipam = { type: 'host-local', statusWhenFull: true, ranges: this.ranges };
    const prevResult = { cniVersion: '1.1.0', ips: [] };
    const step = { number: 1, command, type: 'host-local', env, stdin: '', prev: 0 };
    return serveOn(driver, step, env, JSON.stringify({ ...NETWORK, ipam, prevResult, ...more }));
  }
  /** The addresses of an ADD, or the message of its error. */
  add(id: string, args = '', driver = this.driver): string {
    const { ips, msg } = JSON.parse(this.call('ADD', id, args, driver).stdout);
    return msg ?? (ips as { address: string }[]).map((ip) => ip.address.split('/')[0]).join();
  }
  /** Throws when it fails. */
  del(id: string): void {
    const { exit_code, stdout } = this.call('DEL', id);
    if (exit_code !== 0) throw new Error(stdout);
  }
  /** The operations of a call. */
  ops(command: string, id: string): Recorded[] {
    const seen: Recorded[] = [];
    const driver = recording(this.driver, (entry) => seen.push(entry));
    this.call(command, id, '', driver);
    return seen;
  }
  /** Whether a call reads the whole folder. */
  reads(command: string, id: string): boolean {
    const listed = this.ops(command, id).filter(({ op }) => /list$/.test(op));
    return listed.some(({ args }) => args['dir'] === DIR);
  }

  /** Removes the index, as a reboot does. */
  forget(): void {
    for (const name of this.driver.dir_list({ dir: INDEX }) as string[]) {
      this.remove(`${INDEX}/${name}`);
    }
  }

  get audit(): string {
    return audit(this.driver, DIR);
  }
  text(path: string): string {
    return textOf(this.driver, path) ?? '';
  }
  owner(ip: string): string {
    return this.text(`${DIR}/${ip}`);
  }
  /** Addresses that have a lease. */
  get leases(): string[] {
    const names = this.driver.dir_list({ dir: DIR }) as string[];
    return names.filter((name) => /^[0-9a-f]/.test(name));
  }

  write(path: string, text: string): void {
    this.driver.file_write({ path, content: Buffer.from(text) });
  }
  lease(ip: string, content: string): void {
    this.write(`${DIR}/${ip}`, content);
  }
  remove(path: string): void {
    this.driver.file_remove({ path });
  }
  /** What somebody does who takes no lock, while we hold it: nothing tells of it. */
  unseen(action: () => void): void {
    action();
    const mtime = this.text(`${INDEX}/index`).split('\n')[2] ?? '';
    this.driver.file_set_mtime({ path: DIR, mtime });
  }
}

/** A node whose files are real, below a folder of its own. */
export function onFiles(action: (node: Node, root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-leases-'));
  const driver = realDriver({ root });
  try {
    action(new Node(driver, () => driver.close()), root);
  } finally {
    driver.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** One whose clock stands: all that happens falls into one tick. */
export function simulated(action: (node: Node) => void): void {
  action(new Node(simulatedDriver(wasmModule('sim'), '')));
}
