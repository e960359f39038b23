"""Views that echo requests, and views with every kind of response."""

import base64

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt

BYTES = bytes(range(256))


@csrf_exempt
def echo(request: HttpRequest, name: str = "") -> HttpResponse:
    """What Django makes of the request."""
    return JsonResponse(
        {
            "method": request.method,
            "host": request.get_host(),
            "url": request.build_absolute_uri(),
            "secure": request.is_secure(),
            "address": request.META["REMOTE_ADDR"],
            "user": request.META.get("REMOTE_USER"),
            "path": request.path_info,
            "name": name,
            "reversed": reverse("echo", args=["again"]),
            "query": dict(request.GET.lists()),
            "cookies": request.COOKIES,
            "headers": dict(request.headers),
            "type": request.content_type,
            "form": dict(request.POST.lists()),
            "files": {key: base64.b64encode(sent.read()).decode() for key, sent in request.FILES.items()},
            "body": base64.b64encode(request.body).decode() if not request.POST and not request.FILES else "",
        }
    )


def cookies(request: HttpRequest) -> HttpResponse:
    """Three cookies."""
    response = HttpResponse("three")
    for name in ("one", "two", "three"):
        response.set_cookie(name, f"value of {name}")
    return response


urlpatterns = [
    path("echo/<path:name>", echo, name="echo"),
    path("cookies", cookies),
    path("bytes", lambda request: HttpResponse(BYTES, content_type="application/octet-stream")),
    path("latin", lambda request: HttpResponse("é".encode("latin-1"), content_type="text/csv; charset=latin-1")),
    path("zipped", lambda request: HttpResponse(BYTES, headers={"Content-Encoding": "gzip"})),
    path("text", lambda request: HttpResponse("grüße")),
    path("script", lambda request: HttpResponse("let a", content_type="application/javascript")),
    path("stream", lambda request: StreamingHttpResponse(f"{number} " for number in range(3))),
    path("away", lambda request: HttpResponseRedirect("/echo/there")),
    path("nothing", lambda request: HttpResponse(status=204)),
    path("slash/", lambda request: HttpResponse("with a slash")),
]
