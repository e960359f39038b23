"""The demo's settings. Broadcasts to three recipients or more go through the queue."""

from project.settings import *  # noqa: F403
from project.settings import WS_LAMBDA as DEMO

ROOT_URLCONF = "e2e_site.urls"
WS_LAMBDA = {**DEMO, "FANOUT_INLINE_MAX": 2, "FANOUT_WORKERS": 2}
