/** `forage verify`. */
import { resolve } from 'node:path';
import { isSha256 } from '../blocks/block.ts';
import { AdminService, admin } from '../proto/admin.ts';
import { askLong } from './admin-client.ts';
import { print, printJson } from './output.ts';
import { settings } from './settings.ts';

type Verified = ReturnType<typeof plain>;

/** Answers whether the layer's own bytes give what the cluster believes. */
export async function verify(
  layer: string,
  options: { config: string; file?: string; json?: boolean },
): Promise<boolean> {
  const { run } = await settings(options.config);
  const request = new admin.VerifyRequest().setLayer(digestOf(layer));
  // The node has another working directory.
  if (options.file !== undefined) request.setFile(resolve(options.file));
  const shown = plain(await askLong(run, AdminService.verify, request));
  if (options.json) printJson(shown);
  else print(forPeople(shown));
  return shown.matches;
}

/** Bare hex digits are as good; what is neither, the node refuses. */
function digestOf(layer: string): string {
  return isSha256(layer) ? `sha256:${layer}` : layer;
}

/** The form of `--json`; scripts rely on it. */
function plain(reply: admin.VerifyReply) {
  return {
    chain_id: reply.getChainId(),
    diff_id: reply.getDiffId(),
    root: reply.getRoot(),
    format: reply.getFormat(),
    derived_root: reply.getDerivedRoot(),
    ingested_by: reply.getIngestedByList(),
    matches: reply.getMatches(),
  };
}

function forPeople(verified: Verified): string {
  const lines = [
    `layer     ${verified.chain_id}`,
    `diffID    ${verified.diff_id}`,
    `format    ${verified.format}`,
    `believed  ${verified.root}`,
    `derived   ${verified.derived_root}`,
    `made by   ${verified.ingested_by.join(', ') || 'no node says so'}`,
    '',
  ];
  if (verified.matches) lines.push("It matches: the volume is what the layer's own bytes give.");
  else
    lines.push(
      "IT DOES NOT MATCH: the volume is not what the layer's own bytes give on this node.",
      'Another erofs-utils on the node that made it does that (`forage doctor` tells the version), and so does tampering.',
      'Look at the nodes above. A certificate whose node is not to be trusted ends with `forage cluster revoke`.',
    );
  return lines.join('\n');
}
