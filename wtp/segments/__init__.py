"""Who differs: segments declared by rules on the answers, segments found by what people would pay, and who is in them."""

from wtp.segments.declared import declared
from wtp.segments.explained import Explained, explained
from wtp.segments.found import FoundSegments, found_segments
from wtp.segments.pooling import ScaleTest, partially_pooled, price_response, scale_test
from wtp.segments.profile import overlap, profile, shares
from wtp.segments.typing_tool import TypingTool, typing_tool

__all__ = [
    "Explained",
    "FoundSegments",
    "ScaleTest",
    "TypingTool",
    "declared",
    "explained",
    "found_segments",
    "overlap",
    "partially_pooled",
    "price_response",
    "profile",
    "scale_test",
    "shares",
    "typing_tool",
]
