/** `forage cluster init` and `issue`: the authority and the nodes' certificates. */
import { readFile, writeFile } from 'node:fs/promises';
import { initCluster, issueNode } from '../peers/identity/authority.ts';
import type { IdentityFiles } from '../peers/identity/identity.ts';
import { encodeToken } from '../peers/identity/token.ts';
import { Failure } from './errors.ts';
import { print } from './output.ts';
import { exists } from './settings.ts';

export async function init(options: { dir: string; name: string; days: number }): Promise<void> {
  const files = await initCluster(options.dir, { clusterName: options.name, days: options.days });
  print(`${files.cert}\n${files.key}`);
}

export interface IssueOptions {
  dir: string;
  out?: string;
  address?: string[];
  days: number;
  /** `true`: to standard output, which then has nothing else, so that it can be piped to the node. */
  token?: true | string;
}

export async function issue(name: string, options: IssueOptions): Promise<void> {
  const { out, address: addresses, days, token } = options;
  if (typeof token === 'string' && (await exists(token)))
    throw new Failure(`${token}: is there already and is not overwritten`);
  const files = await issueNode(options.dir, name, { out, addresses, days });
  const paths = `${files.cert}\n${files.key}\n${files.ca}\n`;
  if (token === true) {
    process.stderr.write(paths);
    print(await tokenOf(files));
    return;
  }
  print(paths);
  if (token === undefined) return;
  await writeFile(token, `${await tokenOf(files)}\n`, { flag: 'wx', mode: 0o600 });
  print(token);
}

async function tokenOf(files: IdentityFiles): Promise<string> {
  const read = (file: string) => readFile(file, 'latin1');
  return encodeToken({
    ca: await read(files.ca),
    cert: await read(files.cert),
    key: await read(files.key),
  });
}
