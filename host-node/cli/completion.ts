// SPDX-License-Identifier: Apache-2.0
// `fairlead completion`: what a shell needs to complete commands and options. Both are taken from
// the help of each command, so that nothing is listed a second time. It refuses to complete values.
import { parseArgs, UsageError } from './args.ts';
import { guarded, type Io } from './io.ts';

/** A command as completion knows it. */
export interface Completed {
  readonly name: string;
  readonly about: string;
  /** What its help prints. */
  readonly help: string;
}

const HELP = `fairlead completion: complete commands and options in a shell

Usage:
  fairlead completion bash|zsh|fish

It prints a script for the shell to read:
  bash    source <(fairlead completion bash)        in ~/.bashrc
  zsh     source <(fairlead completion zsh)         in ~/.zshrc, after compinit
  fish    fairlead completion fish | source         in ~/.config/fish/config.fish
Exit codes: 0 done; 2 wrong usage.
`;

/** The long options that a help text names at the beginning of a line or in its usage. */
const optionsOf = ({ help }: Completed): string[] => {
  const named = [...help.matchAll(/(?<=^|[\s[|(])--[a-z][a-z-]*/gm)].map(([option]) => option);
  return [...new Set([...named, '--help'])].sort();
};

/** A text as one word of any of the three shells. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(
    (command) => `    ${command.name}) words=${quoted(optionsOf(command).join(' '))} ;;`,
  );
  return `# bash completion of fairlead: source <(fairlead completion bash)
_fairlead() {
  local words cur=\${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${quoted(commands.map(({ name }) => name).join(' '))}
  else
    case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) words=--help ;;
    esac
    [[ $cur == -* ]] || words=
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _fairlead fairlead
`;
}

function zsh(commands: readonly Completed[]): string {
  const names = commands.map(({ name, about }) => `    ${quoted(`${name}:${about}`)}`);
  const cases = commands.map((command) => {
    const options = optionsOf(command).map(quoted).join(' ');
    return `    ${command.name}) compadd -- ${options} ;;`;
  });
  return `# zsh completion of fairlead: source <(fairlead completion zsh)
_fairlead() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
  elif [[ $PREFIX == -* ]]; then
    case $words[2] in
${cases.join('\n')}
    esac
  else
    _files
  fi
}
compdef _fairlead fairlead
`;
}

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c fairlead -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.about)}`,
    ...optionsOf(command).map((option) => {
      const seen = quoted(`__fish_seen_subcommand_from ${command.name}`);
      return `complete -c fairlead -n ${seen} -l ${option.slice(2)}`;
    }),
  ]);
  return `# fish completion of fairlead: fairlead completion fish | source\n${lines.join('\n')}\n`;
}

const SHELLS = { bash, zsh, fish } as const;

/** Runs `completion` and gives the exit code. */
export function runCompletion(
  args: readonly string[],
  io: Pick<Io, 'write'>,
  commands: () => readonly Completed[],
): number {
  return guarded('completion', args, io, () => {
    const { help, operands } = parseArgs(args, {}, 1);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const [shell = ''] = operands;
    if (!Object.hasOwn(SHELLS, shell)) {
      const which = shell === '' ? 'SHELL is missing' : `"${shell}" is no shell known here`;
      throw new UsageError(`${which}: write bash, zsh or fish`);
    }
    io.write(1, SHELLS[shell as keyof typeof SHELLS](commands()));
    return 0;
  });
}
