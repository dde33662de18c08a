// SPDX-License-Identifier: Apache-2.0
// `fairlead agent`: reads its configuration, keeps the node's part of the overlay until it is told to
// end, and says in lines of JSON or for people what it does. It owns arguments and signals.
import { readFileSync } from 'node:fs';
import type { AgentCore } from '../core.ts';
import { OverlayAgent } from './agent.ts';
import { type AgentConfig, configOf } from './config.ts';
import { serveHealth } from './health.ts';
import { Publisher } from './publish.ts';
import { FileSource } from './sources/file.ts';

export const AGENT_HELP = `usage: fairlead agent --config FILE [--state-dir DIR] [--log json|text]
       fairlead agent --config FILE --leave

Keeps this node's part of a network of pods across machines: the tunnel device, a route for each
other node, the MTU of each path; heals what others change; tells the plugin fairlead-overlay which
addresses and MTU pods get. Ends on SIGTERM, and leaves all as it is: traffic goes on.

  --config FILE     its configuration (docs/overlay.md)
  --state-dir DIR   where the plugins look (/run/fairlead)
  --log FORMAT      text, or json: a line an event
  --leave           takes away what it has in the kernel, and ends
`;

const USUAL_STATE_DIR = '/run/fairlead';

/** What goes to the log, as an object or for people. */
function logger(format: string, write: (line: string) => void) {
  return (level: 'info' | 'warn' | 'error', msg: string): void => {
    const time = new Date().toISOString();
    const line = JSON.stringify({ time, level, msg });
    write(format === 'json' ? `${line}\n` : `${time} ${level} ${msg}\n`);
  };
}

interface Options {
  readonly config: string;
  readonly stateDir: string;
  readonly log: string;
  readonly leave: boolean;
}

/** The options; a string says what is wrong with them. */
function optionsOf(args: readonly string[]): Options | string {
  const values = new Map<string, string>();
  let leave = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--leave') leave = true;
    else if (['--config', '--state-dir', '--log'].includes(word)) {
      const value = args[++at];
      if (value === undefined) return `${word} needs a value`;
      values.set(word, value);
    } else return `there is no option "${word}"`;
  }
  const config = values.get('--config');
  if (config === undefined) return 'name the configuration: --config FILE';
  const log = values.get('--log') ?? 'text';
  if (log !== 'text' && log !== 'json') return '--log is text or json';
  return { config, stateDir: values.get('--state-dir') ?? USUAL_STATE_DIR, log, leave };
}

function configured(path: string): AgentConfig | string {
  try {
    return configOf(readFileSync(path, 'utf8'));
  } catch (error) {
    return `${path}: ${error instanceof Error ? error.message : error}`;
  }
}

/** Runs until a signal; the exit status. */
export async function runAgent(args: readonly string[], core: AgentCore): Promise<number> {
  const write = (line: string): void => void process.stderr.write(line);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(AGENT_HELP);
    return 0;
  }
  const options = optionsOf(args);
  const config = typeof options === 'string' ? options : configured(options.config);
  if (typeof options === 'string' || typeof config === 'string') {
    write(`fairlead agent: ${typeof options === 'string' ? options : config}\n`);
    return typeof options === 'string' ? 2 : 1;
  }
  const log = logger(options.log, write);
  const source = new FileSource(config.source.path);
  const publisher = new Publisher(config, options.stateDir);
  const agent = new OverlayAgent({ core, config, source, publisher, log });
  agent.start();
  if (options.leave) {
    agent.leave();
    agent.stop();
    return 0;
  }
  const server = config.listen === '' ? undefined : serveHealth(config.listen, () => agent.state);
  server?.on('error', (error) =>
    log('error', `cannot listen on ${config.listen}: ${error.message}`),
  );
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
  log('info', `${signal}: ends, and leaves the network as it is`);
  server?.close();
  server?.closeAllConnections();
  agent.stop();
  return 0;
}
