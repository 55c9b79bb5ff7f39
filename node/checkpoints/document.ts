/**
 * What a checkpoint's record points at besides its volumes: all that making the container again takes. JSON, since the OCI spec in it is;
 * it comes from other nodes, so it is checked field by field, and nothing in it names a path that this node would write to.
 */
import { z } from 'zod';
import { isCheckpointId } from '../../peers/directory/body.ts';

/** Counts up when an older node could not restore from it. */
const FORMAT = 1;
export const DOCUMENT_MEDIA_TYPE = 'application/vnd.forage.checkpoint.v1+json';
export const MAX_DOCUMENT_BYTES = 4 << 20;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const bytes = z.int().nonnegative();
/** What containerd allows as names of namespaces, containers and snapshotters (its identifiers package). */
const name = z
  .string()
  .regex(/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/)
  .max(76);

const schema = z.strictObject({
  format: z.literal(FORMAT),
  id: z.string().refine(isCheckpointId),
  /** Where it was made. */
  node: z.string().max(253),
  createdMs: z.number().nonnegative(),
  /** The checkpoint that the container was restored from, if any. */
  parent: z.string().refine(isCheckpointId).optional(),
  container: z.strictObject({ namespace: name, id: name }),
  /** It went on after the checkpoint. */
  wasLeftRunning: z.boolean(),
  frozenMs: z.number().nonnegative(),
  memoryBytes: bytes,
  filesBytes: bytes,
  /** What containerd knew of the container; absent where it knew none. */
  made: z
    .strictObject({
      image: z.string().max(512),
      snapshotter: name,
      /** The image's layers, lowest first. */
      chainIds: z.array(digest).max(512),
      labels: z.record(z.string().max(4096), z.string().max(65536)),
      runtime: z.strictObject({
        name: z.string().max(256),
        /** A google.protobuf.Any: its type, and its value in base64. Empty where there were none. */
        optionsType: z.string().max(256),
        options: z.base64().max(65536),
      }),
      /** The OCI runtime specification. */
      spec: z.looseObject({ ociVersion: z.string() }),
    })
    .optional(),
});

export type CheckpointDocument = z.infer<typeof schema>;

/** A document that no node of this version writes. */
export class BadDocumentError extends Error {
  constructor(why: string) {
    super(`the checkpoint's document is not valid: ${why}`);
    this.name = 'BadDocumentError';
  }
}

export function encodeDocument(document: Omit<CheckpointDocument, 'format'>): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...document }));
}

/** `id`: the checkpoint that it must be of. Throws BadDocumentError. */
export function decodeDocument(encoded: Uint8Array, id: string): CheckpointDocument {
  if (encoded.length > MAX_DOCUMENT_BYTES) throw new BadDocumentError(`${encoded.length} bytes`);
  const parsed = schema.safeParse(json(encoded));
  if (!parsed.success) throw new BadDocumentError(z.prettifyError(parsed.error).replaceAll('\n', ' '));
  if (parsed.data.id !== id) throw new BadDocumentError(`it is of checkpoint ${parsed.data.id}`);
  return parsed.data;
}

function json(encoded: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(encoded).toString());
  } catch (error) {
    throw new BadDocumentError((error as Error).message);
  }
}
