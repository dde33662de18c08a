// Modules that the build left in dist/, each compiled once per test process.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const compiled = new Map<string, WebAssembly.Module>();

export const distPath = (file: string): string =>
  fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));

/** `core`: the core over the host ABI. `sim`: the simulated kernel. */
export function wasmModule(name: 'core' | 'sim'): WebAssembly.Module {
  const module =
    compiled.get(name) ?? new WebAssembly.Module(readFileSync(distPath(`${name}.wasm`)));
  compiled.set(name, module);
  return module;
}
