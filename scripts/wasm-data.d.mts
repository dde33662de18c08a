// SPDX-License-Identifier: Apache-2.0
/** See wasm-data.mjs. */
export function pack(image: Uint8Array): { packed: Uint8Array; template_kind: number };
