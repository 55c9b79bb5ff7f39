/**
 * A guard for google-protobuf, in effect wherever `service.ts` is imported. Its own reader of strings believes the length
 * in the message: seven bytes that announce 1 GiB hold the event loop for seconds (`messages.test.ts` shows it). This
 * one goes through `readBytes`, which checks the length, and refuses what is not UTF-8, as other protobuf runtimes do.
 */
import jspb from 'google-protobuf';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

jspb.BinaryReader.prototype.readString = function readString(this: jspb.BinaryReader): string {
  return utf8.decode(this.readBytes());
};
