"""In: the body of a POST. Out: its fields as text, or `Invalid` with a sentence for the visitor (answered with 422)."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl

_ITEM = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,135}")


class Invalid(ValueError):
    """What is wrong with a form, in a sentence."""


class Form:
    """The fields of one form: `application/x-www-form-urlencoded`, or a flat JSON object."""

    def __init__(self, body: bytes, content_type: bytes) -> None:
        try:
            if content_type.startswith(b"application/json"):
                given = json.loads(body)
                if not isinstance(given, dict):
                    raise Invalid("A JSON object is wanted.")
                self._fields = {str(name): str(value) for name, value in given.items()}
            else:
                self._fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
        except Invalid:
            raise
        except ValueError:  # no UTF-8, no JSON, or too many fields
            raise Invalid("The form could not be read.") from None

    def text(self, name: str, longest: int = 100, default: str = "") -> str:
        value = self._fields.get(name, default).strip()
        if not 0 < len(value) <= longest:
            raise Invalid(f"{name}: 1 to {longest} characters are wanted.")
        return value

    def email(self) -> str:
        value = self.text("email", 200)
        if not _EMAIL.fullmatch(value):
            raise Invalid("email: something like ida@example.com is wanted.")
        return value

    def item(self) -> str:
        value = self.text("item")
        if not _ITEM.fullmatch(value):
            raise Invalid("item: a name such as ember-copper is wanted.")
        return value

    def quantity(self) -> int:
        value = self.text("quantity", 3)
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 20):
            raise Invalid("quantity: 1 to 20 is wanted.")
        return int(value)
