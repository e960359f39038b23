"""The project that the end-to-end test deploys: the demo, with handlers for the test."""
