"""E-mail messages: the text that was sent, and what the header says of it."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime
from pathlib import Path

from ingest.encodings import UnknownEncodingError, decode
from ingest.html_page import page_content
from ingest.markup import Content
from rag.errors import InputError

_FEWER = 0.3
"""A plain part with a smaller share of the HTML part's letters only says that there is one."""


def read_eml(path: Path, data: bytes) -> Content:
    """The text of a message: its plain part, or its HTML part when that says much more.

    Properties: subject (also as title), from, created and, for files that are sent with it and
    not read, attachments. Raises `InputError` when it is no message or has no text; whatever the
    standard library raises over a malformed part.
    """
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise InputError(f"not an e-mail message: {path}; save the message as .eml again")
    properties = _properties(message)
    text, attached = _text(message)
    if attached:
        properties["attachments"] = ", ".join(attached)
    if not text.strip():
        rest = f"; save what is attached ({', '.join(attached)}) and give that" if attached else ""
        raise InputError(f"message without text: {path}{rest or '; give one with text'}")
    return Content(text, properties=properties)


def _properties(message: EmailMessage) -> dict[str, str]:
    subject = " ".join(str(message.get("Subject", "")).split())
    found = {
        "title": subject,
        "subject": subject,
        "from": " ".join(str(message.get("From", "")).split()),
    }
    date = message.get("Date")
    if date:
        try:
            found["created"] = parsedate_to_datetime(str(date)).isoformat()
        except ValueError:
            # A message with a date that cannot be read is a message all the same.
            found["created"] = ""
    return {name: value for name, value in found.items() if value}


def _text(message: EmailMessage) -> tuple[str, list[str]]:
    """The message's text and the names of what is attached."""
    plain_part = message.get_body(preferencelist=("plain",))
    html_part = message.get_body(preferencelist=("html", "related"))
    text = _decoded(plain_part) if plain_part is not None else ""
    if html_part is not None and html_part.get_content_maintype() == "text":
        page = page_content(_decoded(html_part)).text
        if _letters(text) < _FEWER * _letters(page):
            text = page
    attached = []
    for part in message.iter_attachments() if message.is_multipart() else ():
        if part.get_content_type() == "text/plain" and not part.is_attachment():
            text += "\n\n" + _decoded(part)
        else:
            attached.append(part.get_filename() or part.get_content_type())
    return text, attached


def _decoded(part: MIMEPart) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    charset = part.get_content_charset() or ""
    if charset and charset not in ("us-ascii", "iso-8859-1", "windows-1252", "unknown-8bit"):
        try:
            return data.decode(charset).replace("\r\n", "\n")
        except (UnicodeDecodeError, LookupError):
            # A wrong name of the encoding is found out below.
            charset = ""
    try:
        return decode(data).text.replace("\r\n", "\n")
    except UnknownEncodingError:
        return data.decode("latin-1").replace("\r\n", "\n")


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
