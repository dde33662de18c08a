// SPDX-License-Identifier: Apache-2.0
// A namespace standing for the host, pods, and programs called in them as a runtime calls plugins.
// All of it is the test's own and goes with close().
import { spawn } from 'node:child_process';
import { rmdirSync } from 'node:fs';
import { outputOf } from './shell.ts';

export interface Called {
  readonly code: number | null;
  readonly stdout: string;
}

/** Where the program keeps its records; empty once every container is deleted. */
const RECORDS = ['/run/fairlead/attachments', '/run/fairlead'];

let labs = 0;

export class Lab {
  readonly prefix = `fl${process.pid}l${++labs}-`;
  readonly pods: string[] = [];
  /** Pods are containers of the machine: tests that run at the same time name theirs apart. */
  constructor(pod_count: number, name = 'pod') {
    for (let i = 0; i < pod_count; i++) this.pods.push(`${name}${i}`);
    for (const name of ['host', ...this.pods]) this.ip('netns', 'add', this.prefix + name);
  }
  ip(...args: string[]): string {
    return outputOf(['ip', ...args]);
  }
  /** Names of the host's links of a kind. */
  links(kind: string): string[] {
    const host = ['-n', `${this.prefix}host`, '-br', 'link', 'show', 'type', kind];
    const lines = this.ip(...host).split('\n');
    return lines.filter((line) => line !== '').map((line) => line.split(/[@ ]/)[0] ?? '');
  }
  netnsPath(pod: string): string {
    return `/run/netns/${this.prefix}${pod}`;
  }
  /**
   * Starts one call of a program inside the host's namespace; `before` is put before the program.
   */
  call(
    program: string,
    command: string,
    pod: string,
    config: object,
    before: string[] = [],
  ): Promise<Called> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CNI_COMMAND: command,
      CNI_CONTAINERID: pod,
      CNI_NETNS: this.netnsPath(pod),
      CNI_IFNAME: 'eth0',
      CNI_PATH: program.slice(0, program.lastIndexOf('/')),
    };
    const inside = [`--net=/run/netns/${this.prefix}host`, ...before, program];
    const child = spawn('nsenter', inside, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(JSON.stringify(config));
    return new Promise((resolve) => {
      let stdout = '';
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.on('close', (code) => resolve({ code, stdout }));
    });
  }
  close(): void {
    for (const name of ['host', ...this.pods]) this.ip('netns', 'del', this.prefix + name);
    for (const folder of RECORDS) {
      try {
        rmdirSync(folder);
      } catch {
        // Not made, or somebody else's records are in it.
      }
    }
  }
}
