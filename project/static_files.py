"""The site's own files where no web server or bucket serves them: on Lambda, from the package itself."""

from django.contrib.staticfiles.views import serve as find_and_serve
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def serve(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file of any app's `static` folder. A handful of small ones, which browsers keep for an hour."""
    response = find_and_serve(request, path, insecure=True)  # "insecure": also without DEBUG
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
