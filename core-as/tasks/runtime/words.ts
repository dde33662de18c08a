// SPDX-License-Identifier: Apache-2.0
// What plugins say to runtimes, in the words of the command line: options in place of variables,
// and commands in place of the spec's verbs. It owns the pairs; a test holds them to what is said.

/** Words of plugins and those for a person, one after the other; an earlier pair goes first. */
const PAIRS: string[] = [
  "plugin's netns and netns from CNI_NETNS should not be the same: ",
  "a container cannot be in the host's own namespace: ",
  ": the runtime must make the namespace first",
  ": make it first, as ip netns add NAME does",
  "CNI_NETNS /",
  "namespace /",
  "choose another CNI_IFNAME",
  "choose another --ifname",
  "correct CNI_IFNAME",
  "correct --ifname",
  "CNI_CONTAINERID takes",
  "--container-id takes",
  "CNI_ARGS has",
  "--args has",
  "a file in CNI_PATH",
  "a file in a folder of --path",
  "run DEL and ADD for this container",
  "run fairlead del and fairlead add for it",
  "needs DEL and ADD",
  "needs fairlead del and fairlead add",
  "run DEL for it",
  "run fairlead del for it",
  "DEL removes it, a new ADD writes it again",
  "fairlead del removes it, a new fairlead add writes it again",
];

/** A text with every phrase of a pair replaced. None has a character that JSON escapes. */
export function words_of_hand(text: string): string {
  let said = text;
  for (let i = 0; i < PAIRS.length; i += 2) said = said.replaceAll(PAIRS[i], PAIRS[i + 1]);
  return said;
}
