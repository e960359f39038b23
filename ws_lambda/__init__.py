"""WebSockets for Django on API Gateway and Lambda, with no server to keep."""

__all__ = ["__version__"]

__version__ = "0.1.0"
