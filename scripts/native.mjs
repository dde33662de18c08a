// SPDX-License-Identifier: Apache-2.0
// Builds the native host: `native.mjs translation`, dist/core.wasm as C by wasm2c; then `native`,
// `native-asan` or `native-arm64`, that linked with host-native/ into one static program. It owns
// the tools and their flags, and refuses a wasm2c whose names the glue does not know. That the
// tools are here tools/build-steps.mjs sees to.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fitted, MEMORY_REGISTER } from './native-core.mjs';
import { splitData } from './wasm-data.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = join(ROOT, 'host-native');
const TRANSLATION = join(ROOT, 'dist/.native');
const ARM64 = join(TRANSLATION, 'arm64');
const execute = promisify(execFile);

const WABT_VERSION = '1.0.32';
/** Where wabt's package has wasm-rt.h apart from the headers of the C library. */
const WASM_RT = '/usr/src/wasm2c';
const TRIPLE = process.arch === 'arm64' ? 'aarch64-linux' : 'x86_64-linux';

const COMMON = [
  '-std=gnu17',
  '-D_GNU_SOURCE',
  '-Oz',
  '-g0',
  '-ffunction-sections',
  '-fdata-sections',
  '-fPIE',
  // The same program in whatever folder it is built.
  `-ffile-prefix-map=${ROOT}=`,
];
/** Nothing here unwinds. Tables for it that are stripped after linking take GNU_RELRO along. */
const NO_UNWINDING = ['-fno-asynchronous-unwind-tables', '-fno-unwind-tables'];
/** For what people wrote. */
const STRICT = [
  ...['-Wall', '-Wextra', '-Werror', '-Wconversion', '-Wshadow', '-Wvla', '-Wundef', '-Wformat=2'],
  ...['-Wstrict-prototypes', '-Wmissing-prototypes', '-Wpointer-arith', '-Wcast-align=strict'],
  ...['-fstack-protector-strong', '-fstack-clash-protection', '-fno-strict-aliasing'],
];
/** For the generated glue: its arrays on the stack are as long as a row of the table says. */
const GLUE = ['-fno-stack-protector'];
/** For what wasm2c wrote: its accesses are bounded by the memory that runtime.c reserves. */
const TRANSLATED = [
  ...[
    '-w',
    '-DNDEBUG',
    '-fno-strict-aliasing',
    '-fomit-frame-pointer',
    '-fno-stack-protector',
    '-fwrapv',
  ],
  ...NO_UNWINDING,
];
/** Keeps the register of the core's memory for that. */
const fixedRegister = (triple) => `-ffixed-${MEMORY_REGISTER[triple.split('-')[0]]}`;
/** A position-independent program without a loader: musl's rcrt1.o relocates it by itself. */
const LINK = [
  ...['-nostdlib', '-nostartfiles', '-static', '-s', '-Wl,-pie', '-Wl,--no-dynamic-linker'],
  ...['-Wl,-z,text', '-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,noexecstack'],
  ...['-Wl,--gc-sections', '-Wl,--build-id=none'],
];
/** For what people wrote, in tests: with glibc, whose headers FORTIFY_SOURCE needs. */
const SANITIZED = [
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-O1', '-g', '-Wall', '-Wextra'],
  ...['-std=gnu17', '-D_GNU_SOURCE', '-fno-omit-frame-pointer', '-ffunction-sections'],
];

async function run(program, args, options = {}) {
  try {
    return (await execute(program, args, { maxBuffer: 1 << 26, ...options })).stdout;
  } catch (error) {
    throw new Error(`${program} failed\n${error.stderr ?? error}`);
  }
}

/**
 * musl, static: what a node gets. `triple` is a machine, `root` the folder that its musl lies in.
 */
async function muslToolchain(compiler = 'gcc', triple = TRIPLE, root = '/') {
  const libgcc = (await run(compiler, ['-print-libgcc-file-name'])).trim();
  const musl = join(root, `usr/lib/${triple}-musl`);
  // The kernel's headers for another machine come with its compiler.
  const kernel =
    triple === TRIPLE
      ? ['/usr/include', `/usr/include/${triple}-gnu`]
      : [`/usr/${triple}-gnu/include`];
  return {
    compiler,
    translated: [...COMMON, ...TRANSLATED, fixedRegister(triple)],
    written: [...COMMON, ...STRICT, ...NO_UNWINDING],
    musl: true,
    // The order of musl-gcc; the kernel's headers come last, because musl brings none.
    headers: [
      '-nostdinc',
      ...['-isystem', join(root, `usr/include/${triple}-musl`)],
      ...['-isystem', join(libgcc, '../include'), ...kernel.flatMap((dir) => ['-idirafter', dir])],
    ],
    // Pages of 64 KiB make every segment of arm64 that long: there code and data share one.
    begin: [
      ...[...LINK, `-Wl,-z,${triple === 'aarch64-linux' ? 'noseparate-code' : 'separate-code'}`],
      ...[join(musl, 'rcrt1.o'), join(musl, 'crti.o')],
    ],
    end: [join(musl, 'libc.a'), libgcc, join(musl, 'crtn.o')],
  };
}

/** glibc, and sanitizers over what people wrote: for tests. */
const SANITIZING = {
  compiler: 'gcc',
  translated: ['-std=gnu17', '-O1', '-ffunction-sections', ...TRANSLATED, fixedRegister(TRIPLE)],
  written: SANITIZED,
  musl: false,
  headers: [],
  begin: ['-fsanitize=address,undefined', '-Wl,--gc-sections'],
  end: [],
};

/** What recordings name the program and its core by. */
function namesInC(core_wasm) {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const sha256 = createHash('sha256').update(core_wasm).digest('hex');
  const line = (name, text) => `const char ${name}[] = ${JSON.stringify(text)};\n`;
  return line('core_sha256', sha256) + line('program_version', version);
}

/** core.wasm as C. */
async function translate() {
  mkdirSync(TRANSLATION, { recursive: true });
  const version = (await run('wasm2c', ['--version'])).trim();
  if (version !== WABT_VERSION) {
    throw new Error(`wasm2c is of wabt ${version}; the glue is written for ${WABT_VERSION}`);
  }
  const wasm = join(TRANSLATION, 'core.wasm');
  const core_wasm = readFileSync(join(ROOT, 'dist/core.wasm'));
  const parts = splitData(core_wasm);
  writeFileSync(wasm, parts.wasm);
  writeFileSync(join(TRANSLATION, 'core-data.c'), parts.data + namesInC(core_wasm));
  const core = join(TRANSLATION, 'core.c');
  await run('wasm2c', [wasm, '-n', 'core', '-o', core]);
  writeFileSync(core, fitted(readFileSync(core, 'utf8')));
}

/** Compiles a file, unless its object is there and was made of the same bytes. */
async function compile(folder, { compiler, headers }, path, flags) {
  const name = path.slice(path.lastIndexOf('/') + 1, -2);
  const object = join(folder, `${name}.o`);
  const args = [...flags, '-I', TRANSLATION, '-I', SOURCE, '-I', WASM_RT, ...headers];
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

/** In place of musl's; a sanitizer has its own. */
const OF_MUSL = ['copy.c', 'heap.c', 'open.c'];

/** The files of host-native/, in the order of their names. */
function sources({ musl }) {
  const files = readdirSync(SOURCE).filter((name) => name.endsWith('.c'));
  const wanted = files.filter((name) => musl || !OF_MUSL.includes(name));
  return wanted.sort().map((name) => join(SOURCE, name));
}

/** Compiles and links dist/NAME of the translated core and host-native/. */
async function program(name, toolchain) {
  const folder = join(TRANSLATION, name);
  mkdirSync(folder, { recursive: true });
  const core = compile(folder, toolchain, join(TRANSLATION, 'core.c'), toolchain.translated);
  // It is awaited below: a failure until then is not one that nobody sees.
  core.catch(() => {});
  const objects = [];
  for (const path of [...sources(toolchain), join(TRANSLATION, 'core-data.c')]) {
    const more = basename(path) === 'abi.gen.c' ? GLUE : [];
    objects.push(await compile(folder, toolchain, path, [...toolchain.written, ...more]));
  }
  const made = join(folder, name);
  const { compiler, begin, end } = toolchain;
  await run(compiler, [...begin, ...objects, await core, ...end, '-o', made]);
  renameSync(made, join(ROOT, 'dist', name));
}

/** What a core is needed for. */
const OF_THE_CORE = [
  'abi.gen.c',
  'around.c',
  'border.c',
  'main.c',
  'runtime.c',
  'serve.c',
  'tape.c',
  'unpack.c',
];

const withoutCore = (file) => !OF_THE_CORE.includes(file);

/**
 * Builds a program for tests of files of the project, of `texts` by name and of those files of
 * host-native/ that `wanted` says, which are the operations without a core by default. It is under
 * AddressSanitizer and UndefinedBehaviorSanitizer unless `sanitized` is false. Gives its path.
 */
export async function buildTestProgram(
  name,
  files,
  texts,
  { wanted = withoutCore, link = [], sanitized = true } = {},
) {
  const folder = join(ROOT, 'dist/.native-test', `${name}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(folder, file), text);
  const paths = [
    ...sources(SANITIZING).filter((path) => wanted(basename(path))),
    ...files.map((file) => join(ROOT, file)),
    ...Object.keys(texts).map((file) => join(folder, file)),
  ];
  const path = join(folder, name);
  const include = [SOURCE, join(ROOT, 'test/native'), TRANSLATION, WASM_RT];
  const args = include.flatMap((dir) => ['-I', dir]);
  // What a sanitizer asks of the kernel is not what the program does.
  const flags = sanitized ? SANITIZED : SANITIZED.filter((flag) => !flag.includes('sanitize'));
  await run('gcc', [...flags, ...args, ...paths, ...link, '-Wl,--gc-sections', '-o', path]);
  return path;
}

/** Debian's musl for arm64, unpacked into a folder: the machine's packages stay as they are. */
async function fetchArm64Musl(root) {
  if (existsSync(join(root, 'usr/lib/aarch64-linux-musl/libc.a'))) return;
  const at = (name) => join(ARM64, name);
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'deb']) {
    mkdirSync(at(folder), { recursive: true });
  }
  writeFileSync(at('status'), '');
  writeFileSync(
    at('apt.conf'),
    [
      `Dir::State "${at('state')}";`,
      `Dir::State::status "${at('status')}";`,
      `Dir::Cache "${at('cache')}";`,
      'APT::Architecture "arm64";',
      'APT::Architectures { "arm64"; };',
      'APT::Sandbox::User "root";',
      '',
    ].join('\n'),
  );
  const env = { ...process.env, APT_CONFIG: at('apt.conf') };
  await run('apt-get', ['-qq', 'update'], { env });
  await run('apt-get', ['-qq', 'download', 'musl-dev'], { env, cwd: at('deb') });
  const [archive] = readdirSync(at('deb')).filter((name) => name.endsWith('.deb'));
  await run('dpkg', ['-x', join(at('deb'), archive), root]);
}

/** Builds dist/fairlead-native-arm64 on another machine. */
async function nativeForArm64() {
  const root = join(ARM64, 'root');
  await fetchArm64Musl(root);
  const toolchain = await muslToolchain('aarch64-linux-gnu-gcc', 'aarch64-linux', root);
  await program('fairlead-native-arm64', toolchain);
}

const BUILDS = {
  translation: translate,
  native: async () => program('fairlead-native', await muslToolchain()),
  'native-asan': () => program('fairlead-native-asan', SANITIZING),
  'native-arm64': nativeForArm64,
};

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await BUILDS[process.argv[2]]();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
