import { scaledRegion } from '../image/geometry.js';
import { fixedSize } from '../models/contract.js';
import type { Networks } from '../models/network.js';
import type { Frame } from '../types.js';

/** Reads networks and runs each once on a gray picture, so that buffers are there and weights in the caches. */
export async function warmNetworks(networks: Networks, ids: readonly string[], signal?: AbortSignal): Promise<void> {
  const side = 64;
  const frame: Frame = {
    data: new Uint8Array(side * side).fill(128),
    width: side,
    height: side,
    channels: 1,
    format: 'gray',
  };
  await Promise.all(
    ids.map(async (id) => {
      const network = await networks.get(id);
      // The file may have a size of its own, which its card does not tell.
      const { width, height } = fixedSize(network) ?? network.card.input;
      await network.run(frame, [scaledRegion(0, 0, side / Math.max(width, height))], { width, height, signal });
    }),
  );
}
