"""The WSGI application, in middleware that marks each response and sets a header twice."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.http_site.settings")
_django = get_wsgi_application()


def application(environ, start_response):
    """Django, wrapped."""

    def marked(status, headers, exc_info=None):
        return start_response(status, [*headers, ("X-Wrapped", "yes"), ("X-Wrapped", "twice")], exc_info)

    return _django(environ, marked)
