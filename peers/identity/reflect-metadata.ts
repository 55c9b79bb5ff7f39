/**
 * The four functions of the Reflect metadata API that @peculiar/x509's dependency injection looks for when it is loaded.
 * Import this before it.
 */
const stores = new WeakMap<object, Map<unknown, unknown>>();

const getOwnMetadata = (key: unknown, target: object) => stores.get(target)?.get(key);

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const store = stores.get(target) ?? new Map();
  stores.set(target, store.set(key, value));
}

function getMetadata(key: unknown, target: object): unknown {
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at)) {
    const value = getOwnMetadata(key, at);
    if (value !== undefined) return value;
  }
  return undefined;
}

const metadata = (key: unknown, value: unknown) => (target: object) => defineMetadata(key, value, target);

Object.assign(Reflect, { defineMetadata, getOwnMetadata, getMetadata, metadata });
