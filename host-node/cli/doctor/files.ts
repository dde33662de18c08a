// SPDX-License-Identifier: Apache-2.0
// The files of a node that a runtime needs to call us: the folder of configurations, and that of
// programs. It reads names and kinds; what a configuration says `validate` judges.
import { accessSync, constants, readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InstallError } from '../install/files.ts';
import { type Manifest, readManifest } from '../install/manifest.ts';
import type { Finding, Looked } from './findings.ts';

/** What runtimes read of the folder, in the order in which kubelet's choose the first. */
const READ = /\.(conflist|conf|json)$/;

interface Failure {
  readonly code?: string;
  readonly message: string;
}
const reason = (error: unknown): string => (error as Failure).code ?? (error as Failure).message;

/** Where a link leads; undefined when there is none. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Why a file of the folder harms whoever reads all of them; undefined when nothing is wrong. */
function harm(path: string): Omit<Finding, 'id'> | undefined {
  try {
    const kind = statSync(path);
    if (kind.isFile()) {
      accessSync(path, constants.R_OK);
      return undefined;
    }
    const what = kind.isDirectory() ? 'a folder' : 'no regular file';
    const evidence = `${path} is ${what}, and its name says that it is a network`;
    return { severity: 'warning', evidence, cure: `move it away, or rename it` };
  } catch (error) {
    const to = reason(error) === 'ENOENT' ? linkAt(path) : undefined;
    // Neither a link nor a file: it has gone meanwhile.
    if (reason(error) === 'ENOENT' && to === undefined) return undefined;
    if (to !== undefined) {
      const evidence = `${path} is a link to ${to}, which is not there: runtimes fail on that`;
      return { severity: 'error', evidence, cure: `rm ${path}, or put the file there` };
    }
    const evidence = `${path} cannot be read: ${reason(error)}`;
    return { severity: 'warning', evidence, cure: 'run doctor as root, or mend its rights' };
  }
}

/** The folder of configurations. */
export function lookAtConfDir(dir: string): Looked {
  let names: string[];
  try {
    names = readdirSync(dir).filter((name) => READ.test(name));
  } catch (error) {
    if (reason(error) !== 'ENOENT') {
      return { findings: [], unseen: [`cannot read ${dir}: ${reason(error)}`] };
    }
    names = [];
  }
  const findings: Finding[] = [];
  if (names.length === 0) {
    findings.push({
      id: 'network-none',
      severity: 'warning',
      evidence: `there is no network in ${dir}: a runtime that looks there is not ready`,
      cure: 'put a *.conflist there: "fairlead install --conflist FILE" does',
    });
  }
  const [first, ...others] = names.sort();
  if (others.length > 0) {
    const most = `${dir} has ${names.length} networks, and Kubernetes' runtimes use`;
    findings.push({
      id: 'network-first',
      severity: 'info',
      evidence: `${most} the first by name: ${first}`,
      cure: 'rename the one that pods are to have so that it comes first, such as 00-NAME.conflist',
    });
  }
  for (const name of names) {
    const wrong = harm(join(dir, name));
    if (wrong !== undefined) findings.push({ id: 'network-unreadable', ...wrong });
  }
  return { findings, unseen: [] };
}

/** One link that install placed, as it is now. */
function linkNow(bin_dir: string, name: string): string {
  const path = join(bin_dir, name);
  try {
    if (basename(readlinkSync(path)) !== 'fairlead') return `${path} is a link to another program`;
    accessSync(path, constants.X_OK);
    return '';
  } catch (error) {
    const why = reason(error);
    if (why === 'EINVAL') return `${path} is another program now`;
    return why === 'ENOENT' ? `${path} is gone` : `${path}: ${why}`;
  }
}

/** What install placed, as it is now; `version` is that of the program that runs. */
export function lookAtBinDir(bin_dir: string, version: string): Looked {
  let manifest: Manifest | undefined;
  try {
    manifest = readManifest(bin_dir);
  } catch (error) {
    if (!(error instanceof InstallError) && (error as Failure).code === undefined) throw error;
    return { findings: [], unseen: [(error as Failure).message] };
  }
  if (manifest === undefined) return { findings: [], unseen: [] };
  const findings: Finding[] = [];
  const links = manifest.files.filter(({ kind, dir }) => kind === 'link' && dir === '');
  const changed = links.map(({ name }) => linkNow(bin_dir, name)).filter((text) => text !== '');
  if (changed.length > 0) {
    findings.push({
      id: 'program-replaced',
      severity: 'error',
      evidence: changed.join('; '),
      cure: `if another package took the names: fairlead install --bin-dir ${bin_dir}`,
    });
  }
  if (manifest.version !== version) {
    findings.push({
      id: 'version-differs',
      severity: 'warning',
      evidence: `${bin_dir} has version ${manifest.version}, and this program is ${version}`,
      cure: `fairlead install --bin-dir ${bin_dir}`,
    });
  }
  return { findings, unseen: [] };
}
