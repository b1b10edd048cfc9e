import { isIPv6 } from 'node:net';

/**
 * What is counted as one caller: an IPv4 address, or the first 64 bits of an IPv6 address, since one household or machine has all
 * of the others. IPv4 addresses written as IPv6 (`::ffff:1.2.3.4`) are IPv4 addresses. What is no address stays as it is, cut to 64 characters; those
 * who come through a local socket have none, and are one.
 */
export function callerOf(address: string | undefined): string {
  if (address === undefined) return '';
  const bare = address.replace(/%.*$/, '').toLowerCase();
  if (!isIPv6(bare)) return address.slice(0, 64);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  // A dotted end stands for two groups.
  const [head = '', tail] = bare.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array.from({ length: middle }, () => '0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
