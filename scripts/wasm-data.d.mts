/** See wasm-data.mjs. */
export function pack(image: Uint8Array): Uint8Array;
