/** Addresses of cameras carry passwords; what is logged, thrown or shown goes through here first. */

const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#'"]*@/gi;
const QUERY =
  /([?&](?:user|usr|username|login|pwd|pass|passwd|password|token|key|api_?key|auth|sig|signature)=)[^&#\s'"]*/gi;

/** The text without user and password of any address in it, and without values of query fields that are named like secrets. */
export function maskAddresses(text: string): string {
  return text.replace(USER_INFO, '$1***@').replace(QUERY, '$1***');
}

/** Takes the secrets of one address out of texts, also where they stand alone (as in a complaint about a header). */
export function masker(url: string): (text: string) => string {
  const secrets = secretsOf(url);
  return (text) => {
    let masked = maskAddresses(text);
    for (const secret of secrets) masked = masked.replaceAll(secret, '***');
    return masked;
  };
}

function secretsOf(url: string): string[] {
  const info = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)@/i.exec(url)?.[1];
  if (info === undefined) return [];
  const colon = info.indexOf(':');
  const password = colon < 0 ? '' : info.slice(colon + 1);
  const found = new Set<string>([
    info,
    password,
    Buffer.from(plain(info)).toString('base64'),
    plain(info),
    plain(password),
  ]);
  // Very short ones are in every second word.
  return [...found].filter((s) => s.length >= 3).sort((a, b) => b.length - a.length);
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
