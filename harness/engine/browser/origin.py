"""In: scheme, host and port. Out: `Origin`: where a connection leads, with how it is written in a request."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Scheme, host and port. `host` is in lower case, without brackets. A client has one object for one place (`Client.origin`)."""

    secure: bool
    host: str
    port: int
    authority: str = field(init=False)  # as it stands in a URL and in the Host header: the default port is left out

    def __post_init__(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        object.__setattr__(self, "authority", host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}")
