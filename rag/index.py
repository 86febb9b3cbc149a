"""The two indexes over the passages: vectors in Chroma, words in BM25 (`rag.lexical`).

Both are derived from the archive: ids are content hashes, writes are upserts, and either can be
made again. Chroma is embedded in the data folder unless `chroma_url` names a server. BM25 is built
once per change of the archive and mapped from its files.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from rag.archive import Archive
from rag.embedding import Encoded, Vector
from rag.errors import ModelMismatchError, StoreError
from rag.language import fold
from rag.lexical import FORMAT, Scores, Words, build, digest
from rag.lexical import terms as terms
from rag.schema import Language, Passage, Release
from rag.settings import Settings, without_password

_COLLECTION = "passages"
_BATCH = 1000
_TRIES = 5


def metadata(release: Release) -> str:
    """What is known about a release besides its text, as words to search; may be empty."""
    issued = release.issued
    parts: Iterable[object] = (
        release.number,
        release.title,
        release.issuer,
        release.place,
        issued and f"{issued.year} {issued.month} {issued.day}",
    )
    return " ".join(str(part) for part in parts if part)


_LOCAL = re.compile(
    r"\b(?:tỉnh|thành phố|tp|huyện|quận|thị xã|xã(?! hội)|phường|sở(?! hữu)|[uủ][yỷ] ban nhân dân|"
    r"ubnd|công an|chi nhánh|chi cục|hội đồng nhân dân|hđnd|cục thuế|thành ủy|ban quản lý)\b"
)


_LETTERHEAD = 400
"""Characters that stand before a title at most."""


def _letterhead(release: Release) -> str:
    """What stands before the title: the body above the issuer, too."""
    at = release.text.find(release.title[:40]) if release.title else -1
    return release.text[:at] if 0 < at <= _LETTERHEAD else ""


def unspoken(release: Release) -> str:
    """What goes without saying: metadata and letterhead, and for a national body the country."""
    text = f"{metadata(release)} {_letterhead(release)}"
    local = not release.issuer or _LOCAL.search(fold(release.issuer))
    return text if release.language != "vi" or local else f"{text} Việt Nam"


@dataclass(frozen=True, slots=True)
class Lexical:
    """BM25 scores by passage, and how much of the question could have matched at all."""

    scores: Scores
    """(passages,), in the order of `Index.ids`."""
    ceiling: float
    """The sum over the question's terms of the most that each can give; 0 without terms."""


class Index:
    """Both indexes of one data folder. Use as a context manager."""

    def __init__(self, settings: Settings, archive: Archive, identity: str) -> None:
        self._settings = settings
        self._archive = archive
        self.identity = identity
        """The embedding model whose vectors this holds."""
        self._client: Any = None
        self._collection_cache: Any = None
        self._words: Words | None = None
        self._languages: tuple[Words, dict[Language, npt.NDArray[np.bool_]]] | None = None
        self._generation: str | None = None

    @classmethod
    def open(cls, settings: Settings, archive: Archive, identity: str) -> Index:
        """Open the indexes for the embedding model `identity`.

        Raises `ModelMismatchError` when another model made them.
        """
        made_by = archive.meta("embedder")
        if made_by is not None and made_by != identity:
            raise ModelMismatchError(
                f"the index in {settings.data_dir} was made by the embedding model {made_by}, "
                f"not by {identity}; run python -m ingest --rebuild to make it again, "
                "or set RAG_EMBEDDING_MODEL to the former"
            )
        return cls(settings, archive, identity)

    def close(self) -> None:
        """Let go of Chroma."""
        self._close_chroma()
        self._words = None

    def _close_chroma(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = self._collection_cache = None

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing

    def upsert(self, passages: Sequence[Passage], encodings: Sequence[Encoded]) -> None:
        """Put passages into Chroma; the same passage twice is the same as once.

        What is there already is left alone: HNSW, told a point a second time, can lose others.
        """
        with self._translated():
            collection = self._collection()
            for start in range(0, len(passages), _BATCH):
                part = {
                    passage.id: (passage.release_id, encoded.vector)
                    for passage, encoded in zip(
                        passages[start : start + _BATCH],
                        encodings[start : start + _BATCH],
                        strict=True,
                    )
                }
                held = self.stored(list(part))
                new = {
                    name: (of, vector)
                    for name, (of, vector) in part.items()
                    if name not in held
                    or held[name][0] != of
                    or not same_vector(held[name][1], vector)
                }
                if wrong := [name for name in new if name in held]:
                    collection.delete(ids=wrong)
                if new:
                    collection.add(
                        ids=list(new),
                        embeddings=np.stack([vector for _, vector in new.values()]),
                        metadatas=[{"release_id": of} for of, _ in new.values()],
                    )

    def delete(self, release_id: str) -> None:
        """Take a release's passages out of Chroma."""
        with self._translated():
            self._collection().delete(where={"release_id": release_id})

    def finish(self, *, arriving: Collection[str] = (), leaving: Collection[str] = ()) -> None:
        """Build BM25 for what readers are to see, then show it to them in one step.

        `arriving` releases, whose passages are in Chroma, become visible and `leaving` ones
        invisible; each reader sees all of a release or nothing of it.
        """
        number = _number(self._archive.meta("generation") or "0") + 1
        # A number alone could name what another machine, or a database since restored, made.
        generation = f"{number}.{secrets.token_hex(4)}"
        covered = self._archive.fingerprint(arriving=arriving, leaving=leaving)
        target = self._words_folder(generation)
        try:
            with self._built(covered, arriving=arriving, leaving=leaving) as partial:
                os.replace(partial, target)
        except OSError as error:
            raise StoreError(
                f"cannot write the word index to {self._words_dir} ({error.strerror}); "
                "free space or make it writable, and run the same command again"
            ) from error
        facts = {"embedder": self.identity, "covered": covered, "generation": generation}
        self._archive.publish(facts, arriving=arriving, leaving=leaving)
        for old in self._words_dir.iterdir():
            if old != target:
                shutil.rmtree(old, ignore_errors=True)

    def clear(self) -> None:
        """Drop Chroma's collection, so that it can be made again from the archive."""
        import chromadb.errors

        try:
            self._open_client().delete_collection(self._collection_name())
        except chromadb.errors.NotFoundError:
            pass
        except Exception as error:  # a damaged store can fail in any layer; the folder is derived
            if self._settings.chroma_url:
                raise self._failure(error) from error
            self.close()
            shutil.rmtree(self._settings.data_dir / "chroma", ignore_errors=True)
        self._collection_cache = None

    # Reading

    @property
    def ids(self) -> list[str]:
        """The passages that BM25 covers, in its order."""
        return self._current_words().ids

    def nearest(
        self, vector: Vector, k: int, *, release_ids: Sequence[str] | None = None
    ) -> dict[str, float]:
        """The k passages most similar to a vector: id -> cosine."""
        found = self._answered(
            lambda: self._collection().query(
                query_embeddings=vector[None, :],
                n_results=k,
                where={"release_id": {"$in": list(release_ids)}} if release_ids else None,
                include=["distances"],
            )
        )
        return {
            passage_id: 1.0 - float(distance)
            for passage_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        }

    def _answered(self, question: Callable[[], Any]) -> Any:
        """What Chroma answers; it is asked anew when it was opened before another's write."""
        with self._translated():
            for left in reversed(range(_TRIES)):
                try:
                    found = question()
                    break
                except Exception:
                    # A writer in another process has taken out passages that the open store still
                    # knows of; what is opened anew does not.
                    if self._settings.chroma_url or not left:
                        raise
                    self._close_chroma()
        return found

    def similar(self, vector: Vector, ids: Sequence[str]) -> dict[str, float]:
        """The cosines of a vector with some passages: id -> cosine; without those not there."""
        if not ids:
            return {}
        found = self._answered(
            lambda: self._collection().get(ids=list(ids), include=["embeddings"])
        )
        if not found["ids"]:
            return {}
        return dict(
            zip(found["ids"], (np.asarray(found["embeddings"]) @ vector).tolist(), strict=True)
        )

    def lexical(self, wanted: Sequence[str]) -> Lexical:
        """BM25 scores of every passage for some terms (see `terms`)."""
        current = self._current_words()
        return Lexical(
            scores=current.scores(wanted), ceiling=sum(current.most(term) for term in wanted)
        )

    def weight(self, term: str) -> float:
        """The inverse document frequency of a term in this index."""
        return self._current_words().most(term)

    def best(self, wordings: Iterable[Sequence[str]]) -> tuple[Scores, float]:
        """Per passage its best wording's share of what it could score; see `Words.best`."""
        return self._current_words().best(wordings)

    @property
    def position(self) -> Mapping[str, int]:
        """Passage id -> its place in `ids`."""
        return self._current_words().position

    def release_of(self, number: int) -> str:
        """The id of the release of the passage at a place in `ids`."""
        return self._current_words().label(number).partition(" ")[2]

    def best_of_release(self, scores: Scores) -> Scores:
        """(passages,): the largest score of a passage of the same release."""
        return self._current_words().best_of_label(scores)

    @property
    def by_language(self) -> Mapping[Language, npt.NDArray[np.bool_]]:
        """(passages,) for each language: which are of releases in it."""
        current = self._current_words()
        if self._languages is None or self._languages[0] is not current:
            said = np.array([label.partition(" ")[0] for label in current.labels])
            self._languages = (
                current,
                {
                    cast(Language, str(one)): (said == one)[current.label_numbers]
                    for one in np.unique(said)
                },
            )
        return self._languages[1]

    def of_releases(self, release_ids: Collection[str]) -> npt.NDArray[np.bool_]:
        """(passages,): which are of some releases."""
        current = self._current_words()
        wanted = set(release_ids)
        mine = np.array([label.partition(" ")[2] in wanted for label in current.labels], bool)
        found: npt.NDArray[np.bool_] = mine[current.label_numbers]
        return found

    def stored_ids(self) -> set[str]:
        """Every passage id that Chroma holds."""
        with self._translated():
            return set(self._collection().get(include=[])["ids"])

    def stored(self, ids: Sequence[str]) -> dict[str, tuple[str, Vector]]:
        """What Chroma holds of some passages: id -> release id and vector."""
        with self._translated():
            found = self._collection().get(ids=list(ids), include=["embeddings", "metadatas"])
        vectors = np.asarray(found["embeddings"], np.float32)
        return {
            name: (str(known["release_id"]), vector)
            for name, known, vector in zip(found["ids"], found["metadatas"], vectors, strict=True)
        }

    def mend(self) -> None:
        """Make the files of BM25 again for what is visible; readers need not take notice."""
        self._words = self._rebuilt(self._archive.meta("generation"))

    def covered(self) -> str | None:
        """The archive's fingerprint when BM25 was built; None when its files cannot be used."""
        try:
            return Words(self._words_folder(self._archive.meta("generation"))).about["covered"]
        except (OSError, ValueError, KeyError):
            return None

    def damage(self) -> str | None:
        """What is wrong with BM25's files, in a few words; None when they are as they were made.

        None too where there are none yet, as on another machine: they are made when needed.
        """
        folder = self._words_folder(self._archive.meta("generation"))
        if not folder.exists():
            return None
        try:
            about = Words(folder).about
            if about["digest"] != digest(folder):
                return "is damaged"
        except (OSError, ValueError, KeyError):
            return "is damaged"
        return None if about["covered"] == self._archive.fingerprint() else "is out of date"

    # Shells

    def refresh(self) -> bool:
        """Take up what another process has ingested since; whether there was anything.

        Cheap when nothing changed.
        """
        if self._words is None or self._archive.meta("generation") == self._generation:
            return False
        # An open embedded Chroma never sees the vectors that another process wrote.
        self.close()
        return True

    def _current_words(self) -> Words:
        while self._words is None:
            generation = self._archive.meta("generation")
            try:
                self._words = Words(self._words_folder(generation))
            except (OSError, ValueError, KeyError):
                if self._archive.meta("generation") != generation:
                    continue  # A writer has just put a newer one in its place.
                self._words = self._rebuilt(generation)
            self._generation = generation
        return self._words

    @property
    def _words_dir(self) -> Path:
        return self._settings.data_dir / "bm25"

    def _words_folder(self, generation: str | None) -> Path:
        return self._words_dir / f"{generation}-{FORMAT}"

    @contextmanager
    def _built(
        self,
        covered: str,
        *,
        arriving: Collection[str] = (),
        leaving: Collection[str] = (),
        within: Path | None = None,
    ) -> Iterator[Path]:
        """A new folder with BM25 for what is or will be visible; gone at the end unless moved."""
        base = within or self._words_dir
        base.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".building-", dir=base))
        try:
            build(self._worded(arriving=arriving, leaving=leaving), partial, covered=covered)
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _rebuilt(self, generation: str | None) -> Words:
        """BM25 from the archive, since its files are missing or damaged, as on another machine.

        They are put where they belong when that can be written to.
        """
        covered = self._archive.fingerprint()
        target = self._words_folder(generation)
        try:
            with self._built(covered) as partial:
                if generation is None or self._archive.meta("generation") != generation:
                    return Words(partial)
                shutil.rmtree(target, ignore_errors=True)
                os.replace(partial, target)
            for old in self._words_dir.glob("[0-9]*"):
                # What a writer here is making, or has just made, is not older.
                if old != target and _number(old.name) < _number(generation):
                    shutil.rmtree(old, ignore_errors=True)
            return Words(target)
        except OSError:
            with self._built(covered, within=Path(tempfile.gettempdir())) as partial:
                return Words(partial)

    def _worded(
        self, *, arriving: Collection[str] = (), leaving: Collection[str] = ()
    ) -> Iterator[tuple[str, str, str]]:
        """Every passage with its headings and what is known about its release.

        For a national body that is the country too. A letterhead is in the first passage.
        """
        releases = self._archive.visible(arriving=arriving, leaving=leaving)
        known = {name: unspoken(release) for name, release in releases.items()}
        for passage in self._archive.texts(list(releases)):
            text = " ".join((known[passage.release_id], *passage.section, passage.text))
            release = releases[passage.release_id]
            yield passage.id, f"{release.language} {release.id}", text

    def _open_client(self) -> Any:
        if self._client is None:
            import chromadb
            import chromadb.config
            from chromadb.api.shared_system_client import SharedSystemClient

            options = chromadb.config.Settings(anonymized_telemetry=False)
            if self._settings.chroma_url:
                self._client = chromadb.HttpClient(
                    host=_address(self._settings.chroma_url),
                    headers=_headers(self._settings),
                    settings=options,
                )
            else:
                folder = self._settings.data_dir / "chroma"
                try:
                    self._client = chromadb.PersistentClient(str(folder), settings=options)
                except Exception:
                    # Chroma would hand out the broken store again, even after it was mended.
                    SharedSystemClient.clear_system_cache()
                    raise
        return self._client

    def _collection(self) -> Any:
        if self._collection_cache is None:
            self._collection_cache = self._open_client().get_or_create_collection(
                self._collection_name(),
                embedding_function=None,
                configuration={
                    "hnsw": {"space": "cosine", "ef_search": 200, "ef_construction": 200}
                },
            )
        return self._collection_cache

    def _collection_name(self) -> str:
        """A folder holds one collection; archives that share a server must not share theirs."""
        if not self._settings.chroma_url:
            return _COLLECTION
        return self._archive.meta("collection") or self._archive.settle(
            "collection", f"{_COLLECTION}-{secrets.token_hex(8)}"
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except Exception as error:  # chromadb lets errors of many layers through
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> StoreError:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if self._settings.chroma_url:
            where = without_password(self._settings.chroma_url)
            reason, advice = without_password(reason), "check that the server can be reached"
        else:
            where = str(self._settings.data_dir / "chroma")
            advice = "make the folder writable and whole: python -m ingest --rebuild"
        return StoreError(f"the vector index {where} failed: {reason}; {advice}")


def same_vector(one: Vector, other: Vector) -> bool:
    """Whether two vectors differ by no more than storing changes them."""
    return one.shape == other.shape and bool(np.allclose(one, other, atol=1e-5))


def _address(chroma_url: str) -> str:
    """The URL of a Chroma server with its port written out; `StoreError` when it is none."""
    try:
        url = urlsplit(chroma_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(url.scheme)
        port = "" if url.port else (":443" if url.scheme == "https" else ":8000")
    except ValueError as error:
        raise StoreError(
            f"cannot use the Chroma server {without_password(chroma_url)}: not an http URL; "
            "set RAG_CHROMA_URL to one like http://host:8000"
        ) from error
    return f"{url.scheme}://{url.netloc.removesuffix(':')}{port}{url.path.rstrip('/')}"


def _headers(settings: Settings) -> dict[str, str]:
    """What is sent with each request to a Chroma server."""
    # Chroma's client never closes the connections that it keeps, and stumbles over those that a
    # server has closed since.
    headers = {"Connection": "close"}
    if settings.chroma_token:
        token = settings.chroma_token.get_secret_value()
        # Chroma's own header and the usual one: which of them a gateway reads is its business.
        headers |= {"x-chroma-token": token, "Authorization": f"Bearer {token}"}
    return headers


def _number(generation: str) -> int:
    """The running number in the name of a generation, or of its folder."""
    return int(re.split(r"[.-]", generation)[0])
