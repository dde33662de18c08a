// SPDX-License-Identifier: Apache-2.0
// Simulated kernels that are lent and given back: the next one who wants a kernel of the same text
// gets it as it was at first, which takes a hundredth of the time that making one takes.
import { type SimulatedDriver, simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { type KeptState, keepState } from '../../host-node/instances.ts';
import { wasmModule } from './wasm.ts';

/** More texts than a test goes back to; those of others would only be kept for nothing. */
const TEXTS_MAX = 16;

interface Kept {
  readonly driver: SimulatedDriver;
  readonly state: KeptState;
}

const idle = new Map<string, Kept[]>();

/** A simulated kernel of a text, and what gives it back: it must not be used after that. */
export interface LentKernel {
  readonly driver: SimulatedDriver;
  readonly giveBack: () => void;
}

function made(text: string): Kept {
  const driver = simulatedDriver(wasmModule('sim'), text);
  return { driver, state: driver.keep(keepState) };
}

export function lendSimulated(text: string): LentKernel {
  const kept = idle.get(text)?.pop() ?? made(text);
  const giveBack = () => {
    if (kept.state.outgrown()) return;
    kept.state.restore();
    if (idle.size >= TEXTS_MAX && !idle.has(text)) idle.clear();
    idle.set(text, [...(idle.get(text) ?? []), kept]);
  };
  return { driver: kept.driver, giveBack };
}
