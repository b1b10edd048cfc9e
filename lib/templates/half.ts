/** float16 (IEEE 754 binary16) for compact exports: 11 bits of precision, relative error ≤ 2⁻¹¹ in the normal range. */

const scratch = new DataView(new ArrayBuffer(4));

/** The nearest float16 of a number, ties to even, as its 16 bits. */
export function toHalf(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00); // ≥ 65 536: infinite, or NaN
  if (magnitude < 0x38800000) {
    // Below 2⁻¹⁴: multiples of 2⁻²⁴.
    scratch.setUint32(0, magnitude);
    return sign | halfEven(scratch.getFloat32(0) * 2 ** 24);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

function halfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest > 0.5 ? floor + 1 : floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The number that 16 bits stand for. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
