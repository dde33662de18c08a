// SPDX-License-Identifier: Apache-2.0
// iproute2 inside namespaces, as programs that stay: starting them takes longer than all
// that they are asked. It owns what they can be trusted with: iproute2 keeps the names of links and
// namespaces that it saw, so who might have kept a wrong one is started anew. What is asked holds
// its namespace, which has to be let go of before it is taken away.
import { Staying } from './shell.ts';

// biome-ignore lint/suspicious/noExplicitAny: what iproute2 prints has no type
export type Json = any;

/** What iproute2 tells of a namespace. */
export interface Told {
  /** With their addresses. */
  readonly links: Json[];
  readonly routes: readonly [v4: Json[], v6: Json[]];
  readonly netnsIds: Json[];
  readonly rules: Json[];
  readonly qdiscs: Json[];
  /** Filters of what comes in, by link. */
  readonly filters: ReadonlyMap<string, Json[]>;
}

/**
 * Each is answered in a line. Not `link`: from then on the program would take `addr` for that. Only
 * rules of IPv6 have to be asked for by an option.
 */
const QUESTIONS = [
  'addr',
  'route show table all root 0.0.0.0/0',
  'route show table all root ::/0',
  'rule',
  'netns list-id',
];

/** By their names here: ip for all, and for what an option makes of IPv6. */
const PROGRAMS = {
  ip: (netns: string) => ['ip', '-n', netns, '-j', '-d', '-N', '-batch', '-'],
  ip6: (netns: string) => ['ip', '-n', netns, '-6', '-j', '-d', '-N', '-batch', '-'],
  tc: (netns: string) => ['tc', '-n', netns, '-j', '-r', '-batch', '-'],
} as const;
type Name = keyof typeof PROGRAMS;

/**
 * A question of each that is answered in a line, whatever there is. Not of one link: tc would tell
 * of that alone from then on.
 */
const DONE: Readonly<Record<Name, string>> = {
  ip: 'rule',
  ip6: 'rule',
  tc: 'qdisc show',
};

/** The programs in one namespace. */
export class Inside {
  readonly #netns: string;
  readonly #programs = new Map<Name, Staying>();
  /** Names of links by ifindex, as they were told since the programs were started. */
  readonly #told = new Map<number, string>();

  constructor(netns: string) {
    this.#netns = netns;
  }

  /** Does what lines of a batch say. Throws the program's complaint at the first that fails. */
  do(name: Name, lines: readonly string[]): void {
    this.#ask(name, [...lines, DONE[name]], 1);
  }

  look(): Told {
    let told = this.#ask('ip', QUESTIONS);
    const mistaken = this.#isMistaken(told[0]);
    if (mistaken || isNameless(told)) {
      this.end(mistaken ? undefined : ['ip'])();
      told = this.#ask('ip', QUESTIONS);
    }
    if (mistaken) this.#told.clear();
    for (const { ifindex, ifname } of told[0] ?? []) this.#told.set(ifindex, ifname);
    const [links = [], v4 = [], v6 = [], rules = [], netnsIds = []] = told;
    const qdiscs = this.#tc('qdisc show');
    return {
      links,
      routes: [v4, v6],
      rules: [...rules, ...this.#ask('ip6', ['rule']).flat()],
      netnsIds,
      qdiscs,
      filters: this.#filters(qdiscs),
    };
  }
  /** Whether a link has another name than a program may have kept. */
  #isMistaken(links: readonly Json[] = []): boolean {
    return links.some(({ ifindex, ifname }) => {
      const told = this.#told.get(ifindex);
      return told !== undefined && told !== ifname;
    });
  }
  #filters(qdiscs: readonly Json[]): Map<string, Json[]> {
    const filters = new Map<string, Json[]>();
    for (const { kind, dev } of qdiscs) {
      if (kind !== 'ingress' && kind !== 'clsact') continue;
      filters.set(dev, this.#tc(`filter show dev ${dev} ingress`));
    }
    return filters;
  }
  #tc(question: string): Json[] {
    return this.#ask('tc', [question]).flat();
  }
  /** What is answered in so many lines, each one JSON. */
  #ask(name: Name, questions: readonly string[], answers = questions.length): Json[][] {
    const all = (text: string): boolean => text.split('\n').length > answers;
    const text = this.#program(name).ask(questions.map((line) => `${line}\n`).join(''), all);
    const lines = text.trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line));
  }
  #program(name: Name): Staying {
    const program = this.#programs.get(name) ?? new Staying(PROGRAMS[name](this.#netns));
    this.#programs.set(name, program);
    return program;
  }

  /** Has all programs end; gives what waits for that, and does no more. */
  end(names = [...this.#programs.keys()]): () => void {
    const gone = names.flatMap((name) => this.#programs.get(name) ?? []);
    for (const program of gone) program.end();
    for (const name of names) this.#programs.delete(name);
    return () => {
      for (const program of gone) program.ended();
    };
  }
}

/** Whether links lead to a namespace whose name was not known when its identity was read. */
function isNameless([links = [], , , , netnsIds = []]: readonly Json[][]): boolean {
  const named = netnsIds.filter((entry) => entry.name !== undefined);
  const ids = new Set([undefined, ...named.map((entry) => entry.nsid)]);
  return links.some((link) => !ids.has(link.link_netnsid));
}

/** Programs in namespaces, by the names of `ip netns`. */
export class Insides {
  readonly #all = new Map<string, Inside>();

  of(netns: string): Inside {
    const inside = this.#all.get(netns) ?? new Inside(netns);
    this.#all.set(netns, inside);
    return inside;
  }

  /** Lets go of all: before one is taken away, or made under a name that another had. */
  close(): void {
    const ended = [...this.#all.values()].map((inside) => inside.end());
    this.#all.clear();
    for (const wait of ended) wait();
  }
}
