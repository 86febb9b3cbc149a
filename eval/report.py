"""A run as one self-contained HTML page: headline figures, plots, and every question.

Everything is inline (styles, SVG, a few lines of script) and every text is escaped, so that the
page can be opened from a disk, sent by mail and read without a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape

from eval import metrics
from eval.compare import Comparison, compare
from eval.gold import pair_key
from eval.metrics import Interval
from eval.run import CitedSpan, GoldQuote, Record, Report, Scored
from rag.schema import Figure

_HEADLINES = (
    "answer_accuracy",
    "evidence@1",
    "recall@1",
    "figure_accuracy",
    "refused_unanswerable",
    "unsupported_figures",
    "latency_p50_ms",
)
_MEANINGS = {
    "recall@1": "gold evidence in the first hit",
    "recall@5": "gold evidence in the first five hits",
    "ndcg@10": "ranking quality of the first ten hits",
    "mrr@10": "mean reciprocal rank of the first relevant hit",
    "evidence@1": "the first citation shows the gold evidence",
    "answer_accuracy": "answerable questions answered right",
    "figure_accuracy": "right figure: value, unit and scale",
    "exact_match": "short answer equals a gold answer",
    "f1": "word overlap of the short answer with gold",
    "citation_precision": "citations that show gold evidence",
    "citation_recall": "gold quotes that are cited",
    "unsupported_figures": "figures without support in a citation (count)",
    "refused_unanswerable": "unanswerable questions refused",
    "refused_answerable": "answerable questions refused (lower is better)",
    "crag_score": "(correct - wrong) / all",
    "latency_p50_ms": "median time of an answer, ms",
    "latency_p95_ms": "time within which 95 % are answered, ms",
}


def render(report: Report, *, other: Report | None = None, other_name: str = "before") -> str:
    """The page of a run.

    `other` is a run to compare with; without it the first of the report's own baselines is taken.
    `changed` then means: right in one of the two and wrong in the other. Raises `GoldError` when
    the two have no question in common.
    """
    if other is None and report.baselines:
        other_name, other = next(iter(report.baselines.items()))
    comparison = None if other is None else compare(other, report)
    columns = dict(report.baselines)
    if other is not None:
        columns = {other_name: other, **columns}
    config = report.config
    title = f"{config.get('set', 'Evaluation')} · {config.get('system', 'system')}"
    facts = [f"{len(report.scored)} questions"]
    if config.get("split", "all") != "all":
        facts.append(f"split {config['split']}")
    facts += [str(config[key]) for key in ("created", "machine") if key in config]
    body = [
        f"<header><h1>{escape(title)}</h1><p>{escape(' · '.join(facts))}</p></header>",
        _headline(report, other, other_name),
        '<div class="plots">',
        _groups(report, other, other_name),
        _latency(report),
        _calibration(report),
        "</div>",
        _table(report, columns, comparison, other_name),
        _questions(report, comparison, other, other_name),
        _configuration(report),
    ]
    head, tail = _PAGE.split("{{body}}")
    return head.replace("{{title}}", escape(title)) + "\n".join(body) + tail


# --- Figures -----------------------------------------------------------------------------------


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name in metrics.LATENCIES:
        return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"
    if name == "unsupported_figures":
        return f"{value:.0f}"
    return f"{value:.3f}"


def _interval(name: str, interval: Interval | None) -> str:
    if interval is None:
        return ""
    if name in metrics.LATENCIES:
        return "–".join(_number(name, end).removesuffix(" ms") for end in interval)
    return f"{interval[0]:.3f}–{interval[1]:.3f}"


def _headline(report: Report, other: Report | None, other_name: str) -> str:
    cards = []
    for name in _HEADLINES:
        against = ""
        if other is not None:
            value = escape(_number(name, other.metrics[name]))
            against = f'<div class="against">{escape(other_name)} {value}</div>'
        interval = escape(_interval(name, report.intervals.get(name)))
        cards.append(
            f'<div class="card"><div class="name">{escape(name.replace("_", " "))}</div>'
            f'<div class="value">{escape(_number(name, report.metrics[name]))}</div>'
            f'<div class="interval">{interval or "&nbsp;"}</div>{against}</div>'
        )
    return f'<section class="cards" aria-label="Headline figures">{"".join(cards)}</section>'


def _table(
    report: Report,
    columns: dict[str, Report],
    comparison: Comparison | None,
    other_name: str,
) -> str:
    differences = {each.metric: each for each in comparison.differences} if comparison else {}
    head = "".join(f"<th scope=col class=n>{escape(name)}</th>" for name in columns)
    if comparison:
        head += f"<th scope=col class=n>difference to {escape(other_name)}</th>"
    rows = []
    for name in metrics.NAMES:
        cells = "".join(
            f"<td class=n>{escape(_number(name, each.metrics[name]))}</td>"
            for each in columns.values()
        )
        if comparison:
            cells += "<td class=n>"
            found = differences.get(name)
            if found is not None and found.difference is not None:
                cells += f"{found.difference:+.3f}"
                if found.interval is not None:
                    low, high = found.interval
                    cells += f" <small>[{low:+.3f}, {high:+.3f}]</small>"
                if found.verdict:
                    cells += f" <span class={found.verdict}>{found.verdict}</span>"
            cells += "</td>"
        interval = escape(_interval(name, report.intervals.get(name)))
        rows.append(
            f"<tr><th scope=row>{escape(name)}<small>{escape(_MEANINGS[name])}</small></th>"
            f"<td class=n><b>{escape(_number(name, report.metrics[name]))}</b>"
            f" <small>{interval}</small></td>{cells}</tr>"
        )
    note = ""
    if comparison:
        chance = "" if comparison.mcnemar is None else f"{comparison.mcnemar:.4f}"
        note = (
            f"<p>Against {escape(other_name)}, on {comparison.common} common questions:"
            f" {len(comparison.gained)} became right, {len(comparison.lost)} became wrong;"
            f" McNemar's exact p = {chance}.</p>"
        )
    return (
        "<section><h2>All metrics</h2>"
        "<p>Ranges are 95 % bootstrap intervals; – is undefined on this set.</p>"
        '<div class="scroll"><table><thead><tr><th scope=col>metric</th>'
        f"<th scope=col class=n>this run</th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>{note}</section>"
    )


# --- Plots -------------------------------------------------------------------------------------


def _plot(title: str, note: str, width: int, height: int, label: str, shapes: Sequence[str]) -> str:
    return (
        f"<figure><figcaption><h2>{escape(title)}</h2><p>{escape(note)}</p></figcaption>"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
        f"{''.join(shapes)}</svg></figure>"
    )


def _label(x: float, y: float, text: str, *, anchor: str = "start", css: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def _groups(report: Report, other: Report | None, other_name: str) -> str:
    """Share of right results by language and tag, with intervals and the other run's mark."""
    everything: list[tuple[str, Callable[[Scored], bool]]] = [("all", lambda each: True)]
    everything += [
        (f"lang {lang}", lambda each, lang=lang: each.record.lang == lang)  # type: ignore[misc]
        for lang in report.by_lang
    ]
    everything += [
        (tag, lambda each, tag=tag: tag in each.record.tags)  # type: ignore[misc]
        for tag in report.by_tag
    ]
    left, right, step = 170.0, 520.0, 22
    scale = right - left
    height = 26 + step * len(everything)
    shapes = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + scale * share
        shapes.append(_line(x, 4, x, height - 20, "grid"))
        shapes.append(_label(x, height - 6, f"{share:.0%}", anchor="middle", css="axis"))
    summary = []
    for row, (name, belongs) in enumerate(everything):
        members = [each for each in report.scored if belongs(each)]
        parts = [(float(each.correct), 1.0) for each in members]
        value = metrics.ratio(parts) or 0.0
        interval = metrics.bootstrap(parts, [pair_key(each.record.id) for each in members])
        y = 14 + step * row
        summary.append(f"{name} {value:.0%}")
        tip = f"{name}: {value:.1%} of {len(members)}"
        shapes.append("<g>")
        shapes.append(_label(left - 10, y + 4, name, anchor="end"))
        shapes.append(
            f'<rect x="{left}" y="{y - 6}" width="{max(1.0, scale * value):.1f}" height="12"'
            ' rx="2" class="bar"/>'
        )
        if interval:
            low, high = (left + scale * end for end in interval)
            shapes.append(_line(low, y, high, y, "whisker"))
            tip += f", 95 % interval {interval[0]:.1%}–{interval[1]:.1%}"
        if other is not None:
            theirs = [each.correct for each in other.scored if belongs(each)]
            if theirs:
                x = left + scale * sum(theirs) / len(theirs)
                shapes.append(_line(x, y - 9, x, y + 9, "other"))
                tip += f"; {other_name} {sum(theirs) / len(theirs):.1%}"
        shapes.append(_label(right + 10, y + 4, f"{value:.0%} of {len(members)}"))
        shapes.append(f"<title>{escape(tip)}</title></g>")
    note = "Answered right, or refused where the releases do not say; line: 95 % interval"
    if other is not None:
        note += f"; upright mark: {other_name}"
    return _plot("Right by language and tag", note, 610, height, "; ".join(summary), shapes)


def _latency(report: Report) -> str:
    values = sorted(each.record.latency_ms for each in report.scored)
    # The slowest 1 % would squeeze the rest into one column; they are counted in the last one.
    top = max(metrics.percentile(values, 99) or 1.0, 1e-6)
    counts = [0] * 20
    for value in values:
        counts[min(19, int(value / top * 20))] += 1
    left, right, base, height = 40.0, 420.0, 190.0, 170.0
    column = (right - left) / 20
    digits = 0 if top >= 10 else 1
    most = max(counts)
    shapes = [_line(left, base, right, base, "grid")]
    for index, count in enumerate(counts):
        tall = height * count / most
        low, high = top * index / 20, top * (index + 1) / 20
        tip = f"{low:,.1f}–{high:,.1f} ms: {count} questions"
        shapes.append(
            f'<rect x="{left + column * index + 1:.1f}" y="{base - tall:.1f}"'
            f' width="{column - 2:.1f}" height="{tall:.1f}" class="bar">'
            f"<title>{escape(tip)}</title></rect>"
        )
    for share in (0.0, 0.5, 1.0):
        x = left + (right - left) * share
        shapes.append(
            _label(x, base + 16, f"{top * share:,.{digits}f}", anchor="middle", css="axis")
        )
    p50, p95 = report.metrics["latency_p50_ms"], report.metrics["latency_p95_ms"]
    note = f"Milliseconds a question; median {p50 or 0:,.{digits}f}, 95 % within"
    note += f" {p95 or 0:,.{digits}f}"
    return _plot("Latency", note, 440, 215, note, shapes)


def _calibration(report: Report) -> str:
    left, right, top, base = 40.0, 220.0, 10.0, 190.0
    size = right - left
    shapes = [_line(left, base, right, top, "diagonal")]
    for share in (0.0, 0.5, 1.0):
        x, y = left + size * share, base - size * share
        shapes += [_line(left, y, right, y, "grid"), _line(x, top, x, base, "grid")]
        shapes.append(_label(x, base + 16, f"{share:g}", anchor="middle", css="axis"))
        shapes.append(_label(left - 6, y + 4, f"{share:g}", anchor="end", css="axis"))
    total = sum(bin.count for bin in report.calibration) or 1
    rows = []
    for bin in report.calibration:
        if bin.confidence is None or bin.accuracy is None:
            continue
        x, y = left + size * bin.confidence, base - size * bin.accuracy
        radius = 3 + 9 * (bin.count / total) ** 0.5
        tip = f"{bin.count} answers at {bin.confidence:.2f}: {bin.accuracy:.2f} right"
        shapes.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" class="dot">'
            f"<title>{escape(tip)}</title></circle>"
        )
        rows.append(
            f"<tr><td class=n>{bin.low:.1f}–{bin.high:.1f}</td><td class=n>{bin.count}</td>"
            f"<td class=n>{bin.confidence:.2f}</td><td class=n>{bin.accuracy:.2f}</td></tr>"
        )
    error = "undefined" if report.ece is None else f"{report.ece:.3f}"
    note = f"Given answers: confidence (across) and share right (up); expected error {error}"
    table = (
        "<table><thead><tr><th scope=col class=n>bin<th scope=col class=n>answers"
        "<th scope=col class=n>confidence<th scope=col class=n>right</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    plot = _plot("Calibration", note, 240, 215, note, shapes)
    return plot.replace("</svg>", f"</svg><details><summary>As a table</summary>{table}</details>")


# --- Questions ---------------------------------------------------------------------------------


def _questions(
    report: Report, comparison: Comparison | None, other: Report | None, other_name: str
) -> str:
    theirs = {each.record.id: each for each in other.scored} if other is not None else {}
    changed = set()
    if comparison:
        changed = {pair[1].record.id for pair in (*comparison.gained, *comparison.lost)}
    items = [
        _item(each, theirs.get(each.record.id), other_name, each.record.id in changed)
        for each in report.scored
    ]
    counts = {
        "all": len(report.scored),
        "wrong": sum(1 for each in report.scored if not each.correct),
        "refused": sum(1 for each in report.scored if not each.answered),
    }
    if comparison:
        counts["changed"] = len(changed)
    filters = "".join(
        f'<label><input type="radio" name="show" value="{name}"'
        f"{' checked' if name == 'all' else ''}> {name} ({count})</label>"
        for name, count in counts.items()
    )
    return (
        "<section><h2>Questions</h2>"
        f'<form id="filter" aria-label="Which questions to show">{filters}'
        '<label>containing <input type="search" id="words"></label>'
        '<output id="shown" aria-live="polite"></output></form>'
        f'<div id="questions">{"".join(items)}</div></section>'
    )


def _item(scored: Scored, theirs: Scored | None, other_name: str, changed: bool) -> str:
    record = scored.record
    kinds = [
        "right" if scored.correct else "wrong",
        *(["refused"] if not scored.answered else []),
        *(["changed"] if changed else []),
    ]
    badge = "right" if scored.correct else "wrong"
    if not scored.answered:
        badge += ", refused"
    if changed:
        badge += ", changed"
    tags = " · ".join((record.lang, *record.tags))
    rows = [
        ("answer", f"<b>{escape(record.short)}</b>" if record.short else "<i>none</i>"),
        ("text", escape(record.text)),
        ("gold", _gold(record)),
        ("gold evidence", "".join(_gold_quote(quote) for quote in record.gold_quotes)),
        ("cited", "".join(_citation(each, record) for each in record.citations)),
        ("unsupported", escape(", ".join(scored.unsupported))),
        ("measures", escape(_measures(scored))),
    ]
    if theirs is not None:
        verdict = "right" if theirs.correct else "wrong"
        said = theirs.record.short or "(refused)"
        rows.append((other_name, f"<span class={verdict}>{verdict}</span> {escape(said)}"))
    body = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in rows if value)
    side = "right" if scored.correct else "wrong"
    return (
        f'<details class="q" data-kinds="{" ".join(kinds)}"><summary>'
        f"<span class={side}>{badge}</span> <code>{escape(record.id)}</code>"
        f" {escape(record.question)} <small>{escape(tags)}</small></summary>"
        f"<dl>{body}</dl></details>"
    )


def _gold(record: Record) -> str:
    if not record.answerable:
        return "<i>the releases do not say</i>"
    said = [escape(answer) for answer in record.gold_answers]
    if record.gold_figure is not None:
        said.append(f"<code>{escape(_figure(record.gold_figure))}</code>")
    return " · ".join(said)


def _figure(figure: Figure) -> str:
    if figure.value is not None:
        number = f"{figure.value:,f}"
    else:
        number = f"{figure.low}–{figure.high}"
    return f"{number} {figure.unit or ''}".rstrip()


def _gold_quote(quote: GoldQuote) -> str:
    text = quote.quote or "a span of this release that holds a gold answer"
    return f"<p>{escape(text)} <small>{escape(quote.release)}</small></p>"


def _citation(citation: CitedSpan, record: Record) -> str:
    name = re.split(r"[\\/]", citation.source)[-1]
    page = "" if citation.page is None else f", page {citation.page}"
    place = f"{name}{page}, {citation.start}–{citation.end}"
    before = f"…{citation.before}" if citation.before else ""
    after = f"{citation.after}…" if citation.after else ""
    return (
        f"<blockquote>[{citation.marker}] {escape(before)}<mark>{escape(citation.quote)}</mark>"
        f"{escape(after)} <small>{escape(place)}</small></blockquote>"
    )


def _measures(scored: Scored) -> str:
    record = scored.record
    rank = "none" if scored.retrieved_rank is None else str(scored.retrieved_rank)
    found = [f"confidence {record.confidence:.2f}", f"{record.latency_ms:,.0f} ms"]
    if record.gold_quotes:
        found += [f"rank of the evidence {rank}", f"evidence cited first: {scored.evidence_hit}"]
    if scored.f1 is not None:
        found.append(f"exact match {scored.exact_match:.0f}, F1 {scored.f1:.2f}")
    if scored.figure_correct is not None:
        found.append(f"figure right: {scored.figure_correct}")
    return " · ".join(found)


def _configuration(report: Report) -> str:
    rows = []
    for key, value in report.config.items():
        shown = value
        if isinstance(value, dict):
            shown = ", ".join(f"{name} {part}" for name, part in value.items())
        rows.append(f"<tr><th scope=row>{escape(key)}</th><td>{escape(str(shown))}</td></tr>")
    return (
        "<section><details><summary>How this run was made</summary>"
        f'<div class="scroll"><table><tbody>{"".join(rows)}</tbody></table></div>'
        "</details></section>"
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
:root { color-scheme: light dark; --page: #fcfcfa; --ink: #1d2126; --soft: #5a6370;
  --line: #d9dce1; --card: #f1f2f0; --bar: #2f6fb2; --whisker: #14304f; --other: #b4540a;
  --mark: #ffe58a; --right: #1b6b3a; --wrong: #a62323; }
@media (prefers-color-scheme: dark) { :root { --page: #16191d; --ink: #e8eaed; --soft: #a3acb8;
  --line: #363c45; --card: #20252b; --bar: #4a8bd0; --whisker: #d6e6f7; --other: #f0a35c;
  --mark: #6b5510; --right: #7fd39b; --wrong: #ff9a94; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.05rem; margin: 0; }
header p, figcaption p, section > p { color: var(--soft); margin: .1rem 0 .7rem;
  font-size: .88rem; }
section { margin: 2rem 0; }
.cards { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fit, minmax(9.2rem, 1fr)); }
.card { background: var(--card); border-radius: .5rem; padding: .7rem .8rem; }
.card .name, .card .interval, .card .against { color: var(--soft); font-size: .78rem; }
.card .value { font-size: 1.55rem; font-weight: 650; line-height: 1.3; }
.plots { display: grid; gap: 1.5rem 2.5rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 56rem) { .plots { grid-template-columns: 3fr 2fr; grid-template-rows: auto 1fr; }
  figure:first-child { grid-row: span 2; } }
figure { margin: 0; max-width: 42rem; }
svg { width: 100%; height: auto; display: block; }
figure:last-child svg { max-width: 17rem; }
svg text { font-size: 12px; fill: var(--ink); } svg text.axis { fill: var(--soft); }
.grid { stroke: var(--line); } .diagonal { stroke: var(--soft); stroke-dasharray: 4 4; }
.bar { fill: var(--bar); } .whisker { stroke: var(--whisker); stroke-width: 2; }
.other { stroke: var(--other); stroke-width: 3; }
.dot { fill: var(--bar); fill-opacity: .8; stroke: var(--page); }
table { border-collapse: collapse; font-size: .88rem; }
.scroll { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
tbody th { font-weight: 500; } th small { display: block; font-weight: 400; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
small { color: var(--soft); font-size: .8rem; }
.right, .better { color: var(--right); font-weight: 600; }
.wrong, .worse { color: var(--wrong); font-weight: 600; }
form { display: flex; flex-wrap: wrap; gap: .4rem 1.1rem; align-items: center; margin: .6rem 0; }
input[type=search] { font: inherit; background: var(--page); color: inherit;
  border: 1px solid var(--soft); border-radius: .3rem; padding: .1rem .4rem; }
output { color: var(--soft); font-size: .88rem; }
details.q { border-top: 1px solid var(--line); } details.q[hidden] { display: none; }
summary { padding: .4rem 0; cursor: pointer; }
:focus-visible { outline: 3px solid var(--other); outline-offset: 1px; }
dl { display: grid; grid-template-columns: minmax(5.5rem, max-content) 1fr; gap: .35rem 1rem;
  margin: .2rem 0 1.2rem; padding-left: 1rem; }
dt { color: var(--soft); font-size: .88rem; } dd { margin: 0; min-width: 0; }
dd p { margin: 0 0 .4rem; white-space: pre-line; }
blockquote { margin: 0 0 .5rem; border-left: 3px solid var(--line); padding-left: .7rem;
  white-space: pre-line; }
mark { background: var(--mark); color: inherit; border-radius: .15rem; }
</style>
</head>
<body>
{{body}}
<script>
const form = document.getElementById("filter"), words = document.getElementById("words");
function show() {
  const kind = form.elements.show.value, wanted = words.value.toLowerCase();
  let count = 0;
  for (const item of document.querySelectorAll("details.q")) {
    const fits = kind === "all" || item.dataset.kinds.split(" ").includes(kind);
    item.hidden = !(fits && item.textContent.toLowerCase().includes(wanted));
    if (!item.hidden) count += 1;
  }
  document.getElementById("shown").textContent = count + " shown";
}
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
</script>
</body>
</html>
"""
