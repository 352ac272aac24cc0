"""Makes a PNG of few colours of each picture: what text on a plain ground takes shrinks to a quarter, and looks the same.

    python palette.py PICTURE...
"""

import sys

from PIL import Image

COLOURS = 64

for path in sys.argv[1:]:
    with Image.open(path) as picture:
        # By coverage of colours, not by their frequency: a verdict's red is in few pixels.
        few = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
