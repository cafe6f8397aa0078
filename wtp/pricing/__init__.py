"""What it is worth in money: WTP, price upper limits, price tests, the market simulator, and where to invest."""

from wtp.pricing.calibration import calibrated, scaled_to
from wtp.pricing.competition import Scenarios, competitive_worth, consumer_surplus, sampled_worth
from wtp.pricing.equilibrium import Equilibrium, equilibrium_value, nash_prices, nash_sensitivity
from wtp.pricing.financing import Terms, in_instalments
from wtp.pricing.gabor_granger import GaborGrangerResult, gabor_granger
from wtp.pricing.intervals import interval_methods
from wtp.pricing.investment import investment
from wtp.pricing.newton_miller_smith import NewtonMillerSmithResult, newton_miller_smith
from wtp.pricing.offers import Offer
from wtp.pricing.open_price import OpenPriceResult, open_price
from wtp.pricing.optimum import best_price, demand, elasticities
from wtp.pricing.product_search import best_offers
from wtp.pricing.reservation_price import (
    limit_waterfall,
    overstatement,
    price_limit_pooled,
    price_limits,
    reservation_price,
    reservation_prices,
    still_buying,
    still_buying_people,
)
from wtp.pricing.simulator import Market
from wtp.pricing.triangulation import Triangulation, cautious, triangulate
from wtp.pricing.van_westendorp import VanWestendorpResult, van_westendorp
from wtp.pricing.willingness_to_pay import Step, willingness_to_pay
from wtp.pricing.worth_distribution import share_above, surcharge_limits, worth_quantiles

__all__ = [
    "Equilibrium",
    "GaborGrangerResult",
    "Market",
    "NewtonMillerSmithResult",
    "Offer",
    "OpenPriceResult",
    "Scenarios",
    "Step",
    "Terms",
    "Triangulation",
    "VanWestendorpResult",
    "best_offers",
    "best_price",
    "calibrated",
    "cautious",
    "competitive_worth",
    "consumer_surplus",
    "demand",
    "elasticities",
    "equilibrium_value",
    "gabor_granger",
    "in_instalments",
    "interval_methods",
    "investment",
    "limit_waterfall",
    "nash_prices",
    "nash_sensitivity",
    "newton_miller_smith",
    "open_price",
    "overstatement",
    "price_limit_pooled",
    "price_limits",
    "reservation_price",
    "reservation_prices",
    "sampled_worth",
    "scaled_to",
    "share_above",
    "still_buying",
    "still_buying_people",
    "surcharge_limits",
    "triangulate",
    "van_westendorp",
    "willingness_to_pay",
    "worth_quantiles",
]
