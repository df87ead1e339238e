"""How a sheet looks: colours, sizes of type, and one scale of distances."""

from comfygen_mcp.sheets.pens import Colour, Style

PAGE: Colour = (16, 16, 19)
CARD: Colour = (29, 29, 34)
WELL: Colour = (22, 22, 26)
"""Behind a picture that does not fill its place."""
WELL_FAILED: Colour = (41, 26, 28)
CHECKS: tuple[Colour, Colour] = ((92, 92, 98), (108, 108, 114))
"""Under a transparent picture."""
RULE: Colour = (58, 58, 66)
TEXT: Colour = (244, 244, 246)
MUTED: Colour = (172, 172, 182)
FAINT: Colour = (136, 136, 147)
FAILED: Colour = (244, 139, 128)
WAITING: Colour = (136, 170, 214)

HEADER = Style(34, bold=True)
SUBHEADER = Style(21)
TITLE = Style(22, bold=True)
SUBTITLE = Style(19)
AXIS = Style(19)
AXIS_VALUE = Style(22, bold=True)
STATE = Style(22, bold=True)
REASON = Style(19)
NOTE = Style(17)

WIDE = 1500
"""Sheets wider than this are shown smaller: what stands above and below the cells grows with them."""
MOST_GROWN = 1.5

HEADER_LINES = 5
SUBHEADER_LINES = 2
TITLE_LINES = 2
SUBTITLE_LINES = 2
AXIS_LINES = 3
NOTE_LINES = 4

MARGIN = 48
GAP = 24
PAD = 16
SMALL_GAP = 8
RADIUS = 14
CHECK = 12
"""Edge of one square of the ground under transparent pictures."""
