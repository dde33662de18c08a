// SPDX-License-Identifier: Apache-2.0
// The C that wasm2c writes, fitted to a program with one core: a quarter smaller, as the address of
// the memory stays in a register that nothing else of the core uses, and nobody hands the instance
// on. It is text in, text out, and throws when wasm2c's text is not the one it knows.

const ACCESS = `#define DEFINE_LOAD(name, t1, t2, t3)                         \\
  typedef t1 name##_t __attribute__((aligned(1), may_alias)); \\
  static inline t3 name(u64 addr) {                           \\
    return (t3)(t2) * (const name##_t*)(memory_base + addr);  \\
  }

#define DEFINE_STORE(name, t1, t2)                            \\
  typedef t1 name##_t __attribute__((aligned(1), may_alias)); \\
  static inline void name(u64 addr, t2 value) {               \\
    *(name##_t*)(memory_base + addr) = (t1)value;             \\
  }
`;

/** The register by machine: of those that a called function leaves as they are (psABI, AAPCS64). */
export const MEMORY_REGISTER = { x86_64: 'r15', aarch64: 'x28' };

const HEAD = `#include "core.h"

static Z_core_instance_t core_instance;
#define instance (&core_instance)
#ifdef __x86_64__
register u8* memory_base __asm__("${MEMORY_REGISTER.x86_64}");
#else
register u8* memory_base __asm__("${MEMORY_REGISTER.aarch64}");
#endif
`;

/** Where the host comes in: the register is the caller's before and after. */
const entered = (statements, given) => `  u8* const caller = memory_base;
  memory_base = core_instance.w2c_memory.data;
${statements}
  memory_base = caller;
${given ? '  return given;\n' : ''}`;

/** Replaces, and throws when there is nothing to replace. */
function replaced(text, what, by) {
  const after = text.replace(what, by);
  if (after === text) throw new Error(`wasm2c wrote no ${what}: its text is another`);
  return after;
}

/** Functions that only the core calls, by name: those in its table are called otherwise. */
function ownFunctions(text) {
  const table = new Set([...text.matchAll(/\(wasm_rt_function_ptr_t\)&(\w+)/g)].map((m) => m[1]));
  const defined = text.matchAll(/^static \w+ (w2c_\w+)\(Z_core_instance_t\* instance/gm);
  return new Set([...defined].map((m) => m[1]).filter((name) => !table.has(name)));
}

/** core.c as wasm2c wrote it, fitted. */
export function fitted(written) {
  const little = written.indexOf(
    '#define DEFINE_LOAD',
    written.indexOf('#else\nstatic inline void load'),
  );
  const end = written.indexOf('#endif\n\nDEFINE_LOAD');
  if (little < 0 || end < little)
    throw new Error('wasm2c wrote no DEFINE_LOAD: its text is another');
  let text = written.slice(0, little) + ACCESS + written.slice(end);
  text = replaced(text, /\(&instance->w2c_memory, \(u64\)/g, '((u64)');
  const own = ownFunctions(text);
  text = text.replace(
    /^(static \w+ )(w2c_\w+)\(Z_core_instance_t\*(?: instance)?(?:, )?/gm,
    (all, head, name) => (own.has(name) ? `${head}${name}(` : all),
  );
  text = text.replace(/\b(w2c_\w+)\(instance(?:, )?/g, (all, name) =>
    own.has(name) ? `${name}(` : all,
  );
  text = text.replace(/^(static \w+ w2c_\w+)\(\)/gm, '$1(void)');
  text = text.replace(/Z_core_instance_t ?\* ?instance\b/g, 'Z_core_instance_t* instance_');
  text = replaced(
    text,
    /^(u32|void) (Z_coreZ_\w+)\((.*)\) \{\n {2}(?:return )?(.*);\n\}/gm,
    (_, type, name, params, call) =>
      `${type} ${name}(${params}) {\n${
        type === 'void' ? entered(`  ${call};`, false) : entered(`  u32 given = ${call};`, true)
      }}`,
  );
  text = replaced(
    text,
    /^( {2}init_elem_instances\(instance\);\n)( {2}w2c_\w+\(\);)\n/m,
    (_, before, start) => before + entered(start, false),
  );
  return replaced(text, '#include "core.h"\n', HEAD);
}
