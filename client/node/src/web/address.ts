/** Whose request is it, where nobody has logged in: the client's address, as far as it can be trusted. */
import { BlockList, isIP } from "node:net";

const NAMED: Record<string, [string, number][]> = {
  loopback: [["127.0.0.0", 8], ["::1", 128]],
  linklocal: [["169.254.0.0", 16], ["fe80::", 10]],
  uniquelocal: [["10.0.0.0", 8], ["172.16.0.0", 12], ["192.168.0.0", 16], ["fc00::", 7]],
};

/** An address without port, brackets, zone and the IPv4-in-IPv6 form; undefined when it is not one. */
export function plainAddress(text: string | undefined): string | undefined {
  if (!text) return undefined;
  let address = text.trim();
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address);
  if (bracketed) address = bracketed[1]!;
  else if (/^\d+\.\d+\.\d+\.\d+:\d+$/.test(address)) address = address.slice(0, address.indexOf(":"));
  const zone = address.indexOf("%");
  if (zone >= 0) address = address.slice(0, zone);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) address = mapped[1]!;
  return isIP(address) ? address.toLowerCase() : undefined;
}

/** "loopback", "linklocal", "uniquelocal", addresses and CIDR blocks. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly size: number;

  constructor(names: readonly string[] = []) {
    this.size = names.length;
    for (const name of names) this.#add(name);
  }

  #add(name: string): void {
    if (NAMED[name]) {
      for (const [address, bits] of NAMED[name]) this.#list.addSubnet(address, bits, isIP(address) === 6 ? "ipv6" : "ipv4");
      return;
    }
    const [address, bits] = name.split("/");
    const version = isIP(address ?? "");
    const most = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : Number(bits);
    if (!version || !/^\d*$/.test(bits ?? "") || bits === "" || prefix > most)
      throw new TypeError(`trustedProxies: '${name}' is not an address, a block such as 10.0.0.0/8, loopback, linklocal or uniquelocal`);
    this.#list.addSubnet(address!, prefix, version === 6 ? "ipv6" : "ipv4");
  }

  has(address: string): boolean {
    return this.#list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
}

/**
 * The address that the outermost trusted proxy saw: from the right, the first of X-Forwarded-For that is not a trusted proxy.
 * Whatever a client writes into the header itself is further left. `socket` is who is connected. Next.js does not say that, and
 * leaves a header that a client wrote as it is: without proxies that are named nothing is known there.
 */
export function clientAddress(socket: string | undefined, forwarded: string | undefined, trusted: TrustedProxies): string | undefined {
  let address = plainAddress(socket);
  if (address === undefined && trusted.size === 0) return undefined;
  if (address !== undefined && !trusted.has(address)) return address;
  const chain = (forwarded ?? "").split(",");
  while (chain.length > 0) {
    const next = plainAddress(chain.pop());
    if (next === undefined) return address; // what cannot be read was not written by a proxy that is to be trusted
    address = next;
    if (!trusted.has(address)) return address;
  }
  return address;
}

function groups(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const left = head ? head.split(":") : [];
  if (tail === undefined) return left;
  const right = tail ? tail.split(":") : [];
  const missing = 8 - left.length - right.length - (address.includes(".") ? 1 : 0);
  return [...left, ...Array<string>(Math.max(0, missing)).fill("0"), ...right];
}

/** The user id of an address. IPv6 by /64, because a household has so many. */
export function addressUser(address: string): string {
  if (isIP(address) !== 6) return `ip:${address}`;
  return `ip:${groups(address).slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
