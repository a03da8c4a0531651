"""How a tile looks in Sentinel: its visualization with the settings of charts, number tiles and table columns.

Formatters are numbers in the workbook's JSON: 0 automatic, 1 text, 4 bar, 6 date, 12 big number, 18 thresholds.
"""

from typing import Any

from sentinel.tools.workbook.model import Format, Tile

Json = dict[str, Any]

BAR, BIG_NUMBER, TEXT, THRESHOLDS = 4, 12, 1, 18
BAD = ("weaker", "missing", "failed", "High", "off")
WARNING = ("not announced", "unclear", "Medium", "blocked", "surplus", "not listed", "anyone_with_link", "public")
GOOD = ("stronger", "announced", "proved", "Low", "on", "ok", "approved", "Success")
_UNITS: dict[Format, int] = {"bytes": 2, "percent": 1, "days": 27, "hours": 26, "count": 17}
"""Numbers of the workbook's own units: 1 percent, 2 bytes, 17 count, 26 hours, 27 days."""


def visual(tile: Tile, query: str) -> Json:
    """Visualization and its settings, for a query item's content."""
    if tile.kind == "tiles":
        return {"visualization": "tiles", "tileSettings": _tiles()}
    if tile.kind == "bars":
        label = first_column(query)
        axis = {"xAxis": label, "createOtherGroup": 0, "showLegend": True} if label else {"showLegend": True}
        return {"visualization": "categoricalbar", "chartSettings": {**axis, **_unit_label(tile)}}
    if tile.kind == "timechart":
        return {"visualization": "timechart", "chartSettings": {"showLegend": True, **_unit_label(tile)}}
    formatters = [_formatter(column, format_) for column, format_ in tile.columns.items()]
    return {
        "visualization": "table",
        "gridSettings": {"formatters": formatters, "rowLimit": 1000, "filter": True},
    }


def first_column(query: str) -> str:
    """The column a bar is named by: what the last `by` or `project` of the query begins with."""
    last = [line.strip() for line in query.splitlines() if " by " in line or line.strip().startswith("| project")]
    for line in reversed(last):
        if line.startswith("| project"):
            return line.removeprefix("| project").split(",")[0].split("=")[0].strip()
        if "summarize" in line:
            return line.rpartition(" by ")[2].split(",")[0].split("=")[0].strip()
    return ""


def _unit_label(tile: Tile) -> Json:
    return {"ySettings": {"label": tile.unit}} if tile.unit else {}


def _tiles() -> Json:
    return {
        "titleContent": {"columnMatch": "Name", "formatter": TEXT},
        "leftContent": {
            "columnMatch": "Value",
            "formatter": BIG_NUMBER,
            "formatOptions": {"palette": "none"},
            "numberFormat": {"unit": 17, "options": {"style": "decimal", "maximumFractionDigits": 2}},
        },
        "rightContent": {"columnMatch": "Unit", "formatter": TEXT},
        "secondaryContent": {"columnMatch": "Note", "formatter": TEXT},
        "showBorder": True,
        "size": "auto",
    }


def _formatter(column: str, format_: Format) -> Json:
    if format_ == "badge":
        grid = [
            *(_threshold(value, "redBright") for value in BAD),
            *(_threshold(value, "yellow") for value in WARNING),
            *(_threshold(value, "green") for value in GOOD),
            {"operator": "Default", "thresholdValue": None, "representation": "gray", "text": "{0}{1}"},
        ]
        options = {"thresholdsOptions": "colors", "thresholdsGrid": grid}
        return {"columnMatch": column, "formatter": THRESHOLDS, "formatOptions": options}
    if format_ == "bar":
        return {"columnMatch": column, "formatter": BAR, "formatOptions": {"palette": "blue"}}
    if format_ in _UNITS:
        decimal = {"style": "decimal", "maximumFractionDigits": 1}
        return {"columnMatch": column, "formatter": 0, "numberFormat": {"unit": _UNITS[format_], "options": decimal}}
    return {"columnMatch": column, "formatter": TEXT}


def _threshold(value: str, color: str) -> Json:
    return {"operator": "==", "thresholdValue": value, "representation": color, "text": "{0}{1}"}
