/**
 * Who a track is, from what was seen of it so far: pure functions. Distances are 1 − cosine, and margins are ratios of distances, so that
 * they mean the same for recognisers whose cosines all lie near 1 and for those whose strangers lie around 0.
 */

/** Somebody whom the joined look resembles. */
export interface Candidate {
  readonly id: string;
  readonly name?: string;
  /** Weighted mean cosine of the looks. */
  readonly similarity: number;
  /** Ruled out: another track that was in the picture at the same time is held to be this person with better reason. */
  readonly taken?: boolean;
}

/** What a search found. */
export interface Found {
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** From which similarity one comparison is a match. */
  readonly threshold: number;
}

/** What is known of the looks. */
export interface Seen {
  readonly looks: number;
  /** Sum of their weights, and the best one. */
  readonly weight: number;
  readonly best: number;
  votes(kind: 'known' | 'stranger', id: string): number;
}

export interface Limits {
  /** Least weight for any decision. */
  readonly leastWeight: number;
  /** Weight from which nobody near means a stranger. */
  readonly strangerWeight: number;
  /** Weight from which what is unclear is decided at the threshold itself. */
  readonly patience: number;
  /** Least weight of the best look of a stranger who gets an id. */
  readonly foundWeight: number;
}

export type Verdict =
  | { readonly kind: 'known' | 'stranger'; readonly candidate: Candidate }
  /** A stranger whom nobody has seen before. */
  | { readonly kind: 'new' }
  | { readonly kind: 'undecided' };

/** A match within this share of the threshold's distance needs no second look. */
export const CERTAIN = 0.85;
/** Who is within this much of the threshold's distance is near: too near for a stranger, near enough to stay who one was. */
export const NEAR = 1.2;
/** The second must be this much farther away than the first. */
const CLEAR = 0.92;
/** A look farther than this from the others of its track is not joined with them. */
const DISSENT = 1.8;

/** A threshold's distance; never zero, so that ratios are numbers. */
const reach = (threshold: number): number => Math.max(1e-6, 1 - threshold);
const distance = ({ similarity }: Candidate): number => 1 - similarity;

export const matches = (candidate: Candidate, { threshold }: Found): boolean => candidate.similarity >= threshold;
export const isCertain = (candidate: Candidate, { threshold }: Found): boolean =>
  distance(candidate) <= CERTAIN * reach(threshold);
export const isNear = (candidate: Candidate, { threshold }: Found): boolean =>
  distance(candidate) <= NEAR * reach(threshold);
/** Whether a look is too far from the others of its track (`agreement`: its mean cosine with them) to be the same face. */
export const dissents = (agreement: number, threshold: number): boolean => 1 - agreement > DISSENT * reach(threshold);
/** Whether one is nearer by more than chance. */
export const clearlyNearer = (a: Candidate, b: Candidate): boolean => distance(a) < CLEAR * distance(b);

const UNDECIDED: Verdict = { kind: 'undecided' };

/** The best candidate who may be meant, where the evidence suffices. */
function accepted(kind: 'known' | 'stranger', seen: Seen, found: Found, limits: Limits): Candidate | undefined {
  const [best, second] = found.candidates.filter(({ taken }) => taken !== true);
  if (best === undefined || !matches(best, found) || seen.weight < limits.leastWeight) return undefined;
  // Somebody else of this face is in the picture already: one of the two is mistaken, and who is cannot be told from here.
  const [first] = found.candidates;
  if (first !== best && first !== undefined && matches(first, found) && clearlyNearer(first, best)) return undefined;
  if (seen.weight >= limits.patience) return best;
  if (second !== undefined && matches(second, found) && !clearlyNearer(best, second)) return undefined;
  return isCertain(best, found) || seen.votes(kind, best.id) >= 2 ? best : undefined;
}

/**
 * Sequential decision: somebody known when the joined look passes the threshold with a margin, or when two looks agree on it by themselves;
 * a stranger when enough was seen and nobody is near; later, at `patience`, whatever the threshold says.
 * A face that is near to somebody who is taken founds no stranger.
 */
export function judge(seen: Seen, known: Found, strangers: Found | undefined, limits: Limits): Verdict {
  const person = accepted('known', seen, known, limits);
  if (person !== undefined) return { kind: 'known', candidate: person };
  const patient = seen.weight >= limits.patience;
  if (blocked(known)) return UNDECIDED;
  if (!patient && near(known)) return UNDECIDED;
  const stranger = strangers && accepted('stranger', seen, strangers, limits);
  if (stranger !== undefined) return { kind: 'stranger', candidate: stranger };
  if (seen.weight < limits.strangerWeight || seen.looks < 2 || seen.best < limits.foundWeight) return UNDECIDED;
  if (strangers !== undefined && (blocked(strangers) || (!patient && near(strangers)))) return UNDECIDED;
  return { kind: 'new' };
}

const near = (found: Found): boolean => found.candidates.some((one) => isNear(one, found));
const blocked = (found: Found): boolean => found.candidates.some((one) => one.taken === true && isNear(one, found));

/**
 * Whether who was decided stays so without further ado: still near, and nobody else clearly nearer with certainty. Otherwise it is contested,
 * and falls when it is so twice in a row.
 */
export function stands(kind: 'known' | 'stranger', id: string, known: Found, strangers: Found | undefined): boolean {
  const found = kind === 'known' ? known : strangers;
  const own = found?.candidates.find((one) => one.id === id);
  if (found === undefined || own === undefined || !isNear(own, found)) return false;
  const rivals = [...known.candidates, ...(kind === 'known' ? [] : (strangers?.candidates ?? []))];
  return !rivals.some((one) => {
    if (one.id === id || one.taken === true) return false;
    const where = known.candidates.includes(one) ? known : (strangers as Found);
    // A stranger who turns out to be enrolled is not held to be one for long: the gallery's match suffices.
    if (kind === 'stranger' && where === known) return isCertain(one, known) || matches(one, known);
    return isCertain(one, where) && clearlyNearer(one, own);
  });
}
