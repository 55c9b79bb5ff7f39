/**
 * Which machines can still talk to each other under a set of cuts. Each cut separates its group from everybody else, so
 * two machines are connected exactly when every cut has both on the same side: that is an equivalence, and each
 * of its classes gets a switch of its own (network.ts).
 */

/** The number of each machine's class: machines with the same number are connected. Class 0 is in no cut's group. */
export function partition(machines: string[], cuts: string[][]): Map<string, number> {
  const sidesOf = (name: string): string => cuts.map((group) => (group.includes(name) ? '1' : '0')).join('');
  const classes = new Map([[cuts.map(() => '0').join(''), 0]]);
  const result = new Map<string, number>();
  for (const name of machines) {
    const sides = sidesOf(name);
    if (!classes.has(sides)) classes.set(sides, classes.size);
    result.set(name, classes.get(sides)!);
  }
  return result;
}
