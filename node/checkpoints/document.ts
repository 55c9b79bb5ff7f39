/**
 * What a checkpoint's record points at besides its volumes: all that making the container again takes. JSON, since the OCI spec in it is;
 * it comes from other nodes, so it is checked field by field, and nothing in it names a path that this node would write to.
 */
import * as v from 'valibot';
import { isCheckpointId } from '../../peers/directory/body.ts';
import { isContainerName } from '../../peers/exchange/restore-wire.ts';

/** Counts up when an older node could not restore from it. */
const FORMAT = 1;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
export const DOCUMENT_MEDIA_TYPE = 'application/vnd.forage.checkpoint.v1+json';
export const MAX_DOCUMENT_BYTES = 4 << 20;

const digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/));
const bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.minValue(0));
const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const base64 = (max: number) => v.pipe(text(max), v.regex(BASE64));
const id = v.pipe(v.string(), v.check(isCheckpointId));
/** What containerd allows as names of namespaces, containers and snapshotters (its identifiers package). */
const name = v.pipe(v.string(), v.check(isContainerName));

const schema = v.strictObject({
  format: v.literal(FORMAT),
  id,
  /** Where it was made. */
  node: text(253),
  createdMs: positive,
  /** The checkpoint that the container was restored from, if any. */
  parent: v.optional(id),
  container: v.strictObject({ namespace: name, id: name }),
  /** It went on after the checkpoint. */
  wasLeftRunning: v.boolean(),
  frozenMs: positive,
  memoryBytes: bytes,
  filesBytes: bytes,
  /** What containerd knew of the container; absent where it knew none. */
  made: v.optional(
    v.strictObject({
      image: text(512),
      snapshotter: name,
      /** The image's layers, lowest first. */
      chainIds: v.pipe(v.array(digest), v.maxLength(512)),
      labels: v.record(text(4096), text(65536)),
      runtime: v.strictObject({
        name: text(256),
        /** A google.protobuf.Any: its type, and its value in base64. Empty where there were none. */
        optionsType: text(256),
        options: base64(65536),
      }),
      /** Small files of the machine that the container had in these places. */
      boundFiles: v.pipe(
        v.array(v.strictObject({ destination: text(4096), mode: v.number(), content: base64(128 << 10) })),
        v.maxLength(64),
      ),
      /** The OCI runtime specification. */
      spec: v.looseObject({ ociVersion: v.string() }),
    }),
  ),
});

export type CheckpointDocument = v.InferOutput<typeof schema>;

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
  const parsed = v.safeParse(schema, json(encoded));
  if (!parsed.success) throw new BadDocumentError(v.summarize(parsed.issues).replaceAll('\n', ' '));
  if (parsed.output.id !== id) throw new BadDocumentError(`it is of checkpoint ${parsed.output.id}`);
  return parsed.output;
}

function json(encoded: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(encoded).toString());
  } catch (error) {
    throw new BadDocumentError((error as Error).message);
  }
}
