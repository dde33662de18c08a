// SPDX-License-Identifier: Apache-2.0
// A transform of asc: the module exports its mutable globals, as `state.0`, `state.1` and so on, so
// that what holds it can keep all of its state, memory and globals, and put it back
// (host-node/drivers/simulated.ts). It changes nothing else.
import binaryen from 'assemblyscript/binaryen';

export class KeptState {
  afterCompile(module) {
    let count = 0;
    for (let i = 0; i < module.getNumGlobals(); i++) {
      const { name, mutable, module: from } = binaryen.getGlobalInfo(module.getGlobalByIndex(i));
      if (mutable && from === '') module.addGlobalExport(name, `state.${count++}`);
    }
  }
}

// biome-ignore lint/style/noDefaultExport: asc takes a transform by this name.
export { KeptState as default };
