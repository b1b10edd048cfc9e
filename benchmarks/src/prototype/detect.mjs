// Detectors in plain JavaScript on the imported networks: decoding, suppression, tiles.
import { apply, squareCrop, warp } from '../image.mjs';
import { iou } from '../protocol.mjs';
import { run } from './nets.mjs';

const LAYERS = [
  [
    [0.1, 1],
    [0.2, 2],
    [0.2, 0.5],
  ],
  ...[0.35, 0.5, 0.65, 0.8, 0.95].map((s, i, all) => {
    const next = all[i + 1] ?? 1;
    return [
      [s, 1],
      [Math.sqrt(s * next), 1],
      [s, 2],
      [s, 0.5],
      [s, 3],
      [s, 0.3333],
    ];
  }),
];
const anchorCache = new Map();

/** SSD anchors in pixels of a width x height input (multiples of 32): [cx, cy, w, h] rows; sizes as for 512. */
export function ssdAnchors(width, height) {
  const key = `${width}x${height}`;
  if (anchorCache.has(key)) return anchorCache.get(key);
  const rows = [];
  let mw = width / 16;
  let mh = height / 16;
  for (const layer of LAYERS) {
    for (let y = 0; y < mh; y++)
      for (let x = 0; x < mw; x++)
        for (const [s, ratio] of layer)
          rows.push(
            ((x + 0.5) / mw) * width,
            ((y + 0.5) / mh) * height,
            s * Math.sqrt(ratio) * 512,
            (s / Math.sqrt(ratio)) * 512,
          );
    mw = Math.ceil(mw / 2);
    mh = Math.ceil(mh / 2);
  }
  const anchors = Float32Array.from(rows);
  anchorCache.set(key, anchors);
  return anchors;
}

/** Greedy non-maximum suppression; boxes [x, y, w, h]. */
export function nms(found, threshold = 0.5, measure = iou) {
  const sorted = [...found].sort((a, b) => b.score - a.score);
  const kept = [];
  for (const f of sorted) if (!kept.some((k) => measure(k.box, f.box) > threshold)) kept.push(f);
  return kept;
}

/** Intersection over the smaller area. */
export function overlap(a, b) {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return w <= 0 || h <= 0 ? 0 : (w * h) / Math.min(a[2] * a[3], b[2] * b[3]);
}

/**
 * SSD on a region of the frame, its long side scaled to `long` (never enlarged beyond `maxScale`), padded to 32.
 * @returns {Promise<{box: number[], score: number}[]>} before suppression
 */
export async function ssdRaw(
  frame,
  { long = 512, threshold = 0.3, region, filter = 'area', square = false, maxScale = 8 } = {},
) {
  const [x, y, w, h] = region ?? [0, 0, frame.width, frame.height];
  const scale = Math.min(maxScale, long / Math.max(w, h));
  const iw = Math.max(1, Math.round(w * scale));
  const ih = Math.max(1, Math.round(h * scale));
  const up = (v) => Math.ceil(v / 32) * 32;
  const cw = square ? long : up(iw);
  const ch = square ? long : up(ih);
  const pixels = warp(frame, { a: 1 / scale, b: 0, tx: x, ty: y }, cw, ch, filter, 0);
  const data = new Float32Array(3 * cw * ch);
  const area = cw * ch;
  // The padding is black, which is -1 after normalisation.
  for (let p = 0; p < area; p++) {
    const px = p % cw;
    const py = (p - px) / cw;
    const inside = px < iw && py < ih;
    for (let c = 0; c < 3; c++) data[c * area + p] = inside ? pixels[p * 3 + c] / 127.5 - 1 : -1;
  }
  const { boxes, scores } = await run('faceapi_ssd', data, [1, 3, ch, cw]);
  const anchors = ssdAnchors(cw, ch);
  const found = [];
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] < threshold) continue;
    const [ax, ay, aw, ah] = anchors.subarray(4 * i, 4 * i + 4);
    const cy = (boxes[4 * i] / 10) * ah + ay;
    const cx = (boxes[4 * i + 1] / 10) * aw + ax;
    const bh = Math.exp(boxes[4 * i + 2] / 5) * ah;
    const bw = Math.exp(boxes[4 * i + 3] / 5) * aw;
    found.push({
      box: [(cx - bw / 2) / scale + x, (cy - bh / 2) / scale + y, bw / scale, bh / scale],
      score: scores[i],
    });
  }
  return found;
}

const BLAZE = (() => {
  const rows = [];
  for (const [stride, n] of [
    [16, 2],
    [32, 6],
  ])
    for (let y = 0; y < 256 / stride; y++)
      for (let x = 0; x < 256 / stride; x++)
        for (let k = 0; k < n; k++) rows.push((x + 0.5) * stride, (y + 0.5) * stride);
  return Float32Array.from(rows);
})();

/** blazeface 256 on a letterboxed square region; returns boxes with six key points, before suppression. */
export async function blazeRaw(frame, { threshold = 0.5, region, filter = 'area' } = {}) {
  const [x, y, w, h] = region ?? [0, 0, frame.width, frame.height];
  const side = Math.max(w, h);
  const s = squareCrop(x + w / 2, y + h / 2, side, 256);
  const pixels = warp(frame, s, 256, 256, filter, 0);
  const data = new Float32Array(3 * 65536);
  for (let p = 0; p < 65536; p++) for (let c = 0; c < 3; c++) data[c * 65536 + p] = pixels[p * 3 + c] / 127.5 - 1;
  const { regressors, scores } = await run('human_blazeface', data, [1, 3, 256, 256]);
  const found = [];
  for (let i = 0; i < 896; i++) {
    const score = scores[i];
    if (score < threshold) continue;
    const r = regressors.subarray(16 * i, 16 * i + 16);
    const cx = r[0] + BLAZE[2 * i];
    const cy = r[1] + BLAZE[2 * i + 1];
    const [bx, by] = apply(s, [cx - r[2] / 2, cy - r[3] / 2]);
    const k = side / 256;
    const points = [];
    for (let j = 0; j < 6; j++) points.push(apply(s, [r[4 + 2 * j] + BLAZE[2 * i], r[5 + 2 * j] + BLAZE[2 * i + 1]]));
    found.push({ box: [bx, by, r[2] * k, r[3] * k], score, points });
  }
  return found;
}

/** Presence of a face according to the face mesh network, 0..1, on an upright square crop of side factor * max(w, h). */
export async function presence(frame, box, factor = 1.3) {
  const [x, y, w, h] = box;
  const pixels = warp(frame, squareCrop(x + w / 2, y + h / 2, Math.max(w, h) * factor, 192), 192);
  const data = new Float32Array(3 * 36864);
  for (let p = 0; p < 36864; p++) for (let c = 0; c < 3; c++) data[c * 36864 + p] = pixels[p * 3 + c] / 255;
  return (await run('mediapipe_face_mesh468', data, [1, 3, 192, 192])).presence[0];
}

/** Suppression that also drops boxes nested in a better one. */
export const suppress = (found, iouLimit = 0.4, nestedLimit = 0.7) =>
  nms(found, 1, (a, b) => (iou(a, b) > iouLimit || overlap(a, b) > nestedLimit ? 2 : 0));

/** Keeps sure candidates, and weak ones that the face mesh network confirms. */
export async function confirm(frame, found, { sure = 0.5, least = 0.05 } = {}) {
  const kept = [];
  for (const f of found) if (f.score >= sure || (await presence(frame, f.box)) >= least) kept.push(f);
  return kept;
}

/** Input length of the whole picture: more pixels only where the photograph has them. */
export const longSide = (frame) => (Math.max(frame.width, frame.height) >= 960 ? 640 : 512);

/** `balanced`: SSD on the whole picture, weak candidates confirmed, blazeface where nothing is found. */
export async function balanced(frame, { weak = 0.2 } = {}) {
  const found = await confirm(frame, suppress(await ssdRaw(frame, { long: longSide(frame), threshold: weak })));
  if (found.length) return found;
  return nms(await blazeRaw(frame, { threshold: 0.5 }), 0.3);
}

/** Four overlapping corner tiles. */
export function tiles(frame, share = 0.35) {
  const w = frame.width / (2 - share);
  const h = frame.height / (2 - share);
  const x = frame.width - w;
  const y = frame.height - h;
  return [
    [0, 0, w, h],
    [x, 0, w, h],
    [0, y, w, h],
    [x, y, w, h],
  ].map((r) => r.map(Math.round));
}

/** Whether a box touches an edge of its tile that lies inside the picture. */
export function touchesInnerEdge([x, y, w, h], [tx, ty, tw, th], frame) {
  const m = 0.02 * Math.max(tw, th);
  return (
    (x < tx + m && tx > 0) ||
    (y < ty + m && ty > 0) ||
    (x + w > tx + tw - m && tx + tw < frame.width - 1) ||
    (y + h > ty + th - m && ty + th < frame.height - 1)
  );
}

/** `crowd`: the whole picture and 2x2 tiles. */
export async function crowd(frame, { weak = 0.2, long = 512 } = {}) {
  const all = await ssdRaw(frame, { long: 640, threshold: weak });
  for (const region of tiles(frame))
    for (const f of await ssdRaw(frame, { long, region, threshold: weak }))
      if (!touchesInnerEdge(f.box, region, frame)) all.push(f);
  return confirm(frame, suppress(all));
}

/** `fast`: blazeface on the whole picture. */
export const fast = async (frame) => nms(await blazeRaw(frame, { threshold: 0.5 }), 0.3);
