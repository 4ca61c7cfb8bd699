// The style sheet of the HTML report. Colours have names, and each name a value for a light and one for a dark page; what a colour says
// stands there in words or as a shape too.
#pragma once

namespace arenad::chaos {

inline constexpr char kHtmlStyle[] = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --faint: #586274; --line: #d9dde4; --band: #f1f3f6;
  --good: #14703a; --good-back: #dcf3e4; --bad: #ad1f1f; --bad-back: #fbe1df; --warn: #7d4e00; --warn-back: #fbecc8;
  --c0: #2a6fd0; --c1: #c0570f; --c2: #7a4cc2; --c3: #0b7f65; --c4: #b03a7c; --c5: #7d6a00; --c6: #667085;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161d; --card: #1b212b; --ink: #e6eaf0; --faint: #a3adbc; --line: #343d4b; --band: #212834;
    --good: #7edca1; --good-back: #143a25; --bad: #ff9d95; --bad-back: #4a1d1c; --warn: #f2c46b; --warn-back: #43320d;
    --c0: #6aa5f2; --c1: #ee9457; --c2: #b497f0; --c3: #46c3a4; --c4: #ea86bd; --c5: #d3bd4f; --c6: #9aa5b5;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 24px; margin: 0; display: flex; flex-wrap: wrap; gap: 12px; align-items: center; }
h2 { font-size: 17px; margin: 0 0 4px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px 18px; margin-top: 16px; }
p { margin: 4px 0 10px; max-width: 90ch; }
.faint { color: var(--faint); }
.verdict { font-size: 16px; padding: 3px 12px; border-radius: 14px; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.verdict.good { background: var(--good-back); } .verdict.bad { background: var(--bad-back); } .verdict.warn { background: var(--warn-back); }
.reasons { margin: 10px 0 0; padding: 10px 14px 10px 32px; border-radius: 8px; }
.reasons.bad { background: var(--bad-back); } .reasons.warn { background: var(--warn-back); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(250px, 45%), 1fr)); gap: 10px; margin: 16px 0 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.figures dt { color: var(--faint); font-size: 13px; }
.figures dd { margin: 0; font-size: 22px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.figures small { font-size: 13px; color: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--faint); font-size: 13px; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.middle td { vertical-align: middle; }
.keep { white-space: nowrap; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 13px; }
pre { background: var(--band); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; margin: 6px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 8px; padding: 0; list-style: none; font-size: 13px; color: var(--faint); }
.legend svg { vertical-align: -2px; margin-right: 6px; }
svg text { fill: var(--faint); font: 12px system-ui, "DejaVu Sans", sans-serif; }
svg text.row { fill: var(--ink); }
.timeline, .histogram { display: block; }
.timeline { width: 100%; min-width: 800px; height: auto; }
.grid { stroke: var(--line); }
.band { fill: var(--band); }
.tick { stroke: var(--faint); stroke-width: 1.5; }
.bar.open { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 4 3; }
.bin { fill: var(--c0); }
.violation { fill: var(--bad); stroke: var(--card); }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); } .c4 { fill: var(--c4); } .c5 { fill: var(--c5); } .c6 { fill: var(--c6); }
@media print { body { background: none; } section { break-inside: avoid; } }
)css";

}  // namespace arenad::chaos
