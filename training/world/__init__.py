"""A world of meters that we make ourselves, labelled by construction.

    counter(rng, pool) -> Counter           a counter from straight ahead, for the reader of strips
    scene(rng, pool, side) -> Scene         a whole photograph from straight ahead, for the finder
    row_of_dials(rng) -> (picture, quad)    pointers, which are no counter
    ruined(rng, picture, quad, digits)      the same counter so that nobody could read it
    place(rng, scene, side) -> Scene        the same in the pose of a hand-held phone
    camera(rng, picture, strength)          light, lens, phone and messenger; moves nothing

`rng` is a numpy Generator: the same seed gives the same picture on a machine with the same fonts. pool "train" or
"unseen": fonts, colours, layouts and geometries of the second never occur in the first (styles.py, fonts.py).
"""

from .camera import camera
from .labels import Counter, Scene
from .ruins import ruined
from .scenes import counter, place, row_of_dials, scene

__all__ = ["Counter", "Scene", "camera", "counter", "place", "row_of_dials", "ruined", "scene"]
