"""report.html: everything about a run on one page that needs nothing from outside."""

from jitcnn.report.document import NAME, page, write

__all__ = ["NAME", "page", "write"]
