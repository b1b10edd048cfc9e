import { boolean, invalid, numberIn, oneOf, plainObject, positiveInteger } from '../../errors/validate.js';
import { MOST_REDACT_BLOCKS } from '../../native/redact.js';
import type { Identity } from '../types.js';

/**
 * Whose faces are made unrecognisable in clips, thumbnails and streamed pictures.
 * `none`: nobody's. `blur-unknown`: everybody's who is not enrolled in the gallery. `blur-without-consent`: everybody's for whom
 * `consent` does not say yes. `blur-all`: everybody's.
 */
export type PrivacyMode = 'none' | 'blur-unknown' | 'blur-without-consent' | 'blur-all';

export interface PrivacyPolicy {
  readonly mode: PrivacyMode;
  /** `pixelate` (default): blocks of their mean. `blur`: the same few means, interpolated. Neither can be undone. */
  readonly method?: 'pixelate' | 'blur';
  /** `ellipse` (default) around the head, or the upright `box`. */
  readonly shape?: 'ellipse' | 'box';
  /** What is added to each side of a face's box, as a share of it, 0–2; default 0.35, which is the whole head. */
  readonly margin?: number;
  /** Blocks along the longer side of a head, 1–32; default 8, however many pixels it has. More than 12 may be recognised. */
  readonly blocks?: number;
  /**
   * Whether a person agreed to be seen; asked for everybody who is known or a stranger with an id. Failing and anything but `true` is no.
   * Asked for every picture: it should answer from memory.
   */
  readonly consent?: (identity: Identity) => boolean | Promise<boolean>;
  /** A face that is no longer found stays covered for so long, and one that is found was so long before; milliseconds, default 1000. */
  readonly holdMs?: number;
  /** How far clips look ahead of the picture that they write, milliseconds; default 500. */
  readonly aheadMs?: number;
}

export interface CheckedPolicy extends Required<Omit<PrivacyPolicy, 'consent'>> {
  readonly consent?: (identity: Identity) => boolean | Promise<boolean>;
}

export const PRIVACY_MODES: readonly PrivacyMode[] = ['none', 'blur-unknown', 'blur-without-consent', 'blur-all'];

/** Fills in what is absent. Throws `INVALID_ARGUMENT`; a policy by consent without `consent` is refused. */
export function checkPolicy(policy: PrivacyPolicy): CheckedPolicy {
  plainObject('policy', policy, ['mode', 'method', 'shape', 'margin', 'blocks', 'consent', 'holdMs', 'aheadMs']);
  const mode = oneOf('mode', policy.mode, PRIVACY_MODES);
  const { consent } = policy;
  if (consent !== undefined && typeof consent !== 'function') throw invalid('consent', 'function', consent);
  if (mode === 'blur-without-consent' && consent === undefined) {
    throw invalid('consent', "function (mode 'blur-without-consent')", consent, "Or use the mode 'blur-all'.");
  }
  return {
    mode,
    method: oneOf('method', policy.method ?? 'pixelate', ['pixelate', 'blur']),
    shape: oneOf('shape', policy.shape ?? 'ellipse', ['ellipse', 'box']),
    margin: numberIn('margin', policy.margin ?? 0.35, 0, 2),
    blocks: positiveInteger('blocks', policy.blocks ?? 8, MOST_REDACT_BLOCKS),
    holdMs: numberIn('holdMs', policy.holdMs ?? 1000, 0, 60_000),
    aheadMs: numberIn('aheadMs', policy.aheadMs ?? 500, 0, 10_000),
    ...(consent === undefined ? {} : { consent }),
  };
}

/** Whether the policy lets a person be seen. Never rejects: what fails is a no. */
export async function mayBeSeen(policy: CheckedPolicy, identity: Identity): Promise<boolean> {
  switch (policy.mode) {
    case 'none':
      return true;
    case 'blur-unknown':
      return identity.kind === 'known';
    case 'blur-without-consent': {
      if (identity.kind === 'undecided' || identity.id === undefined) return false;
      try {
        return boolean('consent', await policy.consent?.(identity));
      } catch {
        return false;
      }
    }
    default:
      return false;
  }
}
