// Where the demo happens. Both worlds take the same calls: the real kernel, through the executable
// dist/fairlead and the core in this process; and the simulated kernel, when there is no root.
// They refuse to print or to judge: story.mjs does.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { realDriver } from '../../host-node/drivers/index.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { ROOT } from '../setup.mjs';
import { serveHere, wasm } from './operations.mjs';

const EMPTY = 'netns host\nlink lo up address 00:00:00:00:00:00 mtu 65536\n';

/** The environment of a call, as a container runtime sets it. */
function cniEnv(command, pod, netns, path) {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: `demo-pod-${pod}`,
    CNI_NETNS: netns,
    CNI_IFNAME: 'eth0',
    CNI_PATH: path,
  };
}

const lines = (text) => text.split('\n').filter((line) => line.trim() !== '');
const squeezed = (line) => line.replaceAll('\\', ' ').replaceAll(/\s+/g, ' ').trim();

class RealWorld {
  title = 'on the real kernel';
  real = true;
  #pods;
  #core = wasm('core.wasm');

  constructor({ folder, pods }) {
    this.#pods = pods;
    this.leases_dir = join(folder, 'leases');
    this.bin = join(folder, 'bin');
    mkdirSync(this.bin);
    symlinkSync(join(ROOT, 'dist/fairlead'), join(this.bin, 'bridge'));
  }

  env(command, pod) {
    return cniEnv(command, pod, this.#pods[pod], this.bin);
  }

  /** A call of the executable, timed from its start to its end. */
  execute(command, pod, stdin) {
    const env = this.env(command, pod);
    const start_ms = performance.now();
    const ended = spawnSync(join(this.bin, 'bridge'), { env, input: stdin, encoding: 'utf8' });
    const duration_ms = performance.now() - start_ms;
    if (ended.error) throw ended.error;
    if (ended.stderr !== '') process.stderr.write(ended.stderr);
    return { exit_code: ended.status ?? 1, stdout: ended.stdout, duration_ms };
  }

  /** The same call served by the same core in this process, operation by operation. */
  serve(command, pod, stdin) {
    const { close, ...driver } = realDriver();
    try {
      return serveHere(this.#core, driver, { type: 'bridge', env: this.env(command, pod) }, stdin);
    } finally {
      close();
    }
  }

  /** What ip says of a pod, or of the host when none is named. */
  state(pod) {
    const inside = pod === undefined ? [] : ['-n', `${this.#pods[pod].split('/').at(-1)}`];
    const ip = (...args) => lines(execFileSync('ip', [...inside, ...args], { encoding: 'utf8' }));
    const addresses = ip('-brief', 'addr', 'show').map((line) => `addr   ${squeezed(line)}`);
    return [...addresses, ...ip('route', 'show').map((line) => `route  ${squeezed(line)}`)];
  }

  leases() {
    return readdirSync(this.leases_dir, { recursive: true }).filter((file) =>
      isIP(file.split('/').at(-1)),
    );
  }

  /** The reply times of a few pings from a pod; undefined when there is no ping here. */
  ping(pod, address) {
    const args = [`--net=${this.#pods[pod]}`, 'ping', '-n', '-c', '3', '-i', '0.2', '-W', '2'];
    const ended = spawnSync('nsenter', [...args, address], { encoding: 'utf8' });
    if (/failed to execute/.test(ended.stderr)) return undefined;
    const replies = [...ended.stdout.matchAll(/time=([\d.]+) ms/g)].map(
      (match) => `${match[1]} ms`,
    );
    return { met: ended.status === 0 && replies.length === 3, replies };
  }

  /** Breaks a pod on purpose, and mends it. */
  withoutRoute(pod, gateway, action) {
    const route = (...args) =>
      execFileSync('ip', ['-n', this.#pods[pod].split('/').at(-1), 'route', ...args]);
    route('del', 'default');
    try {
      return action();
    } finally {
      route('add', 'default', 'via', gateway, 'dev', 'eth0');
    }
  }
}

class SimulatedWorld {
  title = 'on the simulated kernel';
  real = false;
  leases_dir = '/var/lib/cni/networks';
  bin = '/opt/cni/bin';
  #core = wasm('core.wasm');
  #driver = simulatedDriver(wasm('sim.wasm'), `${EMPTY}netns a\nnetns b\n`);

  env(command, pod) {
    return cniEnv(command, pod, `/run/netns/${pod}`, this.bin);
  }

  serve(command, pod, stdin) {
    const { dump: _, ...driver } = this.#driver;
    return serveHere(this.#core, driver, { type: 'bridge', env: this.env(command, pod) }, stdin);
  }

  state(pod = 'host') {
    const section = this.#driver
      .dump()
      .split(/^netns /m)
      .find((part) => part.startsWith(`${pod}\n`));
    return lines(section ?? '')
      .slice(1)
      .filter((line) => !line.startsWith('file '));
  }

  leases() {
    const files = [...this.#driver.dump().matchAll(/^file (\S+)/gm)].map((match) => match[1]);
    return files.filter((file) => isIP(file.split('/').at(-1)));
  }
}

/** The world that the launcher prepared. */
export function openWorld(kind, detail) {
  return kind === 'real' ? new RealWorld(JSON.parse(detail)) : new SimulatedWorld();
}
