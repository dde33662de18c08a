// SPDX-License-Identifier: Apache-2.0
// The entry `fairlead/host` of the npm package: this machine's kernel, files and plugins as a
// driver. It needs Linux, and Node 26 with --experimental-ffi.
export { type RealOptions, realDriver } from '../drivers/index.ts';
