"""A run as one self-contained HTML page: headline figures, plots, and every question.

Everything is inline (styles, Plotly's library, a few lines of script) and every text is escaped, so
that the page can be opened from a disk, sent by mail and read without a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

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
    head = head.replace("{{title}}", escape(title)).replace("{{plotly}}", get_plotlyjs())
    return head + "\n".join(body) + tail


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

_BAR, _MARK, _QUIET = "#2f6db2", "#c2570c", "rgba(128,128,128,0.25)"
_TEXT = "#7b8794"
"""Readable on the light page and on the dark one."""


def _plot(title: str, note: str, figure: go.Figure, *, height: int) -> str:
    """A Plotly figure under its caption; the library itself stands once in the page's head."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": _TEXT, "family": "system-ui, sans-serif", "size": 12},
        showlegend=False,
        bargap=0.35,
    )
    figure.update_xaxes(gridcolor=_QUIET, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=_QUIET, zeroline=False, automargin=True)
    drawn = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        config={"displayModeBar": False, "responsive": True},
        div_id=f"plot-{title.split()[0].lower()}",
    )
    return (
        f"<figure><figcaption><h2>{escape(title)}</h2><p>{escape(note)}</p></figcaption>"
        f"{drawn}</figure>"
    )


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
    names, values, above, below, texts, marks = [], [], [], [], [], []
    for name, belongs in everything:
        members = [each for each in report.scored if belongs(each)]
        parts = [(float(each.correct), 1.0) for each in members]
        value = metrics.ratio(parts) or 0.0
        low, high = metrics.bootstrap(parts, [pair_key(each.record.id) for each in members]) or (
            value,
            value,
        )
        # Plotly reads a little HTML in its texts.
        names.append(escape(name))
        values.append(value)
        above.append(high - value)
        below.append(value - low)
        texts.append(f"{value:.0%} of {len(members)}")
        theirs = [] if other is None else [e.correct for e in other.scored if belongs(e)]
        marks.append(sum(theirs) / len(theirs) if theirs else None)
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker={"color": _BAR},
            error_x={"array": above, "arrayminus": below, "color": _TEXT, "thickness": 1.5},
            hovertext=texts,
            hoverinfo="y+text",
        )
    )
    note = "Answered right, or refused where the releases do not say; line: 95 % interval"
    if other is not None:
        note += f"; upright mark: {other_name}"
        figure.add_scatter(
            x=marks,
            y=names,
            mode="markers",
            marker={"symbol": "line-ns-open", "size": 14, "color": _MARK},
            name=escape(other_name),
        )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(
        autorange="reversed",
        tickvals=names,
        ticktext=[f"{name}  {text}" for name, text in zip(names, texts, strict=True)],
    )
    return _plot("Right by language and tag", note, figure, height=60 + 24 * len(names))


def _latency(report: Report) -> str:
    values = sorted(each.record.latency_ms for each in report.scored)
    # The slowest 1 % would squeeze the rest into one column; they are counted in the last one.
    top = max(metrics.percentile(values, 99) or 1.0, 1e-6)
    figure = go.Figure(
        go.Histogram(
            x=[min(value, top) for value in values],
            xbins={"start": 0, "end": top * 1.0001, "size": top / 20},
            marker={"color": _BAR},
        )
    )
    figure.update_xaxes(ticksuffix=" ms")
    figure.update_layout(bargap=0.05)
    digits = 0 if top >= 10 else 1
    p50, p95 = report.metrics["latency_p50_ms"], report.metrics["latency_p95_ms"]
    note = f"Milliseconds a question; median {p50 or 0:,.{digits}f}, 95 % within"
    note += f" {p95 or 0:,.{digits}f}"
    return _plot("Latency", note, figure, height=230)


def _calibration(report: Report) -> str:
    total = sum(bin.count for bin in report.calibration) or 1
    shown = [
        (bin.low, bin.high, bin.count, bin.confidence, bin.accuracy)
        for bin in report.calibration
        if bin.confidence is not None and bin.accuracy is not None
    ]
    figure = go.Figure(
        go.Scatter(
            x=[confidence for *_, confidence, _ in shown],
            y=[accuracy for *_, accuracy in shown],
            mode="markers",
            marker={
                "color": _BAR,
                "size": [8 + 26 * (count / total) ** 0.5 for _, _, count, _, _ in shown],
            },
            hovertext=[f"{count} answers" for _, _, count, _, _ in shown],
        )
    )
    figure.add_shape(
        type="line", x0=0, y0=0, x1=1, y1=1, line={"color": _TEXT, "dash": "dot", "width": 1}
    )
    figure.update_xaxes(range=[0, 1.05])
    figure.update_yaxes(range=[0, 1.05])
    rows = [
        f"<tr><td class=n>{low:.1f}–{high:.1f}</td><td class=n>{count}</td>"
        f"<td class=n>{confidence:.2f}</td><td class=n>{accuracy:.2f}</td></tr>"
        for low, high, count, confidence, accuracy in shown
    ]
    by_chance = metrics.calibration_by_chance(report.calibration)
    error = "undefined"
    if report.ece is not None and by_chance is not None:
        error = f"{report.ece:.3f}; by chance alone {by_chance:.3f}"
    note = f"Given answers: confidence (across) and share right (up); expected error {error}"
    table = (
        "<table><thead><tr><th scope=col class=n>bin<th scope=col class=n>answers"
        "<th scope=col class=n>confidence<th scope=col class=n>right</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    plot = _plot("Calibration", note, figure, height=260)
    return plot.replace(
        "</figure>", f"<details><summary>As a table</summary>{table}</details></figure>"
    )


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
<script>{{plotly}}</script>
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
