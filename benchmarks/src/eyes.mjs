// Are shut eyes told from open ones? The faces of labels/eyes.json, by the lids that the engine looks for and, as it was before
// it did, by the 68 landmarks alone.
import { labels } from './paths.mjs';
import { faces as labelled, match, photo } from './protocol.mjs';
import { figure } from './report.mjs';

/** Score of `eyesOpen` below which a kiosk asks to open the eyes. */
const ASKS = 35;
const SIDES = ['left', 'right'];
/** Distance of the eyes in pixels from which a face counts as large. */
const LARGE = 40;

/** Area under the curve: the share of pairs of a shut and an open eye in which the shut one has the lower value. */
function areaUnderCurve(shut, open) {
  let wins = 0;
  for (const a of shut) for (const b of open) wins += a < b ? 1 : a === b ? 0.5 : 0;
  return wins / (shut.length * open.length);
}

const holds = ([x, y, w, h], [px, py]) => px > x && px < x + w && py > y && py < y + h;

/** Every labelled face that the engine finds, with its eyes measured both ways. */
async function measureEyes(engine, { assessQuality, eyeAspectRatio }) {
  const { shut, unclear } = labels('eyes.json');
  const { list } = labelled();
  const labelOf = (all, face) => all.find(({ photo: p, at }) => p === face.photo && holds(face.box, at));
  const rows = [];
  for (const name of new Set(list.map((face) => face.photo))) {
    const frame = { ...(await photo(name)), format: 'rgb' };
    const found = await engine.analyze(frame, { landmarks: true, quality: true });
    for (const face of list.filter((f) => f.photo === name)) {
      const hit = labelOf(unclear, face) ? undefined : match(found, face.box);
      if (hit?.quality === undefined) continue;
      const label = labelOf(shut, face);
      const size = { width: frame.width, height: frame.height };
      const alone = assessQuality({ landmarks: hit.landmarks, frame: size }).components;
      rows.push({
        shut: label !== undefined,
        distance: alone.interEyeDistance.value,
        quality: { landmarks: alone.eyesOpen, lids: hit.quality.components.eyesOpen },
        // Of a face with a shut eye, the other side is open only where it is a wink; hidden ones are not told apart.
        eyes: SIDES.filter((side) => label === undefined || label.sides.includes(side)).map((side) => ({
          landmarks: eyeAspectRatio(hit.landmarks, side),
          lids: eyeAspectRatio(hit.landmarks, side, hit.lids),
        })),
      });
    }
  }
  return rows;
}

/** Figures of shut and open eyes, by landmarks and by lids. `analysis` is the product's module. */
export async function eyeFigures(engine, analysis) {
  const rows = await measureEyes(engine, analysis);
  return ['landmarks', 'lids'].flatMap((by) => {
    const of = (take, shut, from = rows) => from.filter((row) => row.shut === shut).flatMap(take);
    const quality = (row) => row.quality[by].value;
    const told = (row) => row.quality[by].score < ASKS;
    const share = (shut) => (100 * of(told, shut).filter(Boolean).length) / of(told, shut).length;
    const large = rows.filter(({ distance }) => distance >= LARGE);
    const auc = (take, from = rows) => areaUnderCurve(of(take, true, from), of(take, false, from));
    const eyes = (row) => row.eyes.map((eye) => eye[by]);
    const count = (take, from = rows) => `${of(take, true, from).length} shut, ${of(take, false, from).length} open`;
    const one = (id, value, unit, better, note) => ({
      ...figure(`quality.eyes-${id}.${by}`, value, unit, { better, note }),
      issue: 3,
    });
    return [
      one('auc', auc(quality), 'AUC', 'higher', `eyesOpen of faces: ${count(quality)}`),
      one(
        'auc-large',
        auc(quality, large),
        'AUC',
        'higher',
        `eyes ${LARGE} px apart or more: ${count(quality, large)}`,
      ),
      one('aspect-ratio-auc', auc(eyes), 'AUC', 'higher', `single eyes: ${count(eyes)}`),
      one(
        'shut-told',
        share(true),
        '%',
        'higher',
        `faces with a shut eye that are asked to open their eyes, of ${of(told, true).length}`,
      ),
      one(
        'open-told',
        share(false),
        '%',
        'lower',
        `faces with open eyes that are asked to, of ${of(told, false).length}`,
      ),
    ];
  });
}
