"""The project that the end-to-end test deploys: the demo, and a view with something to look at."""
