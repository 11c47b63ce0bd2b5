"""Charts as numbers: where bars, lines and ticks go. Pure; templates draw them as inline SVG.

Across, everything is in percent of the drawing's width, so that it fits any screen with letters
of one size; down, in pixels. Both are texts for SVG attributes. Amounts are integers, rounded to
hundredths of a percent or of a pixel alone.
"""

from nullspend_margins.dashboard.charts.days import DayChart, day_chart
from nullspend_margins.dashboard.charts.months import MonthChart, MonthPoint, month_chart

__all__ = ["DayChart", "MonthChart", "MonthPoint", "day_chart", "month_chart"]
