// SPDX-License-Identifier: Apache-2.0
// What an agent answers over HTTP: /healthz that it runs, /readyz whether pods are served, /metrics
// in the text format of Prometheus, /state all of it as JSON. It refuses anything but GET.
import { createServer, type Server } from 'node:http';
import type { AgentState } from './plan.ts';
import type { Leases, Tender } from './tend.ts';

type Tended = Pick<Tender, 'leases' | 'collected'>;

/** A metric in Prometheus' text format (exposition format 0.0.4). */
function metric(
  name: string,
  type: string,
  help: string,
  rows: readonly [string, number][],
): string {
  const lines = rows.map(([labels, value]) => `fairlead_${name}${labels} ${value}`);
  return [`# HELP fairlead_${name} ${help}`, `# TYPE fairlead_${name} ${type}`, ...lines].join(
    '\n',
  );
}

/** What of leases is told, by network; folders of one network are one. */
function leaseMetrics(leases: readonly Leases[]): string[] {
  const networks = [...new Set(leases.map(({ network }) => network))];
  const rows = (count: (one: Leases) => number): [string, number][] =>
    networks.map((network) => [
      `{network=${JSON.stringify(network)}}`,
      leases.filter((one) => one.network === network).reduce((sum, one) => sum + count(one), 0),
    ]);
  const sized = leases.filter(({ free }) => free !== '');
  const free = rows(({ free: count }) => Number(count)).filter((_, at) =>
    sized.some(({ network }) => network === networks[at]),
  );
  return [
    metric(
      'leases_used',
      'gauge',
      'Addresses given.',
      rows(({ used }) => used),
    ),
    metric(
      'leases_leaked',
      'gauge',
      'Of those, of gone containers.',
      rows((one) => one.leaked),
    ),
    metric('leases_free', 'gauge', 'Addresses left, where a configuration says it.', free),
  ];
}

export function metricsOf(state: AgentState, { leases, collected }: Tended): string {
  const { wanted, served, entries, repairs, resyncs, refused, mtu_bytes } = state;
  const underlays = state.underlay.map(({ dev, v6, mtu_bytes: own }): [string, number] => [
    `{dev=${JSON.stringify(dev)},family="${v6 ? 'ipv6' : 'ipv4'}"}`,
    own,
  ]);
  return `${[
    metric('ready', 'gauge', 'Whether pods are served.', [['', Number(state.ready)]]),
    metric('peers_wanted', 'gauge', 'Nodes that the source knows, but this one.', [['', wanted]]),
    metric('peers_programmed', 'gauge', 'Nodes whose pods are reached.', [['', served]]),
    metric('entries', 'gauge', 'Routes, neighbours and other entries wanted.', [['', entries]]),
    metric('problems', 'gauge', 'What somebody should look at.', [['', state.problems.length]]),
    metric('source_trouble', 'gauge', 'Whether the source does not answer.', [
      ['', Number(state.source_trouble !== '')],
    ]),
    metric('resyncs_total', 'counter', 'Full looks at the kernel.', [['', resyncs]]),
    metric('repairs_total', 'counter', 'Changes that such a look led to.', [['', repairs]]),
    metric('refused_total', 'counter', 'Changes that the kernel refused.', [['', refused]]),
    metric('pod_mtu_bytes', 'gauge', 'The MTU of new pods.', [['', mtu_bytes]]),
    metric('underlay_mtu_bytes', 'gauge', 'The MTU of the links below.', underlays),
    ...leaseMetrics(leases),
    metric('collected_total', 'counter', 'Attachments of gone containers taken back.', [
      ['', collected],
    ]),
  ].join('\n')}\n`;
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** A question that fails is told to who asked; the agent goes on. */
function attempt(answer: () => Answered): Answered {
  try {
    return answer();
  } catch (error) {
    return { status: 500, body: `cannot answer: ${(error as Error).message}\n` };
  }
}

function answerOf(path: string, state: AgentState, tended: Tended): Answered {
  if (path === '/healthz') return { status: 200, body: 'ok\n' };
  if (path === '/metrics') return { status: 200, body: metricsOf(state, tended) };
  if (path === '/state') return { status: 200, body: `${JSON.stringify(state, null, 2)}\n` };
  if (path !== '/readyz')
    return { status: 404, body: 'there are /healthz /readyz /metrics /state\n' };
  const problems = state.problems.filter(({ node }) => node === '').map(({ msg }) => `${msg}\n`);
  return state.ready
    ? { status: 200, body: 'ok\n' }
    : { status: 503, body: `not ready\n${problems.join('')}` };
}

/** Serves until it is closed. `listen` is HOST:PORT. */
export function serveHealth(listen: string, state: () => AgentState, tended: Tended): Server {
  const colon = listen.lastIndexOf(':');
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '');
  const server = createServer((request, response) => {
    const get = request.method === 'GET';
    const { status, body } = get
      ? attempt(() => answerOf(request.url ?? '', state(), tended))
      : { status: 405, body: '' };
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
  });
  return server.listen(Number(listen.slice(colon + 1)), host);
}
