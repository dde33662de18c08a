// SPDX-License-Identifier: Apache-2.0
// Where a fixture runs: the simulated kernel, the real one through the Node host, the real one
// through the reference plugins. All three take the same text and give the same text back.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Driver } from '../../host-node/abi/index.ts';
import { type Answer, performTask, serve } from '../../host-node/core.ts';
import { fileDriver, type StoreDriver } from '../../host-node/drivers/files.ts';
import { type RealOptions, realDriver } from '../../host-node/drivers/index.ts';
import { keepState } from '../../host-node/instances.ts';
import type { Outcome, Step } from './fixture.ts';
import { Ground, sleep } from './ground.ts';
import { StayingShell } from './shell.ts';
import { lendSimulated } from './simulated.ts';
import { distPath, wasmInstances, wasmModule } from './wasm.ts';

export const REFERENCE_DIR = '/usr/lib/cni';
export const isRoot = process.getuid?.() === 0;

export type Wrap = (driver: Driver) => Driver;
const asIs: Wrap = (driver) => driver;

export type Called = Omit<Outcome, 'state'>;

export interface World {
  /** Serves one call; `wrap` may put a recorder or a fault around the driver. */
  run(step: Step, stdin: string, wrap?: Wrap): Outcome;
  /** As run, but the state is not read, which takes longer than the call. */
  call(step: Step, stdin: string, wrap?: Wrap): Called;
  dump(): string;
  /** Its files, for what the text leaves out. */
  readonly store: StoreDriver;
  /** Gives what puts the files back as they are now, where making a new world takes longer. */
  keepFiles?(): () => void;
  /** Gives what puts all of it back as it is now, where that takes no time. */
  keep?(): () => void;
  close(): void;
}

type Parts = Omit<World, 'run'>;
const withRun = <T extends Parts>(parts: T): T & World => ({
  ...parts,
  run: (step, stdin, wrap) => ({ ...parts.call(step, stdin, wrap), state: parts.dump() }),
});

/** Serves one call on a driver. */
export function serveOn(driver: Driver, step: Step, env: Step['env'], stdin: string): Answer {
  const around = {
    stdin: (limit_bytes: number) => Buffer.from(stdin).subarray(0, limit_bytes + 1),
    log: () => {},
    sleep,
  };
  return serve(wasmInstances('core'), driver, { type: step.type, env }, around);
}

export function simulatedWorld(before: string): World {
  const { driver, giveBack } = lendSimulated(before);
  return withRun({
    call: (step, stdin, wrap = asIs) => serveOn(wrap(driver), step, step.env, stdin),
    dump: () => driver.dump(),
    store: driver,
    keep: () => driver.keep(keepState).restore,
    close: giveBack,
  });
}

/**
 * A real world whose calls can die before their n-th operation; `alive` when they ended earlier.
 */
export function mortalWorld(before: string) {
  const ground = new Ground(before);
  const world = realWorldOn(ground);
  const script = fileURLToPath(new URL('./killed.ts', import.meta.url));
  return {
    ...world,
    die: (step: Step, stdin: string, n: number): 'alive' | 'dead' => {
      const orders = {
        hostNetns: `/run/netns/${ground.prefix}host`,
        root: ground.root,
        type: step.type,
        env: ground.env(step),
        stdin: ground.there(stdin),
        n,
      };
      const args = ['--no-warnings', script, JSON.stringify(orders)];
      const done = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (done.signal === null && done.status !== 0) throw new Error(done.stdout + done.stderr);
      return done.signal === 'SIGKILL' ? 'dead' : 'alive';
    },
  };
}

/** Opens what serves one call. */
export type Open = (options: RealOptions) => Driver & { close(): unknown };

/** A real world whose namespaces come and go, and that can be started anew. */
export function unsteadyWorld(before: string, open: Open = realDriver) {
  const ground = new Ground(before);
  return {
    ...realWorldOn(ground, open),
    netnsAdd: (name: string) => ground.netnsAdd(name),
    netnsDel: (name: string) => ground.netnsDel(name),
    reboot: (names: readonly string[]) => ground.reboot(names),
  };
}

/** The real kernel through the Node host's own driver, in namespaces of the test. */
export function realWorld(before: string): World {
  return realWorldOn(new Ground(before));
}

function answerOn(
  ground: Ground,
  step: Step,
  stdin: string,
  wrap: Wrap,
  open: Open = realDriver,
): Answer {
  const hostNetns = `/run/netns/${ground.prefix}host`;
  const driver = open({ hostNetns, root: ground.root });
  try {
    const answer = serveOn(wrap(driver), step, ground.env(step), ground.there(stdin));
    return { ...answer, stdout: ground.back(answer.stdout) };
  } finally {
    driver.close();
  }
}

/** A real world that a test reaches into by the `ip netns` name of a namespace. */
export interface NamedWorld extends World {
  netns(name: string): string;
}

/** And by tasks of the core. */
export function openWorld(before: string) {
  const ground = new Ground(before);
  return {
    ...realWorldOn(ground),
    netns: (name: string): string => ground.prefix + name,
    task: (name: string, request: unknown): Answer => {
      const hostNetns = `/run/netns/${ground.prefix}host`;
      const driver = realDriver({ hostNetns, root: ground.root });
      const around = { stdin: () => Buffer.alloc(0), log: () => {}, sleep };
      try {
        return performTask(wasmModule('tools'), driver, name, request, around);
      } finally {
        driver.close();
      }
    },
  };
}

function realWorldOn(ground: Ground, open?: Open): World {
  return withRun({
    call: (step, stdin, wrap = asIs) => answerOn(ground, step, stdin, wrap, open),
    dump: () => ground.dump(),
    store: fileDriver({ root: ground.root }),
    keepFiles: () => ground.keepFiles(),
    close: () => ground.close(),
  });
}

/** Shell words that put the ground's /var/lib and /run, and what else it has, in place. */
function mountsOf(root: string): string {
  mkdirSync(join(root, 'run/netns'), { recursive: true });
  const lines = [
    `${root}/var/lib /var/lib none bind`,
    `/run/netns ${root}/run/netns none rbind`,
    `${root}/run /run none rbind`,
  ];
  for (const folder of ['etc', 'opt', 'sys/bus', 'sys/devices']) {
    if (existsSync(join(root, folder))) lines.push(`${root}/${folder} /${folder} none bind`);
  }
  const table = `${root}.fstab`;
  writeFileSync(table, `${lines.join('\n')}\n`);
  return `mount --all --fstab ${table} && rm ${table}`;
}

/**
 * The real kernel through the executables of a folder, which is their CNI_PATH as well. A call of
 * one that is not there throws: as a failure it would be taken for an answer.
 */
export function executableWorld(before: string, dir: string): NamedWorld {
  const start = (type: string): string => {
    const path = join(dir, type);
    if (type === '' || !existsSync(path)) throw new Error(`there is no plugin ${path}`);
    return `exec "${path}"`;
  };
  return programWorld(before, start, { CNI_PATH: dir });
}

/** The real kernel through the native host, called by the name of the type. */
export function nativeWorld(before: string): NamedWorld {
  return programWorld(before, nativeStart('fairlead-native'), {});
}

/** The same host with all powers given up that it does not need. */
export function confinedWorld(before: string): NamedWorld {
  return programWorld(before, nativeStart('fairlead-native'), { FAIRLEAD_CONFINE: '1' });
}

/** The same host under AddressSanitizer and UndefinedBehaviorSanitizer, whose finding ends it. */
export function sanitizedWorld(before: string): World {
  // It gives nothing back by design: it ends.
  const env = { ASAN_OPTIONS: 'detect_leaks=0' };
  return programWorld(before, nativeStart('fairlead-native-asan'), env);
}

/** The same host for arm64, under an emulator. */
export function arm64World(before: string): World {
  const program = distPath('fairlead-native-arm64');
  return programWorld(before, (type) => `exec qemu-aarch64-static -0 "${type}" "${program}"`, {});
}

/** The name is all that says which type it is. */
const nativeStart = (program: string) => (type: string) =>
  `exec -a "${type}" "${distPath(program)}"`;

/** The real kernel through a program, with the ground's folders in place of the machine's. */
function programWorld(
  before: string,
  start: (type: string) => string,
  env: Readonly<Record<string, string>>,
): NamedWorld {
  const ground = new Ground(before);
  let shell: StayingShell | undefined;
  // Where the ground's folders lie is settled once, as mounting them takes longer than a call.
  const inside = (): StayingShell => {
    const way = ['nsenter', `--net=/run/netns/${ground.prefix}host`, 'unshare', '-m'];
    shell ??= new StayingShell(way, mountsOf(ground.root));
    return shell;
  };
  return withRun<Omit<NamedWorld, 'run'>>({
    call: (step, stdin) => {
      const given = { input: ground.there(stdin), env: { ...ground.env(step), ...env } };
      const done = inside().run(start(step.type), given);
      const [stdout, stderr] = [ground.back(done.stdout), ground.back(done.stderr)];
      return { exit_code: done.status === 0 ? 0 : 1, stdout, stderr };
    },
    netns: (name: string) => ground.prefix + name,
    dump: () => ground.dump(),
    store: fileDriver({ root: ground.root }),
    close: () => {
      shell?.end();
      shell?.ended();
      ground.close();
    },
  });
}
