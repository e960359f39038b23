"""The demo's settings, with broadcasts going through the queue from three recipients on."""

from project.settings import *  # noqa: F403
from project.settings import WS_LAMBDA as DEMO

ROOT_URLCONF = "e2e_site.urls"
WS_LAMBDA = {**DEMO, "FANOUT_INLINE_MAX": 2, "FANOUT_WORKERS": 2}
