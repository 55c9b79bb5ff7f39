/**
 * A guard for google-protobuf, in effect wherever `service.ts` is imported. Its readers of strings and of nested messages
 * believe the length in the message: ten bytes that announce a gigabyte hold the event loop for many seconds
 * (`messages.test.ts` has such bytes). These go through `readBytes`, which checks the length against what is there, and
 * copies nothing. Text that is not UTF-8 is refused, as other protobuf runtimes do.
 *
 * Packed lists of numbers have the same fault; no message of ours has one.
 */
import jspb from 'google-protobuf';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

jspb.BinaryReader.prototype.readString = function readString(this: jspb.BinaryReader): string {
  return utf8.decode(this.readBytes());
};

jspb.BinaryReader.prototype.readMessage = function readMessage<M>(
  this: jspb.BinaryReader,
  message: M,
  read: (message: M, reader: jspb.BinaryReader) => void,
): void {
  read(message, new jspb.BinaryReader(this.readBytes()));
};
