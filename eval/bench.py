"""`python -m eval.bench`: how long things take and how much memory they need, on this machine.

Every figure is taken in a process of its own, started for it, so that nothing is warm that a person
would find cold, and one measurement's memory is not another's. Answers are never cached: each
question is asked once. Prints a table and, as the last line, the same as one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.embedding import Encoded, Encoder, Kind

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "eval" / "data"
RELEASES = ROOT / "data" / "releases"
AIMS = {
    "weights_seconds": ("set-up of the weights, once", "s", None),
    "cold_start_seconds": ("new process to its first answer", "s", "< 8"),
    "answer_p50_ms": ("answer, median", "ms", "< 150"),
    "answer_p95_ms": ("answer, 95th percentile", "ms", "< 400"),
    "questions": ("different questions asked", "", ">= 40"),
    "ingest_passages_per_second": ("ingest", "passages/s", ">= 15"),
    "ingest_tokens_per_passage": ("tokens of such a passage, mean", "", "about 170"),
    "ask_peak_mb": ("peak memory, asking", "MB", "< 1500"),
    "ingest_peak_mb": ("peak memory, ingesting", "MB", "< 1500"),
    "whole_passages_per_second": ("ingest of 200 releases, start to end", "passages/s", None),
    "whole_model_share": ("of that time, in the model", "%", ">= 85"),
    "whole_peak_mb": ("peak memory of that", "MB", "< 1500"),
    "again_releases_per_second": ("the same again, unchanged", "releases/s", "> 500"),
    "index_bytes_per_passage": ("data folder, per passage", "kB", None),
    "search_p50_ms_1000": ("retrieval among 1,000 passages, median", "ms", None),
    "search_p95_ms_1000": ("the same, 95th percentile", "ms", None),
    "search_p50_ms_10000": ("retrieval among 10,000 passages, median", "ms", None),
    "search_p95_ms_10000": ("the same, 95th percentile", "ms", None),
    "search_p50_ms_100000": ("retrieval among 100,000 passages, median", "ms", None),
    "search_p95_ms_100000": ("the same, 95th percentile", "ms", "< 30"),
    "search_cpu_p95_ms_100000": ("of that, processor time, 95th percentile", "ms", None),
    "words_load_ms_100000": ("opening the word index of 100,000", "ms", None),
    "words_build_seconds_100000": ("building it", "s", None),
    "disk_mb_100000": ("indexes of 100,000 passages on disk", "MB", None),
}
"""What is measured: a name for people, the unit, and the aim on two cores."""
PASSAGES = 160
PASSAGE_TOKENS = 170
COLD_STARTS = 3
MOST_QUESTIONS = 200
"""Of more, every second, third … is asked, so that the whole stays within minutes."""

RELEASES_WHOLE, PARAGRAPHS_WHOLE = 200, 5
SIZES = (1_000, 10_000, 100_000)
"""Passages among which is searched; texts and vectors of these are made up."""
GENERATED_TOKENS = 48
"""Token vectors of a made-up passage: fewer than real ones have, to fit on a disk."""

Measured = dict[str, float]


def measure() -> Measured:
    """Run every measurement in turn; takes about a quarter of an hour on two cores.

    Most of it goes into the vector index of the largest made-up collection.

    Raises RuntimeError when a measurement fails, with the last line of what it said.
    """
    with tempfile.TemporaryDirectory(prefix="release-qa-bench-") as name:
        work = Path(name)
        asked = str(work / "asked")
        _tell("unpacking the weights into an empty folder")
        measured = _child("weights", str(work / "cache"))
        _tell("ingesting the sample releases")
        _run("-m", "ingest", str(RELEASES), "--data-dir", asked)
        _tell(f"starting {COLD_STARTS} new processes for one answer each")
        question = _questions()[0]
        starts = []
        for _ in range(COLD_STARTS):
            begun = time.perf_counter()
            _run("-m", "rag", question, "--json", "--data-dir", asked)
            starts.append(time.perf_counter() - begun)
        measured["cold_start_seconds"] = statistics.median(starts)
        _tell("asking every question once")
        measured |= _child("ask", asked)
        _tell(f"ingesting {PASSAGES} passages")
        measured |= _child("ingest", str(work / "filled"), str(work / "releases"))
        _tell(f"ingesting {RELEASES_WHOLE} releases from start to end, and once more")
        measured |= _child("whole", str(work / "whole"), str(work / "many"))
        measured |= _child("again", str(work / "whole"), str(work / "many"))
        for size in SIZES:
            _tell(f"searching among {size:,} made-up passages")
            folder = str(work / f"made-{size}")
            built = _child("fill", folder, str(size))
            measured[f"words_build_seconds_{size}"] = built["words_build_seconds"]
            measured |= _child("search", folder, str(size))
    return measured


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0-1) of the values do not exceed (nearest rank).

    Raises ValueError for no values.
    """
    if not values:
        raise ValueError("no values")
    ranked = sorted(values)
    rank = -(-round(share * 100) * len(ranked) // 100)
    return ranked[max(rank, 1) - 1]


def table(measured: Measured) -> str:
    """The measurements as text in columns."""
    rows = [("", "measured", "", "aim on two cores")]
    for key, (name, unit, aim) in AIMS.items():
        value = measured[key]
        shown = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
        rows.append((name, shown, unit, aim or ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{name:<{widths[0]}}  {shown:>{widths[1]}} {unit:<{widths[2]}}  {aim}".rstrip()
        for name, shown, unit, aim in rows
    )


def _questions() -> list[str]:
    found: dict[str, None] = {}
    for path in sorted(QUESTIONS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                found[json.loads(line)["question"]] = None
    if len(found) < 40:
        raise RuntimeError(f"{QUESTIONS} holds {len(found)} different questions, 40 are needed")
    return list(found)[:: -(-len(found) // MOST_QUESTIONS)]


# What is asked and ingested here is made up of these words; nothing of it is a real release.

_PLACES = (
    "huyện Tân Khê", "huyện Phú Lộc Hạ", "thành phố An Giang Thượng", "thị xã Bình Sơn Đông",
    "huyện Hòa Lâm", "quận Nam Thành", "xã Vĩnh Điền", "huyện Trà Giang", "phường Cẩm Tú",
    "huyện Đại Nghĩa Tây", "thị trấn Long Mỹ Bắc", "huyện Yên Phong Thượng",
)  # fmt: skip
_SUBJECTS = (
    "thu ngân sách nhà nước", "chi đầu tư phát triển", "kim ngạch xuất khẩu", "sản lượng lúa",
    "số doanh nghiệp thành lập mới", "giải ngân vốn đầu tư công", "tổng mức bán lẻ hàng hóa",
    "số lao động có việc làm", "vốn đầu tư nước ngoài", "số học sinh phổ thông",
    "diện tích rừng trồng mới", "lượng khách du lịch", "số ca mắc bệnh sốt xuất huyết",
    "giá trị sản xuất công nghiệp", "số hộ nghèo", "sản lượng thủy sản", "doanh thu vận tải",
    "số nhà ở xã hội hoàn thành", "chi hỗ trợ người có công", "số giường bệnh",
)  # fmt: skip
_UNITS = ("tỷ đồng", "triệu USD", "nghìn tấn", "người", "doanh nghiệp", "ha", "lượt khách", "hộ")
_PERIODS = ("tháng {} năm {}", "quý {} năm {}", "{} tháng đầu năm {}")
_VERBS = ("đạt", "ước đạt", "là", "lên tới", "dừng ở mức")
_TAILS = (
    "vượt kế hoạch được giao", "tập trung ở khu vực nông thôn", "theo báo cáo của đơn vị phụ trách",
    "nhờ các giải pháp điều hành linh hoạt", "trong điều kiện thời tiết không thuận lợi",
    "sau khi rà soát lại danh mục", "chủ yếu từ các công trình trọng điểm",
    "cao nhất trong ba năm trở lại đây", "thấp hơn dự kiến ban đầu",
)  # fmt: skip


def made_up_sentence(chance: random.Random) -> str:
    """One sentence with a subject, a place, a period and figures, out of the words above."""
    period = chance.choice(_PERIODS).format(chance.randint(1, 4), chance.randint(2005, 2024))
    figure = f"{chance.randint(1, 9999) / 10:.1f}".replace(".", ",")
    change = f"{chance.randint(1, 400) / 10:.1f}".replace(".", ",")
    return (
        f"{chance.choice(_PERIODS[2:]).format(chance.randint(2, 11), chance.randint(2005, 2024))}, "
        if chance.random() < 0.2
        else ""
    ) + (
        f"{chance.choice(_SUBJECTS)} của {chance.choice(_PLACES)} trong {period} "
        f"{chance.choice(_VERBS)} {figure} {chance.choice(_UNITS)}, "
        f"{chance.choice(('tăng', 'giảm'))} {change}% so với cùng kỳ, {chance.choice(_TAILS)}."
    )


def made_up_release(number: int, paragraphs: int) -> str:
    """A release of so many paragraphs of three sentences; another number, another text."""
    chance = random.Random(number)
    place = chance.choice(_PLACES)
    parts = [
        f"# Kết quả thực hiện nhiệm vụ tại {place}",
        f"Số: {number}/TC-MAU, ngày {chance.randint(1, 28)} tháng {chance.randint(1, 12)} "
        f"năm {chance.randint(2005, 2024)}",
    ]
    for at in range(paragraphs):
        if at % 4 == 0:
            parts.append(f"## Lĩnh vực {at // 4 + 1}: {chance.choice(_SUBJECTS)}")
        sentences = (made_up_sentence(chance) for _ in range(3))
        parts.append(" ".join(each[0].upper() + each[1:] for each in sentences))
    return "\n\n".join(parts) + "\n"


# In the processes that are measured


def _measure_weights(cache: str) -> Measured:
    from rag.weights import unpack

    begun = time.perf_counter()
    unpack(Path(cache))
    return {"weights_seconds": time.perf_counter() - begun}


def _measure_ask(data_dir: str) -> Measured:
    from rag.assistant import Assistant
    from rag.settings import Settings

    seconds = []
    with Assistant.open(Settings(data_dir=data_dir)) as assistant:
        for question in _questions():
            begun = time.perf_counter()
            assistant.ask(question)
            seconds.append(time.perf_counter() - begun)
    return {
        "questions": float(len(seconds)),
        "answer_p50_ms": 1000 * percentile(seconds, 0.5),
        "answer_p95_ms": 1000 * percentile(seconds, 0.95),
        "ask_peak_mb": _peak_mb(),
    }


def _measure_ingest(data_dir: str, folder: str) -> Measured:
    from ingest import ingest
    from rag.archive import Archive
    from rag.embedding import open_embedder
    from rag.settings import Settings

    settings = Settings(data_dir=data_dir)
    embedder = open_embedder(settings)
    _write_releases(Path(folder), embedder.count)
    begun = time.perf_counter()
    summary = ingest([folder], settings, embedder=embedder)
    seconds = time.perf_counter() - begun
    peak = _peak_mb()
    with Archive.open(settings) as archive:
        tokens = [
            embedder.count(passage.text)
            for release in archive.releases()
            for passage in archive.passages_of(release.id)
        ]
    return {
        "ingest_passages_per_second": summary.embedded / seconds,
        "ingest_tokens_per_passage": statistics.mean(tokens),
        "ingest_peak_mb": peak,
    }


def _write_releases(folder: Path, count: Callable[[str], int]) -> None:
    """Releases of made-up paragraphs of about the same size, out of the samples' sentences."""
    from rag.language import sentences

    texts = [path.read_text(encoding="utf-8") for path in sorted(RELEASES.glob("*.md"))]
    said = [text[start:end] for text in texts for start, end in sentences(text)]
    said = [sentence for sentence in said if 10 <= count(sentence) <= PASSAGE_TOKENS // 2]
    folder.mkdir(parents=True)
    paragraphs: list[str] = []
    at = 0
    while len(paragraphs) < PASSAGES:
        # A number of its own keeps paragraphs apart once the sentences come round again.
        paragraph = f"Mục {len(paragraphs) + 1}."
        while count(f"{paragraph} {said[at % len(said)]}") <= PASSAGE_TOKENS + 15:
            paragraph = f"{paragraph} {said[at % len(said)]}"
            at += 1
        paragraphs.append(paragraph)
    for number, start in enumerate(range(0, PASSAGES, 20)):
        text = "\n\n".join(paragraphs[start : start + 20])
        (folder / f"{number:02}.txt").write_text(text + "\n", encoding="utf-8")


def _peak_mb() -> float:
    """Peak resident memory of this process in megabytes (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _measure_whole(data_dir: str, folder: str) -> Measured:
    """From opening the model to the published index, with the reading processes."""
    from ingest import ingest
    from rag.embedding import Embedder, open_embedder
    from rag.settings import Settings

    many = Path(folder)
    many.mkdir(parents=True)
    for number in range(RELEASES_WHOLE):
        text = made_up_release(number, PARAGRAPHS_WHOLE)
        (many / f"{number:03}.md").write_text(text, encoding="utf-8")
    opened = open_embedder(Settings())
    timed = _Timed(opened.encoder)
    begun = time.perf_counter()
    summary = ingest([many], Settings(data_dir=data_dir), embedder=Embedder(timed, opened.head))
    seconds = time.perf_counter() - begun
    size = sum(path.stat().st_size for path in Path(data_dir).rglob("*") if path.is_file())
    return {
        "whole_passages_per_second": summary.embedded / seconds,
        "whole_model_share": 100 * timed.seconds / seconds,
        "whole_peak_mb": _peak_mb(),
        "index_bytes_per_passage": size / summary.embedded / 1000,
    }


class _Timed:
    """An encoder that knows how long it was at work."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.identity, self.dim, self.prompts = encoder.identity, encoder.dim, encoder.prompts
        self.count = encoder.count
        self.seconds = 0.0

    def encode(
        self, kind: Kind, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Encoded]:
        begun = time.perf_counter()
        found = self._encoder.encode(kind, texts, progress=progress)
        self.seconds += time.perf_counter() - begun
        return found


def _measure_again(data_dir: str, folder: str) -> Measured:
    from ingest import ingest
    from rag.settings import Settings

    begun = time.perf_counter()
    summary = ingest([folder], Settings(data_dir=data_dir))
    seconds = time.perf_counter() - begun
    if len(summary.unchanged) != RELEASES_WHOLE:
        raise RuntimeError(f"of {RELEASES_WHOLE} releases, {summary.line()}")
    return {"again_releases_per_second": RELEASES_WHOLE / seconds}


def _fill(data_dir: str, size: str) -> Measured:
    """A collection of made-up texts with random vectors, as an ingest would leave it."""
    import numpy as np

    from ingest.passages import CHUNKER
    from rag.archive import Archive, Entry, Source
    from rag.embedding import Encoded, identity
    from rag.index import Index
    from rag.schema import Passage, Release
    from rag.settings import Settings

    settings = Settings(data_dir=data_dir)
    made = np.random.default_rng(1)
    spans = np.array([(4 * at, 4 * at + 3) for at in range(GENERATED_TOKENS)], np.int32)

    def encodings(count: int) -> list[Encoded]:
        values = made.standard_normal((count + GENERATED_TOKENS, 384)).astype(np.float32)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        tokens = values[count:]
        ids = np.arange(GENERATED_TOKENS, dtype=np.int32)
        return [Encoded(values[at], tokens, spans, ids) for at in range(count)]

    with Archive.open(settings) as archive, Index.open(settings, archive, identity(settings)) as to:
        ids = []
        for number in range(int(size) // 20):
            lines = made_up_release(number, 20).replace("#", "").split("\n\n")
            text = "\n\n".join(line.strip() for line in lines)
            release = Release(
                f"{number:016x}", f"{number}.md", "0" * 64, text, "vi", title=lines[0]
            )
            passages: list[Passage] = []
            at = 0
            for line in text.split("\n\n"):
                if len(line) > 150:
                    name = f"{release.id}{len(passages):016x}"
                    passages.append(Passage(name, release.id, at, at + len(line), line))
                at += len(line) + 2
            *encoded, header = encodings(len(passages) + 1)
            source = Source(release.source, release.sha256, release.id)
            archive.write([Entry(release, passages, encoded, header)], linked=[source])
            to.upsert(passages, encoded)
            ids.append(release.id)
        archive.set_meta("chunker", CHUNKER)
        begun = time.perf_counter()
        to.finish(arriving=ids)
    return {"words_build_seconds": time.perf_counter() - begun}


def _measure_search(data_dir: str, size: str) -> Measured:
    """From an encoded question to its passages; the encoding takes as long for any collection."""
    from rag.archive import Archive
    from rag.embedding import open_embedder
    from rag.index import Index
    from rag.retrieve import Retriever
    from rag.settings import Settings

    settings = Settings(data_dir=data_dir)
    embedder = open_embedder(settings)
    seconds, busy = [], []
    with (
        Archive.open(settings) as archive,
        Index.open(settings, archive, embedder.identity) as index,
    ):
        begun = time.perf_counter()
        count = len(index.ids)
        load = time.perf_counter() - begun
        if count < 0.95 * int(size):
            raise RuntimeError(f"{count} passages were made in place of {size}")
        retriever = Retriever(archive, index, embedder)
        asked = [retriever.ask(retriever.understand(question)) for question in _questions()]
        retriever.search(asked[0], 10)
        for each in asked[1:]:
            begun, cpu = time.perf_counter(), time.thread_time()
            retriever.search(each, 10)
            seconds.append(time.perf_counter() - begun)
            busy.append(time.thread_time() - cpu)
    folders = (Path(data_dir) / "chroma", Path(data_dir) / "bm25")
    disk = sum(path.stat().st_size for each in folders for path in each.rglob("*"))
    return {
        f"search_p50_ms_{size}": 1000 * percentile(seconds, 0.5),
        f"search_p95_ms_{size}": 1000 * percentile(seconds, 0.95),
        f"search_cpu_p95_ms_{size}": 1000 * percentile(busy, 0.95),
        f"words_load_ms_{size}": 1000 * load,
        f"disk_mb_{size}": disk / 1e6,
    }


_MEASUREMENTS: dict[str, Callable[..., Measured]] = {
    "weights": _measure_weights,
    "ask": _measure_ask,
    "ingest": _measure_ingest,
    "whole": _measure_whole,
    "again": _measure_again,
    "fill": _fill,
    "search": _measure_search,
}


# Around them


def _child(name: str, *arguments: str) -> Measured:
    measured: Measured = json.loads(
        _run("-m", "eval.bench", "--measure", name, *arguments).splitlines()[-1]
    )
    return measured


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise RuntimeError(said[-1] if said else f"exit status {done.returncode}")
    return done.stdout


def _tell(doing: str) -> None:
    print(doing, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status (0 done, 1 a measurement failed, 2 bad usage)."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description="Measure speed.")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the result to a file too")
    parser.add_argument("--measure", nargs="+", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        name, *rest = options.measure
        print(json.dumps(_MEASUREMENTS[name](*rest)))
        return 0
    try:
        measured = measure()
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    rounded = {key: round(measured[key], 3) for key in AIMS}
    result = json.dumps({**rounded, "machine": machine})
    if options.json:
        options.json.write_text(result + "\n", encoding="utf-8")
    print(table(measured))
    print(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
