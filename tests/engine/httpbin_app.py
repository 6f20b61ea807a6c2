"""httpbin as a WSGI app for gunicorn. The release that Python 3.11 gets (0.10.0) still asks Werkzeug for a function that Werkzeug 3 has
renamed."""

import werkzeug.http
from werkzeug.datastructures import Authorization

if not hasattr(werkzeug.http, "parse_authorization_header"):
    werkzeug.http.parse_authorization_header = Authorization.from_header

from httpbin import app

__all__ = ["app"]
