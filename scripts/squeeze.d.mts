/** See squeeze.mjs. */
export function squeeze(bytes: Uint8Array): Uint8Array;
