"""Who differs: segments that an author declares by rules on the answers."""

from wtp.segments.declared import declared

__all__ = ["declared"]
