"""Motion between two pictures."""

import numpy as np

from ._native import motion_field
from .parallel import each


def motion_fields(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the fields from the first picture to the last and back (gvc/native/motion.cpp), of uint8 [H, W]."""
    forth, back = each(motion_field, (first, last), (last, first))
    return forth, back
