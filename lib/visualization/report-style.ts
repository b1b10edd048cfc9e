/** The style sheet of the HTML report: no external fonts, light and dark by the reader's setting, printable. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;--page:#f6f7fb;--card:#fff;--ink:#0f172a;--soft:#5b6678;--line:#e3e7ef;--accent:#0d9488;--accent-soft:#0d94881a;
--good:#059669;--bad:#dc2626;--chip:#eef2f7;--shadow:0 1px 2px #0f172a0f,0 8px 24px #0f172a0d;--match:5 150 105;--other:71 85 105}
@media (prefers-color-scheme:dark){:root{--page:#0b1020;--card:#131a2c;--ink:#e6eaf3;--soft:#96a2b8;--line:#232c44;--accent:#2dd4bf;
--accent-soft:#2dd4bf1f;--good:#34d399;--bad:#f87171;--chip:#1c2540;--shadow:0 1px 2px #0006,0 10px 30px #0004;--match:16 185 129;--other:148 163 184}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;-webkit-font-smoothing:antialiased}
main,header,footer{max-width:1320px;margin:0 auto;padding:0 24px}
header{padding-top:40px;display:flex;gap:18px;align-items:center}
header svg.mark{width:60px;height:60px;flex:none;color:var(--accent)}
h1{font-size:28px;line-height:1.2;margin:0;letter-spacing:-.02em;font-weight:700}
header p{margin:4px 0 0;color:var(--soft)}
h2{font-size:19px;letter-spacing:-.01em;margin:44px 0 4px;font-weight:650}
h2+p.lead{margin:0 0 16px;color:var(--soft);max-width:80ch}
.stats{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:14px;margin-top:28px}
.stat{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:14px 18px;box-shadow:var(--shadow)}
.stat b{display:block;font-size:26px;line-height:1.2;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.stat span{color:var(--soft);font-size:13px}
.toolbar{position:sticky;top:0;z-index:5;display:flex;gap:8px;flex-wrap:wrap;padding:12px 0;margin:4px 0 8px;background:linear-gradient(var(--page) 80%,transparent)}
.toolbar label{display:inline-flex;align-items:center;gap:7px;padding:5px 13px;border-radius:99px;border:1px solid var(--line);background:var(--card);cursor:pointer;font-size:13px;user-select:none}
.toolbar input{accent-color:var(--accent);margin:0}
.toolbar label:has(:focus-visible){outline:2px solid var(--accent);outline-offset:2px}
body:has(#show-boxes:not(:checked)) .photo .box,body:has(#show-points:not(:checked)) .photo .points,body:has(#show-pose:not(:checked)) .photo .pose,
body:has(#show-labels:not(:checked)) .photo .label{display:none}
.photos{display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start}
.photos::after{content:"";flex:9999 1 0;min-width:0;height:0}
.photo{--r:1.4;margin:0;background:var(--card);border:1px solid var(--line);border-radius:16px;overflow:hidden;box-shadow:var(--shadow);flex:var(--r) 1 min(100%,calc(var(--r)*270px));min-width:min(100%,240px);max-width:max(calc(var(--r)*430px),300px)}
.photo.wide{flex-basis:100%;max-width:100%}
.photo .canvas{background:#0b1020}
.photo .canvas>div{position:relative;width:100%}
.photo img{display:block;width:100%;height:auto}
.photo .canvas svg{position:absolute;inset:0;width:100%;height:100%;overflow:hidden}
.photo figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 12px;padding:10px 16px;font-size:13.5px;align-items:baseline}
.photo figcaption b{font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.photo figcaption span{color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
.photo .problem{padding:22px 16px 10px;color:var(--bad);font-size:14px}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:16px;box-shadow:var(--shadow)}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:8px 10px;text-align:left;white-space:nowrap}
thead th{font-weight:600;color:var(--soft);font-size:12px;border-bottom:1px solid var(--line)}
tbody tr+tr td,tbody tr+tr th{border-top:1px solid var(--line)}
td.number,th.number{text-align:right}
td.absent{color:var(--soft);opacity:.6}
.face{display:flex;align-items:center;gap:10px}
.face img{width:46px;height:46px;border-radius:10px;object-fit:cover;border:2px solid var(--face,var(--line));flex:none}
.face .who{display:flex;flex-direction:column;line-height:1.3}
.face .who small{color:var(--soft)}
.bar{display:inline-block;vertical-align:middle;width:38px;height:6px;border-radius:9px;background:var(--chip);overflow:hidden;margin-right:8px}
.bar i{display:block;height:100%;background:var(--accent);border-radius:9px}
.pill{display:inline-block;padding:1px 9px;border-radius:99px;background:var(--chip);font-size:12px;font-weight:600}
.pill.yes{background:rgb(var(--match)/.16);color:var(--good)}
.matrix table{width:auto}
.matrix th,.matrix td{padding:0;border:0!important}
.matrix thead th{padding:8px 2px;text-align:center;vertical-align:bottom;color:var(--ink)}
.matrix tbody th{padding:3px 14px 3px 16px;font-weight:500;position:sticky;left:0;background:var(--card);z-index:1}
.matrix img{width:34px;height:34px;border-radius:8px;display:block;margin:0 auto 3px;border:2px solid var(--face,var(--line))}
.matrix tbody th .face img{margin:0;width:30px;height:30px}
.matrix thead small{color:var(--soft);font-weight:500}
.matrix td{width:46px;min-width:46px;height:36px;text-align:center;font-size:12px;border-radius:7px;box-shadow:inset 0 0 0 1.5px var(--card)}
.matrix td.match{font-weight:700}
.matrix td.self{color:var(--soft);opacity:.5}
.matrix.compact td{width:15px;min-width:15px;height:15px;border-radius:3px;font-size:0}
.matrix.compact th{font-size:11px;padding-top:0;padding-bottom:0}
.matrix.compact img,.matrix.compact thead{display:none}
.matrix.compact tbody th .face .who{flex-direction:row}
.legend{display:flex;gap:18px;flex-wrap:wrap;padding:12px 16px;color:var(--soft);font-size:13px;border-top:1px solid var(--line)}
.legend i{display:inline-block;width:14px;height:14px;border-radius:4px;vertical-align:-2px;margin-right:7px}
.times{padding:16px 18px;display:grid;grid-template-columns:max-content 1fr max-content;gap:9px 16px;align-items:center;font-size:13.5px}
.times .track{height:10px;border-radius:9px;background:var(--chip);overflow:hidden}
.times .track i{display:block;height:100%;border-radius:9px;background:linear-gradient(90deg,var(--accent),#38bdf8)}
.times span{color:var(--soft);text-align:right;font-variant-numeric:tabular-nums}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:16px}
.card{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:16px 18px;box-shadow:var(--shadow)}
.card h3{margin:0 0 2px;font-size:15.5px}
.card>p{margin:0 0 10px;color:var(--soft);font-size:13px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 12px;margin:0;font-size:13px}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,560px),1fr));gap:16px}
.panels article{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:14px 16px;box-shadow:var(--shadow)}
.panels article>div{display:grid;grid-template-columns:repeat(auto-fit,minmax(230px,1fr));gap:12px;margin-top:12px;align-items:start}
.panels .panel{background:none}
.privacy{margin-top:44px;border:1px solid var(--line);border-left:4px solid var(--accent);background:var(--accent-soft);border-radius:12px;padding:14px 18px}
.privacy h2{margin:0 0 4px;font-size:15.5px}
.privacy p{margin:0 0 6px;max-width:100ch}
.privacy p:last-child{margin:0}
footer{padding-top:28px;padding-bottom:48px;color:var(--soft);font-size:13px}
@media (max-width:640px){main,header,footer{padding-left:14px;padding-right:14px}header{padding-top:24px}h1{font-size:23px}}
@media print{body{background:#fff}.toolbar{display:none}.photo,.card,.stat,.panels article{break-inside:avoid;box-shadow:none}}
`;
