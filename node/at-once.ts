/** Work on many things, so many at a time, begun in their order. Rejects with the first failure; what is under way then goes on. */
export async function atOnce<T>(
  things: Iterable<T>,
  count: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const queue = things[Symbol.iterator]();
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: count }, worker));
}
