"""An API Gateway WebSocket API on this machine. Never imported on Lambda.

`gateway.Gateway` is the service itself: it owns no socket and never sleeps, so `server` can drive it with
aiohttp and `ws_lambda.testing` with nothing at all. One file per AWS concept.
"""
