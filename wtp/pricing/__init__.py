"""What it is worth in money: WTP, preliminary price limits, price tests, and where to invest."""

from wtp.pricing.investment import investment
from wtp.pricing.reservation_price import price_limit_pooled, still_buying
from wtp.pricing.van_westendorp import VanWestendorpResult, van_westendorp
from wtp.pricing.willingness_to_pay import Step, willingness_to_pay

__all__ = [
    "Step",
    "VanWestendorpResult",
    "investment",
    "price_limit_pooled",
    "still_buying",
    "van_westendorp",
    "willingness_to_pay",
]
