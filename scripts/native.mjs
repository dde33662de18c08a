// Builds the native host: dist/core.wasm translated to C by wasm2c and linked, with host-native/,
// into one static program. It owns the tools and their flags, and refuses to build with a wasm2c
// whose names the glue does not know.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { mergeDataSegments } from './wasm-data.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = join(ROOT, 'host-native');
const execute = promisify(execFile);

const WABT_VERSION = '1.0.32';
/** Where wabt's package has wasm-rt.h apart from the headers of the C library. */
const WASM_RT = '/usr/src/wasm2c';

const COMMON = ['-std=gnu17', '-Os', '-g0', '-ffunction-sections', '-fdata-sections', '-fPIE'];
/** For what people wrote. */
const STRICT = [
  ...['-Wall', '-Wextra', '-Werror', '-Wconversion', '-Wshadow', '-Wvla', '-Wundef', '-Wformat=2'],
  ...['-Wstrict-prototypes', '-Wmissing-prototypes', '-Wpointer-arith', '-Wcast-align=strict'],
  ...['-fstack-protector-strong', '-fstack-clash-protection', '-fno-strict-aliasing'],
];
/** For what wasm2c wrote: its accesses are bounded by the memory that runtime.c reserves. */
const TRANSLATED = [
  ...['-w', '-fno-strict-aliasing', '-fomit-frame-pointer', '-fno-stack-protector'],
  ...['-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fwrapv'],
];
/** A position-independent program without a loader: musl's rcrt1.o relocates it by itself. */
const LINK = [
  ...['-nostdlib', '-nostartfiles', '-static', '-s', '-Wl,-pie', '-Wl,--no-dynamic-linker'],
  ...['-Wl,-z,text', '-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,noexecstack', '-Wl,-z,separate-code'],
  ...['-Wl,--gc-sections', '-Wl,--build-id=none'],
];

/** How to build for this machine: the compiler, and where musl and the kernel's headers are. */
async function target() {
  const triple = process.arch === 'arm64' ? 'aarch64-linux' : 'x86_64-linux';
  const compiler = 'gcc';
  const libgcc = (await run(compiler, ['-print-libgcc-file-name'])).trim();
  return {
    compiler,
    libgcc,
    musl: `/usr/lib/${triple}-musl`,
    // The order of musl-gcc; the kernel's headers come last, because musl brings none.
    headers: [
      '-nostdinc',
      ...['-isystem', `/usr/include/${triple}-musl`, '-isystem', join(libgcc, '../include')],
      ...['-idirafter', '/usr/include', '-idirafter', `/usr/include/${triple}-gnu`],
    ],
  };
}

async function run(program, args) {
  try {
    return (await execute(program, args, { maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    throw new Error(`${program} failed\n${error.stderr ?? error}`);
  }
}

/** core.wasm as C, in `folder`. */
async function translate(folder) {
  const wasm = join(folder, 'core.wasm');
  writeFileSync(wasm, mergeDataSegments(readFileSync(join(ROOT, 'dist/core.wasm'))));
  const version = (await run('wasm2c', ['--version'])).trim();
  if (version !== WABT_VERSION) {
    throw new Error(`wasm2c is of wabt ${version}; the glue is written for ${WABT_VERSION}`);
  }
  await run('wasm2c', [wasm, '-n', 'core', '-o', join(folder, 'core.c')]);
}

/** Compiles a file, unless its object is there and was made of the same bytes. */
async function compile(folder, { compiler, headers }, path, flags) {
  const name = path.slice(path.lastIndexOf('/') + 1, -2);
  const object = join(folder, `${name}.o`);
  const args = [...flags, '-I', folder, '-I', SOURCE, '-I', WASM_RT, ...headers];
  const text = await run(compiler, [...args, '-E', '-P', path]);
  const mark = createHash('sha256').update(args.join(' ')).update(text).digest('hex');
  const marked = join(folder, `${name}.mark`);
  const same = existsSync(object) && existsSync(marked) && readFileSync(marked, 'utf8') === mark;
  if (!same) {
    await run(compiler, [...args, '-c', path, '-o', object]);
    writeFileSync(marked, mark);
  }
  return object;
}

/** Links objects and musl to one program. */
async function link({ compiler, musl, libgcc }, objects, into) {
  const begin = [join(musl, 'rcrt1.o'), join(musl, 'crti.o')];
  const end = [join(musl, 'libc.a'), libgcc, join(musl, 'crtn.o')];
  await run(compiler, [...LINK, ...begin, ...objects, ...end, '-o', into]);
}

/** What a core is needed for. */
const OF_THE_CORE = ['abi.c', 'around.c', 'border.c', 'main.c', 'runtime.c', 'serve.c'];
const SANITIZED = [
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-O1', '-g'],
  ...['-Wall', '-Wextra', '-std=gnu17', '-D_GNU_SOURCE', '-fno-omit-frame-pointer'],
];

/**
 * Builds a program for tests of the operations without a core, of files of the project and of
 * `texts` by name, under AddressSanitizer and UndefinedBehaviorSanitizer. Gives its path.
 */
export async function buildTestProgram(name, files, texts) {
  const folder = join(ROOT, 'dist/.native-test', `${name}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(folder, file), text);
  const sources = [
    ...readdirSync(SOURCE)
      .filter((file) => file.endsWith('.c') && !OF_THE_CORE.includes(file))
      .map((file) => join(SOURCE, file)),
    ...files.map((file) => join(ROOT, file)),
    ...Object.keys(texts).map((file) => join(folder, file)),
  ];
  const path = join(folder, name);
  const include = ['-I', SOURCE, '-I', join(ROOT, 'test/native')];
  await run('gcc', [...SANITIZED, ...include, ...sources, '-o', path]);
  return path;
}

/** Builds dist/fairlead-native. */
export async function buildNative() {
  const folder = join(ROOT, 'dist/.native');
  mkdirSync(folder, { recursive: true });
  await translate(folder);
  const machine = await target();
  const compiled = (path, flags) => compile(folder, machine, path, [...COMMON, ...flags]);
  const core = compiled(join(folder, 'core.c'), TRANSLATED);
  const objects = [];
  for (const name of readdirSync(SOURCE).filter((file) => file.endsWith('.c'))) {
    objects.push(await compiled(join(SOURCE, name), STRICT));
  }
  const made = join(folder, 'fairlead-native');
  await link(machine, [...objects, await core], made);
  renameSync(made, join(ROOT, 'dist/fairlead-native'));
}
