// SPDX-License-Identifier: Apache-2.0
// The library that the program nft consists of, called from here: starting the program takes much
// longer than all that it does. It owns nothing but that; what is listed and loaded, others know.
import { closeSync, openSync } from 'node:fs';
import { insideNetns, OPEN_TO_READ } from '../../host-node/sys/libc.ts';

const LIBRARY = 'libnftables.so.1';
/** Its extensions, which tell rules of iptables, look for this among the symbols of the process. */
const FOR_ALL = 'libxtables.so.12';
const RTLD_NOW_GLOBAL = 0x102; // bits/dlfcn.h
/** No counters and the like (NFT_CTX_OUTPUT_STATELESS of nftables/libnftables.h). */
const STATELESS = 1 << 2;

type Ffi = typeof import('node:ffi');

function bound() {
  const ffi = process.getBuiltinModule('node:ffi') as Ffi;
  const open = new ffi.DynamicLibrary(null).getFunction('dlopen', {
    arguments: ['buffer', 'i32'],
    return: 'pointer',
  });
  open(Buffer.from(`${FOR_ALL}\0`), RTLD_NOW_GLOBAL);
  const library = new ffi.DynamicLibrary(LIBRARY);
  const of_context = { arguments: ['pointer'], return: 'i32' } as const;
  const text_of = { arguments: ['pointer'], return: 'pointer' } as const;
  return {
    text: (at: bigint): string => ffi.toString(at) ?? '',
    start: library.getFunction('nft_ctx_new', { arguments: ['u32'], return: 'pointer' }),
    free: library.getFunction('nft_ctx_free', { arguments: ['pointer'], return: 'void' }),
    set_flags: library.getFunction('nft_ctx_output_set_flags', {
      arguments: ['pointer', 'u32'],
      return: 'void',
    }),
    keep_output: library.getFunction('nft_ctx_buffer_output', of_context),
    keep_errors: library.getFunction('nft_ctx_buffer_error', of_context),
    output: library.getFunction('nft_ctx_get_output_buffer', text_of),
    errors: library.getFunction('nft_ctx_get_error_buffer', text_of),
    run: library.getFunction('nft_run_cmd_from_buffer', {
      arguments: ['pointer', 'buffer'],
      return: 'i32',
    }),
  };
}
let library: ReturnType<typeof bound> | undefined;

function runHere(commands: string, stateless: boolean): { failed: boolean; said: string } {
  library ??= bound();
  const context = library.start(0) as bigint;
  try {
    library.set_flags(context, stateless ? STATELESS : 0);
    library.keep_output(context);
    library.keep_errors(context);
    const failed = library.run(context, Buffer.from(`${commands}\0`)) !== 0;
    const said = failed ? library.errors(context) : library.output(context);
    return { failed, said: library.text(said as bigint) };
  } finally {
    library.free(context);
  }
}

/** Runs commands of nft(8) in a namespace of `ip netns`; throws an Error with its complaint. */
export function runNft(netns: string, commands: string, { stateless = false } = {}): string {
  const [there, home] = [`/run/netns/${netns}`, '/proc/thread-self/ns/net'].map((path) =>
    openSync(path, OPEN_TO_READ),
  ) as [number, number];
  try {
    const { failed, said } = insideNetns(there, home, () => runHere(commands, stateless));
    if (failed) throw new Error(`nft ${commands.split('\n')[0]}: ${said}`);
    return said;
  } finally {
    closeSync(there);
    closeSync(home);
  }
}
