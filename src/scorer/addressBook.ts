import type { Protocol, Route } from './routing.ts';

/** What stands at an address. */
export interface Address {
  /** Its decoded parts; null when they cannot be decoded. */
  readonly path: readonly string[] | null;
  /** Null when no protocol owns it. */
  readonly protocol: Protocol | null;
  readonly route: Route | null;
}

/** Clients ask a few addresses over and over. Others push them out, at no more cost than looking anew. */
const rememberedAddresses = 256;
const longestRemembered = 256;

/** Finds addresses, and remembers those that lead somewhere: what is at an address never changes. */
export function createAddressBook(protocols: readonly Protocol[]): (path: string) => Address {
  const remembered = new Map<string, Address>();
  return (path) => {
    const known = remembered.get(path);
    if (known) return known;
    const address = find(protocols, readPath(path));
    if (address.route && path.length <= longestRemembered) {
      if (remembered.size >= rememberedAddresses) remembered.clear();
      remembered.set(path, address);
    }
    return address;
  };
}

function find(protocols: readonly Protocol[], path: readonly string[] | null): Address {
  const protocol = (path && protocols.find((candidate) => candidate.owns(path))) ?? null;
  return { path, protocol, route: (path && protocol?.find(path)) ?? null };
}

/** The decoded parts of a path; null when it cannot be decoded. */
function readPath(path: string): readonly string[] | null {
  const parts = (path.startsWith('/') ? path.slice(1) : path).split('/');
  if (!path.includes('%')) return parts;
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return null;
  }
}
