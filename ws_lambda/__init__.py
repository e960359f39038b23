"""WebSockets for Django on API Gateway and Lambda, with no server to keep."""

__version__ = "0.1.0"
