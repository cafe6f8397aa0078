"""What it is worth in money: WTP, price upper limits, price tests, and where to invest."""

from wtp.pricing.intervals import interval_methods
from wtp.pricing.investment import investment
from wtp.pricing.reservation_price import (
    price_limit_pooled,
    price_limits,
    reservation_prices,
    still_buying,
    still_buying_people,
)
from wtp.pricing.van_westendorp import VanWestendorpResult, van_westendorp
from wtp.pricing.willingness_to_pay import Step, willingness_to_pay

__all__ = [
    "Step",
    "VanWestendorpResult",
    "interval_methods",
    "investment",
    "price_limit_pooled",
    "price_limits",
    "reservation_prices",
    "still_buying",
    "still_buying_people",
    "van_westendorp",
    "willingness_to_pay",
]
