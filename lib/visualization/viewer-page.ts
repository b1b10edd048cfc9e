/** The HTML and the style sheet of the viewer's page. */
import { type Markup, markup } from './markup.js';
import type { ViewerSettings } from './viewer.js';

interface PageParts {
  readonly settings: ViewerSettings;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly trust: string;
  readonly levels: number;
  /** Gzipped bytes as base64, by the id of their block. */
  readonly data: readonly (readonly [id: string, base64: string])[];
  readonly program: string;
  /** What the content-security policy allows: the program and the style sheet, and no other. */
  readonly hashes: { readonly script: string; readonly style: string };
}

const VIEWS = [
  ['Profile left', -90, 'face turned to the left edge'],
  ['45° left', -45, 'half turned to the left edge'],
  ['Front', 0, 'as the camera saw it'],
  ['45° right', 45, 'half turned to the right edge'],
  ['Profile right', 90, 'face turned to the right edge'],
] as const;

/** The page; see `createViewer`. */
export function viewerPage(parts: PageParts): string {
  const { settings, hashes, data } = parts;
  const hasMesh = settings.glbBytes !== undefined;
  const policy = `default-src 'none'; script-src '${hashes.script}'; style-src '${hashes.style}'; base-uri 'none'; form-action 'none'`;
  // Parsed as JSON and never as markup: `<` is all that could end the block.
  const json = trusted(JSON.stringify(settings).replace(/</g, '\\u003c'));
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="generator" content="Lineament">
<meta name="robots" content="noindex,nofollow">
<title>${settings.title}</title>
<style>${trusted(VIEWER_STYLE)}</style>
</head>
<body data-background="${settings.background}">
<main id="stage">
<canvas id="view" tabindex="0" role="application" aria-roledescription="3D view" aria-label="3D view: ${settings.title}" aria-describedby="keys"></canvas>
<p id="problem" role="alert" hidden></p>
${settings.depth !== undefined && depthFigure(settings)}
<div id="legend" hidden><span id="legend-title"></span><canvas width="256" height="1" aria-hidden="true"></canvas><div><output id="legend-near"></output><output id="legend-far"></output></div></div>
<nav id="views" aria-label="Views">${VIEWS.map(
    ([name, yaw, what]) => markup`<button type="button" data-yaw="${yaw}" title="${what}">${name}</button>`,
  )}<button type="button" id="reset" title="the view that the page opened with">Reset</button></nav>
</main>
<aside aria-label="Settings and figures">
<header><h1>${settings.title}</h1><p id="said" role="status"></p></header>
<form id="settings" autocomplete="off">
${choices(hasMesh ? 'Surface' : 'Points', 'surface', hasMesh ? SURFACES : POINTS, settings.surface)}
<fieldset><legend>Show</legend><div class="toggles">
${hasMesh && toggle('mesh', 'Surface', true)}${hasMesh && toggle('wireframe', 'Wireframe', false)}${hasMesh && toggle('light', 'Light on the texture', false)}
${settings.cloud !== undefined && toggle('points', 'Points', !hasMesh)}${settings.depth !== undefined && toggle('depthMap', 'Depth map', true)}
</div></fieldset>
${parts.levels > 1 && levelChoices(parts.levels)}
${choices('Background', 'background', BACKGROUNDS, settings.background)}
</form>
<section aria-label="Figures"><h2>Figures</h2><dl id="figures"></dl>
${parts.facts.length > 0 && markup`<dl>${parts.facts.map(([label, value]) => markup`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`}
</section>
<section class="actions"><button type="button" id="save-picture">Save picture</button>${hasMesh && markup`<button type="button" id="save-glb">Save GLB</button>`}</section>
<section class="note"><h2>How far to trust it</h2><p>${parts.trust}</p></section>
<details id="keys"><summary>Keys and gestures</summary><p>Drag or <kbd>arrow keys</kbd>: turn. Right drag, two fingers or <kbd>Shift</kbd> + arrows: move. Wheel, pinch or <kbd>+</kbd> <kbd>−</kbd>: closer, further. <kbd>1</kbd> front, <kbd>2</kbd> <kbd>3</kbd> 45°, <kbd>4</kbd> <kbd>5</kbd> profile, <kbd>0</kbd> reset, <kbd>W</kbd> wireframe.</p></details>
<footer>Made by Lineament. The page holds all that it shows and asks for nothing.</footer>
</aside>
<script type="application/json" id="viewer-settings">${json}</script>
${data.map(([id, base64]) => markup`<script type="application/octet-stream" id="${`data-${id}`}">${trusted(base64)}</script>`)}
<script>${trusted(parts.program)}</script>
</body>
</html>
`.toString();
}

/** Text that is known to hold no markup of anybody's: our own program and style sheet, JSON without `<`, base64. */
function trusted(text: string): Markup {
  return markup([text] as unknown as TemplateStringsArray);
}

const SURFACES = [
  ['texture', 'Texture'],
  ['plain', 'Plain'],
  ['normals', 'Normals'],
  ['depth', 'Depth'],
] as const;
const POINTS = [['texture', 'Own colour'], ...SURFACES.slice(1)] as const;
const BACKGROUNDS = [
  ['dark', 'Dark'],
  ['light', 'Light'],
] as const;

function choices(
  legend: string,
  name: string,
  all: readonly (readonly [value: string, text: string])[],
  chosen: string,
): Markup {
  return markup`<fieldset><legend>${legend}</legend><div class="choices">${all.map(
    ([value, text]) =>
      markup`<label><input type="radio" name="${name}" value="${value}"${value === chosen && markup` checked`}><span>${text}</span></label>`,
  )}</div></fieldset>`;
}

function levelChoices(levels: number): Markup {
  const all = Array.from({ length: levels }, (_, i) => [String(i), i === 0 ? '0 (finest)' : String(i)] as const);
  return choices('Level of detail', 'level', [['auto', 'Auto'], ...all], 'auto');
}

function toggle(name: string, text: string, on: boolean): Markup {
  return markup`<label class="toggle"><input type="checkbox" name="${name}"${on && markup` checked`}><span>${text}</span></label>`;
}

function depthFigure({ depth }: ViewerSettings): Markup {
  return markup`<figure id="depth-map"><canvas width="${depth!.width}" height="${depth!.height}" role="img" aria-label="Depth map in colours: near is bright, far is dark"></canvas><figcaption>Depth map <output id="depth-at"></output></figcaption></figure>`;
}

export const VIEWER_STYLE = `
:root{--ink:#e6eaf3;--soft:#9aa6bb;--line:#263049;--card:#131a2c;--well:#0c1221;--accent:#2dd4bf;--on-accent:#052b27;--stage:#0f1526;--stage-edge:#080c17;color-scheme:dark}
body[data-background=light]{--ink:#0f172a;--soft:#566176;--line:#dde3ec;--card:#fff;--well:#eef2f7;--accent:#0d9488;--on-accent:#fff;--stage:#fbfcfe;--stage-edge:#dde4ee;color-scheme:light}
*{box-sizing:border-box}
html,body{height:100%;margin:0}
body{display:grid;grid-template-columns:minmax(0,1fr) 316px;color:var(--ink);background:var(--card);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;-webkit-font-smoothing:antialiased}
[hidden]{display:none!important}
#stage{position:relative;overflow:hidden;background:radial-gradient(circle at 50% 42%,var(--stage),var(--stage-edge))}
#view{position:absolute;inset:0;width:100%;height:100%;display:block;touch-action:none;cursor:grab;outline:none}
#view:active{cursor:grabbing}
#stage:has(#view:focus-visible)::after{content:"";position:absolute;inset:3px;border:2px solid var(--accent);border-radius:6px;pointer-events:none}
#problem{position:absolute;inset:auto 24px 50%;margin:0;padding:14px 18px;border-radius:12px;background:#7f1d1d;color:#fff;text-align:center}
#views{position:absolute;left:50%;bottom:20px;transform:translateX(-50%);display:flex;gap:2px;padding:4px;border-radius:14px;background:color-mix(in srgb,var(--card) 86%,transparent);border:1px solid var(--line);backdrop-filter:blur(8px);box-shadow:0 8px 24px #0003}
button{font:inherit;color:inherit;border:0;background:none;border-radius:10px;padding:6px 12px;cursor:pointer;white-space:nowrap}
button:hover{background:var(--well)}
button[aria-pressed=true]{background:var(--accent);color:var(--on-accent);font-weight:600}
button:focus-visible,summary:focus-visible,label:has(:focus-visible)>span{outline:2px solid var(--accent);outline-offset:2px}
#reset{color:var(--soft);border-left:1px solid var(--line);border-radius:0 10px 10px 0;margin-left:4px}
#legend{position:absolute;right:20px;top:20px;width:min(200px,46%);padding:10px 12px;border-radius:12px;background:color-mix(in srgb,var(--card) 86%,transparent);border:1px solid var(--line);font-size:12px}
#legend canvas{display:block;width:100%;height:12px;border-radius:4px;margin:6px 0 4px}
#legend div{display:flex;justify-content:space-between;font-variant-numeric:tabular-nums}
#legend-title{color:var(--soft)}
#depth-map{position:absolute;left:20px;top:20px;margin:0;padding:8px;border-radius:14px;background:color-mix(in srgb,var(--card) 86%,transparent);border:1px solid var(--line);width:min(220px,34%)}
#depth-map canvas{display:block;width:100%;height:auto;border-radius:8px;background:var(--well)}
figcaption{display:flex;justify-content:space-between;padding:6px 4px 0;color:var(--soft);font-size:12px}
figcaption{gap:8px;white-space:nowrap}
figcaption output{color:var(--ink);font-variant-numeric:tabular-nums}
aside{overflow:auto;padding:22px 20px;border-left:1px solid var(--line);background:var(--card)}
h1{font-size:19px;line-height:1.25;margin:0;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:12px;margin:0 0 8px;color:var(--soft);font-weight:600}
header p{margin:4px 0 0;color:var(--soft);font-size:13px;font-variant-numeric:tabular-nums;min-height:1.5em}
fieldset{border:0;margin:18px 0 0;padding:0;min-width:0}
legend{padding:0;margin:0 0 7px;color:var(--soft);font-size:12px;font-weight:600}
.choices{display:flex;flex-wrap:wrap;gap:2px;padding:3px;border-radius:11px;background:var(--well)}
.choices label{flex:1 1 auto;position:relative;cursor:pointer}
.choices input{position:absolute;opacity:0;inset:0}
.choices span{display:block;text-align:center;padding:4px 8px;border-radius:8px;white-space:nowrap}
.choices input:checked+span{background:var(--card);box-shadow:0 1px 3px #0004;font-weight:600;color:var(--accent)}
.toggles{display:grid;gap:2px}
.toggle{display:flex;gap:9px;align-items:center;padding:2px 0;cursor:pointer}
.toggle input{accent-color:var(--accent);width:16px;height:16px;margin:0}
section{margin-top:22px;padding-top:16px;border-top:1px solid var(--line)}
dl{display:grid;grid-template-columns:1fr auto;gap:4px 12px;margin:0;font-variant-numeric:tabular-nums}
dl+dl{margin-top:4px}
dt{color:var(--soft)}
dd{margin:0;text-align:right;overflow-wrap:anywhere}
.actions{display:flex;gap:8px}
.actions button{border:1px solid var(--line);flex:1}
.note p,details p{margin:0;color:var(--soft);font-size:13px}
details{margin-top:18px;font-size:13px}
summary{cursor:pointer;color:var(--soft);border-radius:6px}
details p{padding-top:6px}
kbd{font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;padding:0 5px;border-radius:5px;background:var(--well);border:1px solid var(--line);color:var(--ink)}
footer{margin-top:22px;color:var(--soft);font-size:12px}
body[data-bare]{display:block}
body[data-bare] #stage{height:100vh;background:var(--stage)}
body[data-bare] aside,body[data-bare] #stage>:not(#view):not(#problem){display:none}
@media (max-width:760px){body{display:block;height:auto}#stage{height:68vh;height:68svh}#views{max-width:calc(100% - 16px);overflow-x:auto;bottom:10px}#legend{right:10px;top:10px}#depth-map{left:10px;top:10px;width:40%}aside{border-left:0;border-top:1px solid var(--line)}}
@media (prefers-reduced-motion:no-preference){button,.choices span{transition:background .15s,color .15s}}
`;
