/**
 * Timer descriptors (timerfd_create(2)) that repeat, and were due while the container stood still: nobody had read them yet, so Linux told CRIU that
 * no time is left until they are due, and CRIU, up to 4.2, takes that for a timer that is switched off. It would never be due again.
 * Source: images/{fdinfo,timerfd}.proto, criu/timerfd.c.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import jspb from 'google-protobuf';
import { CriuImageError, encodeRecords, fields, MAGIC, numbersOf, records } from './criu-image.ts';

/** Fields of a file, and of the timer in it: what is left until it is due, and what it is due again after. */
const FILE = { type: 1, id: 2, timer: 12 };
const TIMER = { seconds: 7, nanoseconds: 8, everySeconds: 9, everyNanoseconds: 10 };
const IS_TIMER = 17;

/**
 * Makes them due again at once. Changes the image in place; doing it again changes nothing. An image of a kind that is not known here stays as
 * it is.
 */
export function rearmTimers(directory: string): void {
  const path = join(directory, 'files.img');
  if (!existsSync(path)) return;
  try {
    const files = records(path, MAGIC.files);
    const armed = files.map((file) => rearmed(path, file));
    if (armed.every((file, i) => file === files[i])) return;
    writeFileSync(`${path}.new`, encodeRecords(MAGIC.files, armed));
    renameSync(`${path}.new`, path);
  } catch (error) {
    if (!(error instanceof CriuImageError)) throw error;
  }
}

function rearmed(path: string, file: Uint8Array): Uint8Array {
  const numbers = numbersOf(path, file);
  const [timer] = fields(path, file, FILE.timer);
  if (numbers[FILE.type] !== IS_TIMER || !timer || !isExpired(numbersOf(path, timer))) return file;
  const writer = new jspb.BinaryWriter();
  writer.writeUint32(FILE.type, IS_TIMER);
  writer.writeUint32(FILE.id, numbers[FILE.id] ?? 0);
  writer.writeBytes(FILE.timer, Buffer.concat([timer, oneNanosecond()]));
  return writer.getResultBuffer();
}

function isExpired(timer: readonly (number | undefined)[]): boolean {
  return (
    !timer[TIMER.seconds] &&
    !timer[TIMER.nanoseconds] &&
    Boolean(timer[TIMER.everySeconds] || timer[TIMER.everyNanoseconds])
  );
}

/** Of a field that is there twice, the last one counts. */
function oneNanosecond(): Uint8Array {
  const writer = new jspb.BinaryWriter();
  writer.writeUint32(TIMER.nanoseconds, 1);
  return writer.getResultBuffer();
}
