// SPDX-License-Identifier: Apache-2.0
// `npm run test:qemu`: tests in the kernel that Debian's nodes run, which is another than this
// machine's, under qemu. It sets up what is missing and builds; test/qemu/run.ts does the rest.
// It is no part of `npm test`: without KVM the kernel is twenty times as slow.
import { build } from '../tools/build.mjs';
import { runNode26, setup } from './setup.mjs';

await setup('test');
await setup('qemu');
await build();
const args = process.argv.slice(2);
const wireguard = args.length === 1 && args[0] === 'wireguard';
process.exitCode = await runNode26(`test/qemu/${wireguard ? 'wireguard' : 'run'}.ts`, args);
