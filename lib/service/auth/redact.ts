import { maskAddresses } from '../../capture/secrets.js';

const HIDDEN = '***';
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // The id stays: it says which key it was.
  [/\blin_([0-9a-f]{12})_[A-Za-z0-9_-]+/g, `lin_$1_${HIDDEN}`],
  [/\blin_(?![0-9a-f]{12}_\*)[A-Za-z0-9_-]{16,}/g, `lin_${HIDDEN}`],
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g, HIDDEN],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/([?&]ticket=)[^&#\s'"]*/gi, `$1${HIDDEN}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
];

/** The text as it may be logged: without keys, tokens, tickets, private keys, and passwords in addresses. */
export function redactText(text: string): string {
  let clean = maskAddresses(text);
  for (const [pattern, instead] of PATTERNS) clean = clean.replace(pattern, instead);
  return clean;
}
