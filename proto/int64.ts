/**
 * 64-bit fields travel as decimal strings in JavaScript (`jstype = JS_STRING`), because a number holds 53 bits. Sizes and
 * counters here are far below that; what comes from elsewhere is checked.
 */

/** For a setter. Throws RangeError on a fraction or beyond 2^53. */
export function toInt64(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number within 53 bits: ${value}`);
  return String(value);
}

/** From a getter: 0 up to 2^53 - 1. Throws RangeError on anything else; `what` names the field in its message. */
export function fromInt64(value: string, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`${what} is out of range: ${value}`);
  return number;
}
