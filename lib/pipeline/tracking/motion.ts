import type { Box, Point } from '../../types.js';

/**
 * How a box moves: a Kalman filter (R. E. Kalman, "A new approach to linear filtering and prediction problems", 1960) over the
 * centre, the logarithm of the height and that of width over height, each with its velocity. The logarithms keep sizes positive
 * and make the noise of sizes relative. Velocities die away (an integrated Ornstein–Uhlenbeck process: G. E. Uhlenbeck and L. S. Ornstein,
 * "On the theory of the Brownian motion", 1930), so that a box which is not seen for long comes to rest, not to leave the picture.
 * As noise and motion of the four do not mix, the filter of eight states is four of two, which is what is computed. Time steps
 * may be of any length.
 */

/** Numbers of one kind of box; lengths in heights of the box. */
export interface MotionNoise {
  /** Standard deviation of a detector's centre, logarithm of height, logarithm of aspect. */
  readonly centre: number;
  readonly height: number;
  readonly aspect: number;
  /** Unrest of the velocities: heights, or units of the logarithms, per second^1.5. */
  readonly centreDrive: number;
  readonly heightDrive: number;
  readonly aspectDrive: number;
  /** Standard deviation of the first velocity: heights, or units of the logarithms, per second. */
  readonly firstSpeed: number;
  readonly firstGrowth: number;
  /** Seconds in which a velocity falls to 1/e. */
  readonly decay: number;
}

const STATES = 4;
/** For each of the four: value, velocity, their variances and covariance. */
const STRIDE = 5;

export class Motion {
  readonly #noise: MotionNoise;
  readonly #s = new Float64Array(STATES * STRIDE);

  constructor(noise: MotionNoise, box: Box) {
    this.#noise = noise;
    const z = measure(box);
    const h = box[3];
    for (let k = 0; k < STATES; k++) {
      const at = k * STRIDE;
      const speed = k < 2 ? noise.firstSpeed * h : k === 2 ? noise.firstGrowth : 0.1 * noise.firstGrowth;
      this.#s[at] = z[k]!;
      this.#s[at + 2] = this.#measured(k, h) ** 2;
      this.#s[at + 4] = speed * speed;
    }
  }

  get box(): Box {
    const s = this.#s;
    const h = Math.exp(s[2 * STRIDE]!);
    const w = h * Math.exp(s[3 * STRIDE]!);
    return [s[0]! - w / 2, s[STRIDE]! - h / 2, w, h];
  }

  /** Of the centre, pixels a second. */
  get velocity(): Point {
    return [this.#s[1]!, this.#s[STRIDE + 1]!];
  }

  /** Goes `seconds` (0 or more) ahead. */
  predict(seconds: number): void {
    if (!(seconds > 0)) return;
    const s = this.#s;
    const { decay, centreDrive, heightDrive, aspectDrive } = this.#noise;
    const e = Math.exp(-seconds / decay);
    const step = decay * (1 - e);
    // Covariance of the integral and the velocity of the process after this time, for a drive of one.
    const qxx = decay * decay * Math.max(0, seconds - 2 * step + 0.5 * decay * (1 - e * e));
    const qxv = 0.5 * step * step;
    const qvv = 0.5 * decay * (1 - e * e);
    const h = Math.exp(s[2 * STRIDE]!);
    for (let k = 0; k < STATES; k++) {
      const at = k * STRIDE;
      const drive = k < 2 ? centreDrive * h : k === 2 ? heightDrive : aspectDrive;
      const q = drive * drive;
      const [v, pxx, pxv, pvv] = [s[at + 1]!, s[at + 2]!, s[at + 3]!, s[at + 4]!];
      s[at] = s[at]! + step * v;
      s[at + 1] = e * v;
      s[at + 2] = pxx + 2 * step * pxv + step * step * pvv + q * qxx;
      s[at + 3] = e * (pxv + step * pvv) + q * qxv;
      s[at + 4] = e * e * pvv + q * qvv;
    }
    // A size that was not seen for long must not run away.
    s[2 * STRIDE] = Math.min(Math.log(1e5), Math.max(0, s[2 * STRIDE]!));
  }

  /** Takes a box that was seen; `trust` < 1 widens its noise. */
  update(box: Box, trust = 1): void {
    const s = this.#s;
    const z = measure(box);
    const h = Math.exp(s[2 * STRIDE]!);
    for (let k = 0; k < STATES; k++) {
      const at = k * STRIDE;
      const r = (this.#measured(k, h) / trust) ** 2;
      const [pxx, pxv] = [s[at + 2]!, s[at + 3]!];
      const total = pxx + r;
      const gain = pxx / total;
      const gainV = pxv / total;
      const off = z[k]! - s[at]!;
      s[at] = s[at]! + gain * off;
      s[at + 1] = s[at + 1]! + gainV * off;
      s[at + 2] = (1 - gain) * pxx;
      s[at + 3] = (1 - gain) * pxv;
      s[at + 4] = s[at + 4]! - gainV * pxv;
    }
  }

  /** Variances of what a detector would say of the centre now. */
  get centreVariances(): readonly [x: number, y: number] {
    const s = this.#s;
    const noise = this.#measured(0, Math.exp(s[2 * STRIDE]!)) ** 2;
    return [s[2]! + noise, s[STRIDE + 2]! + noise];
  }

  /**
   * How surprising a box ({@link measure}) is: its squared Mahalanobis distance from where it is expected (four degrees of freedom), and the
   * logarithm of how much wider than the detector's noise the expectation is, which is what keeps the uncertain from taking all.
   */
  surprise(z: Measured): { readonly distance: number; readonly width: number } {
    const s = this.#s;
    const h = Math.exp(s[2 * STRIDE]!);
    let distance = 0;
    let ratio = 1;
    for (let k = 0; k < STATES; k++) {
      const off = z[k]! - s[k * STRIDE]!;
      const noise = this.#measured(k, h) ** 2;
      const total = s[k * STRIDE + 2]! + noise;
      distance += (off * off) / total;
      ratio *= total / noise;
    }
    return { distance, width: Math.log(ratio) };
  }

  #measured(k: number, h: number): number {
    const { centre, height, aspect } = this.#noise;
    return k < 2 ? centre * h : k === 2 ? height : aspect;
  }
}

export type Measured = readonly [x: number, y: number, logHeight: number, logAspect: number];

/** A box as the filter sees it. */
export function measure([x, y, w, h]: Box): Measured {
  return [x + w / 2, y + h / 2, Math.log(h), Math.log(w / h)];
}
