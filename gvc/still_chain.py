"""The stills of a chain of GOPs: encoder and decoder of one AV1 stream."""

from collections.abc import Sequence

from .bitstream import SequenceHeader
from .priors.base import Planes
from .process import give_back_memory
from .stills import COARSEST, LOW_DELAY, REORDERED, StillDecoder, StillEncoder

BOOST = 12  # by how much finer the first still of a chain is, on which all others build (measured)
COARSEST_CHAIN = COARSEST + BOOST  # beyond the coarsest quantiser the first still loses its boost


class StillChain:
    """Gives the stills of a chain one by one.

    quantiser: FINEST..COARSEST_CHAIN.
    speed: the AV1 encoder's preset.
    pictures: of all of them, where these are `known`: they are coded at once and may build on later ones. Or else
        none, and each is coded as it comes.
    """

    def __init__(self, header: SequenceHeader, quantiser: int, speed: int, pictures: Sequence[Planes] = ()):
        self.quantiser, self.known = quantiser, bool(pictures)
        video, crf = header.format.coded, min(quantiser, COARSEST)
        # Nothing builds on an I2V chain's only still.
        boost = 0 if header.mode == "i2v" else BOOST - (quantiser - crf)
        structure = REORDERED if pictures else LOW_DELAY
        settings = {"boost": boost, "detail": True, "structure": structure}
        encoder = StillEncoder(video.plane_shapes[0], crf, speed, **settings)
        self._decoder = StillDecoder(video)
        self._left = len(pictures)
        self._coming = encoder.encode_all(pictures) if pictures else None
        self._encode = None if pictures else encoder.encode

    def sizes(self) -> list[int]:
        """Return the bytes of the stills that are still to come, where they are known."""
        coded = list(self._coming or ())
        self._coming = self._coming and iter(coded)
        return [len(data) for data in coded]

    def code(self, planes: Planes) -> tuple[bytes, Planes]:
        """Return the next still and what decoders make of it; `planes` are its picture."""
        data = self._next_known() if self.known else self._encode(planes)
        return data, self._decoder.decode(data)

    def _next_known(self) -> bytes:
        """Return the next still; with the last one the encoder ends."""
        data = next(self._coming)
        self._left -= 1
        if not self._left:
            next(self._coming, None)  # it ends when it is asked for more
            give_back_memory()
        return data
