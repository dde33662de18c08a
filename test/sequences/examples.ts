// SPDX-License-Identifier: Apache-2.0
// Sequences that went wrong once and are no fixture, because an operation fails in them. Each is
// played before random ones are, with what was wrong as its name.
import type { Event, Sequence } from './events.ts';
import { NETWORKS } from './networks.ts';

const network = (name: string): number => NETWORKS.findIndex((item) => item.name === name);
const target = { network: 0, container: 0, ifname: 0, present: undefined };
const add: Event = { do: 'ADD', target, netns: 'own', requested: undefined, fault: undefined };

export const EXAMPLES: Readonly<Record<string, Sequence>> = {
  'a second ADD that could not look at the link took the first one away': {
    networks: [network('pods')],
    events: [add, { ...add, fault: { mode: 'fails', at: 5 } }],
  },
  'a second ADD that could not compare namespaces took the first one away': {
    networks: [network('pods')],
    events: [add, { ...add, fault: { mode: 'fails', at: 4 } }],
  },
};
