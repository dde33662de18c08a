// SPDX-License-Identifier: Apache-2.0
// dist/core.wasm: what serves a call of a plugin, and nothing else. The native program is
// made of it.
export { alloc, fairlead_abi_1, result_len, result_ptr, run } from "./exports";
