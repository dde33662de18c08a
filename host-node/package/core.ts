// SPDX-License-Identifier: Apache-2.0
// The entry `fairlead/core` of the npm package: one call over a driver, and what a driver is. It
// imports nothing of Node.
export {
  ABI_MARKER,
  DRIVER_OPERATIONS,
  type Driver,
  limits,
  OPERATIONS,
  type Operation,
  OsError,
} from '../abi/index.ts';
export type * from '../abi/shapes.ts';
export { CorePanic, type Surroundings } from '../bind.ts';
export { type Answer, type Call, type CoreCode, performTask, serve } from '../core.ts';
export { Instances } from '../instances.ts';
