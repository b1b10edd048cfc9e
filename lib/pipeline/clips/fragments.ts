import { open } from 'node:fs/promises';

/** What a fragmented MP4 (ISO/IEC 14496-12) holds for certain. */
export interface Fragments {
  /** Whole fragments (`moof` and its `mdat`), and pictures in them. */
  readonly fragments: number;
  readonly pictures: number;
  /** Bytes up to the end of the last whole one; what lies behind was cut off while it was written. */
  readonly bytes: number;
  readonly size: number;
}

const MOST_MOOF = 1 << 20;

/** Looks through the boxes of a file that may have been cut off. Nothing whole gives 0 fragments. Rejects where it cannot be read. */
export async function scanFragments(path: string): Promise<Fragments> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(16);
    let at = 0;
    let opened = false;
    let pending = 0;
    let found: Omit<Fragments, 'size'> = { fragments: 0, pictures: 0, bytes: 0 };
    while (at + 8 <= size) {
      const { bytesRead } = await file.read(head, 0, 16, at);
      const type = head.toString('latin1', 4, 8);
      const short = head.readUInt32BE(0);
      const length = short !== 1 ? short : bytesRead === 16 ? Number(head.readBigUInt64BE(8)) : 0;
      if (length < 8 || at + length > size || !/^[a-z0-9 ]{4}$/i.test(type)) break;
      if (type === 'moov') opened = true;
      if (type === 'moof') {
        const moof = Buffer.alloc(Math.min(length, MOST_MOOF));
        await file.read(moof, 0, moof.length, at);
        pending = samplesIn(moof);
      }
      at += length;
      if (type === 'mdat' && opened) {
        found = { fragments: found.fragments + 1, pictures: found.pictures + pending, bytes: at };
        pending = 0;
      }
    }
    return { ...found, size };
  } finally {
    await file.close();
  }
}

/** Counts of the `trun` boxes in `moof` › `traf`. */
function samplesIn(moof: Buffer): number {
  let samples = 0;
  const within = (from: number, to: number): void => {
    for (let at = from; at + 16 <= to; ) {
      const length = moof.readUInt32BE(at);
      const type = moof.toString('latin1', at + 4, at + 8);
      if (length < 8 || at + length > to) return;
      if (type === 'traf') within(at + 8, at + length);
      if (type === 'trun') samples += moof.readUInt32BE(at + 12);
      at += length;
    }
  };
  within(8, moof.length);
  return samples;
}
