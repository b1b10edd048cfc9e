/** Named outputs of one run, flat and in the origin's order. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** 1 / (1 + e^-x) of every value. */
export function sigmoid(values: Float32Array): Float32Array {
  return values.map((v) => 1 / (1 + Math.exp(-v)));
}

/** Several arrays after each other. */
export function joined(...parts: readonly (Float32Array | undefined)[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => Array.from(part ?? [])));
}

const SCALES = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1];

/**
 * Boxes (top, left, bottom, right, in units of the 512×512 input) from the raw encodings of faceapi_ssd, with the anchors
 * that its card describes. [A,4] in and out.
 */
export function decodeSsd(encodings: Float32Array): Float32Array {
  const boxes = new Float32Array(encodings.length);
  let k = 0;
  [32, 16, 8, 4, 2, 1].forEach((size, layer) => {
    const s = SCALES[layer] ?? 1;
    const between = Math.sqrt(s * (SCALES[layer + 1] ?? 1));
    const first = [
      [0.1, 1],
      [0.2, 2],
      [0.2, 0.5],
    ] as const;
    const others = [
      [s, 1],
      [between, 1],
      [s, 2],
      [s, 0.5],
      [s, 3],
      [s, 0.3333],
    ] as const;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        for (const [scale, aspect] of layer === 0 ? first : others) {
          const [ha, wa] = [scale / Math.sqrt(aspect), scale * Math.sqrt(aspect)];
          const cy = ((encodings[k] ?? 0) / 10) * ha + (row + 0.5) / size;
          const cx = ((encodings[k + 1] ?? 0) / 10) * wa + (column + 0.5) / size;
          const h = Math.exp((encodings[k + 2] ?? 0) / 5) * ha;
          const w = Math.exp((encodings[k + 3] ?? 0) / 5) * wa;
          boxes.set([cy - h / 2, cx - w / 2, cy + h / 2, cx + w / 2], k);
          k += 4;
        }
      }
    }
  });
  return boxes;
}

/** Largest absolute difference and largest magnitude of the reference. NaN counts as infinitely wrong. */
export function difference(
  ours: Float32Array,
  reference: Float32Array,
): { readonly error: number; readonly magnitude: number } {
  if (ours.length !== reference.length) return { error: Number.POSITIVE_INFINITY, magnitude: 0 };
  let error = 0;
  let magnitude = 0;
  reference.forEach((expected, i) => {
    const distance = Math.abs((ours[i] ?? Number.NaN) - expected);
    error = Math.max(error, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
    magnitude = Math.max(magnitude, Math.abs(expected));
  });
  return { error, magnitude };
}
