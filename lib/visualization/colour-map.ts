/** Colour maps: a number from 0 to 1 as a colour whose lightness follows the number. Plain code, for Node and for the viewer's page. */

/**
 * `viridis`: even steps of the number look like even steps, also to colour-blind readers and in greyscale. `turbo`: a rainbow with
 * evenly spread steps, which shows small differences better.
 */
export const COLOUR_MAPS = ['viridis', 'turbo'] as const;
export type ColourMap = (typeof COLOUR_MAPS)[number];

/**
 * Polynomials in the number, constant term first, for red, green and blue from 0 to 1. viridis: fitted by M. Zucker (public domain)
 * to the map of S. van der Walt and N. Smith (matplotlib, CC0). turbo: A. Mikhailov, "Turbo, an improved rainbow colormap", 2019
 * (Apache-2.0).
 */
const POLYNOMIALS: Readonly<Record<ColourMap, readonly (readonly number[])[]>> = {
  viridis: [
    [0.2777273272, 0.1050930431, -0.3308618287, -4.634230499, 6.2282699363, 4.7763849977, -5.4354558559],
    [0.0054073445, 1.4046135299, 0.2148475595, -5.7991009734, 14.1799333668, -13.7451453777, 4.6458526122],
    [0.3340998053, 1.3845901626, 0.095095163, -19.332440956, 56.6905526007, -65.3530326334, 26.3124352496],
  ],
  turbo: [
    [0.13572138, 4.6153926, -42.66032258, 132.13108234, -152.94239396, 59.28637943],
    [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604],
    [0.1066733, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973],
  ],
};

/**
 * A colour map as a table.
 *
 * @returns `steps` × 3 bytes, sRGB red, green, blue; step i stands for i / (steps − 1)
 */
export function colourTable(map: ColourMap, steps = 256): Uint8Array {
  const table = new Uint8Array(steps * 3);
  for (let i = 0; i < steps; i++) {
    const t = steps === 1 ? 0 : i / (steps - 1);
    for (const [channel, polynomial] of POLYNOMIALS[map].entries()) {
      const value = polynomial.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
      table[i * 3 + channel] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  }
  return table;
}
