// SPDX-License-Identifier: Apache-2.0
// What every host holds to beyond single operations: limits, modes, and what is answered when the
// core itself breaks. In C they are macros of the same names (abi.gen.h). It refuses to hold what
// only one host needs.

interface Limit {
  readonly value: number | string;
  readonly about: string;
  /** A mode of a file. */
  readonly octal?: boolean;
}

const BROKEN =
  '{\n    "cniVersion": "1.1.0",\n    "code": 999,\n' +
  '    "msg": "internal error in the Fairlead core: please report it with these details",\n' +
  '    "details": ';

export const LIMITS = {
  LISTED_MAX_BYTES: {
    value: 65536,
    about: 'store.file_list gives the content of files up to this length.',
  },
  DIR_MODE: { value: 0o755, octal: true, about: 'Of folders that a host makes.' },
  LOCK_MODE: { value: 0o750, octal: true, about: "Of lock files, as host-local's own." },
  FILE_MODE: { value: 0o600, octal: true, about: 'Of other files that a host makes.' },
  OUTPUT_MAX_BYTES: {
    value: 1048576,
    about: 'A program may say as much on either output; more is EFBIG.',
  },
  BUSY_TRIES: {
    value: 20,
    about:
      'So often a program is tried that cannot be executed because it is being written (ETXTBSY).',
  },
  BUSY_PAUSE_MS: { value: 50, about: 'Between these tries, in ms.' },
  DUMP_TRIES: {
    value: 5,
    about: 'So often a list of the kernel is read that changed meanwhile; then it is EINTR.',
  },
  BROKEN_COMMAND: {
    value: 'ADD',
    about: 'A core that panics or traps in this command may have made something.',
  },
  BROKEN_CLEANUP: {
    value: 'DEL',
    about: 'The command that takes it away, in a fresh instance with the same input.',
  },
  BROKEN_SAID: {
    value: '; the cleaning up said: ',
    about: 'In the details, between what broke and what that command answered, if anything.',
  },
  BROKEN_BEGIN: {
    value: BROKEN,
    about: 'The answer when a core broke: this, the details as a JSON string, BROKEN_END.',
  },
  BROKEN_END: { value: '\n}', about: 'The end of that answer.' },
  RECORDING_VERSION: { value: 1, about: 'Of the form of recordings (docs/recording.md).' },
  RECORDING_MAX_BYTES: {
    value: 16777216,
    about: 'Of the operations of one call a recording has no more than this.',
  },
  RING_MAX_BYTES: {
    value: 67108864,
    about: 'All recordings of a ring together; each of its calls has an equal part.',
  },
  RING_MAX_CALLS: { value: 1000, about: 'A ring keeps no more calls.' },
  SECRET_WORDS: {
    value:
      'password passwd passphrase secret token credential privatekey presharedkey psk apikey ' +
      'authkey',
    about:
      'A name, in small letters and without "-", "_" and ".", that holds one of these words is ' +
      "that of a secret, and a recording has stars in the secret's place.",
  },
  SECRET_NAMES: { value: 'auth authorization key', about: 'So is one that is one of these.' },
} as const satisfies Readonly<Record<string, Limit>>;

type Values<T> = { readonly [K in keyof T]: T[K] extends { value: infer V } ? V : never };

/** Their values. */
export const limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { value }]) => [name, value]),
) as Values<typeof LIMITS>;
