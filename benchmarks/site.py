"""The demo's settings, with a view that does nothing: what is measured is what every event goes through."""

from project.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.site_urls"
