/** One of the many spellings of an IPv6 address: the one that name servers answer with, so that two can be compared. */
export function shortestIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
